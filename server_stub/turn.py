"""What happens once at the end of a turn of the event loop, however much arrived in it.

First the actors empty their mailboxes, then what they appended goes to the storage, then what they said goes to the
sockets: one hand-over and one write for each, instead of one for each message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence


class Turn:
    """Runs its steps, in order, once in each turn in which somebody asked for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.steps: Sequence[Callable[[], None]] = ()
        self._loop = loop
        self._asked = False

    def ask(self) -> None:
        """Have the steps run before the loop waits again."""
        if not self._asked:
            self._asked = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._asked = False
        for step in self.steps:
            step()
