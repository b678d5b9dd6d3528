"""Where a fault is tried: a fresh server with people, and a folder for its clients' profiles."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import company
from tests.support.server import ServerProcess


@dataclass(frozen=True)
class Stage:
    """The people are `person1` … with the ids in order and bench/company.py's password."""

    server: ServerProcess
    ids: list[str]
    folder: Path


@contextmanager
def stage(people: int, *, sessions: bool = False, log_level: str = "warning") -> Iterator[Stage]:
    """With a running server; with `sessions`, everyone has a token. All of it is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = company.make(folder / "server", people, sessions=sessions)
        server = ServerProcess(folder / "server", "--log-level", log_level).start()
        try:
            yield Stage(server, ids, folder)
        finally:
            server.stop()
