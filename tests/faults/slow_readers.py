"""Devices that do not read: each is held one mebibyte at most, then told to catch up (4000); nobody else suffers.

They are many devices of one person to whom somebody writes large messages. What everyone else's messages take is
compared with the same flood to as many devices that do read.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import psutil

from bench import company
from bench.wire import PONG, UPGRADE, client_frame
from protocol.codec import encode
from protocol.errors import CloseCode
from protocol.limits import PROTOCOL_VERSION
from protocol.messages import Hello, Resume, direct_conversation
from server_stub.gateway import MAX_HELD_BYTES
from tests.faults.bystanders import Bystanders
from tests.faults.frames import Socket
from tests.faults.half_open import raise_file_limit
from tests.faults.stage import Stage, stage

MAX_RATIO: Final = 1.2
PAIRS: Final = 20
READER, WRITER = 2 * PAIRS + 1, 2 * PAIRS + 2
"""The numbers of the person whose devices are slow, and of who writes to that person."""

TEXT: Final = "x" * 10_000
END: Final = "That was the last of the flood."
WINDOW: Final = 2
ENOUGH: Final = 3_000
"""Messages after which every device that does not read must have been told: far more than all systems' buffers hold."""

GIVE_UP_SECONDS: Final = 45.0
SLACK_MIB: Final = 24.0
"""What the server's memory may grow by that is nobody's queue: the storage's, and the flood's own."""


class Device:
    """One that reads, or that does not until it is told to."""

    async def come(self, port: int) -> None:
        """Log in, with a small buffer in the system."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        self._reader, self._writer = await asyncio.open_connection(sock=plain, limit=4_096)
        self._writer.write(UPGRADE)
        await self._reader.readuntil(b"\r\n\r\n")
        for request in (Hello(id=1, protocol=PROTOCOL_VERSION), Resume(id=2, token=company.token(READER))):
            self._writer.write(client_frame(encode(request)))
            while (await self.frame())[1].find(b'"re":') < 0:
                pass

    async def frame(self) -> tuple[int, bytes]:
        """Opcode and payload. Raises asyncio.IncompleteReadError where the socket has ended."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._reader.readexactly(8), "big")
        if first == 0x89:
            self._writer.write(PONG)
        return first & 15, await self._reader.readexactly(size)

    async def to_the_end(self) -> int:
        """Read everything. Returns the close code, 0 where there was none."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                opcode, payload = await self.frame()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        return 0

    async def ping(self, count: int) -> None:
        """So many of the largest WebSocket pings, with a mask of zero."""
        self._writer.write((b"\x89\xfd\0\0\0\0" + b"x" * 125) * count)
        await self._writer.drain()

    def go(self) -> None:
        """Leave."""
        self._writer.close()


def flood(stage: Stage, devices: int, count: int) -> int:
    """Write so many messages, or, with 0, until all devices are told. Returns how many. In a thread of its own."""
    talk = direct_conversation(stage.ids[READER - 1], stage.ids[WRITER - 1])
    told = sum(line.get("event") == "socket.too_slow" for line in stage.server.logs)
    with stage.server.resume(company.token(WRITER)) as writer:
        for number in range(0, count or ENOUGH, WINDOW):
            ids = [
                writer.send(
                    "send", conversation=talk, message_id=f"flood-{told}-{count}-{number + at}", body={"text": TEXT}
                )
                for at in range(WINDOW)
            ]
            for one in ids:
                answer = writer.answer(one)
                assert answer["type"] == "sent", answer
            now = sum(line.get("event") == "socket.too_slow" for line in stage.server.logs)
            if not count and now - told >= devices:
                return number + WINDOW
        assert writer.say(talk, END)["type"] == "sent"
    return count


_reading: list[Socket] = []
"""In the process of those that read."""


def come(port: int, devices: int) -> None:
    """Log in as many devices that will read."""
    _reading.extend(Socket(port, company.token(READER)) for _ in range(devices))


def read() -> None:
    """Read until each has the flood's last message; then leave."""
    ends = dict.fromkeys(_reading, b"")
    while ends:
        for one in select.select(list(ends), [], [], GIVE_UP_SECONDS)[0]:
            ends[one] = data = ends[one][-len(END) :] + one.receive()
            if END.encode() in data or not one.alive:
                del ends[one]
    while _reading:
        _reading.pop().close()


