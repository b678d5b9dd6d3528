"""How often somebody may guess: failures in a sliding window, for each account and each address. Pure.

Attempts under way count as if they had failed, so that guesses made at the same time do not slip through. One more is
not refused for that (a company behind one address logs in at nine o'clock): it is to be asked again when one of them
is decided.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import Final

WINDOW_SECONDS: Final = 15 * 60
PER_ACCOUNT: Final = 10
"""Failures of one account in the window; a name that nobody has counts like any other."""

PER_ADDRESS: Final = 50
"""Failures from one network address in the window, whatever the names."""

MAX_KEPT: Final = 100_000
"""Names and addresses that are remembered; with more, those that have not failed for longest are forgotten."""


class Undecided(Exception):
    """Too many attempts are under way to say; ask again when one of them has ended."""


class _Failures:
    """The times of failures by key, the key that failed last at the end; and how many attempts are under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: dict[str, deque[float]] = {}
        self._under_way: Counter[str] = Counter()

    def wait(self, key: str, now: float) -> float:
        """Seconds until this key may be tried again; 0 for at once. Raises Undecided."""
        times = self._times.get(key, _NONE)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self._limit:
            return times[0] + WINDOW_SECONDS - now
        if len(times) + self._under_way[key] >= self._limit:
            raise Undecided
        return 0.0

    def begin(self, key: str) -> None:
        self._under_way[key] += 1

    def end(self, key: str) -> None:
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]

    def failed(self, key: str, now: float) -> None:
        times = self._times.pop(key, None) or deque()
        times.append(now)
        self._times[key] = times
        if len(self._times) > MAX_KEPT:
            del self._times[next(iter(self._times))]

    def forget(self, key: str) -> None:
        self._times.pop(key, None)


_NONE: Final[deque[float]] = deque()


class LoginLimits:
    """Asked before a password is looked at. Times are seconds on a monotonic clock."""

    def __init__(self) -> None:
        self._accounts = _Failures(PER_ACCOUNT)
        self._addresses = _Failures(PER_ADDRESS)

    def begin(self, account: str, address: str, now: float) -> int:
        """Begin an attempt: 0; or the whole seconds to wait, and nothing was begun. Raises Undecided."""
        wait = max(self._accounts.wait(account, now), self._addresses.wait(address, now))
        if wait > 0:
            return math.ceil(wait)
        self._accounts.begin(account)
        self._addresses.begin(address)
        return 0

    def end(self, account: str, address: str, right: bool | None, now: float) -> None:
        """The password was right (the account begins anew), or wrong; None: it was not looked at."""
        self._accounts.end(account)
        self._addresses.end(address)
        if right:
            self._accounts.forget(account)
        elif right is not None:
            self._accounts.failed(account, now)
            self._addresses.failed(address, now)
