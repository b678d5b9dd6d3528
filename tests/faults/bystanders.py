"""Pairs of people who write to each other at their ease while others do harm, and how long their messages take."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, Final, Self

from bench.load import all_done
from bench.wire import WireClient
from protocol.messages import direct_conversation
from tests.faults.stage import Stage

ROUNDS: Final = 25
"""Messages of each person before it is looked whether the harm is over."""


class Bystanders:
    """The first people of the stage, in ping-pong."""

    def __init__(self, stage: Stage, pairs: int) -> None:
        self._stage = stage
        ids = stage.ids
        self._clients = [
            WireClient(number + 1, direct_conversation(ids[number], ids[number ^ 1])) for number in range(2 * pairs)
        ]

    async def come(self) -> Self:
        """Log in."""
        await asyncio.gather(*(client.connect(self._stage.server.port) for client in self._clients))
        await self.p99_ms(rounds=4)  # warm
        return self

    async def p99_ms(self, harm: Coroutine[Any, Any, object] | None = None, rounds: int = 1) -> float:
        """Of a message's way, in milliseconds: for so many rounds, and until the harm is done."""
        task = None if harm is None else asyncio.get_running_loop().create_task(harm)
        times: list[float] = []
        while rounds > 0 or (task is not None and not task.done()):
            rounds -= 1
            for one, other in zip(self._clients[::2], self._clients[1::2], strict=True):
                other.play(one, ROUNDS, serve=False)
                one.play(other, ROUNDS, serve=True)
            await all_done(self._clients)
            times += itertools.chain.from_iterable(client.times for client in self._clients)
        if task is not None:
            await task
        times.sort()
        return times[len(times) * 99 // 100] * 1e3

    def go(self) -> None:
        """Leave."""
        for client in self._clients:
            client.close()
