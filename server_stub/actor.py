"""Actors: each owns some state, takes messages from a bounded mailbox one at a time, and fails alone.

An actor is not a task: the supervisor empties all the mailboxes at the end of a turn of the loop, so that a message
costs no task and no future. Handling never blocks; what takes time runs elsewhere and comes back as a message.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from server_stub.turn import Step, Turn

log = structlog.get_logger()

MAILBOX_SIZE: Final = 10_000
"""Messages that may wait for one actor; one more, and the actor is told that it has overflowed."""

SHARE: Final = 200
"""Messages that one actor handles before the next one has its turn."""


class Actor(ABC):
    """One owner of some state. Only the supervisor calls these methods."""

    def __init__(self) -> None:
        self.mailbox: deque[object] = deque()
        self.waiting = False
        """Whether the supervisor has this actor on its list."""

    @abstractmethod
    def receive(self, message: object) -> None:
        """Handle one message. An exception that leaves it is a crash of this actor."""

    @abstractmethod
    def overflowed(self) -> None:
        """The mailbox was full: it has been emptied, and what was in it is lost."""

    @abstractmethod
    def crashed(self) -> None:
        """Handling failed: let go of everything. The actor gets no further messages."""


class Supervisor:
    """Hands out messages and keeps one actor's failure from the others."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._ready: deque[Actor] = deque()

    def tell(self, actor: Actor, message: object) -> None:
        """Put a message into an actor's mailbox. Never blocks."""
        if len(actor.mailbox) >= MAILBOX_SIZE:
            log.warning("actor.mailbox_full", actor=repr(actor))
            actor.mailbox.clear()
            self.contain(actor, actor.overflowed)
            return
        actor.mailbox.append(message)
        if not actor.waiting:
            actor.waiting = True
            self._ready.append(actor)
            self._turn.ask(Step.ACTORS)

    def run(self) -> None:
        """Empty the mailboxes; what the actors tell one another meanwhile is handled too."""
        ready = self._ready
        while ready:
            actor = ready.popleft()
            mailbox = actor.mailbox
            try:
                for _ in range(min(len(mailbox), SHARE)):
                    actor.receive(mailbox.popleft())
            except Exception:  # whatever it was must stay inside this actor
                self._failed(actor)
            if mailbox:
                ready.append(actor)
            else:
                actor.waiting = False

    def contain(self, actor: Actor, work: Callable[[], None]) -> None:
        """Do some work of this actor's outside its mailbox; a failure is a crash of this actor."""
        try:
            work()
        except Exception:  # whatever it was must stay inside this actor
            self._failed(actor)

    def _failed(self, actor: Actor) -> None:
        log.exception("actor.crashed", actor=repr(actor))
        actor.mailbox.clear()
        try:
            actor.crashed()
        except Exception:  # nothing more can be done for it
            log.exception("actor.crashed_twice", actor=repr(actor))
