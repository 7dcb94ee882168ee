#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stack bounds of small programs in assembly, where the answer is known.

Needs arm-none-eabi-gcc; without it the tests are skipped.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))
sys.dont_write_bytecode = True
import stack_depth  # noqa: E402

HEAD = """
    .syntax unified
    .thumb
    .macro func name
    .global \\name
    .type \\name, %function
    .thumb_func
\\name:
    .endm
    .section .vectors, "a"
    .type vectors, %object
vectors:
    .word 0x20001000, reset
    .size vectors, . - vectors
    .text
"""


@unittest.skipUnless(shutil.which("arm-none-eabi-gcc"), "no ARM compiler")
class StackDepth(unittest.TestCase):
    def depth(self, text, cpu="cortex-m3", head=HEAD):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "t.s")
            script = os.path.join(folder, "t.ld")
            out = os.path.join(folder, "t.elf")
            with open(source, "w") as file:
                file.write(head + text + "\n")
            with open(script, "w") as file:
                file.write("SECTIONS { .text 0x08000000 : { *(.vectors) "
                           "*(.text*) *(.rodata*) } }")
            subprocess.run(["arm-none-eabi-gcc", "-mcpu=" + cpu, "-mthumb",
                            "-nostdlib", "-Wl,--entry=reset", "-T", script,
                            "-o", out, source], check=True)
            return stack_depth.worst(out)[0]

    def refused(self, text, reason, **more):
        with self.assertRaisesRegex(stack_depth.StackError, reason):
            self.depth(text, **more)

    def test_no_frame(self):
        self.assertEqual(self.depth("func reset\n b ."), 0)

    def test_frames_of_a_chain_add_up(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              sub sp, #16
              bl f
              bl g
              add sp, #16
              pop {r4, pc}
            func f
              stmdb sp!, {r4, r5, r6, r8, lr}
              ldmia.w sp!, {r4, r5, r6, r8, pc}
            func g
              str r0, [sp, #-8]!
              ldr r0, [sp], #8
              bx lr
        """), 8 + 16 + 20)

    def test_paths_are_not_added_up(self):
        self.assertEqual(self.depth("""
            func reset
              push {lr}
              cbz r0, 1f
              pop {pc}
            1: cmp r0, #1
              it eq
              popeq {pc}
              push {r0-r3}
              pop {r0-r3}
              pop {pc}
        """), 20)

    def test_a_tail_call_has_given_its_frame_back(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              pop {r4, lr}
              b.w f
            func f
              push {r4, r5, r6, lr}
              pop {r4, r5, r6, pc}
        """), 16)

    def test_a_jump_table(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              tbb [pc, r0]
            1: .byte (2f - 1b) / 2, (3f - 1b) / 2
            2: pop {r4, pc}
            3: sub sp, #32
              add sp, #32
              pop {r4, pc}
        """), 40)

    def test_a_pointer_may_call_whatever_has_its_address_taken(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              blx r3
              pop {r4, pc}
            func small
              bx lr
            func large
              sub sp, #64
              add sp, #64
              bx lr
            func not_taken
              sub sp, #128
              add sp, #128
              bx lr
              .section .rodata
              .word small, large
        """), 72)

    def test_a_large_frame_of_a_small_core(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              ldr r4, 1f
              add sp, r4
              b .
              .align 2
            1: .word -1024
        """, cpu="cortex-m0"), 1032)

    def test_a_far_jump_of_a_small_core(self):
        self.assertEqual(self.depth("""
            func reset
              push {r4, lr}
              bl 1f
            1: b .
        """, cpu="cortex-m0"), 8)

    def test_another_program_is_not_followed(self):
        self.assertEqual(self.depth("""
            func reset
              sub sp, #8
              msr msp, r3
              bx r2
        """), 8)

    def test_an_exception_counts_once(self):
        head = HEAD.replace("reset\n", "reset, fault, fault\n")
        self.assertEqual(self.depth("""
            func reset
              sub sp, #8
              b .
            func fault
              sub sp, #12
              b .
        """, head=head), 8 + 36 + 12)

    def test_what_cannot_be_bounded(self):
        self.refused("func reset\n push {lr}\n bl f\n pop {pc}\n"
                     "func f\n push {lr}\n bl reset\n pop {pc}",
                     "recursion: reset -> f -> reset")
        self.refused("func reset\n 1: push {r0}\n b 1b", "grows in a loop")
        self.refused("func reset\n sub sp, sp, r0\n b .", "variable size")
        self.refused("func reset\n mov sp, r7\n b .", "cannot follow")


if __name__ == "__main__":
    unittest.main()
