"""Two things that every measurement in real windows needs: a screen, and clients that have logged in."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, Playwright

from bench import company
from sample.screen import VirtualScreen
from sample.talk import connect
from tests.support.desktop import Desktop, Windows

WAIT_MS = 30_000


@contextlib.contextmanager
def screen() -> Iterator[dict[str, str]]:
    """A virtual screen on Linux, else the real one: what to add to a program's environment."""
    added: dict[str, str] = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    if sys.platform != "linux":
        yield added
        return
    if os.geteuid() == 0:
        added["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"
    with VirtualScreen() as virtual:
        yield {**added, **virtual.environment}


def log_in(page: Page) -> None:
    """Type the password into a client's log-in page, and wait for the roster."""
    field = page.locator('[data-field="password"]')
    field.wait_for(timeout=WAIT_MS)
    field.fill(company.PASSWORD)
    field.press("Enter")
    page.locator("[data-search]").wait_for(timeout=WAIT_MS)


@contextlib.contextmanager
def clients(
    playwright: Playwright, folder: Path, url: str, logins: list[str], environment: dict[str, str]
) -> Iterator[list[Windows]]:
    """Desktop clients of these people, logged in."""
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(Desktop(folder / login, "--server", url, "--user", login, environment=environment))
            for login in logins
        ]
        windows = [connect(playwright, client) for client in started]
        for one in windows:
            log_in(one.page("main"))
        yield windows
