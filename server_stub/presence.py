"""Presence, pure: what each device wants adds up to what everyone sees.

Any invisible device hides its person; otherwise busy comes before online, online before away. The status text is that
of the device that spoke last.
"""

from __future__ import annotations

from typing import Final

from protocol.messages import ChosenState, PresenceEntry, ShownState

_ORDER: Final[tuple[ShownState, ...]] = ("busy", "online", "away")


class PresenceBoard:
    """Who is there, from the devices of one node."""

    def __init__(self) -> None:
        self._devices: dict[str, dict[int, tuple[ChosenState, str]]] = {}
        self._shown: dict[str, PresenceEntry] = {}
        self._changed: set[str] = set()
        self._given: set[str] = set()
        """Whose change somebody has learnt from a list: it is told even when they have changed back."""

    def put(self, user: str, device: int, state: ChosenState, text: str) -> bool:
        """A device is there, or wants something else; True if everyone else will see a difference."""
        devices = self._devices.setdefault(user, {})
        devices.pop(device, None)  # so that it comes last: it spoke last
        devices[device] = (state, text)
        return self._note(user)

    def remove(self, user: str, device: int) -> bool:
        """A device has gone; True if everyone else will see a difference."""
        devices = self._devices.get(user, {})
        devices.pop(device, None)
        if not devices:
            self._devices.pop(user, None)
        return self._note(user)

    def everyone(self) -> list[PresenceEntry]:
        """All who are not offline."""
        self._given |= self._changed
        entries = map(self.entry, self._devices)
        return [entry for entry in entries if entry.state != "offline"]

    def take_changes(self) -> list[PresenceEntry]:
        """What everyone should be told since the last call: each person once, as they are now."""
        changes: list[PresenceEntry] = []
        for user in self._changed:
            entry = self.entry(user)
            if user in self._given or entry != self._shown.get(user, PresenceEntry(user=user, state="offline")):
                changes.append(entry)
                if entry.state == "offline":
                    self._shown.pop(user, None)
                else:
                    self._shown[user] = entry
        self._changed.clear()
        self._given.clear()
        return changes

    def entry(self, user: str) -> PresenceEntry:
        """How this person is there now."""
        devices = self._devices.get(user)
        if not devices:
            return PresenceEntry(user=user, state="offline")
        states = [state for state, _ in devices.values()]
        if "invisible" in states:
            return PresenceEntry(user=user, state="offline")
        shown = next(state for state in _ORDER if state in states)
        return PresenceEntry(user=user, state=shown, text=next(text for _, text in reversed(devices.values())))

    def _note(self, user: str) -> bool:
        self._changed.add(user)
        return self.entry(user) != self._shown.get(user, PresenceEntry(user=user, state="offline"))