async def beside_readers(
    stage: Stage, devices: int, bystanders: Bystanders, count: int, apart: ProcessPoolExecutor
) -> float:
    """The bystanders' p99 in milliseconds, while the same flood goes to devices that read."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(apart, come, stage.server.port, devices)

    async def harm() -> None:
        reading = loop.run_in_executor(apart, read)
        await asyncio.to_thread(flood, stage, devices, count)
        await reading

    return await bystanders.p99_ms(harm())


async def beside_slow(stage: Stage, devices: int, bystanders: Bystanders) -> dict[str, float]:
    """The bystanders' p99 in milliseconds, while devices do not read; and what becomes of those."""
    crowd = [Device() for _ in range(devices)]
    for one in crowd:
        await one.come(stage.server.port)
    memory = psutil.Process(stage.server.pid)
    before = after = memory.memory_info().rss
    sent = 0

    async def harm() -> None:
        nonlocal sent, after
        sent = await asyncio.to_thread(flood, stage, devices, 0)
        after = memory.memory_info().rss

    p99 = await bystanders.p99_ms(harm())
    async with asyncio.timeout(GIVE_UP_SECONDS):
        codes = await asyncio.gather(*(one.to_the_end() for one in crowd))
    for one in crowd:
        one.go()
    told = sum(code == CloseCode.RESYNC for code in codes)
    return {"p99_ms": p99, "sent": sent, "told": told, "growth_mib": (after - before) / 2**20}


async def ask_only(stage: Stage) -> int:
    """Send WebSocket pings, and read none of the answers, until the server has had enough. Returns the close code."""
    one = Device()
    await one.come(stage.server.port)
    told = asyncio.get_running_loop().create_task(asyncio.to_thread(stage.server.wait_log, "socket.too_slow"))
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not told.done():
            await one.ping(100)
        code = await one.to_the_end()
    one.go()
    await told
    return code


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result. The short form judges no latency."""
    devices, turns = (3, 1) if short else (20, 3)
    raise_file_limit()
    slow: list[dict[str, float]] = []
    quiet: list[float] = []

    async def all_of_it() -> None:
        bystanders = await Bystanders(set_up, 2 if short else PAIRS).come()
        for _ in range(turns):
            slow.append(await beside_slow(set_up, devices, bystanders))
            quiet.append(await beside_readers(set_up, devices, bystanders, int(slow[-1]["sent"]), apart))
        bystanders.go()

    with (
        stage(WRITER, sessions=True, log_level="info") as set_up,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart,
    ):
        asyncio.run(all_of_it())
    readers, beside = statistics.median(quiet), statistics.median(one["p99_ms"] for one in slow)
    growth = max(one["growth_mib"] for one in slow)
    held = devices * MAX_HELD_BYTES / 2**20
    told = sum(one["told"] for one in slow)
    yield {
        "point": "slow_readers",
        "passed": told == turns * devices and growth < held + SLACK_MIB and (short or beside / readers < MAX_RATIO),
        "devices": devices,
        "turns": turns,
        "told_to_catch_up": told,
        "messages_until_told": [one["sent"] for one in slow],
        "memory_growth_mib_max": round(growth, 1),
        "p99_ms_beside_readers": round(readers, 2),
        "p99_ms_beside_slow_readers": round(beside, 2),
        "ratio": round(beside / readers, 2),
    }
    with stage(WRITER, sessions=True, log_level="info") as set_up:
        code = asyncio.run(ask_only(set_up))
    yield {"point": "pings_without_reading", "passed": code == CloseCode.RESYNC, "code": code}
