"""A TCP proxy that harms what goes through it, on the event loop of the test: one link of one client.

`begin` starts a fault for every connection that is there and that comes; `heal` ends it. What a healed network does to
the connections of the fault is part of the fault: the bytes of some arrive late, others are reset or stay dead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from random import Random
from typing import Final, Literal, Self

Fault = Literal["reset", "half_open", "dead", "delay", "throttle", "cut"]
"""reset: everything is reset, new connections too. half_open: nothing passes, what was held passes on healing. dead:
the same, but what was there before never moves again, and new connections are reset on healing, as by a firewall that
forgot them. delay: each piece is DELAY_SECONDS late. throttle: RATE_BYTES a second. cut: after some bytes, in the
middle of a frame, the connection ends."""

FAULTS: Final[tuple[Fault, ...]] = ("reset", "half_open", "dead", "delay", "throttle", "cut")
DELAY_SECONDS: Final = 5.0
RATE_BYTES: Final = 12_500
"""1 % of a line of 10 Mbit/s, for both directions of all connections together."""

CUT_BYTES: Final = 600
"""A connection that is cut passes at most so many bytes in one direction; a log-in takes more."""

CHUNK_BYTES: Final = 16_384


class FaultyProxy:
    """Between one client and the server. Everything runs on the loop on which it was opened."""

    def __init__(self, port: int, random: Random) -> None:
        self.url = ""
        self.fault: Fault | None = None
        self.random = random
        self.changed = asyncio.Event()
        """Set by the end of a fault, and replaced by its begin: who holds bytes waits for it."""
        self.rate = asyncio.Lock()
        self._target = port
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> Self:
        """Listen on a free port of the loopback."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK_BYTES)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        for line in tuple(self._lines):
            line.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_for_healing(self, seconds: float) -> None:
        """No longer than so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), seconds)

    @property
    def lines(self) -> int:
        """How many connections there are."""
        return len(self._lines)

    def begin(self, fault: Fault) -> None:
        """From now on, for all connections."""
        self.fault = fault
        self.changed = asyncio.Event()
        for line in tuple(self._lines):
            line.begin(fault)

    def heal(self) -> None:
        """From now on bytes pass, except on connections that are lost for ever."""
        fault, self.fault = self.fault, None
        if fault == "dead":
            for line in tuple(self._lines):
                if not line.dead:
                    line.reset()
        self.changed.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Not a coroutine: asyncio would complain about one that is cancelled."""
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # it may be cancelled before it has begun

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault == "reset":
            await _reset_and_wait(writer)
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target, limit=CHUNK_BYTES)
        except OSError:
            await _reset_and_wait(writer)  # the server is down
            return
        line = _Line(self, (reader, writer), there)
        self._lines.add(line)
        try:
            await line.run()
        finally:
            self._lines.discard(line)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    """One connection through the proxy: two pumps."""

    def __init__(self, proxy: FaultyProxy, here: Ends, there: Ends) -> None:
        self.dead = False
        self._proxy = proxy
        self._here = here
        self._there = there
        self._left = proxy.random.randrange(CUT_BYTES) if proxy.fault == "cut" else 0

    def begin(self, fault: Fault) -> None:
        if fault == "reset":
            self.reset()
        elif fault == "dead":
            self.dead = True
        elif fault == "cut":
            self._left = self._proxy.random.randrange(CUT_BYTES)

    def reset(self) -> None:
        for _, writer in (self._here, self._there):
            _reset(writer)

    async def run(self) -> None:
        """Until both directions have ended, or one is broken."""
        jobs = []
        for (reader, _), (_, writer) in ((self._here, self._there), (self._there, self._here)):
            # Bounded: when so many pieces are under way, nothing more is read, as by a real line.
            under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
            jobs += [self._take(reader, under_way), self._deliver(under_way, writer)]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            await asyncio.gather(*tasks)
        except OSError:
            self.reset()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _, writer in (self._here, self._there):
                writer.close()
            for _, writer in (self._here, self._there):
                with suppress(OSError):
                    await writer.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        data = b"-"
        while data:
            data = await reader.read(CHUNK_BYTES)
            await under_way.put((loop.time() + (DELAY_SECONDS if self._proxy.fault == "delay" else 0.0), data))

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        proxy, loop = self._proxy, asyncio.get_running_loop()
        data = b"-"
        while data:
            due, data = await under_way.get()
            if (wait := due - loop.time()) > 0:
                await proxy.wait_for_healing(wait)
            while proxy.fault in ("half_open", "dead"):
                await proxy.changed.wait()
            if self.dead:
                await asyncio.Event().wait()  # until the proxy closes
            if proxy.fault == "cut":
                passed, self._left = data[: self._left], self._left - len(data)
                writer.write(passed)
                if self._left < 0:
                    if proxy.random.random() < 0.5:
                        await writer.drain()
                        raise ConnectionResetError
                    self._end()
                    return
                continue
            for piece in _pieces(data, RATE_BYTES // 10) if proxy.fault == "throttle" else [data]:
                if proxy.fault == "throttle":
                    async with proxy.rate:
                        await proxy.wait_for_healing(len(piece) / RATE_BYTES)
                writer.write(piece)
            await writer.drain()
        writer.close()

    def _end(self) -> None:
        """Both ends are closed as if by intent."""
        for _, writer in (self._here, self._there):
            writer.close()


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST (SO_LINGER with 0 seconds)."""
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _reset_and_wait(writer: asyncio.StreamWriter) -> None:
    """Until the socket is closed."""
    _reset(writer)
    with suppress(OSError):
        await writer.wait_closed()
