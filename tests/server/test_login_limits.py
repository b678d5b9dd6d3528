"""Guessing is slowed down, for accounts and addresses, and told in seconds."""

from __future__ import annotations

from server_stub import login_limits
from server_stub.login_limits import PER_ACCOUNT, PER_ADDRESS, WINDOW_SECONDS, LoginLimits
from tests.support.server import ServerProcess


def test_an_account_has_ten_failures_in_the_window() -> None:
    limits = LoginLimits()
    assert [limits.begin("ann", f"host {n}", float(n)) for n in range(PER_ACCOUNT)] == [0] * PER_ACCOUNT
    assert limits.begin("ann", "elsewhere", 100.0) == WINDOW_SECONDS - 100
    assert limits.begin("bob", "elsewhere", 100.0) == 0
    assert limits.begin("ann", "elsewhere", WINDOW_SECONDS + 0.5) == 0  # the first failure has grown old
    assert limits.begin("ann", "elsewhere", WINDOW_SECONDS + 0.5) == 1


def test_an_address_has_fifty_whatever_the_names() -> None:
    limits = LoginLimits()
    assert [limits.begin(f"user {n}", "host", 0.0) for n in range(PER_ADDRESS)] == [0] * PER_ADDRESS
    assert limits.begin("somebody else", "host", 1.0) == WINDOW_SECONDS - 1
    assert limits.begin("somebody else", "another host", 1.0) == 0


def test_a_right_password_is_not_charged() -> None:
    limits = LoginLimits()
    for n in range(200):
        assert limits.begin("ann", "host", float(n)) == 0
        limits.succeeded("ann", "host")
    for _ in range(PER_ACCOUNT - 1):
        limits.begin("ann", "host", 200.0)
    limits.begin("ann", "host", 200.0)
    limits.undecided("ann", "host")
    assert limits.begin("ann", "host", 200.0) == 0


def test_memory_is_bounded() -> None:
    limits = LoginLimits()
    for n in range(login_limits.MAX_KEPT + 500):
        limits.begin(f"user {n}", f"host {n}", 0.0)
    assert len(limits._accounts._times) == len(limits._addresses._times) == login_limits.MAX_KEPT


def test_the_server_tells_how_long_to_wait(server: ServerProcess) -> None:
    server.add_user("ann", "correct horse")
    server.add_user("bob", "correct horse")
    with server.greeted() as guesser:
        for _ in range(PER_ACCOUNT):
            assert guesser.request("login", user="Ann", password="wrong")["code"] == "bad_credentials"
        refused = guesser.request("login", user="ann", password="correct horse")
        assert refused["code"] == "too_many_attempts"
        assert refused["retry"] is True
        assert 0 < refused["retry_after"] <= WINDOW_SECONDS
        assert guesser.request("login", user="bob", password="correct horse")["type"] == "logged_in"
