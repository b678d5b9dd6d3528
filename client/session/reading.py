"""Read marks on their way to the server: at most one a second for each conversation (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

INTERVAL_SECONDS: Final = 1.0


class ReadMarks:
    """Conversations whose own read position the server must be told."""

    def __init__(self, conversations: Iterable[str] = ()) -> None:
        self._due = dict.fromkeys(conversations, 0.0)
        self._told: dict[str, float] = {}

    def add(self, conversation: str) -> None:
        """The read position moved."""
        self._due[conversation] = self._told.get(conversation, -INTERVAL_SECONDS) + INTERVAL_SECONDS

    def ready(self, now: float) -> list[str]:
        """Whose turn it is; they count as told."""
        found = [conversation for conversation, due in self._due.items() if due <= now]
        for conversation in found:
            del self._due[conversation]
            self._told[conversation] = now
        return found

    def link_lost(self, untold: Iterable[str]) -> None:
        """What was not confirmed is told again."""
        self._due = dict.fromkeys(untold, 0.0)
        self._told.clear()

    def deadline(self) -> float | None:
        """When the next one is due."""
        return min(self._due.values(), default=None)
