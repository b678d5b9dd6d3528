"""Actors: one at a time, bounded, and each fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from server_stub import actor as module
from server_stub.actor import Actor, Supervisor
from server_stub.turn import Turn


class Recorder(Actor):
    """Notes what it gets; fails at "crash"; passes "pass on" to another."""

    def __init__(self, supervisor: Supervisor, other: Actor | None = None) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.supervisor = supervisor
        self.other = other

    def receive(self, message: object) -> None:
        if message == "crash":
            raise ValueError("planted")
        if message == "pass on" and self.other is not None:
            self.supervisor.tell(self.other, "passed on")
        self.seen.append(message)

    def overflowed(self) -> None:
        self.seen.append("overflowed")

    def crashed(self) -> None:
        self.seen.append("crashed")


def run(test: Callable[[Supervisor], None]) -> list[int]:
    """Run a test on a loop, then one turn of it. Returns how often the steps ran."""
    turns: list[int] = []

    async def main() -> None:
        turn = Turn(asyncio.get_running_loop())
        supervisor = Supervisor(turn)
        turn.steps = (supervisor.run, lambda: turns.append(1))
        test(supervisor)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    return turns


def test_messages_are_handled_in_order_in_one_turn() -> None:
    actors: list[Recorder] = []

    def test(supervisor: Supervisor) -> None:
        one = Recorder(supervisor)
        two = Recorder(supervisor, one)
        actors.extend((one, two))
        for message in (1, 2):
            supervisor.tell(one, message)
        supervisor.tell(two, "pass on")
        assert one.seen == []  # telling only puts it there

    assert len(run(test)) == 1
    assert actors[0].seen == [1, 2, "passed on"]


def test_a_crash_stays_in_its_actor() -> None:
    actors: list[Recorder] = []

    def test(supervisor: Supervisor) -> None:
        one, two = Recorder(supervisor), Recorder(supervisor)
        actors.extend((one, two))
        for message in (1, "crash", 2):
            supervisor.tell(one, message)
            supervisor.tell(two, message if message != "crash" else "go on")

    run(test)
    assert actors[0].seen == [1, "crashed"]
    assert actors[1].seen == [1, "go on", 2]


def test_an_actor_that_fails_twice_hurts_nobody() -> None:
    class Hopeless(Recorder):
        def crashed(self) -> None:
            raise ValueError("planted again")

    actors: list[Recorder] = []

    def test(supervisor: Supervisor) -> None:
        one, two = Hopeless(supervisor), Recorder(supervisor)
        actors.extend((one, two))
        supervisor.tell(one, "crash")
        supervisor.tell(two, "go on")

    run(test)
    assert actors[1].seen == ["go on"]


def test_a_full_mailbox_overflows_and_is_empty_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAILBOX_SIZE", 3)
    actors: list[Recorder] = []

    def test(supervisor: Supervisor) -> None:
        one = Recorder(supervisor)
        actors.append(one)
        for message in (1, 2, 3, 4, 5):
            supervisor.tell(one, message)

    run(test)
    assert actors[0].seen == ["overflowed", 5]


def test_a_busy_actor_lets_the_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARE", 2)
    order: list[str] = []

    class Named(Recorder):
        def receive(self, message: object) -> None:
            order.append(str(message))

    def test(supervisor: Supervisor) -> None:
        one, two = Named(supervisor), Named(supervisor)
        for message in ("a1", "a2", "a3"):
            supervisor.tell(one, message)
        supervisor.tell(two, "b1")

    run(test)
    assert order == ["a1", "a2", "b1", "a3"]
