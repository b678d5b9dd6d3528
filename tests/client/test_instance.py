"""One program for each profile: the lock, the knock, and what a kill leaves behind."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import instance as module
from client.errors import UsageError
from client.instance import FILE_NAME, Instance
from tests.support.desktop import ROOT

HOLDER = """
import sys
from pathlib import Path
from client.instance import Instance
instance = Instance(Path(sys.argv[1]))
print(instance.claim(), flush=True)
instance.announce("http://127.0.0.1:9/nobody/show")
print("announced", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the profile."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    assert process.stdout.readline() == "announced\n"
    yield process
    process.kill()
    process.communicate(timeout=10)


class Listener:
    """Answers knocks."""

    def __init__(self, status: int = 200) -> None:
        self.paths: list[str] = []
        paths = self.paths

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def __enter__(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/secret/show"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


def test_the_second_claim_fails_until_the_first_is_released(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.claim()
    assert not second.claim()
    first.announce("http://127.0.0.1:1/x/show")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0
    first.release()
    assert not (tmp_path / FILE_NAME).exists()
    assert second.claim()
    second.release()


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    ours = Instance(tmp_path)
    assert not ours.claim()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(10)
    assert (tmp_path / FILE_NAME).exists(), "the killed one left its file"
    assert ours.claim()
    ours.release()


def test_the_knock_reaches_the_holder(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.claim()
    listener = Listener()
    with listener as url:
        first.announce(url)
        assert second.knock()
    first.release()
    assert listener.paths == ["/secret/show"]


def test_the_knock_waits_for_a_holder_that_is_just_starting(tmp_path: Path) -> None:
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.claim()
    answers: list[bool] = []
    knocking = threading.Thread(target=lambda: answers.append(second.knock()))
    knocking.start()
    with Listener() as url:
        first.announce(url)
        knocking.join(10)
    first.release()
    assert answers == [True]


@pytest.mark.parametrize(
    "text", ["", "{", '{"pid": 1}', '{"pid": 1, "show_url": "http://evil.example/x/show"}', "\ufffd"]
)
def test_a_knock_that_nobody_can_answer_ends(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KNOCK_SECONDS", 0.2)
    (tmp_path / FILE_NAME).write_text(text, "utf-8")
    assert not Instance(tmp_path).knock()


def test_a_holder_that_refuses_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KNOCK_SECONDS", 0.2)
    first, second = Instance(tmp_path), Instance(tmp_path)
    assert first.claim()
    with Listener(403) as url:
        first.announce(url)
        assert not second.knock()
    first.release()


def test_a_profile_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(UsageError) as caught:
        Instance(tmp_path).claim()
    assert "lock" in caught.value.text
