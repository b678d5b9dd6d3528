"""Hands links to the system's browser or mail program."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import webbrowser
from typing import Final
from urllib.parse import urlsplit

from client.log import log

SCHEMES: Final = ("http", "https", "mailto")
"""Nothing else is opened: a file, a script or another program's scheme could do harm by a click."""

_START_SECONDS: Final = 30


def may_open(url: str) -> bool:
    """Whether `url` is a whole link of an allowed kind, without control characters or blanks."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.path if parts.scheme == "mailto" else parts.hostname)


def open_link(url: str) -> None:
    """Open `url` without waiting. What is not allowed is refused and logged (without the link: it may be private)."""
    if not may_open(url):
        log("link refused", scheme=url.partition(":")[0][:20])
        return
    threading.Thread(target=_open, args=(url,), name="link", daemon=True).start()


def _open(url: str) -> None:
    if sys.platform == "linux":
        try:
            done = subprocess.run(
                ["xdg-open", url],
                check=False,
                env=_clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_START_SECONDS,
            )
            log("link opened", code=done.returncode)
            return
        except subprocess.TimeoutExpired:
            log("link opened", code=None)
            return
        except OSError as error:
            log("link not opened by xdg-open", why=error.strerror)
    log("link opened", ok=webbrowser.open(url))


def _clean_environment() -> dict[str, str]:
    """Ours, without what a packaged program (PyInstaller) changed for its own libraries."""
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        original = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        environment.pop("LD_LIBRARY_PATH", None)
        if original is not None:
            environment["LD_LIBRARY_PATH"] = original
    return environment
