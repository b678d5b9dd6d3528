"""The load client of Oschat's own protocol: raw WebSocket frames, counted by their first bytes."""

from __future__ import annotations

import itertools
from typing import Final

from bench import company
from bench.load import TEXT, LoadClient
from protocol.codec import encode
from protocol.limits import PROTOCOL_VERSION
from protocol.messages import Hello, Login, Request, Resume

UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACKNOWLEDGED: Final = b'"type":"sent",'
RECEIVED: Final = b'"type":"new_ev'
"""As long as ACKNOWLEDGED: a rest that is one byte shorter holds the whole of neither."""

PING: Final = b"\x89\0"
PONG: Final = b"\x8a\x80\0\0\0\0"

_runs = itertools.count()


class WireClient(LoadClient):
    """One device, logged in by password or by token."""

    def __init__(self, number: int, conversation: str, *, by_token: bool = True) -> None:
        super().__init__()
        self._number = number
        self._by_token = by_token
        self._run = next(_runs)
        self._rest = b""
        self._head = f'{{"type":"send","id":7,"conversation":"{conversation}","message_id":"n{number}-'.encode()
        self._tail = f'","body":{{"text":"{TEXT}"}}}}'.encode()

    async def log_in(self) -> None:
        """See LoadClient."""
        self.write(UPGRADE)
        await self.until(b"\r\n\r\n")
        self._ask(Hello(id=1, protocol=PROTOCOL_VERSION, client="bench"))
        await self.until(b'"type":"welcome"')
        login = f"person{self._number}"
        self._ask(
            Resume(id=2, token=company.token(self._number))
            if self._by_token
            else Login(id=2, user=login, password=company.PASSWORD)
        )
        await self.until(b'"type":"logged_in"')

    def _ask(self, request: Request) -> None:
        self.write(client_frame(encode(request)))

    def begin(self, count: int, window: int, expected: int) -> None:
        """See LoadClient. Every run has message ids of its own."""
        self._run = next(_runs)
        super().begin(count, window, expected)

    def messages(self, begin: int, end: int) -> bytes:
        """See LoadClient."""
        return b"".join(
            [client_frame(b"%b%d-%08d%b" % (self._head, self._run, n, self._tail)) for n in range(begin, end)]
        )

    def count(self, data: bytes) -> None:
        """See LoadClient."""
        data = self._rest + data
        self.acknowledged += data.count(ACKNOWLEDGED)
        self.received += data.count(RECEIVED)
        self._rest = data[1 - len(ACKNOWLEDGED) :]
        if PING in data:
            self.write(PONG)
        if b'"type":"error"' in data:
            raise RuntimeError(data.decode(errors="replace"))


def client_frame(payload: bytes) -> bytes:
    """A masked text frame (RFC 6455, section 5.2). The mask is zero, which spares the load the masking."""
    size = len(payload)
    if size < 126:
        return b"\x81%c\0\0\0\0%b" % (0x80 | size, payload)
    return b"\x81\xfe%b\0\0\0\0%b" % (size.to_bytes(2, "big"), payload)
