"""From starting the program to a roster that can be used, and its memory, beside a bare pywebview window.

Both are started in turns in the same run and watched in the same way (over DevTools, every 5 ms), so the ratios hold
on a machine where the seconds do not. The client logs in by the token that it keeps in a real keyring, as it does
every morning. Memory is PSS of the whole process tree, some seconds after the start.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import websocket
from playwright.sync_api import sync_playwright

from bench import company, desktop
from sample.talk import connect
from tests.support.desktop import ROOT, Desktop, free_port
from tests.support.secret_service import SecretService
from tests.support.server import ServerProcess

PEOPLE = 1_000
CONVERSATIONS = 30
SETTLE_SECONDS = 4.0
START_SECONDS = 60.0
BARE = "[data-ready]"
ROSTER = "[data-conversation]"


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """Start-up and memory, each with its ratio."""
    rounds = 1 if short else 7
    with tempfile.TemporaryDirectory() as name, desktop.screen() as screen, _keyring(Path(name)) as keyring:
        folder = Path(name)
        environment = {**screen, **keyring}
        company.make(folder / "server", PEOPLE, CONVERSATIONS)
        server = ServerProcess(folder / "server", "--log-level", "warning").start()
        ours = [sys.executable, "-m", "client", "--server", server.url, "--user", "person1"]
        ours += ["--profile", str(folder / "profile"), "--remote-debugging-port"]
        bare = [sys.executable, "-m", "bench.bare_window"]
        try:
            _log_in_once(folder / "profile", server.url, environment)
            results: dict[str, list[tuple[float, float]]] = {"bare": [], "oschat": []}
            for _ in range(rounds + 1):  # the first round fills the disk's cache, and does not count
                for program, command, sign in (("bare", bare, BARE), ("oschat", ours, ROSTER)):
                    results[program].append(_measure(command, sign, environment, short=short))
        finally:
            server.stop()
    for index, (figure, unit) in enumerate((("start_to_roster", "s"), ("memory_pss", "MB"))):
        values = {program: statistics.median(pair[index] for pair in pairs[1:]) for program, pairs in results.items()}
        yield {
            "name": figure,
            "unit": unit,
            "rounds": rounds,
            "value": round(values["oschat"], 2),
            "bare_window": round(values["bare"], 2),
            "ratio": round(values["oschat"] / values["bare"], 2),
        }


@contextlib.contextmanager
def _keyring(folder: Path) -> Iterator[dict[str, str]]:
    """On Linux a Secret Service of our own; elsewhere the system's keyring."""
    if sys.platform != "linux":
        yield {}
        return
    service = SecretService(folder / "keyring")
    try:
        service.unlock()
        address = service.environment["DBUS_SESSION_BUS_ADDRESS"]
        yield {"DBUS_SESSION_BUS_ADDRESS": address, "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    finally:
        service.close()


def _log_in_once(profile: Path, url: str, environment: dict[str, str]) -> None:
    """Log in with `remember me`, and leave the client with something to show."""
    arguments = ("--server", url, "--user", "person1")
    with Desktop(profile, *arguments, environment=environment) as client, sync_playwright() as playwright:
        page = connect(playwright, client).page("main")
        page.locator('[data-field="remember"]').check(timeout=desktop.WAIT_MS)
        desktop.log_in(page)
        page.locator("[data-conversation]").first.wait_for(timeout=desktop.WAIT_MS)


def _measure(command: list[str], sign: str, environment: dict[str, str], *, short: bool) -> tuple[float, float]:
    """Seconds from exec to the sign in the page, and the tree's memory in MB."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(port)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(sign, port, started + START_SECONDS)
        seconds = time.perf_counter() - started
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5 if short else SETTLE_SECONDS)
        return seconds, _memory(process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_for(sign: str, port: int, deadline: float) -> None:
    """Ask the page of the program's only window until it has this element. Raises TimeoutError."""
    question = {"expression": f"document.querySelector({json.dumps(sign)}) !== null"}
    while time.perf_counter() < deadline:
        # Until the window is there, nobody answers, or the list is empty; a page that reloads drops the socket.
        with contextlib.suppress(OSError, LookupError, websocket.WebSocketException):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                target = json.load(answer)[0]["webSocketDebuggerUrl"]
            socket = websocket.create_connection(target, timeout=5, suppress_origin=True)
            try:
                for number in range(1, sys.maxsize):
                    socket.send(json.dumps({"id": number, "method": "Runtime.evaluate", "params": question}))
                    if json.loads(socket.recv())["result"]["result"]["value"]:
                        return
                    if time.perf_counter() > deadline:
                        break
                    time.sleep(0.005)
            finally:
                socket.close()
        time.sleep(0.01)
    raise TimeoutError(f"no {sign} in the page of port {port}")


def _memory(pid: int) -> float:
    """PSS of a process and everything under it, in MB; where a system does not tell PSS, its private memory."""
    total = 0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        facts = process.memory_full_info()
        total += getattr(facts, "pss", facts.uss)
    return total / 1e6
