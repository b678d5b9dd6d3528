"""The Debian packages that the window, the fonts and the tests need, installed where that is allowed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from devtools.steps import Failure, Log, Step

PYTHON = ("python3-venv",)
"""Debian splits the part of Python that makes virtual environments into a package of its own."""

# Everything that the shared libraries of PySide6 and its xcb and wayland plugins link to, where a server lacks it.
DESKTOP = (
    "libasound2", "libbrotli1", "libdbus-1-3", "libegl1", "libexpat1", "libfontconfig1", "libgbm1", "libgl1",
    "libglib2.0-0", "libgssapi-krb5-2", "libnss3", "libudev1", "libwayland-client0", "libwayland-cursor0",
    "libwayland-egl1", "libx11-xcb1", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1",
    "libxcb-randr0", "libxcb-render-util0", "libxcb-shape0", "libxcb-xfixes0", "libxcb-xkb1", "libxcomposite1",
    "libxdamage1", "libxkbcommon-x11-0", "libxkbcommon0", "libxkbfile1", "libxrandr2", "libxtst6",
    "fonts-noto-cjk", "fonts-noto-color-emoji",
)  # fmt: skip
SCREEN = ("libatomic1", "openbox", "xvfb")
"""A virtual screen, a window manager to raise and place windows on it, and what Playwright's own node links to."""
PACKAGE = ("binutils",)
"""PyInstaller's objcopy and objdump."""
TESTS = (*PACKAGE, "chromium", "dbus", "gnome-keyring", "microsocks", "tinyproxy-bin")
PEERS = ("ejabberd", "erlang-p1-sqlite3", "prosody")
"""What bench/server.py compares with. Debian starts these services on installation, and nobody here wants them."""
SERVICES = ("ejabberd", "prosody")

_DATABASE = Path("/var/lib/dpkg/status")


def step(packages: tuple[str, ...]) -> Step | None:
    """The step that sees to these packages; None on a system without dpkg, where the README tells what to install."""
    if sys.platform != "linux" or not _DATABASE.exists():
        return None
    wanted = sorted(packages)
    if importlib.util.find_spec("ensurepip") is None:
        wanted = sorted({*packages, *PYTHON})

    if not wanted:
        return None

    def inputs() -> list[bytes]:
        facts = _DATABASE.stat()
        return [" ".join(wanted).encode(), f"{facts.st_mtime_ns} {facts.st_size}".encode()]

    # A stamp for each set, so that words with different sets do not undo each other's.
    name = "debian-" + hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:8]
    return Step(name, "Debian packages", inputs, [], lambda log: _install(wanted, log))


def peers() -> Step | None:
    """The step that installs the peers; the services of those that it installs are stopped and do not come back."""

    def install(log: Log) -> None:
        new = [name for name in SERVICES if name not in _installed(list(SERVICES))]
        _install(list(PEERS), log)
        if new and Path("/run/systemd/system").exists():
            log.run([*(_root_prefix() or []), "systemctl", "disable", "--now", *new])

    chosen = step(PEERS)
    return None if chosen is None else Step(chosen.name, "Peers to measure", chosen.inputs, [], install)


def _install(wanted: list[str], log: Log) -> None:
    missing = [name for name in wanted if name not in _installed(wanted)]
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    prefix = _root_prefix()
    if prefix is None:
        line = f"apt-get update && {' '.join(install)}"
        asked = f"sudo sh -c '{line}'" if shutil.which("sudo") else f"su - -c '{line}'"
        log.clear()
        raise Failure(f"These Debian packages are missing. Run this line, then start again:\n\n{asked}\n", 2)
    run = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    log.run([*run, "update"])
    log.run([*run, *install[1:]])


def _installed(wanted: list[str]) -> set[str]:
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    return {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}


def _root_prefix() -> list[str] | None:
    """What to put before a command so that it runs as root without a question; None where that is not possible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None
