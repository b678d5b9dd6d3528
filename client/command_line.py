"""The command line: `python -m client --server URL --profile DIR [--user NAME]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from client.errors import UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """How the program was started."""

    profile: Path
    server: str | None
    """Given here, the address cannot be edited on the log-in page."""
    user: str | None
    browser: bool
    """Show the page in an ordinary browser instead of native windows (development)."""
    open_browser: bool
    reload: bool
    """Watch the page's files and reload on save (development)."""
    dev: bool
    """Log to stderr as well, and with the page's address, which holds a secret (development, tests)."""
    debugging_port: int | None
    """A port for Chromium's DevTools protocol (development, tests); never in a release."""
    ui: Path
    """Where the page's files are."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting."""
        raise UsageError("bad_command_line", f"{message}. See --help.")


def parse(arguments: Sequence[str]) -> Options:
    """The options that the arguments give. Raises UsageError; prints the help and raises SystemExit(0) where asked."""
    parser = _Parser(prog="oschat", description="The Oschat desktop program.", allow_abbrev=False)
    parser.add_argument("--server", metavar="URL", help="address of the server, ws:// or wss://")
    parser.add_argument("--profile", metavar="DIR", type=Path, help="where this person's data is kept")
    parser.add_argument("--user", metavar="NAME", help="the log-in name that the log-in page begins with")
    parser.add_argument("--browser", action="store_true", help="show the page in an ordinary browser (development)")
    parser.add_argument("--no-open", action="store_true", help="with --browser: print the address, open nothing")
    parser.add_argument("--reload", action="store_true", help="reload the page when a file of it is saved")
    parser.add_argument("--dev", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--remote-debugging-port", metavar="PORT", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ui", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    frozen = bool(getattr(sys, "frozen", False))
    if frozen and (given.remote_debugging_port is not None or given.ui is not None or given.dev):
        raise UsageError("bad_command_line", "This is a release: its page cannot be debugged or replaced.")
    if given.server is not None:
        _check_server(given.server)
    return Options(
        profile=(given.profile or default_profile()).expanduser().absolute(),
        server=given.server,
        user=given.user,
        browser=given.browser,
        open_browser=not given.no_open,
        reload=given.reload,
        dev=given.dev,
        debugging_port=given.remote_debugging_port,
        ui=given.ui or ui_folder(),
    )


def default_profile() -> Path:
    """Where the system wants a person's application data."""
    import platformdirs  # noqa: PLC0415  # not needed where --profile is given

    return platformdirs.user_data_path("oschat", appauthor=False, roaming=False)


def ui_folder() -> Path:
    """The page's files: beside this package in a checkout and, as data, in a packaged program."""
    return Path(__file__).resolve().parent.parent / "ui"


def _check_server(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            "bad_server", f"--server {url!r} is not an address such as wss://chat.example.com. Correct it."
        )
