"""A WebSocket text frame as bytes (RFC 6455, section 5.2): made once, written to every socket that it is for.

A server's frames are not masked, so the same bytes serve all readers.
"""

from __future__ import annotations

import msgspec

from protocol.codec import encode

_TEXT = 0x81  # FIN, opcode 1


def text_frame(payload: bytes) -> bytes:
    """The payload as one unfragmented text frame."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def frame(message: msgspec.Struct) -> bytes:
    """A protocol message, ready for any socket."""
    return text_frame(encode(message))
