"""How many bytes went over each TCP connection? The kernel's own counts, by sock_diag(7).

    request   netlink header, 16 | family, protocol, extensions, pad, states: BBBBI | identity, 48
    answer    netlink header, 16 | inet_diag_msg, 72: cookie at 44, inode at 68 | attributes
    attribute length, type: HH | content, padded to 4; tcp_info has bytes acked at 120, received 128

Every connection of this network name space, whoever has it; that needs no privilege.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
DONE, ERROR = 3, 2
INFO = 2  # INET_DIAG_INFO
ALL_STATES = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI48x")
ATTRIBUTE = struct.Struct("=HH")
BYTES = struct.Struct("=QQ")
COOKIE_AT, INODE_AT, MESSAGE_BYTES, BYTES_AT = 44, 68, 72, 120
ANSWER_BYTES = 1 << 17
PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """cookie: tells it from a later one of the same inode. sent_bytes: those the peer has acked."""

    inode: int
    cookie: int
    sent_bytes: int
    received_bytes: int


def connections() -> list[Connection]:
    """Raises OSError where the kernel does not tell."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(PATIENCE_S)
        for family in (socket.AF_INET, socket.AF_INET6):
            request = REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (INFO - 1), 0, ALL_STATES)
            head = HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, DUMP, 1, 0)
            kernel.send(head + request)
            found += list(_dumped(kernel))
    return found


def _dumped(kernel: socket.socket) -> Iterator[Connection]:
    """What one request is answered with, over as many packets as that takes."""
    while True:
        packet, offset = kernel.recv(ANSWER_BYTES), 0
        while offset + HEADER.size <= len(packet):
            length, kind, _, _, _ = HEADER.unpack_from(packet, offset)
            if kind == DONE:
                return
            if kind == ERROR or length < HEADER.size:
                raise OSError("the kernel refused to list TCP connections")
            yield from parse(packet[offset + HEADER.size : offset + length])
            offset += length + 3 & ~3


def parse(message: bytes) -> Iterator[Connection]:
    """One inet_diag_msg; nothing where it has no tcp_info with byte counts (before Linux 4.1)."""
    (cookie,) = struct.unpack_from("=Q", message, COOKIE_AT)
    (inode,) = struct.unpack_from("=I", message, INODE_AT)
    offset = MESSAGE_BYTES
    while offset + ATTRIBUTE.size <= len(message):
        length, kind = ATTRIBUTE.unpack_from(message, offset)
        content = message[offset + ATTRIBUTE.size : offset + length]
        if kind == INFO and len(content) >= BYTES_AT + BYTES.size:
            sent, received = BYTES.unpack_from(content, BYTES_AT)
            yield Connection(inode=inode, cookie=cookie, sent_bytes=sent, received_bytes=received)
        offset += max(length, ATTRIBUTE.size) + 3 & ~3
