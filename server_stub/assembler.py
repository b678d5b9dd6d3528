"""WebSocket frames to text messages, pure: what may follow what, how much of it, and the close code where it may not.

RFC 6455, sections 5.4 (fragments) and 8.1 (UTF-8). Control frames do not come here.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import CloseCode, ErrorCode
from protocol.limits import MAX_REQUEST_BYTES

CONTINUATION: Final = 0
TEXT: Final = 1

PROTOCOL_ERROR: Final = 1002


class Violation(Exception):
    """The socket must be closed with this code and reason."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Assembler:
    """One socket's messages, from its data frames."""

    def __init__(self) -> None:
        self._begun: bytearray | None = None
        """The fragments of the message that has begun."""

    def take(self, opcode: int, fin: bool, reserved: bool, payload: bytes) -> bytes | None:
        """A whole message, or None where more of it must come. Raises Violation."""
        begun = self._begun
        if reserved:
            raise Violation(PROTOCOL_ERROR)  # no extension was agreed on
        if opcode not in {TEXT, CONTINUATION}:
            raise Violation(CloseCode.UNSUPPORTED_DATA)
        if (opcode == CONTINUATION) != (begun is not None):
            raise Violation(PROTOCOL_ERROR)  # the middle of no message, or a message within a message
        if len(payload) + len(begun or b"") > MAX_REQUEST_BYTES:
            raise Violation(CloseCode.TOO_LARGE, ErrorCode.FRAME_TOO_LARGE)
        if begun is not None or not fin:
            begun = self._begun = bytearray() if begun is None else begun
            begun += payload
            if not fin:
                return None
            payload = bytes(begun)
            self._begun = None
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise Violation(CloseCode.INVALID_TEXT) from None
        return payload
