"""`dev.py check`: format, lint, strict types, the page's linter, and whether the generated documents are fresh."""

from __future__ import annotations

import filecmp
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from devtools.setup import PYTHON, node_commands
from devtools.steps import ROOT, TAIL_LINES

TYPED = ("protocol", "client", "server_stub", "sample", "bench", "devtools", "tests", "dev.py")


def check() -> bool:
    """Run every check, print one line for each and the output of those that fail; whether all passed."""
    _, node = node_commands()
    typed = [name for name in TYPED if (ROOT / name).exists()]
    results = [
        _run("format", [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "--diff", "."]),
        _run("lint", [PYTHON, "-m", "ruff", "check", "--quiet", "."]),
        _run("types", [PYTHON, "-m", "mypy", "--no-error-summary", *typed]),
        _run("page", [*node, "node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "."]),
        _fresh_documents(),
    ]
    return all(results)


def generators() -> list[str]:
    """Modules that write files into docs/: `python -m MODULE DIRECTORY`."""
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(ROOT.glob("*/document.py"))]


def write_documents() -> bool:
    """Write the generated documents anew; whether that succeeded."""
    results = [_run(f"docs: {module}", [PYTHON, "-m", module]) for module in generators()]
    return all(results)


def _fresh_documents() -> bool:
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        for module in generators():
            if not _run(f"docs: {module}", [PYTHON, "-m", module, made], quiet=True):
                return False
        stale = [
            str(path.relative_to(made))
            for path in sorted(made.rglob("*"))
            if path.is_file() and not _same(path, ROOT / "docs" / path.relative_to(made))
        ]
    _say(
        "docs", not stale, 0.0, f"Run `python3 dev.py docs`; out of date in docs/: {', '.join(stale)}" if stale else ""
    )
    return not stale


def _same(one: Path, other: Path) -> bool:
    return other.exists() and filecmp.cmp(one, other, shallow=False)


def _run(title: str, command: Sequence[str | Path], *, quiet: bool = False) -> bool:
    started = time.monotonic()
    answer = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    good = answer.returncode == 0
    if not (quiet and good):
        lines = [] if good else answer.stdout.splitlines()
        shown = lines if len(lines) <= TAIL_LINES * 5 else [*lines[: TAIL_LINES * 5], f"and {len(lines)} lines in all"]
        _say(title, good, time.monotonic() - started, "\n".join(shown))
    return good


def _say(title: str, good: bool, seconds: float, output: str) -> None:
    print(f"check {title}: {'ok' if good else 'FAILED'} ({seconds:.1f} s)", flush=True)
    if output:
        print(output, flush=True)
