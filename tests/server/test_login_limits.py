"""Guessing is slowed down, for accounts and addresses, and told in seconds."""

from __future__ import annotations

import pytest

from server_stub import login_limits
from server_stub.login_limits import PER_ACCOUNT, PER_ADDRESS, WINDOW_SECONDS, LoginLimits, Undecided
from tests.support.server import ServerProcess


def attempt(limits: LoginLimits, account: str, address: str, now: float, right: bool | None = False) -> int:
    wait = limits.begin(account, address, now)
    if not wait:
        limits.end(account, address, right, now)
    return wait


def test_an_account_has_ten_failures_in_the_window() -> None:
    limits = LoginLimits()
    assert [attempt(limits, "ann", f"host {n}", float(n)) for n in range(PER_ACCOUNT)] == [0] * PER_ACCOUNT
    assert attempt(limits, "ann", "elsewhere", 100.0) == WINDOW_SECONDS - 100
    assert attempt(limits, "bob", "elsewhere", 100.0) == 0
    assert attempt(limits, "ann", "elsewhere", WINDOW_SECONDS + 0.5) == 0  # the first failure has grown old
    assert attempt(limits, "ann", "elsewhere", WINDOW_SECONDS + 0.5) == 1


def test_an_address_has_fifty_whatever_the_names() -> None:
    limits = LoginLimits()
    assert [attempt(limits, f"user {n}", "host", 0.0) for n in range(PER_ADDRESS)] == [0] * PER_ADDRESS
    assert attempt(limits, "somebody else", "host", 1.0) == WINDOW_SECONDS - 1
    assert attempt(limits, "somebody else", "another host", 1.0) == 0


def test_a_right_password_is_not_charged() -> None:
    limits = LoginLimits()
    assert not any(attempt(limits, "ann", "host", float(n), right=True) for n in range(200))
    assert not any(attempt(limits, "ann", "host", 200.0, right=None) for _ in range(200))
    assert not any(attempt(limits, "ann", "host", 200.0) for _ in range(PER_ACCOUNT - 1))
    assert attempt(limits, "ann", "host", 200.0, right=True) == 0
    assert attempt(limits, "ann", "host", 200.0) == 0  # it has begun anew


def test_guesses_at_the_same_time_wait_for_each_other() -> None:
    limits = LoginLimits()
    for _ in range(PER_ACCOUNT):
        assert limits.begin("ann", "host", 0.0) == 0
    with pytest.raises(Undecided):
        limits.begin("ann", "host", 0.0)
    limits.end("ann", "host", right=True, now=0.0)
    assert limits.begin("ann", "host", 0.0) == 0
    for _ in range(PER_ACCOUNT):
        limits.end("ann", "host", right=False, now=0.0)
    assert limits.begin("ann", "host", 0.0) == WINDOW_SECONDS


def test_memory_is_bounded() -> None:
    limits = LoginLimits()
    for n in range(login_limits.MAX_KEPT + 500):
        attempt(limits, f"user {n}", f"host {n}", 0.0)
    assert len(limits._accounts._times) == len(limits._addresses._times) == login_limits.MAX_KEPT
    assert not limits._accounts._under_way


def test_a_whole_company_logs_in_from_one_address(server: ServerProcess) -> None:
    server.add_user("ann", "correct horse")
    clients = [server.greeted() for _ in range(3 * PER_ADDRESS)]
    asked = [(client, client.send("login", user="ann", password="correct horse")) for client in clients]
    assert {client.answer(request)["type"] for client, request in asked} == {"logged_in"}
    for client in clients:
        client.close()


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
