"""Sleep and wake, and clocks that jump: after the link's return everything is caught up within two seconds.

A sleep is a client process that is stopped while its link dies, silently or by a reset. Where the machine's monotonic
clock stands still in sleep, the jump of the wall clock tells of it: that is tried by a wall clock of the test's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Final, Literal

from bench import company
from client.engine import wall_clock
from protocol.messages import direct_conversation
from tests.client.desk import MemoryVault, desk
from tests.faults.client_process import ClientProcess
from tests.faults.pairs import online, pair, until
from tests.faults.proxy import Fault, FaultyProxy
from tests.faults.stage import Stage, stage

CAUGHT_UP_SECONDS: Final = 2.0
HOUR_MS: Final = 3_600_000
MISSED: Final = 20
"""Messages that come while the client sleeps."""

GIVE_UP_SECONDS: Final = 60.0
Jump = Literal["forward, link dead", "forward, link alive", "back, link reset", "back, link alive"]
JUMPS: Final[tuple[Jump, ...]] = ("forward, link dead", "forward, link alive", "back, link reset", "back, link alive")


async def sleep_and_wake(stage: Stage, number: int, fault: Fault, sleeps: list[float]) -> list[float]:
    """Stop a client process for so many seconds each time. Seconds from each waking until it shows what it missed."""
    server, ids, folder = stage.server, stage.ids, stage.folder
    proxy = await FaultyProxy(server.port, Random()).open()
    one, other = f"person{2 * number + 1}", f"person{2 * number + 2}"
    conversation = direct_conversation(ids[2 * number], ids[2 * number + 1])
    loop = asyncio.get_running_loop()
    found: list[float] = []
    try:
        async with desk(folder / other, MemoryVault()) as far:
            await far.log_in(server.url, other, company.PASSWORD)
            await far.open(one, 2)
            near = await ClientProcess(folder / one, proxy.url, one, other).start()
            for turn, seconds in enumerate(sleeps):
                near.write(f"before {turn}")
                await near.until(lambda: any(near.shown().get(f"before {turn}", ())))  # noqa: B023  # awaited here
                near.stop()
                proxy.begin(fault)
                missed = {f"missed {turn}.{place}" for place in range(MISSED)}
                for text in sorted(missed):
                    await far.send(conversation, text, 2)
                await until(far, lambda: False, seconds)
                proxy.heal()
                started = loop.time()
                near.go_on()
                await near.until(lambda: missed <= near.shown().keys())  # noqa: B023  # awaited here
                found.append(loop.time() - started)
            assert all(len(seqs - {0}) == 1 for seqs in near.shown().values()), "a message under two numbers"
            await near.kill9()
    finally:
        await proxy.close()
    return found


async def jump(stage: Stage, number: int, how: Jump, turns: int) -> tuple[list[float], list[str]]:
    """The wall clock of a client jumps an hour. Seconds from the link's return until it has everything; problems."""
    offset = 0
    found: list[float] = []
    loop = asyncio.get_running_loop()
    async with pair(stage, number, Random(), wall=lambda: wall_clock() + offset) as two:
        for _ in range(turns):
            await two.write()
            if how == "forward, link dead":
                two.proxy.begin("dead")
            elif how == "back, link reset":
                two.proxy.begin("reset")
                assert await until(two.near, lambda: not online(two.near), GIVE_UP_SECONDS)
            await two.write()
            if two.proxy.fault is not None:
                two.proxy.heal()
            offset += HOUR_MS if how.startswith("forward") else -HOUR_MS
            await two.write()
            started = loop.time()
            if how == "back, link reset":  # not a sleep: it comes back in its own time
                assert await until(two.near, lambda: online(two.near), GIVE_UP_SECONDS)
                started = loop.time()
            assert await until(two.near, lambda: two.complete(two.near), GIVE_UP_SECONDS), "not caught up"
            found.append(loop.time() - started)
            assert await until(two.far, lambda: two.complete(two.far), GIVE_UP_SECONDS), "not all arrived"
        return found, two.problems()


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    turns = 1 if short else 10
    sleeps = [7.0] if short else [7.0, 15.0, 70.0]  # the last one longer than the server waits for a silent client
    faults: list[Fault] = ["reset", "dead"] * (1 if short else 3)

    async def all_of_it(set_up: Stage) -> dict[str, object]:
        sleepers = [sleep_and_wake(set_up, number, fault, sleeps) for number, fault in enumerate(faults)]
        jumpers = [jump(set_up, number, how, turns) for number, how in enumerate(JUMPS, start=len(faults))]
        slept, jumped = await asyncio.gather(asyncio.gather(*sleepers), asyncio.gather(*jumpers))
        waking = [seconds for one in slept for seconds in one]
        clocks = {how: round(max(found), 2) for how, (found, _) in zip(JUMPS, jumped, strict=True)}
        problems = [problem for _, texts in jumped for problem in texts]
        return {
            "passed": not problems and max(waking) <= CAUGHT_UP_SECONDS and max(clocks.values()) <= CAUGHT_UP_SECONDS,
            "sleeps": len(waking),
            "caught_up_after_waking_seconds_max": round(max(waking), 2),
            "jumps": turns * len(JUMPS),
            "caught_up_after_a_jump_seconds_max": clocks,
            "problems": problems,
        }

    with stage(2 * (len(faults) + len(JUMPS))) as set_up:
        result = asyncio.run(all_of_it(set_up))
    yield {"point": "sleep_and_wake", **result}
