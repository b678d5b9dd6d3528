"""WebSocket frames to text messages, pure: what may follow what, how much of it, and the close code where it may not.

RFC 6455, sections 5.4 (fragments), 7.4 (close codes) and 8.1 (UTF-8).
"""

from __future__ import annotations

from typing import Final

from protocol.errors import CloseCode, ErrorCode
from protocol.limits import MAX_REQUEST_BYTES

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2

PROTOCOL_ERROR: Final = 1002


NEVER_SENT: Final = frozenset({1004, 1005, 1006, 1015})
"""Close codes that no close frame may carry."""


def close_answer(payload: bytes, *, reserved: bool) -> int:
    """The close code with which a close frame is answered."""
    code = int.from_bytes(payload[:2], "big")
    if reserved or (payload and not 1000 <= code < 5000) or code in NEVER_SENT:
        return PROTOCOL_ERROR
    return CloseCode.NORMAL


class Violation(Exception):
    """The socket must be closed with this code and reason."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Assembler:
    """One socket's messages, from its data frames: text of up to `limit` bytes, and binary ones only where allowed."""

    def __init__(self, limit: int = MAX_REQUEST_BYTES, *, binary: bool = False) -> None:
        self._limit = limit
        self._kinds = frozenset({TEXT, BINARY} if binary else {TEXT})
        self._kind = TEXT
        self._begun: bytearray | None = None
        """The fragments of the message that has begun."""

    def take(self, opcode: int, fin: bool, reserved: bool, payload: bytes) -> bytes | None:
        """A whole message, or None where more of it must come. Raises Violation."""
        begun = self._begun
        if reserved:
            raise Violation(PROTOCOL_ERROR)  # no extension was agreed on
        if opcode != CONTINUATION and opcode not in self._kinds:
            raise Violation(CloseCode.UNSUPPORTED_DATA)
        if (opcode == CONTINUATION) != (begun is not None):
            raise Violation(PROTOCOL_ERROR)  # the middle of no message, or a message within a message
        if len(payload) + len(begun or b"") > self._limit:
            raise Violation(CloseCode.TOO_LARGE, ErrorCode.FRAME_TOO_LARGE)
        if opcode != CONTINUATION:
            self._kind = opcode
        if begun is not None or not fin:
            begun = self._begun = bytearray() if begun is None else begun
            begun += payload
            if not fin:
                return None
            payload = bytes(begun)
            self._begun = None
        if self._kind == TEXT:
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise Violation(CloseCode.INVALID_TEXT) from None
        return payload
