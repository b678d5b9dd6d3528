"""When to connect, to wait, to ping and to give up: the life of the link as a pure state machine.

Backoff is exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). The
watchdog runs on the monotonic clock; where that stands still in sleep, the wall clock gives the sleep away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from client.errors import ClientError, LinkError
from client.session.effects import CloseLink, Effect, OpenLink
from protocol.errors import CloseCode
from protocol.limits import HELLO_TIMEOUT_SECONDS, PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS

FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 8.0
"""However long the network was away, the link is back within ten seconds of its return."""
RESTART_DELAY_SECONDS: Final = (0.5, 10.0)
"""After close code 1012, so that a company does not come back in the same moment."""
CONNECT_TIMEOUT_SECONDS: Final = 20.0
STABLE_SECONDS: Final = 10.0
"""A link that lived this long makes the next backoff begin anew."""
HEARTBEAT_SECONDS: Final = 1.0
"""How often a sleep is looked for."""
SLEEP_SECONDS: Final = 5.0
"""A tick this late, or clocks this far apart, means that the machine slept."""
EAGER_SECONDS: Final = 60.0
"""So long after waking up, while the network comes back too, no wait is longer than EAGER_DELAY_SECONDS."""
EAGER_DELAY_SECONDS: Final = 1.0

State = Literal["idle", "connecting", "handshake", "online", "waiting"]


class Link:
    """Inputs: begin, opened, closed, online, heard, tick, stop. `probe` tells the session to send a ping."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.state: State = "idle"
        self.attempt = 0
        self.error: ClientError | None = None
        self.retry_at = 0.0
        """When the next attempt is made, in state waiting."""
        self.url = ""
        self._failures = 0
        self._since = 0.0
        self._heard = 0.0
        self._pinged: float | None = None
        self._clocks: tuple[float, int] | None = None
        self._next_tick = 0.0
        self._eager_until = 0.0

    def begin(self, url: str, now: float) -> list[Effect]:
        """Connect at once, whatever was before."""
        self.url = url
        self._failures = 0
        self.error = None
        self._clocks = None  # a sleep before this is nobody's business
        effects = self._connect(now)
        self._next_tick = now  # at once, to read the clocks
        return effects

    def retry(self, now: float) -> list[Effect]:
        """Do not wait for the next attempt."""
        return self._connect(now) if self.state == "waiting" else []

    def stop(self, error: ClientError | None = None) -> list[Effect]:
        """Stay unconnected until begin."""
        was = self.state
        self.state = "idle"
        self.error = error
        self._pinged = None
        return [CloseLink()] if was in ("connecting", "handshake", "online") else []

    def opened(self, attempt: int, now: float) -> bool:
        """Whether the socket of the present attempt is open now, and the handshake may begin."""
        if attempt != self.attempt or self.state != "connecting":
            return False
        self.state = "handshake"
        self._since = self._heard = now
        return True

    def online(self, now: float) -> None:
        """The log-in succeeded."""
        self.state = "online"
        self.error = None
        self._since = self._heard = now

    def closed(self, attempt: int, code: int, error: ClientError | None, now: float) -> bool:
        """The socket is gone: wait. Whether that concerned the present attempt."""
        if attempt != self.attempt or self.state not in ("connecting", "handshake", "online"):
            return False
        quick = self.state == "online" and now - self._since >= STABLE_SECONDS
        if quick:
            self._failures = 0
        if code == CloseCode.SERVICE_RESTART:
            low, high = RESTART_DELAY_SECONDS
            delay = low + self._random() * (high - low)
        elif code == CloseCode.RESYNC and (quick or self._failures == 0):
            delay = 0.0
            self._failures += 1
        else:
            delay = self.backoff(now)
        self._wait(now, delay, error)
        return True

    def refused(self, error: ClientError, now: float) -> list[Effect]:
        """The server cannot serve now: close, and come back after what it asked for, else after the backoff."""
        delay = self.backoff(now)
        self._wait(now, max(delay, float(error.retry_after or 0)), error)
        return [CloseLink()]

    def backoff(self, now: float) -> float:
        """The next delay in seconds: full jitter, doubling up to the longest."""
        longest = EAGER_DELAY_SECONDS if now < self._eager_until else LONGEST_DELAY_SECONDS
        ceiling = min(longest, FIRST_DELAY_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random() * ceiling

    def heard(self, now: float) -> None:
        """A frame arrived: the link lives."""
        self._heard = now
        self._pinged = None

    def tick(self, now: float, wall: int) -> tuple[list[Effect], bool]:
        """Time passed. Effects, and whether the session must send a ping."""
        if self._woke(now, wall) and self.state != "idle":
            # What was open before the sleep is most likely dead, and to find out takes longer than to come back.
            self._eager_until = now + EAGER_SECONDS
            return self._connect(now), False
        self._next_tick = now + HEARTBEAT_SECONDS
        match self.state:
            case "waiting" if now >= self.retry_at:
                return self._connect(now), False
            case "connecting" if now - self._since >= CONNECT_TIMEOUT_SECONDS:
                return self._dead(now), False
            case "handshake" if now - self._since >= HELLO_TIMEOUT_SECONDS:
                return self._dead(now), False
            case "online" if self._pinged is not None and now - self._pinged >= PING_TIMEOUT_SECONDS:
                return self._dead(now), False
            case "online" if self._pinged is None and now - self._heard >= PING_INTERVAL_SECONDS:
                self._pinged = now
                return [], True
        return [], False

    def deadline(self) -> float | None:
        """When tick wants to be called next, on the monotonic clock; None while nothing is due."""
        due = self._next_tick
        match self.state:
            case "idle":
                return None
            case "waiting":
                return min(due, self.retry_at)
            case "connecting":
                return min(due, self._since + CONNECT_TIMEOUT_SECONDS)
            case "handshake":
                return min(due, self._since + HELLO_TIMEOUT_SECONDS)
            case "online" if self._pinged is not None:
                return min(due, self._pinged + PING_TIMEOUT_SECONDS)
        return min(due, self._heard + PING_INTERVAL_SECONDS)

    def _connect(self, now: float) -> list[Effect]:
        self.attempt += 1
        self.state = "connecting"
        self._since = now
        self._pinged = None
        self._next_tick = now + HEARTBEAT_SECONDS
        return [OpenLink(self.attempt, self.url)]

    def _wait(self, now: float, delay: float, error: ClientError | None) -> None:
        self.state = "waiting"
        self.retry_at = now + delay
        self.error = error
        self._pinged = None  # and the next tick stays due when it was: after a sleep that shows first here

    def _dead(self, now: float) -> list[Effect]:
        if self.state == "online":
            self._failures = 0
        error = LinkError("timeout", "The server does not answer. The program goes on trying.", retry=True)
        self._wait(now, self.backoff(now), error)
        return [CloseLink()]

    def _woke(self, now: float, wall: int) -> bool:
        before, self._clocks = self._clocks, (now, wall)
        late = now - self._next_tick > SLEEP_SECONDS
        apart = before is not None and (wall - before[1]) / 1000 - (now - before[0]) > SLEEP_SECONDS
        return late or apart
