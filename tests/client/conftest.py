"""What the client's tests share: a real server with three people, and profiles that can be started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess

PASSWORD = "correct horse battery"
NAMES = {"anna": "Anna Berg", "bob": "Bob Chen", "zhang": "张伟"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running server with anna, bob and zhang."""
    process = ServerProcess(tmp_path / "server")
    for login, name in NAMES.items():
        process.add_user(login, PASSWORD, name)
    yield process.start()
    process.stop()
