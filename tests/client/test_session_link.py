"""The life of the link: when it connects, waits, pings and gives up. Time is a number here."""

from __future__ import annotations

import pytest

from client.errors import LinkError
from client.session.effects import CloseLink, Effect, OpenLink
from client.session.link import (
    CONNECT_TIMEOUT_SECONDS,
    EAGER_DELAY_SECONDS,
    EAGER_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_DELAY_SECONDS,
    RESTART_DELAY_SECONDS,
    STABLE_SECONDS,
    Link,
)
from protocol.errors import CloseCode
from protocol.limits import HELLO_TIMEOUT_SECONDS, PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS

URL = "ws://server/"


def wall(now: float) -> int:
    return round(now * 1000)


def online(random: float = 1.0, now: float = 0.0) -> Link:
    link = Link(lambda: random)
    assert link.begin(URL, now) == [OpenLink(1, URL)]
    link.tick(now, wall(now))
    assert link.opened(1, now)
    link.online(now)
    return link


def wait(link: Link, until: float) -> list[Effect]:
    """Tick whenever the link wants to, and at the end."""
    while (due := link.deadline()) is not None and due < until:
        link.tick(due, wall(due))
    return link.tick(until, wall(until))[0]


def pass_time(link: Link, now: float, until: float) -> list[tuple[float, bool]]:
    """Tick whenever the link wants to; when it pinged."""
    pings: list[tuple[float, bool]] = []
    while (due := link.deadline()) is not None and due <= until:
        now = max(now, due)
        _, ping = link.tick(now, wall(now))
        if ping:
            pings.append((now, ping))
        if link.state not in ("online", "waiting"):
            break
    return pings


