"""What happens once at the end of a turn of the event loop, however much arrived in it.

First the actors empty their mailboxes, then what they appended goes to the storage, then what they said goes to the
sockets: one hand-over and one write for each, instead of one for each message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import IntEnum


class Step(IntEnum):
    """The steps of a turn, in order. Each goes on until it has nothing left to do."""

    ACTORS = 0
    STORAGE = 1
    SOCKETS = 2
    NONE = 3


class Turn:
    """Runs its steps, in order, once in each turn in which somebody asked for one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.steps: Sequence[Callable[[], None]] = ()
        self._loop = loop
        self._asked = False
        self._at: int = Step.NONE

    def ask(self, step: Step) -> None:
        """Have this step run before the loop waits again."""
        if not self._asked and self._at > step:  # otherwise it is still to come, or at it now
            self._asked = True
            self._loop.call_soon(self.run)

    def run(self) -> None:
        """Run the steps now."""
        self._asked = False
        try:
            for at, step in enumerate(self.steps):
                self._at = at
                step()
        finally:
            self._at = Step.NONE
