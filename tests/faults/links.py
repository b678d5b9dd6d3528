"""Random faults of the link: each is noticed, got over in time, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from client.session import link
from tests.faults.pairs import Pair, online, pair, until
from tests.faults.proxy import FAULTS, Fault
from tests.faults.stage import Stage, stage

NOTICED_SECONDS: Final = 30.0
BACK_SECONDS: Final = 10.0
GIVE_UP_SECONDS: Final = 60.0
"""Measured so far over the limits, then it is lost."""

LASTS: Final[dict[Fault, tuple[float, float]]] = {
    "reset": (0.1, 12.0), "half_open": (0.5, 45.0), "dead": (0.5, 12.0),
    "delay": (6.0, 20.0), "throttle": (2.0, 12.0), "cut": (0.5, 8.0),
}  # fmt: skip
"""How many seconds a fault lasts, at least and at most."""


@dataclass(frozen=True)
class Outcome:
    """Of one fault. Seconds; `noticed` since its begin, None where the link held; `back` since it could be."""

    fault: Fault
    noticed: float | None
    back: float


async def harm(pair: Pair, fault: Fault, seconds: float) -> Outcome:
    """One fault: both write before, meanwhile and afterwards."""
    near, proxy, loop = pair.near, pair.proxy, asyncio.get_running_loop()
    await pair.write()
    started = loop.time()
    noticed: float | None = None
    proxy.begin(fault)
    await pair.write()
    if await until(near, lambda: not online(near), seconds):
        noticed = loop.time() - started
    await until(near, lambda: False, seconds - (loop.time() - started))
    await pair.write()
    proxy.heal()
    healed = loop.time()
    if fault == "dead" and noticed is None:  # what is left open by it is dead for ever
        assert await until(near, lambda: not online(near), GIVE_UP_SECONDS), "a dead link was never noticed"
        noticed = loop.time() - started
        healed = loop.time()
    await pair.write()
    assert await until(near, lambda: pair.complete(near), GIVE_UP_SECONDS), f"not back after {fault}"
    assert await until(pair.far, lambda: pair.complete(pair.far), GIVE_UP_SECONDS), f"not all arrived after {fault}"
    return Outcome(fault, noticed, loop.time() - healed)


async def lane(
    stage: Stage, number: int, faults: Sequence[tuple[Fault, float]], seed: int
) -> tuple[list[Outcome], list[str]]:
    """One pair, one fault after the other."""
    async with pair(stage, number, Random(seed + number)) as two:
        outcomes = [await harm(two, fault, seconds) for fault, seconds in faults]
        return outcomes, two.problems()


def harm_links(lanes: Sequence[Sequence[tuple[Fault, float]]], seed: int) -> tuple[list[Outcome], list[str]]:
    """All lanes at the same time, on one server: the outcomes, and what went wrong."""

    async def run(set_up: Stage) -> list[tuple[list[Outcome], list[str]]]:
        return await asyncio.gather(*(lane(set_up, number, faults, seed) for number, faults in enumerate(lanes)))

    with stage(2 * len(lanes)) as set_up:
        done = asyncio.run(run(set_up))
    return [outcome for outcomes, _ in done for outcome in outcomes], [text for _, texts in done for text in texts]


def random_faults(lanes: int, each: int, seed: int) -> list[list[tuple[Fault, float]]]:
    """What befalls whom."""
    random = Random(seed)
    chosen = [[random.choice(FAULTS) for _ in range(each)] for _ in range(lanes)]
    return [[(fault, random.uniform(*LASTS[fault])) for fault in faults] for faults in chosen]


@contextmanager
def impatient() -> Iterator[None]:
    """The watchdog's 20 and 8 seconds become one and two: a short run waits for a dead link, too."""
    limits = vars(link)
    before = {name: limits[name] for name in ("PING_INTERVAL_SECONDS", "PING_TIMEOUT_SECONDS")}
    limits.update(PING_INTERVAL_SECONDS=1, PING_TIMEOUT_SECONDS=2)
    try:
        yield
    finally:
        limits.update(before)


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    seed = time.time_ns() % 1_000_000
    if short:
        with impatient():
            outcomes, problems = harm_links([[(fault, 1.5)] for fault in FAULTS], seed)
    else:
        outcomes, problems = harm_links(random_faults(40, 25, seed), seed)
    noticed = [outcome.noticed for outcome in outcomes if outcome.noticed is not None]
    back = sorted(outcome.back for outcome in outcomes)
    late = [outcome for outcome in outcomes if outcome.back > BACK_SECONDS or (outcome.noticed or 0) > NOTICED_SECONDS]
    yield {
        "point": "link_faults",
        "passed": not problems and not late,
        "faults": len(outcomes),
        "of_each": {fault: sum(outcome.fault == fault for outcome in outcomes) for fault in FAULTS},
        "links_lost": len(noticed),
        "noticed_seconds_max": round(max(noticed, default=0.0), 2),
        "back_seconds_median": round(back[len(back) // 2], 2),
        "back_seconds_max": round(back[-1], 2),
        "late": [f"{o.fault}: noticed {o.noticed}, back {o.back:.2f}" for o in late],
        "problems": problems,
        "seed": seed,
    }
