# SPDX-License-Identifier: MIT
"""
The control requests in a file that `sallyport-chip --pcap` wrote: usbmon
records with a header of 64 bytes (Linux, Documentation/usb/usbmon.rst).
"""

import struct

FILE_HEADER, RECORD_HEADER, USBMON_HEADER = 24, 16, 64
CONTROL = 2  # transfer type


def requests(path):
    """[(bmRequestType, bRequest, wValue, wIndex, wLength)], as submitted."""
    data = path.read_bytes()
    found = []
    at = FILE_HEADER
    while at + RECORD_HEADER <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        at += RECORD_HEADER
        record = data[at:at + size]
        at += size
        if len(record) >= USBMON_HEADER and record[8] == ord("S") and (
                record[9] == CONTROL):
            found.append(struct.unpack_from("<BBHHH", record, 40))
    return found
