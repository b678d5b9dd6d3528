"""What the load of all servers has in common: a client that only counts, and which core runs what.

A load client parses as little as it can, so that the core that makes the load is not what is measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Self

TEXT: Final = "The figures of last week are in: please have a look at page two, and tell me what you think by noon."
"""A body of 100 bytes."""

DEADLINE_SECONDS: Final = 120.0
"""For anything that is waited for."""


class LoadClient(asyncio.Protocol, ABC):
    """One socket that sends with a window of unacknowledged messages, and counts what comes back."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.acknowledged = 0
        self.received = 0
        self.sent = 0
        self.sent_at = 0.0
        self.times: list[float] = []
        """Of ping-pong: from the partner's write to the arrival here, in seconds."""
        self._to_send = 0
        self._window = 0
        self._expected = 0
        self._partner: LoadClient | None = None
        self._transport: asyncio.Transport
        self._buffer = b""
        self._waiter: tuple[bytes, asyncio.Future[None]] | None = None
        self._counting = False

    # ---------------------------------------------------------------- what a protocol adds

    @abstractmethod
    async def log_in(self) -> None:
        """From an open socket to one that gets messages."""

    @abstractmethod
    def messages(self, begin: int, end: int) -> bytes:
        """The bytes of the messages with these numbers, each with a request to acknowledge it."""

    @abstractmethod
    def count(self, data: bytes) -> None:
        """Add to `acknowledged` and `received` what came."""

    # ---------------------------------------------------------------- load

    def begin(self, count: int, window: int, expected: int) -> None:
        """Send so many messages, with `window` of them under way, and get so many."""
        self.acknowledged = self.received = self.sent = 0
        self._to_send, self._window, self._expected = count, window, expected
        self._partner = None
        self.done = asyncio.get_running_loop().create_future()
        self._go_on()

    def play(self, partner: LoadClient, count: int, *, serve: bool) -> None:
        """Send `count` messages, each after one of the partner's; who serves begins."""
        self.begin(0, 0, 0)
        self._partner, self._to_send, self._expected = partner, count, count
        self.times = []
        self.done = asyncio.get_running_loop().create_future()
        if serve:
            self._strike()

    def _strike(self) -> None:
        self.sent += 1
        self.sent_at = time.perf_counter()
        self.write(self.messages(self.sent, self.sent + 1))

    def _go_on(self) -> None:
        """Something has come: send what the window now allows; say when all is there."""
        if self._partner is not None:
            if self.received > len(self.times):
                self.times.append(time.perf_counter() - self._partner.sent_at)
                if self.sent < self._to_send:
                    self._strike()
        elif self.sent < self._to_send and (room := self.acknowledged + self._window - self.sent) > 0:
            begin = self.sent + 1
            self.sent += min(room, self._to_send - self.sent)
            self.write(self.messages(begin, self.sent + 1))
        if self.acknowledged >= self._to_send and self.received >= self._expected and not self.done.done():
            self.done.set_result(None)

    # ---------------------------------------------------------------- the socket

    async def connect(self, port: int) -> Self:
        """Open the socket, and log in."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
            await self.log_in()
        self._counting = True
        return self

    def write(self, data: bytes) -> None:
        """Send these bytes."""
        self._transport.write(data)

    async def until(self, sign: bytes) -> bytes:
        """What has come up to and with these bytes; the rest is for the next question."""
        if sign not in self._buffer:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiter = (sign, future)
            await future
        begin, _, self._buffer = self._buffer.partition(sign)
        return begin + sign

    def close(self) -> None:
        """Drop the socket."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: whoever waits learns that nothing more comes."""
        for future in (self.done, self._waiter[1] if self._waiter else None):
            if future is not None and not future.done():
                future.set_exception(ConnectionError(f"the server has closed; last it said {self._buffer[-300:]!r}"))
                future.exception()  # an idle client's loss is nobody's business

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._counting:
            self.count(data)
            self._go_on()
            return
        self._buffer += data
        if self._waiter is not None and self._waiter[0] in self._buffer:
            self._waiter[1].set_result(None)
            self._waiter = None


async def all_done(clients: Sequence[LoadClient]) -> None:
    """Return when every client has sent and received everything. Raises TimeoutError."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*(client.done for client in clients))


@contextmanager
def cores() -> Iterator[tuple[set[int], set[int]]]:
    """The core for the load and the one for the server; afterwards, all of them again for us."""
    if sys.platform != "linux":
        yield set(), set()
        return
    allowed = os.sched_getaffinity(0)
    try:
        yield {max(allowed)}, {min(allowed)}
    finally:
        os.sched_setaffinity(0, allowed)


def pin(chosen: set[int]) -> None:
    """Let this process from now on, and what it starts, run on these cores alone."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, chosen)
