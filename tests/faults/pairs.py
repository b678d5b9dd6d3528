"""Two people at two clients who write to each other, and what must be true of it afterwards.

Both are real engines with real stores and links (tests/client/desk.py); the first one's link goes through a proxy.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from bench.company import PASSWORD
from client import bridge_api as api
from client.engine import wall_clock
from protocol.messages import Event, direct_conversation
from tests.client.desk import Desk, MemoryVault, desk
from tests.faults.proxy import FaultyProxy
from tests.faults.stage import Stage

WINDOW = 2
"""The page on which each of them has the conversation open."""


async def until(one: Desk, holds: Callable[[], object], seconds: float) -> bool:
    """Wait for a client's news until it holds, but no longer."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            while not holds():
                await one.next_news()
    except TimeoutError:
        return bool(holds())
    return True


def online(one: Desk) -> bool:
    """Whether the link stands, as the person sees it."""
    return one.app().link.state == "online"


class Pair:
    """`near` behind its proxy, and `far`. `sent` is what each has written, in order."""

    def __init__(self, near: Desk, far: Desk, proxy: FaultyProxy, conversation: str) -> None:
        self.near = near
        self.far = far
        self.proxy = proxy
        self.conversation = conversation
        self.sent: dict[str, list[str]] = {"near": [], "far": []}

    async def write(self) -> None:
        """One message of each."""
        for name, one in (("near", self.near), ("far", self.far)):
            text = f"{name} {len(self.sent[name])}"
            self.sent[name].append(text)
            await one.send(self.conversation, text, WINDOW)

    def complete(self, one: Desk) -> bool:
        """Whether everything that was written is in this client's store."""
        return self._count(one) == sum(map(len, self.sent.values()))

    def _count(self, one: Desk) -> int:
        sql = "SELECT count(*) FROM events WHERE conversation = ? AND kind = 'message'"
        return int(one.engine._entrance.store._read(sql, self.conversation)[0][0])

    def events(self, one: Desk) -> list[Event]:
        """The client's whole history, in order; only what comes without a gap before the last event."""
        conversation = one.engine._session.talk.conversations.get(self.conversation)
        assert conversation is not None
        return one.engine._entrance.store.run_below(self.conversation, conversation.cursor, 1_000_000)

    def problems(self) -> list[str]:
        """What is lost, doubled, or out of order; nothing, as it should be."""
        found: list[str] = []
        numbers: list[list[tuple[int, str]]] = []
        for side, one in (("near", self.near), ("far", self.far)):
            events = self.events(one)
            if [event.seq for event in events] != list(range(1, len(events) + 1)):
                found.append(f"a gap in the history of {side}")
            texts = [bytes(event.body).decode() for event in events if event.kind == "message"]
            numbers.append([(event.seq, str(event.message_id)) for event in events])
            for writer, written in self.sent.items():
                stored = [text for text in texts if f'"{writer} ' in text]
                if stored != [f'{{"text":"{text}"}}' for text in written]:
                    found.append(
                        f"{side} has {len(stored)} of {len(written)} messages of {writer}, or in another order"
                    )
            found += [f"{side}: {problem}" for problem in shown_problems(one)]
        if numbers[0] != numbers[1]:
            found.append("the two histories differ")
        return found


def shown_problems(one: Desk, page: int = WINDOW) -> list[str]:
    """What a page was told twice: one message under two numbers or keys."""
    seqs: dict[str, set[int]] = {}
    texts: dict[str, str] = {}
    for event in one.all(api.MessageChanged, page):
        message = event.message
        texts[message.key] = f"{message.sender}: {message.text}"
        if message.seq:
            seqs.setdefault(message.key, set()).add(message.seq)
    found = [f"{texts[key]} was shown with the numbers {sorted(many)}" for key, many in seqs.items() if len(many) > 1]
    return found + [f"{text} was shown {times} times" for text, times in Counter(texts.values()).items() if times > 1]


@asynccontextmanager
async def pair(stage: Stage, number: int, random: Random, wall: Callable[[], int] = wall_clock) -> AsyncIterator[Pair]:
    """The people number 2·`number` and the next one of a company (bench/company.py), at work with each other."""
    server, ids, folder = stage.server, stage.ids, stage.folder
    proxy = await FaultyProxy(server.port, random).open()
    one, other = f"person{2 * number + 1}", f"person{2 * number + 2}"
    try:
        async with (
            desk(folder / one, MemoryVault(), wall=wall) as near,
            desk(folder / other, MemoryVault()) as far,
        ):
            await near.log_in(proxy.url, one, PASSWORD)
            await far.log_in(server.url, other, PASSWORD)
            made = Pair(near, far, proxy, direct_conversation(ids[2 * number], ids[2 * number + 1]))
            await near.open(other, WINDOW)
            await far.open(one, WINDOW)
            yield made
    finally:
        await proxy.close()
