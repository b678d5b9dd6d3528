"""Devices that do not read: each is held one mebibyte at most, then told to catch up (4000); nobody else suffers.

They are many devices of one person to whom somebody writes large messages. What everyone else's messages take is
compared with the same flood to as many devices that do read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
from collections.abc import Iterator
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
from tests.faults.half_open import raise_file_limit
from tests.faults.stage import Stage, stage

MAX_RATIO: Final = 1.2
PAIRS: Final = 20
READER, WRITER = 2 * PAIRS + 1, 2 * PAIRS + 2
"""The numbers of the person whose devices are slow, and of who writes to that person."""

TEXT: Final = "x" * 10_000
WINDOW: Final = 10
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
    return count


async def round_of(stage: Stage, devices: int, bystanders: Bystanders, count: int) -> dict[str, float]:
    """One flood to devices that read, where there is a count, or that do not."""
    crowd = [Device() for _ in range(devices)]
    for one in crowd:
        await one.come(stage.server.port)
    reading: list[asyncio.Task[int]] = []
    memory = psutil.Process(stage.server.pid)
    before = peak = memory.memory_info().rss
    sent = 0
    codes: list[int] = []

    async def harm() -> None:
        nonlocal sent, peak
        if count:
            reading.extend(asyncio.get_running_loop().create_task(one.to_the_end()) for one in crowd)
        sent = await asyncio.to_thread(flood, stage, devices, count)
        peak = memory.memory_info().rss
        if not count:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                codes.extend(await asyncio.gather(*(one.to_the_end() for one in crowd)))

    p99 = await bystanders.p99_ms(harm())
    for one in crowd:
        one.go()
    await asyncio.gather(*reading, return_exceptions=True)
    told = sum(code == CloseCode.RESYNC for code in codes)
    return {"p99_ms": p99, "sent": sent, "told": told, "growth_mib": (peak - before) / 2**20}


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result. The short form judges no latency."""
    devices, turns = (3, 1) if short else (20, 3)
    raise_file_limit()
    slow: list[dict[str, float]] = []
    read: list[dict[str, float]] = []

    async def all_of_it() -> None:
        bystanders = await Bystanders(set_up, 2 if short else PAIRS).come()
        for _ in range(turns):
            slow.append(await round_of(set_up, devices, bystanders, 0))
            read.append(await round_of(set_up, devices, bystanders, int(slow[-1]["sent"])))
        bystanders.go()

    with stage(WRITER, sessions=True, log_level="info") as set_up:
        asyncio.run(all_of_it())
    quiet, beside = (statistics.median(one["p99_ms"] for one in rounds) for rounds in (read, slow))
    growth = max(one["growth_mib"] for one in slow)
    held = devices * MAX_HELD_BYTES / 2**20
    told = sum(one["told"] for one in slow)
    yield {
        "point": "slow_readers",
        "passed": told == turns * devices and growth < held + SLACK_MIB and (short or beside / quiet < MAX_RATIO),
        "devices": devices,
        "turns": turns,
        "told_to_catch_up": told,
        "messages_until_told": [one["sent"] for one in slow],
        "memory_growth_mib_max": round(growth, 1),
        "p99_ms_beside_readers": round(quiet, 2),
        "p99_ms_beside_slow_readers": round(beside, 2),
        "ratio": round(beside / quiet, 2),
    }
