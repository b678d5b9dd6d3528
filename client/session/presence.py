"""Who is there, as the server last told; nobody's state is kept over a lost link for long."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.messages import PresenceEntry, ShownState


class PresenceBook:
    """Everyone who is not offline."""

    def __init__(self, entries: Iterable[PresenceEntry] = ()) -> None:
        self._entries: dict[str, PresenceEntry] = {}
        self.update(entries)

    def users(self) -> set[str]:
        """Everyone who is there."""
        return set(self._entries)

    def entries(self) -> list[PresenceEntry]:
        """The same, with state and text."""
        return list(self._entries.values())

    def of(self, user: str) -> tuple[ShownState, str]:
        """State and status text."""
        entry = self._entries.get(user)
        return ("offline", "") if entry is None else (entry.state, entry.text)

    def is_there(self, user: str) -> bool:
        """Whether the person is not offline."""
        return user in self._entries

    def update(self, entries: Iterable[PresenceEntry]) -> frozenset[str]:
        """Take the news; who changed."""
        changed = set()
        for entry in entries:
            if self._entries.get(entry.user) == entry:
                continue
            if entry.state != "offline":
                self._entries[entry.user] = entry
            elif self._entries.pop(entry.user, None) is None:
                continue
            changed.add(entry.user)
        return frozenset(changed)