def test_backoff_doubles_with_full_jitter_up_to_its_ceiling() -> None:
    link = Link(lambda: 1.0)
    link.begin(URL, 0.0)
    delays = []
    now = 0.0
    for _ in range(10):
        assert link.closed(link.attempt, 0, None, now)
        delays.append(link.retry_at - now)
        now = link.retry_at
        assert wait(link, now) == [OpenLink(link.attempt, URL)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    jittered = Link(lambda: 0.25)
    jittered.begin(URL, 0.0)
    jittered.closed(1, 0, None, 0.0)
    assert jittered.retry_at == pytest.approx(0.125)
    assert max(delays) == LONGEST_DELAY_SECONDS


@pytest.mark.parametrize(("random", "delay"), [(0.0, RESTART_DELAY_SECONDS[0]), (1.0, RESTART_DELAY_SECONDS[1])])
def test_a_restarting_server_is_left_a_random_while(random: float, delay: float) -> None:
    link = online(random)
    assert link.closed(1, CloseCode.SERVICE_RESTART, None, 5.0)
    assert link.retry_at == 5.0 + delay


def test_resync_comes_back_at_once_but_not_for_ever() -> None:
    link = online(now=0.0)
    link.closed(1, CloseCode.RESYNC, None, STABLE_SECONDS)
    assert link.retry_at == STABLE_SECONDS
    link.tick(STABLE_SECONDS, wall(STABLE_SECONDS))
    link.opened(2, STABLE_SECONDS)
    link.online(STABLE_SECONDS)
    link.closed(2, CloseCode.RESYNC, None, STABLE_SECONDS + 1)
    assert link.retry_at > STABLE_SECONDS + 1


def test_only_a_link_that_lasted_begins_the_backoff_anew() -> None:
    link, now = online(), 1.0
    for attempt in range(1, 6):  # a server that accepts and drops
        link.closed(attempt, 1006, None, now)
        now = link.retry_at
        wait(link, now)
        link.opened(attempt + 1, now)
        link.online(now)
    link.closed(6, 1006, None, now)
    assert link.retry_at - now == 8.0
    wait(link, 25.0)
    link.opened(7, 25.0)
    link.online(25.0)
    link.closed(7, 1006, None, 25.0 + STABLE_SECONDS)
    assert link.retry_at - 25.0 - STABLE_SECONDS == 0.5


def test_silence_is_probed_and_a_dead_link_is_left() -> None:
    link = online()
    assert pass_time(link, 0.0, PING_INTERVAL_SECONDS) == [(PING_INTERVAL_SECONDS, True)]
    link.heard(PING_INTERVAL_SECONDS + 1)  # the pong
    second = 2 * PING_INTERVAL_SECONDS + 1
    assert pass_time(link, PING_INTERVAL_SECONDS + 1, second) == [(second, True)]
    dead = second + PING_TIMEOUT_SECONDS
    due = link.deadline()
    while due is not None and due < dead:
        assert link.tick(due, wall(due)) == ([], False)
        due = link.deadline()
    assert link.tick(dead, wall(dead)) == ([CloseLink()], False)
    assert link.error is not None
    assert link.error.code == "timeout"


def test_what_is_heard_puts_the_ping_off() -> None:
    link = online()
    for second in range(1, 60):
        link.heard(float(second))
        assert not link.tick(float(second), wall(second))[1]


@pytest.mark.parametrize("clock", ["stands still in sleep", "runs on in sleep"])
def test_waking_up_reconnects_at_once_and_tries_often_for_a_while(clock: str) -> None:
    link = online()
    link.tick(1.0, 1_000)
    hour = 3_600.0
    # Where the monotonic clock stands still, only the wall clock tells of the sleep.
    now = 1.0 + HEARTBEAT_SECONDS if clock == "stands still in sleep" else hour
    assert link.tick(now, wall(hour)) == ([OpenLink(2, URL)], False)
    for _ in range(6):  # the network is not there yet
        link.closed(link.attempt, 0, None, now)
        assert link.retry_at - now <= EAGER_DELAY_SECONDS
        now, hour = link.retry_at, hour + link.retry_at - now
        link.tick(now, wall(hour))
    now += EAGER_SECONDS
    link.closed(link.attempt, 0, None, now)
    assert link.retry_at - now == LONGEST_DELAY_SECONDS
    assert link.tick(now + HEARTBEAT_SECONDS, wall(2 * hour))[0] == [OpenLink(link.attempt, URL)]


def test_a_sleep_is_noticed_though_the_dead_link_is_reported_first() -> None:
    link = online()
    hour = 3_600.0
    link.closed(1, 0, None, hour)
    assert link.deadline() == HEARTBEAT_SECONDS  # long ago: at once
    assert link.tick(hour, wall(hour)) == ([OpenLink(2, URL)], False)


def test_a_sleep_before_the_first_tick_is_noticed() -> None:
    link = Link(lambda: 1.0)
    link.begin(URL, 0.0)
    link.opened(1, 0.0)
    link.online(0.0)
    assert link.tick(3_600.0, wall(3_600.0)) == ([OpenLink(2, URL)], False)


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    link = Link(lambda: 1.0)
    link.begin(URL, 0.0)
    link.tick(0.0, wall(3_600.0))
    link.opened(1, 0.0)
    link.online(0.0)
    link.tick(1.0, wall(3_601.0))
    assert link.tick(2.0, wall(2.0)) == ([], False)
    assert link.tick(3.0, wall(3.0)) == ([], False)
    assert link.state == "online"


def test_connecting_and_greeting_have_their_time() -> None:
    link = Link(lambda: 1.0)
    link.begin(URL, 0.0)
    assert wait(link, CONNECT_TIMEOUT_SECONDS) == [CloseLink()]
    link = Link(lambda: 1.0)
    link.begin(URL, 0.0)
    assert link.opened(1, 0.0)
    assert wait(link, HELLO_TIMEOUT_SECONDS) == [CloseLink()]
    assert link.state == "waiting"


def test_news_of_an_earlier_attempt_is_ignored() -> None:
    link = online()
    link.closed(1, 1006, None, 0.0)
    link.tick(link.retry_at, wall(link.retry_at))
    assert link.attempt == 2
    assert not link.opened(1, 1.0)
    assert not link.closed(1, 1006, None, 1.0)
    assert link.state == "connecting"


def test_a_busy_server_is_asked_again_when_it_said() -> None:
    link = online(random=0.0)
    busy = LinkError("server_busy", "Busy.", retry=True, retry_after=12)
    assert link.refused(busy, 1.0) == [CloseLink()]
    assert link.retry_at == 13.0
    assert link.retry(2.0) == [OpenLink(2, URL)]


def test_stopping_is_final() -> None:
    link = online()
    assert link.stop() == [CloseLink()]
    assert link.deadline() is None
    assert link.tick(100.0, wall(100.0)) == ([], False)
    assert link.retry(100.0) == []
    assert not link.closed(1, 1006, None, 100.0)
