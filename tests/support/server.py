"""A real server process for tests, with a data directory of its own, and a small client that speaks the wire.

In a conftest.py: `from tests.support.server import server`. In a test: `server.add_user("ann", "correct horse")`, then
`with server.login("ann", "correct horse") as ann: ann.request("ping")`. Everything waits on events with a deadline.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import websocket

from protocol.messages import Person
from server_stub.accounts import hash_password, new_id
from server_stub.app import DATABASE
from server_stub.storage.sqlite import SqliteStorage
from tests.support.logs import guard

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 20.0
"""Seconds in which anything that is waited for must have come, however busy the machine is."""

Frame = dict[str, Any]


class ServerProcess:
    """`python -m server_stub serve` on a loopback port that is free, stopped by its own pid."""

    def __init__(self, data: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.arguments = arguments
        self.environment = environment or {}
        self.url = ""
        self.port = 0
        self.logs: list[Frame] = []
        """What the server has logged; a line that is not JSON is {"text": line}."""
        self._process: subprocess.Popen[str] | None = None
        self._logged = threading.Condition()
        self._collector = threading.Thread()

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start, on the port of the last time if there was one, and wait until it listens."""
        command = [sys.executable, "-m", "server_stub", "serve", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}", *self.arguments]
        self._process = process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._collector = threading.Thread(target=self._collect, args=(process,), daemon=True)
        self._collector.start()
        assert process.stdout is not None
        guard = threading.Timer(DEADLINE, process.kill)
        guard.start()
        line = process.stdout.readline()
        guard.cancel()
        if not line:
            process.wait(DEADLINE)
            raise AssertionError(f"the server did not start: {self.logs}")
        ready = json.loads(line)
        assert ready["event"] == "listening"
        self.url = ready["url"]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same port, after stop() or kill9()."""
        assert self._process is None
        self.start()

    def _end(self, name: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        self._process = None
        process.send_signal(name)
        code = process.wait(DEADLINE)
        assert process.stdout is not None
        process.stdout.close()
        self._collector.join(DEADLINE)
        return code

    def _collect(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                try:
                    record = json.loads(line)
                except ValueError:
                    record = {"text": line.rstrip("\n")}
                guard.line("server", line)
                with self._logged:
                    self.logs.append(record)
                    self._logged.notify_all()

    def wait_log(self, event: str, **fields: object) -> Frame:
        """The first line of the log with this event and these fields."""

        def find() -> Frame | None:
            wanted = {"event": event, **fields}
            return next((line for line in self.logs if wanted.items() <= line.items()), None)

        with self._logged:
            found = self._logged.wait_for(find, DEADLINE)
        assert found is not None, f"not logged in time: {event} {fields}"
        return found

    def command(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `python -m server_stub …` on the same data directory, as another process."""
        return subprocess.run(
            [sys.executable, "-m", "server_stub", *arguments, "--data", str(self.data)],
            cwd=ROOT,
            env=os.environ | self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=DEADLINE,
            check=check,
        )

    def add_user(self, login: str, password: str, name: str = "") -> str:
        """Add somebody, whether the server runs or not, as `user add` does but faster. Returns the user id."""

        async def add() -> str:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            storage = SqliteStorage(self.data / DATABASE)
            person = Person(id=new_id(), login=login, name=name or login)
            await storage.save_directory([person], [], {person.id: hash_password(password)})
            await storage.close()
            return person.id

        # In a thread of its own: where a test drives Playwright, this one has a running event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, add()).result(DEADLINE)

    def connect(self) -> WireClient:
        """A socket on which nothing has been said."""
        return WireClient(self.url)

    def greeted(self) -> WireClient:
        """A socket after hello."""
        client = self.connect()
        assert client.request("hello", protocol=1, client="tests")["type"] == "welcome"
        return client

    def login(self, login: str, password: str) -> WireClient:
        """A socket on which somebody has logged in with a password."""
        client = self.greeted()
        client.remember(client.request("login", user=login, password=password, device="tests"))
        return client

    def resume(self, token: str) -> WireClient:
        """A socket on which somebody has come back with a token."""
        client = self.greeted()
        client.remember(client.request("resume", token=token))
        return client


class WireClient:
    """One WebSocket, used step by step. Frames are plain dictionaries; pushes wait in `pushes`."""

    def __init__(self, url: str, **options: Any) -> None:
        self.socket = websocket.create_connection(
            url, timeout=DEADLINE, skip_utf8_validation=True, http_no_proxy=["127.0.0.1", "localhost"], **options
        )
        self.pushes: deque[Frame] = deque()
        self.answers: dict[int, Frame] = {}
        self.close_code = 0
        self.close_reason = ""
        self.user = ""
        self.token = ""
        self.session = ""
        self._next_id = 1

    def remember(self, answer: Frame) -> None:
        """Keep what logged_in says."""
        assert answer["type"] == "logged_in", answer
        self.user = answer["user"]["id"]
        self.session = answer["session"]
        self.token = answer.get("token", self.token)

    def send(self, type: str, **fields: object) -> int:
        """Send a request without waiting. Returns its id."""
        request_id = self._next_id
        self._next_id += 1
        self.socket.send(json.dumps({"type": type, "id": request_id, **fields}, ensure_ascii=False))
        return request_id

    def answer(self, request_id: int) -> Frame:
        """The answer to this request."""
        while request_id not in self.answers:
            self.read()
        return self.answers.pop(request_id)

    def request(self, type: str, **fields: object) -> Frame:
        """Send a request, and wait for its answer."""
        return self.answer(self.send(type, **fields))

    def say(self, conversation: str, text: str, message_id: str = "") -> Frame:
        """Send a message, and wait for its answer."""
        return self.request(
            "send", conversation=conversation, message_id=message_id or uuid.uuid4().hex, body={"text": text}
        )

    def push(self, type: str, **fields: object) -> Frame:
        """The next push of this type with these fields; earlier ones stay in `pushes`."""
        wanted = {"type": type, **fields}
        seen = 0
        while True:
            for index in range(seen, len(self.pushes)):
                if wanted.items() <= self.pushes[index].items():
                    found = self.pushes[index]
                    del self.pushes[index]
                    return found
            seen = len(self.pushes)
            self.read()

    def read(self) -> Frame:
        """Take one frame from the socket. Raises ConnectionError when it has closed, with `close_code` set."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.close_code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
            self.close_reason = data[2:].decode()
            raise ConnectionError(f"closed with {self.close_code} {self.close_reason}")
        frame: Frame = json.loads(data)
        if "re" in frame:
            self.answers[frame["re"]] = frame
        else:
            self.pushes.append(frame)
        return frame

    def closed(self) -> int:
        """Read until the server closes. Returns the close code, 0 where there was none."""
        try:
            while True:
                self.read()
        except (ConnectionError, websocket.WebSocketConnectionClosedException):
            return self.close_code

    def close(self) -> None:
        """Drop the socket without taking leave."""
        self.socket.shutdown()  # type: ignore[no-untyped-call]  # the library leaves it untyped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def conversation(one: str, other: str) -> str:
    """The id of two people's conversation."""
    return "d." + ".".join(sorted((one, other)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running server with nobody in it."""
    process = ServerProcess(tmp_path / "server").start()
    yield process
    process.stop()
