"""The page in a real Chromium, served with the client's own policy headers; Python is played by patterns-python.js."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"
CHROMIUM = "/usr/bin/chromium"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html dompurify default"
)


class Handler(SimpleHTTPRequestHandler):
    """The ui folder, with the policy that client/ui_server.py sends."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a test says what it finds."""


class Server(ThreadingHTTPServer):
    """A browser that closes a page hangs up on what it had asked for; anything else is a fault and is shown."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture(scope="session")
def ui_url() -> Iterator[str]:
    """Where the ui folder is served."""
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(UI)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")  # not longer: while Playwright runs, this thread has a running event loop
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"] if root else [],  # Chromium refuses to start as root otherwise
        )
        yield browser
        browser.close()


Show = Callable[..., Page]


@pytest.fixture
def show(browser: Browser, ui_url: str) -> Iterator[Show]:
    """`show(pattern, size=(320, 640), lang="en", theme="light", **query)`: the pattern over a whole page.

    Fails the test for anything that the page complains about: an exception, a console error, a policy violation.
    """
    contexts = []
    complaints: list[str] = []

    def open_page(
        pattern: str,
        *,
        size: tuple[int, int] = (320, 640),
        lang: str = "en",
        theme: str = "light",
        reduced: bool = True,
        bypass_csp: bool = False,
        **query: object,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=lang,
            bypass_csp=bypass_csp,
            reduced_motion="reduce" if reduced else "no-preference",
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.goto(f"{ui_url}patterns.html?{urlencode({'only': pattern, 'lang': lang, 'theme': theme, **query})}")
        page.wait_for_selector("[data-pattern] oc-app > *")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def python_of(page: Page) -> str:
    """The JavaScript expression for the bridge behind the pattern, for page.evaluate."""
    return "document.querySelector('oc-app').bridge"


def called(page: Page, method: str) -> None:
    """Wait until the page has called `method`."""
    page.evaluate(
        """method => new Promise((resolve) => {
          const look = () => {
            if (document.querySelector('oc-app').bridge.calls.some((call) => call.method === method)) resolve();
            else requestAnimationFrame(look);
          };
          look();
        })""",
        method,
    )


def calls(page: Page, method: str) -> list[dict[str, Any]]:
    """The arguments of each call of `method` so far."""
    found: list[dict[str, Any]] = page.evaluate(
        "method => document.querySelector('oc-app').bridge.calls.filter(c => c.method === method).map(c => c.args)",
        method,
    )
    return found
