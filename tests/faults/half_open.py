"""Half-open sockets: connected, with nothing or half a handshake sent. Each is closed in time; nobody else suffers."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from bench.wire import UPGRADE
from tests.faults.bystanders import Bystanders
from tests.faults.stage import stage

CLOSED_SECONDS: Final = 10.0
GIVE_UP_SECONDS: Final = 60.0
MAX_RATIO: Final = 2.0
PAIRS: Final = 20
CONNECTING: Final = 50
"""Of the half-open ones at the same time."""

BEGINNINGS: Final = (b"", b"G", UPGRADE[: len(UPGRADE) // 2], UPGRADE[:-2])


def raise_file_limit() -> None:
    """As many files as this process may have; what it starts inherits that."""
    if sys.platform != "win32":
        import resource  # exists everywhere else only

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def hold(port: int, count: int) -> list[float]:
    """Open so many as fast as can be, in a process of its own. Seconds until each was closed by the server."""
    raise_file_limit()
    return asyncio.run(_hold(port, count))


async def _hold(port: int, count: int) -> list[float]:
    few = asyncio.Semaphore(CONNECTING)

    async def one(number: int) -> float:
        async with few:
            begun = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(BEGINNINGS[number % len(BEGINNINGS)])
        with contextlib.suppress(ConnectionError):
            await reader.read()  # until the server ends it
        writer.close()
        return time.monotonic() - begun

    async with asyncio.timeout(GIVE_UP_SECONDS):
        return await asyncio.gather(*map(one, range(count)))


async def harm(port: int, count: int, bystanders: Bystanders, rounds: int) -> tuple[list[float], float, float]:
    """How long the sockets lived, and the bystanders' p99 without and with them."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        await loop.run_in_executor(apart, abs, 0)  # it has started, which costs more than what it does
        alone = await bystanders.p99_ms(rounds=rounds)
        lives: list[float] = []

        async def besiege() -> None:
            lives.extend(await loop.run_in_executor(apart, hold, port, count))

        return lives, alone, await bystanders.p99_ms(besiege())


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result. The short form judges no latency."""
    count, turns = (100, 1) if short else (2_000, 3)
    raise_file_limit()
    lives: list[float] = []
    quiet: list[float] = []
    besieged: list[float] = []

    async def all_of_it() -> None:
        bystanders = await Bystanders(set_up, 2 if short else PAIRS).come()
        for _ in range(turns):
            lived, alone, among = await harm(set_up.server.port, count, bystanders, 1 if short else 30)
            lives.extend(lived)
            quiet.append(alone)
            besieged.append(among)
        bystanders.go()

    with stage(2 * PAIRS, sessions=True) as set_up:
        asyncio.run(all_of_it())
    ratio = statistics.median(besieged) / statistics.median(quiet)
    in_time = max(lives) < (GIVE_UP_SECONDS if short else CLOSED_SECONDS)
    yield {
        "point": "half_open_sockets",
        "passed": len(lives) == turns * count and in_time and (short or ratio < MAX_RATIO),
        "sockets": count,
        "turns": turns,
        "closed_after_seconds_max": round(max(lives), 2),
        "p99_ms": round(statistics.median(quiet), 2),
        "p99_ms_besieged": round(statistics.median(besieged), 2),
        "ratio": round(ratio, 2),
    }
