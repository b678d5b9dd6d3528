"""Starts the real desktop client with a profile of its own, follows its log, and drives its windows by Playwright.

    with Desktop(profile, "--server", url, logs=logs) as client, client.drive(playwright) as windows:
        client.wait("window shown", window="main")
        page = windows.page("main")                      # a Playwright page, whatever process it belongs to
        page.get_by_role("textbox").fill("…")

Nothing here sleeps: the process's JSON log lines (`--dev` puts them on stderr) are what tests wait for.
Also for the benchmark and the demonstration, so it needs pytest for nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

ROOT: Final = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0

Line = dict[str, Any]
TakeLine = Callable[[str, str], None]
"""Takes each line of output (source, text): LogGuard.line, so that an unexpected warning fails the test."""

_OTHER_PROGRAMS: Final = re.compile(r"^\[\d+:\d+:\d+/\d+\.\d+:|^libEGL |^MESA|^Remote debugging server|^Try pointing")
"""Chromium's own lines, which say nothing about us."""


def free_port() -> int:
    """A loopback port that is free now: Qt's DevTools server cannot choose its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Program:
    """A process of ours that logs JSON lines to stderr."""

    def __init__(
        self, command: list[str], *, environment: Mapping[str, str] | None = None, take_line: TakeLine | None = None
    ) -> None:
        self.lines: list[Line] = []
        self.other: list[str] = []
        """Lines that are no JSON: what a person at the terminal would read, and Chromium's."""
        self.output: list[str] = []
        """Lines on stdout."""
        self._changed = threading.Condition()
        self._take_line = take_line
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert self.process.stderr is not None and self.process.stdout is not None
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr, self._take), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stdout, self.output.append), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait(self, event: str, *, after: int = 0, seconds: float = DEADLINE_SECONDS, **fields: object) -> Line:
        """The first log line from line number `after` on with this event and these fields, now or within `seconds`."""

        def find() -> Line | None:
            for line in self.lines[after:]:
                if line.get("event") == event and all(line.get(key) == value for key, value in fields.items()):
                    return line
            return None

        with self._changed:
            self._changed.wait_for(lambda: find() is not None or self.process.poll() is not None, seconds)
        if find() is None and self.process.poll() is not None:
            self._finish_reading()
        found = find()
        if found is None:
            raise AssertionError(
                f"no log line {event!r} {fields or ''}; exit code {self.process.poll()}\n{self.tail()}"
            )
        return found

    def tail(self) -> str:
        """The last of everything it wrote, for a failure's message."""
        return "\n".join([*(json.dumps(line, ensure_ascii=False) for line in self.lines[-40:]), *self.other[-20:]])

    def told(self) -> list[str]:
        """What the program said to a person at the terminal."""
        return [line for line in self.other if line and not _OTHER_PROGRAMS.match(line)]

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the end of the process; its exit code."""
        code = self.process.wait(seconds)
        self._finish_reading()
        return code

    def stop(self) -> int:
        """End it as the system would (SIGTERM); its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.ended()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end by itself\n{self.tail()}") from None

    def kill(self) -> None:
        """End it without warning (kill -9). Chromium's helper processes end with it."""
        if self.process.poll() is None:
            self.process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self.ended()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _finish_reading(self) -> None:
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None and not any(reader.is_alive() for reader in self._readers):
                pipe.close()

    def _read(self, pipe: Any, take: Callable[[str], None]) -> None:
        with contextlib.suppress(ValueError):  # closed at the end
            for text in pipe:
                take(text.rstrip("\n"))
        with self._changed:
            self._changed.notify_all()

    def _take(self, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        with self._changed:
            if isinstance(line, dict):
                self.lines.append(line)
            else:
                self.other.append(text)
            self._changed.notify_all()
        if self._take_line is not None and not _OTHER_PROGRAMS.match(text):
            self._take_line("client", text)


class Desktop(Program):
    """A desktop client: `python -m client`, or another module with the same command line."""

    def __init__(
        self,
        profile: Path,
        *arguments: str,
        module: str = "client",
        browser: bool = False,
        environment: Mapping[str, str] | None = None,
        take_line: TakeLine | None = None,
    ) -> None:
        self.profile = profile
        self.debugging_port = 0 if browser else free_port()
        command = [sys.executable, "-m", module, "--profile", str(profile), "--dev", *arguments]
        if browser:
            command += ["--browser", "--no-open"]
        else:
            command += ["--remote-debugging-port", str(self.debugging_port)]
        super().__init__(command, environment=environment, take_line=take_line)

    @property
    def url(self) -> str:
        """The address of the main window's page; it holds the secret of this run."""
        return str(self.wait("ui ready")["url"])

    @contextlib.contextmanager
    def drive(self, playwright: Playwright) -> Iterator[Windows]:
        """Connect to the windows; the program goes on when the connection ends."""
        # A renderer that is still loading its first page is attached to by half, and Playwright waits for ever.
        self.wait("page connected", window="main")
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{self.debugging_port}", no_defaults=True)
        try:
            yield Windows(browser)
        finally:
            browser.close()


class Windows:
    """The windows of one client, as Playwright sees them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def page(self, window: str, *, seconds: float = DEADLINE_SECONDS) -> Page:
        """The page of a window ("main", or a conversation's id), as soon as it is there."""
        from playwright.sync_api import TimeoutError as NoNewWindow  # not needed by whoever only starts the client

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for page in self.pages():
                if parse_qs(urlsplit(page.url).query).get("window") == [window]:
                    return page
            # Playwright hears of new windows only while it is called: this turns its loop, and waits for one.
            with contextlib.suppress(NoNewWindow):
                self.browser.contexts[0].wait_for_event("page", timeout=200)
        raise AssertionError(f"no window {window!r}; there are {[page.url.partition('?')[2] for page in self.pages()]}")

    def pages(self) -> list[Page]:
        """Every window's page."""
        return [page for context in self.browser.contexts for page in context.pages]
