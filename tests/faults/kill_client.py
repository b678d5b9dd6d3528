"""kill -9 of a client with queued messages: what it accepted appears exactly once, in its order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise

from bench import company
from client.bridge_api import MessageChanged
from protocol.messages import direct_conversation
from tests.client.desk import MemoryVault, desk
from tests.faults.client_process import ClientProcess
from tests.faults.history import texts_of
from tests.faults.pairs import shown_problems
from tests.faults.proxy import FaultyProxy
from tests.faults.stage import Stage, stage

QUEUED = 10
"""Messages that each life of the client is given."""


async def kill_clients(stage: Stage, kills: int) -> dict[str, int]:
    """Kill it at random moments, half of the lives without a link, so that the queue is inherited."""
    server, ids, folder = stage.server, stage.ids, stage.folder
    proxy = await FaultyProxy(server.port, random.Random()).open()
    accepted: set[str] = set()
    lives: list[ClientProcess] = []
    queued_at_death = 0
    try:
        async with desk(folder / "far", MemoryVault()) as far:
            await far.log_in(server.url, "person2", company.PASSWORD)
            await far.open("person1", 2)
            for number in range(kills + 1):
                last = number == kills
                if number > 0 and not last and random.random() < 0.5:
                    proxy.begin("reset")
                one = await ClientProcess(folder / "near", proxy.url, "person1", "person2").start()
                lives.append(one)
                texts = [f"{number:04}.{place}" for place in range(QUEUED)]
                one.write(*texts)
                if last:
                    await one.until(lambda: accepted | set(texts) <= _numbered(one))  # noqa: B023  # awaited here
                else:
                    enough = random.randint(0, QUEUED)
                    await one.until(lambda: len(one.accepted()) >= enough)  # noqa: B023  # awaited here
                await one.kill9()
                accepted |= one.accepted()
                queued_at_death += len(one.accepted() - _numbered(one))
                if proxy.fault is not None:
                    proxy.heal()
            conversation = direct_conversation(ids[0], ids[1])
            stored = await asyncio.to_thread(texts_of, server, "person2", conversation)
            await far.until(lambda: set(stored) <= {m.message.text for m in far.all(MessageChanged, 2)}, "all messages")
            shown_twice = shown_problems(far)
    finally:
        await proxy.close()
    numbers = [{seq for seq in seqs if seq} for one in lives for seqs in one.shown().values()]
    return {
        "kills": kills,
        "accepted": len(accepted),
        "queued_when_killed": queued_at_death,
        "lost": len(accepted - set(stored)),
        "doubled": len(stored) - len(set(stored)) + len(shown_twice) + sum(len(seqs) > 1 for seqs in numbers),
        "out_of_order": sum(a > b for a, b in pairwise(stored)),
    }


def _numbered(one: ClientProcess) -> set[str]:
    """What the server has, as far as this client has told."""
    return {text for text, seqs in one.shown().items() if any(seqs)}


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    with stage(2) as set_up:
        result = asyncio.run(kill_clients(set_up, 4 if short else 100))
    passed = not (result["lost"] or result["doubled"] or result["out_of_order"])
    yield {"point": "client_kill_9", "passed": passed, **result}
