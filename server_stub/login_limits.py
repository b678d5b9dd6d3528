"""How often somebody may guess: failures in a sliding window, for each account and each address. Pure.

An attempt counts as a failure from its beginning, so that guesses made at the same time do not slip through; when it
succeeds, it is taken back.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 15 * 60
PER_ACCOUNT: Final = 10
"""Failures of one account in the window; a name that nobody has counts like any other."""

PER_ADDRESS: Final = 50
"""Failures from one network address in the window, whatever the names."""

MAX_KEPT: Final = 100_000
"""Names and addresses that are remembered; with more, those that have not failed for longest are forgotten."""


class _Failures:
    """The times of failures by key, the key that failed last at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: dict[str, deque[float]] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until this key may fail again; 0 for at once."""
        times = self._times.get(key)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if not times:
            return 0.0
        return times[0] + WINDOW_SECONDS - now if len(times) >= self._limit else 0.0

    def add(self, key: str, now: float) -> None:
        times = self._times.pop(key, None) or deque()
        times.append(now)
        self._times[key] = times
        if len(self._times) > MAX_KEPT:
            del self._times[next(iter(self._times))]

    def take_back(self, key: str) -> None:
        times = self._times.get(key)
        if times:
            times.pop()

    def forget(self, key: str) -> None:
        self._times.pop(key, None)


class LoginLimits:
    """Asked before a password is looked at. Times are seconds on a monotonic clock."""

    def __init__(self) -> None:
        self._accounts = _Failures(PER_ACCOUNT)
        self._addresses = _Failures(PER_ADDRESS)

    def begin(self, account: str, address: str, now: float) -> int:
        """Begin an attempt: 0, or the whole seconds to wait before the next one, and nothing was begun."""
        wait = max(self._accounts.wait(account, now), self._addresses.wait(address, now))
        if wait > 0:
            return math.ceil(wait)
        self._accounts.add(account, now)
        self._addresses.add(address, now)
        return 0

    def succeeded(self, account: str, address: str) -> None:
        """The password was right: the account begins anew, and the address is not charged."""
        self._accounts.forget(account)
        self._addresses.take_back(address)

    def undecided(self, account: str, address: str) -> None:
        """The attempt ended without looking at the password: it is not charged."""
        self._accounts.take_back(account)
        self._addresses.take_back(address)
