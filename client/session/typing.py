"""Who types: outgoing notices are thinned out, incoming ones are forgotten after a while."""

from __future__ import annotations

from typing import Final

REPEAT_SECONDS: Final = 4.0
FORGET_SECONDS: Final = 6.0


class TypingBook:
    """Both directions, by conversation."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def own(self, conversation: str, on: bool, now: float) -> bool:
        """Whether this has to be told to the server."""
        if not on:
            return self._told.pop(conversation, None) is not None
        told = self._told.get(conversation)
        if told is not None and now - told < REPEAT_SECONDS:
            return False
        self._told[conversation] = now
        return True

    def peer(self, conversation: str, on: bool, now: float) -> bool:
        """The peer types or has stopped. Whether what is shown changes."""
        shown = conversation in self._until
        if on:
            self._until[conversation] = now + FORGET_SECONDS
        else:
            self._until.pop(conversation, None)
        return shown != on

    def is_typing(self, conversation: str) -> bool:
        """Whether the peer types."""
        return conversation in self._until

    def expire(self, now: float) -> list[str]:
        """Conversations whose peer was not heard of for too long."""
        gone = [conversation for conversation, until in self._until.items() if until <= now]
        for conversation in gone:
            del self._until[conversation]
        return gone

    def clear(self) -> list[str]:
        """The link is lost: nobody is known to type."""
        gone = list(self._until)
        self._until.clear()
        self._told.clear()
        return gone

    def deadline(self) -> float | None:
        """When expire wants to be called."""
        return min(self._until.values(), default=None)
