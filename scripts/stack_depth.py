#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
stack_depth - the worst case of a Cortex-M program's stack, from its ELF.

Works on the disassembly, so on the very code that is flashed, whatever the
compiler and the link-time optimiser did.  Every path through every function
is followed with the depth of the stack; calls through pointers go to any
function whose address appears in the program outside the vector table.
Refuses (StackError) what it cannot bound: recursion, a stack pointer that is
computed, stack that grows in a loop.

Handlers of exceptions count on top of everything else, once, with the frame
that the hardware pushes (8 words, and one to align; PM0056 clause 2.3.7).

usage: stack_depth.py ELF      prints the deepest chain of calls
"""

import re
import struct
import subprocess
import sys
from pathlib import Path

EXCEPTION_FRAME = 36
LIMIT = 1 << 20  # no microcontroller's stack is deeper

LINE = re.compile(r"^\s*([0-9a-f]+):\t(\S+)(?:\t(.*))?$")
DATA = (".word", ".short", ".byte")
CONDITIONS = ("eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo")
BRANCH = re.compile(r"^b(%s)?$" % CONDITIONS)
STACK_OPS = ("push", "pop", "vpush", "vpop", "stmdb", "stmfd", "ldmia",
             "ldmfd", "ldm", "sub", "subs", "subw", "add", "adds", "addw",
             "str", "strd", "ldr", "ldrd", "mov", "bx", "b", "bl", "blx",
             "tbb", "tbh", "msr", "udf")


class StackError(Exception):
    pass


class Elf:
    """Sections and symbols of a 32-bit little-endian ELF."""

    def __init__(self, path):
        self.path = Path(path)
        self.bytes = self.path.read_bytes()
        if self.bytes[:6] != b"\x7fELF\x01\x01":
            raise StackError("%s: not a 32-bit little-endian ELF" % path)
        fields = struct.unpack_from("<IIIHHHHHH", self.bytes, 28)
        phoff, shoff, phnum, shnum = fields[0], fields[1], fields[5], fields[7]
        self.segments = [struct.unpack_from("<8I", self.bytes, phoff + 32 * i)
                         for i in range(phnum)]
        self.sections = [struct.unpack_from("<10I", self.bytes, shoff + 40 * i)
                         for i in range(shnum)]
        self.symbols = list(self._symbols())

    def _symbols(self):
        """(name, value, size, type)"""
        for section in self.sections:
            if section[1] != 2:  # SHT_SYMTAB
                continue
            strings = self.sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], 16):
                name, value, size, info = struct.unpack_from(
                    "<IIIB", self.bytes, at)
                end = self.bytes.index(b"\0", strings + name)
                text = self.bytes[strings + name:end].decode()
                yield text, value, size, info & 15

    def symbol(self, name):
        for found, value, _, _ in self.symbols:
            if found == name:
                return value
        return None

    def allocated(self):
        """(address, size, data or None, writable) of what is in memory."""
        for s in self.sections:
            if s[2] & 2 and s[5]:  # SHF_ALLOC
                data = None if s[1] == 8 else self.bytes[s[4]:s[4] + s[5]]
                yield s[3], s[5], data, bool(s[2] & 1)

    def load_address(self, address):
        """Where the bytes for an address lie in flash."""
        for kind, _, vaddr, paddr, _, memsz, _, _ in self.segments:
            if kind == 1 and vaddr <= address < vaddr + memsz:
                return address - vaddr + paddr
        return address

    def word(self, address):
        for start, size, data, _ in self.allocated():
            if data and start <= address and address + 4 <= start + size:
                return struct.unpack_from("<I", data, address - start)[0]
        return None

    def vectors(self):
        """(address, size) of the vector table: the object at the start of
        the flash, else the 16 words that every Cortex-M has."""
        start = min(s[0] for s in self.allocated() if s[2])
        for _, value, size, kind in self.symbols:
            if value == start and kind == 1 and size:
                return start, size
        return start, 64


class Instruction:
    def __init__(self, mnemonic, operands):
        operands = operands.split("@")[0].split(";")[0].strip()
        base = re.sub(r"\.[nw]$", "", mnemonic)
        self.conditional = False
        known = base in STACK_OPS or base in ("bls", "svc")
        bare = re.sub("(%s)$" % CONDITIONS, "", base)
        if not known and bare in STACK_OPS and bare != "b":
            base, self.conditional = bare, True
        self.op = base
        self.args = operands


class Function:
    def __init__(self, name, start):
        self.name = name
        self.start = start
        self.code = {}      # address -> Instruction
        self.own = 0        # deepest point of its own frame
        self.calls = {}     # target address or None (pointer) -> depth


def disassemble(path, symbols):
    """[Function] in the order of their addresses."""
    objects = {value for _, value, _, kind in symbols if kind == 1}
    ends = {value & ~1: (value & ~1) + size
            for _, value, size, kind in symbols if kind == 2 and size}
    text = subprocess.run(
        ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", "-w", str(path)],
        check=True, capture_output=True, text=True).stdout
    functions = []
    end = 0  # what comes behind a function may be read-only data
    for line in text.splitlines():
        head = re.match(r"^([0-9a-f]+) <(.+)>:$", line)
        found = LINE.match(line)
        if head:
            start = int(head[1], 16)
            end = 0 if start in objects else ends.get(start, LIMIT << 12)
            functions.append(Function(head[2], start))
        elif found and int(found[1], 16) < end and found[2] not in DATA:
            functions[-1].code[int(found[1], 16)] = Instruction(
                found[2], found[3] or "")
    return [f for f in functions if f.code]


def registers_size(text):
    """Bytes of a list such as {r4-r7, lr}."""
    total = 0
    for part in text[text.index("{") + 1:text.index("}")].split(","):
        part = part.strip()
        size = 8 if part.startswith("d") else 4
        low, _, high = part.partition("-")
        count = int(high[1:]) - int(low[1:]) + 1 if high else 1
        total += size * count
    return total


class Analysis:
    def __init__(self, path):
        self.elf = Elf(path)
        self.functions = disassemble(path, self.elf.symbols)
        self.by_start = {f.start: f for f in self.functions}
        self.owner = {a: f for f in self.functions for a in f.code}
        self.taken = self._address_taken()
        for function in self.functions:
            self._follow(function)
        self.totals = {}

    # ---- addresses of functions in data and code ----

    def _address_taken(self):
        start, size = self.elf.vectors()
        taken = set()
        for address, length, data, _ in self.elf.allocated():
            for i in range(0, (length & ~3) if data else 0, 4):
                at = self.elf.load_address(address) + i
                value = struct.unpack_from("<I", data, i)[0]
                if not start <= at < start + size:
                    self._take(value, taken)
        for function in self.functions:
            self._take_movw_movt(function, taken)
        return taken

    def _take(self, value, taken):
        if value & 1 and value - 1 in self.by_start:
            taken.add(value - 1)

    def _take_movw_movt(self, function, taken):
        low = {}
        for i in function.code.values():
            found = re.match(r"(\w+), #(\d+)", i.args)
            if found and i.op == "movw":
                low[found[1]] = int(found[2])
            elif found and i.op == "movt":
                self._take(int(found[2]) << 16 | low.get(found[1], 0), taken)

    # ---- one function ----

    def _follow(self, f):
        order = sorted(f.code)
        after = dict(zip(order, order[1:]))
        seen, tables = {}, []
        work = [(f.start, 0)]
        while True:
            while work:
                at, depth = work.pop()
                if at is None or seen.get(at, -1) >= depth:
                    continue
                if depth > LIMIT:
                    raise StackError("%s: grows in a loop" % f.name)
                seen[at] = depth
                work += self._step(f, at, depth, after.get(at), tables)
            # Targets of jump tables: what nothing else has reached.
            missed = [a for a in order if a not in seen]
            if not tables or not missed:
                break
            work = [(missed[0], max(tables))]
        if f.name.endswith("_veneer") and not f.calls:
            f.calls.setdefault(None, 0)

    def _step(self, f, at, depth, following, tables):
        """[(address, depth)] where to go on."""
        i = f.code[at]
        depth_after = depth + self._change(f, at, i)
        f.own = max(f.own, depth, depth_after)
        stay = [(following, depth)] if i.conditional else []
        target = self._target(i)

        if i.op == "bl" and target in f.code and target != f.start:
            return [(target, depth)]  # how Thumb-1 jumps far
        if i.op in ("bl", "blx"):
            self._call(f, target, depth)
            if target in self.by_start and \
                    self.by_start[target].name.startswith("__gnu_thumb1_case"):
                tables.append(depth)
                return []
            return [(following, depth)]
        if BRANCH.match(i.op) or i.op in ("cbz", "cbnz"):
            if i.op != "b":
                stay = [(following, depth)]
            if target in f.code:
                return stay + [(target, depth)]
            self._call(f, target, depth)  # goes on in another function
            return stay
        if i.op == "bx":
            if i.args != "lr":
                self._call(f, self._far(f), depth)
            return stay
        if i.op in ("tbb", "tbh"):
            tables.append(depth)
            return []
        if i.op == "udf" or re.match(r"msr$", i.op) and "MSP" in i.args:
            return []  # the end, or another program's stack
        if self._leaves(f, at, i, depth):
            return stay
        return stay + [(following, depth_after)]

    def _far(self, f):
        """Where the linker's veneer goes to: the one literal that it loads, in
        the code of an ARMv6-M.  None: not known."""
        loads = [(at, i) for at, i in f.code.items()
                 if i.op == "ldr" and "[pc, #" in i.args]
        if not f.name.endswith("_veneer") or len(loads) != 1:
            return None
        at, i = loads[0]
        literal = (at + 4 & ~3) + int(re.search(r"#(\d+)", i.args)[1])
        return (self.elf.word(literal) or 0) & ~1

    def _target(self, i):
        found = re.search(r"(?:^|, )([0-9a-f]+) <", i.args)
        return int(found[1], 16) if found else None

    def _call(self, f, target, depth):
        f.calls[target] = max(f.calls.get(target, 0), depth)

    def _leaves(self, f, at, i, depth):
        """True for an instruction that writes the program counter."""
        if "{" in i.args:
            return i.op.startswith(("pop", "ldm")) and \
                re.search(r"\bpc\b", i.args[i.args.index("{"):])
        if not i.args.startswith("pc,"):
            return False
        if i.op == "ldr" and "[sp]" in i.args:
            return True
        if i.op == "ldr" and i.args.startswith("pc, [pc"):
            literal = (at + 4 & ~3) + int(
                (re.search(r"#(-?\d+)", i.args) or [0, 0])[1])
            self._call(f, (self.elf.word(literal) or 0) & ~1, depth)
            return True
        if i.op in ("mov", "ldr"):
            self._call(f, None, depth)
            return True
        raise StackError("%s+0x%x: cannot follow '%s %s'" % (
            f.name, at - f.start, i.op, i.args))

    def _change(self, f, at, i):
        """By how many bytes the instruction makes the stack deeper."""
        if i.op in ("push", "vpush"):
            return registers_size(i.args)
        if i.op in ("pop", "vpop"):
            return -registers_size(i.args)
        if i.args.startswith("sp!,"):
            size = registers_size(i.args)
            return size if "db" in i.op or "fd" in i.op and i.op[0] == "s" \
                else -size
        back = re.search(r"\[sp, #(-?\d+)\]!", i.args)
        if back:
            return -int(back[1])
        pop = re.search(r"\[sp\], #(-?\d+)", i.args)
        if pop:
            return -int(pop[1])
        if i.args.startswith("sp,") and i.op not in ("cmp", "tst"):
            return self._change_of_sp(f, at, i)
        return 0

    def _change_of_sp(self, f, at, i):
        sign = {"sub": 1, "add": -1}.get(i.op.rstrip("sw"))
        found = re.match(r"sp, (?:sp, )?(?:#(\d+)|(\w+))$", i.args)
        if not sign or not found:
            raise StackError("%s+0x%x: cannot follow '%s %s'" % (
                f.name, at - f.start, i.op, i.args))
        if found[1]:
            return sign * int(found[1])
        return sign * self._constant(f, at, found[2])

    def _constant(self, f, at, register):
        """Signed value that was last loaded into a register from a literal:
        how Thumb-1 makes large frames."""
        for before in sorted((a for a in f.code if a < at), reverse=True):
            i = f.code[before]
            if not i.args.startswith(register + ","):
                continue
            literal = re.match(r"\w+, \[pc, #(\d+)\]", i.args)
            number = re.match(r"\w+, #(\d+)$", i.args)
            if i.op == "ldr" and literal:
                value = self.elf.word((before + 4 & ~3) + int(literal[1]))
                return value - (1 << 32) if value >> 31 else value
            if i.op in ("mov", "movs", "movw") and number:
                return int(number[1])
            break
        raise StackError("%s+0x%x: a frame of variable size" % (
            f.name, at - f.start))

    # ---- the whole program ----

    def total(self, f, chain=()):
        """(bytes, [names]) of the deepest chain from f on."""
        if f in chain:
            names = [g.name for g in chain[chain.index(f):]] + [f.name]
            raise StackError("recursion: " + " -> ".join(names))
        if f in self.totals:
            return self.totals[f]
        best = (f.own, [f.name])
        for target, depth in sorted(f.calls.items(),
                                    key=lambda item: item[0] or 0):
            targets = sorted(self.taken) if target is None else [target]
            for address in targets:
                callee = self.owner.get(address)
                if not callee:
                    raise StackError("%s: calls 0x%x, which is not in the "
                                     "program" % (f.name, address))
                size, names = self.total(callee, chain + (f,))
                if depth + size > best[0]:
                    best = (depth + size, [f.name] + names)
        self.totals[f] = best
        return best

    def worst(self):
        """(bytes, [names]) from the reset vector on, the deepest handler of
        an exception included."""
        start, size = self.elf.vectors()
        starts = [self.elf.word(a) for a in range(start + 4, start + size, 4)]
        starts = [self.by_start.get((s or 0) & ~1) for s in starts]
        if not starts or not starts[0]:
            raise StackError("no reset vector at 0x%08x" % start)
        depth, names = self.total(starts[0])
        handlers = [self.total(f) for f in starts[1:] if f]
        if handlers:
            more, more_names = max(handlers)
            depth += EXCEPTION_FRAME + more
            names = names + ["(exception)"] + more_names
        return depth, names


def worst(path):
    return Analysis(path).worst()


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        depth, names = worst(sys.argv[1])
    except (StackError, OSError) as error:
        print("stack_depth: %s" % error, file=sys.stderr)
        return 1
    print("%d bytes: %s" % (depth, " -> ".join(names)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
