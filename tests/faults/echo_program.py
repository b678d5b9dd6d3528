"""A server that sends back every message, made of the real gateway, assembler and framing: for kosoku's cases.

Those expect an echo, of text and binary messages of up to 16 MiB; the real server takes text of 256 KiB. Nothing else
differs. It prints its port, and ends with its input.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from picows import WSFrame, WSMsgType, WSTransport

from protocol.errors import CloseCode
from server_stub import gateway
from server_stub.assembler import Assembler
from server_stub.framing import text_frame
from server_stub.turn import Turn

MAX_BYTES: Final = 17 * 1024 * 1024


class Echo(gateway.Connection):
    """Speaks to itself instead of to an actor."""

    def __init__(self, port: gateway.Gateway, desk: gateway.Attached) -> None:
        super().__init__(port, desk)
        self._assembler = Assembler(MAX_BYTES, binary=True)
        self._binary = False

    def _frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            self._binary = frame.msg_type == WSMsgType.BINARY
        super()._frame(transport, frame)

    def _message(self, data: bytes) -> None:
        framed = text_frame(data)
        self.send(b"\x82" + framed[1:] if self._binary else framed)


class Nobody:
    """Where the requests of a socket would go."""

    def request(self, device: gateway.Connection, request: object) -> None:
        """See gateway.Attached."""


async def main() -> None:
    """Serve."""
    loop = asyncio.get_running_loop()
    gateway.MAX_FRAME_BYTES = gateway.MAX_HELD_BYTES = MAX_BYTES  # type: ignore[misc]  # the one difference
    gateway.Connection = Echo  # type: ignore[misc,assignment]  # the one difference
    turn = Turn(loop)
    port = gateway.Gateway(turn, 600.0, lambda: True)
    turn.steps = (port.flush,)
    print(await port.listen("127.0.0.1", 0, None, Nobody()), flush=True)  # noqa: T201  # its answer
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await lines.read()
    await port.close(CloseCode.SERVICE_RESTART, 5.0)


if __name__ == "__main__":
    asyncio.run(main())
