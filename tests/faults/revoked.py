"""Sessions that are revoked: each of their live sockets is closed with 4001 soon after the command has returned."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

from bench import company
from tests.faults.stage import Stage, stage
from tests.support.server import WireClient

CLOSED_SECONDS: Final = 2.0
SESSION_ENDED: Final = 4001
DEVICES: Final = 3


def end(stage: Stage, number: int, how: str) -> list[float]:
    """Seconds from the end of the command until each device of this person was closed."""
    login = f"person{number}"
    devices = [stage.server.resume(company.token(number)) for _ in range(DEVICES)]
    closed: list[float] = []

    def watch(device: WireClient) -> None:
        code = device.closed()
        closed.append(time.monotonic() if code == SESSION_ENDED else float("inf"))

    watchers = [threading.Thread(target=watch, args=(device,)) for device in devices]
    for watcher in watchers:
        watcher.start()
    if how == "passwd":
        stage.server.command("user", how, login, "--password-stdin", stdin="another long password\n")
    else:
        stage.server.command("user", how, login)
    done = time.monotonic()
    for watcher in watchers:
        watcher.join()
    for device in devices:
        device.close()
    with stage.server.greeted() as thief:
        refused = thief.request("resume", token=company.token(number))["code"]
        assert refused in {"session_expired", "account_disabled"}, refused
    return [max(0.0, at - done) for at in closed]


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result. The short form judges no time, only that all are closed, with the right code."""
    turns = 2 if short else 20
    with stage(turns, sessions=True) as set_up:
        found = [
            seconds
            for number in range(1, turns + 1)
            for seconds in end(set_up, number, "disable" if number % 2 else "passwd")
        ]
    yield {
        "point": "revoked_sessions",
        "passed": len(found) == turns * DEVICES and max(found) < (float("inf") if short else CLOSED_SECONDS),
        "sockets": len(found),
        "closed_after_seconds_max": round(max(found), 2) if max(found) < float("inf") else "with the wrong code",
    }
