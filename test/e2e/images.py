# SPDX-License-Identifier: MIT
"""
Files for the end-to-end tests, made independently of the host tool: stamped
images (core/img.h has the format), .dfu files with several elements (UM0391, "DfuSe
file format specification"), .uf2 files (github.com/microsoft/uf2).
"""

import random
import struct
import zlib

STAMP_MAGIC = 0x594C4153
OFFSET_MAGIC, OFFSET_LENGTH, OFFSET_CRC = 0x1C, 0x20, 0x24
OFFSET_PRODUCT, OFFSET_VERSION = 0x28, 0x34


def filled(image, size, seed=1):
    """The image followed by pseudo-random bytes, `size` bytes in all."""
    if len(image) > size:
        raise ValueError("image of %d bytes is larger than %d"
                         % (len(image), size))
    return image + random.Random(seed).randbytes(size - len(image))


def put_word(image, offset, value):
    return (image[:offset] + struct.pack("<I", value)
            + image[offset + 4:])


def word(image, offset):
    return struct.unpack_from("<I", image, offset)[0]


def stamped(image, product=0, version=0):
    """A plain image with a stamp over all of it."""
    image += b"\xff" * (-len(image) % 4)
    for offset, value in ((OFFSET_MAGIC, STAMP_MAGIC),
                          (OFFSET_LENGTH, len(image)), (OFFSET_CRC, 0),
                          (OFFSET_PRODUCT, product),
                          (OFFSET_VERSION, version)):
        image = put_word(image, offset, value)
    return put_word(image, OFFSET_CRC, zlib.crc32(image))


def dfuse(elements, vid=0xFFFF, pid=0xFFFF, name=b"e2e"):
    """A .dfu file with one target, alternate setting 0.
    elements: [(address, data)]."""
    body = b"".join(struct.pack("<II", address, len(data)) + data
                    for address, data in elements)
    target = struct.pack("<6sBI255sII", b"Target", 0, 1, name, len(body),
                         len(elements)) + body
    head = struct.pack("<5sBIB", b"DfuSe", 1, 11 + len(target), 1)
    suffix = struct.pack("<HHHH3sB", 0xFFFF, pid, vid, 0x011A, b"UFD", 16)
    data = head + target + suffix
    return data + struct.pack("<I", zlib.crc32(data) ^ 0xFFFFFFFF)


def uf2(data, address, family, payload=256):
    """A .uf2 file: blocks of 512 bytes, all for one family."""
    count = (len(data) + payload - 1) // payload
    blocks = []
    for number in range(count):
        piece = data[number * payload:(number + 1) * payload]
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x00002000,
                           address + number * payload, payload, number, count,
                           family)
        blocks.append(head + piece.ljust(payload, b"\xff").ljust(476, b"\0")
                      + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)
