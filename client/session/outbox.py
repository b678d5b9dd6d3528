"""The outbox: what the server has not acknowledged yet, in order, one message of a conversation under way at a time.

One at a time keeps the order even where a message is refused for a while and tried again. A resend repeats the
message id, so that the server takes it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from client.session.effects import Failure, Outgoing

RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a message goes out again after an error that can pass; the last one repeats."""


class Outbox:
    """Messages by key, in order of position."""

    def __init__(self, messages: Iterable[Outgoing] = ()) -> None:
        self._messages = {m.key: m for m in sorted(messages, key=lambda m: m.position)}
        self._queues: dict[str, dict[str, None]] = {}
        for message in self._messages.values():
            self._queues.setdefault(message.conversation, {})[message.key] = None
        self._under_way: dict[str, str] = {}
        self._not_before: dict[str, float] = {}
        self._tries: dict[str, int] = {}

    def get(self, key: str) -> Outgoing | None:
        """The message, waiting or failed."""
        return self._messages.get(key)

    def of(self, conversation: str) -> list[Outgoing]:
        """A conversation's messages in order."""
        return [self._messages[key] for key in self._queues.get(conversation, ())]

    def conversations(self) -> set[str]:
        """Conversations with messages here."""
        return set(self._queues)

    def next_position(self) -> int:
        """After everything that is here."""
        return max((m.position for m in self._messages.values()), default=0) + 1

    def put(self, message: Outgoing) -> None:
        """Add the message at its end, or replace it there."""
        self.remove(message.key)
        self._messages[message.key] = message
        self._queues.setdefault(message.conversation, {})[message.key] = None

    def remove(self, key: str) -> Outgoing | None:
        """Acknowledged or given up."""
        message = self._messages.pop(key, None)
        if message is None:
            return None
        queue = self._queues[message.conversation]
        del queue[key]
        if not queue:
            del self._queues[message.conversation]
        self._tries.pop(key, None)
        if self._under_way.get(message.conversation) == key:
            del self._under_way[message.conversation]
        return message

    def ready(self, now: float) -> list[Outgoing]:
        """What can go out now: the first waiting message of each conversation that has none under way."""
        found = []
        for conversation, queue in self._queues.items():
            if conversation in self._under_way or self._not_before.get(conversation, 0.0) > now:
                continue
            first = next((key for key in queue if self._messages[key].failure is None), None)
            if first is not None:
                found.append(self._messages[first])
        return found

    def sending(self, message: Outgoing) -> None:
        """It goes out."""
        self._under_way[message.conversation] = message.key

    def under_way(self) -> list[str]:
        """What went out and has no answer yet."""
        return list(self._under_way.values())

    def refused(self, key: str, failure: Failure, retry_after: float | None, now: float) -> Outgoing | None:
        """The server refused it: for good, then the failed message is returned; or for now, then it waits."""
        message = self._messages.get(key)
        if message is None:
            return None
        if self._under_way.get(message.conversation) == key:
            del self._under_way[message.conversation]
        if failure.retry:
            tries = self._tries.get(key, 0)
            self._tries[key] = tries + 1
            wait = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)]
            self._not_before[message.conversation] = now + max(wait, retry_after or 0.0)
            return None
        failed = replace(message, failure=failure)
        self._messages[key] = failed
        return failed

    def link_lost(self) -> None:
        """Nothing is under way any more; all of it goes out again after the next log-in."""
        self._under_way.clear()
        self._not_before.clear()

    def deadline(self) -> float | None:
        """When a message that waits after an error wants to go out again."""
        return min(
            (at for conversation, at in self._not_before.items() if conversation not in self._under_way
             and any(self._messages[key].failure is None for key in self._queues.get(conversation, ()))),
            default=None,
        )  # fmt: skip
