"""`dev.py lock`: writes requirements/*.txt, with a hash for every file and without any host's name."""

from __future__ import annotations

from pathlib import Path

from devtools.setup import PYTHON, REQUIREMENTS
from devtools.steps import Log

LOCKS = {"client": ("client",), "server": ("server",), "dev": ("client", "server", "dev")}
_COMPILE = "pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11"


def lock(*, upgrade: bool) -> None:
    """Lock every set of packages; `upgrade` takes the newest versions. Raises Failure."""
    log = Log("lock", "Locking")
    try:
        for name, extras in LOCKS.items():
            source = [word for extra in extras for word in ("--extra", extra)]
            _compile(log, ["pyproject.toml", *source], REQUIREMENTS / f"{name}.txt", upgrade=upgrade)
        pinned: list[str | Path] = ["--constraints", REQUIREMENTS / "dev.txt"]
        _compile(log, ["-", *pinned], REQUIREMENTS / "build.txt", upgrade=False, text="setuptools\n")
        log.done()
    finally:
        log.close()


def _compile(log: Log, source: list[str | Path], target: Path, *, upgrade: bool, text: str | None = None) -> None:
    extra = ["--upgrade"] if upgrade else []
    log.run([PYTHON, "-m", "uv", *_COMPILE.split(), *extra, *source, "-o", target], text=text)
