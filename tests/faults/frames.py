"""Malformed frames: each gets a typed error or a proper close code; no crash, no growth, no hard work."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import psutil

from bench import company
from bench.wire import UPGRADE, client_frame
from protocol.codec import encode
from protocol.errors import ERRORS
from protocol.limits import PROTOCOL_VERSION
from protocol.messages import Hello, Ping, Request, Resume
from tests.faults.malformed import Malformed, generate
from tests.faults.stage import Stage, stage

SEED: Final = 20_260_501
PROPER: Final = frozenset({1002, 1003, 1007, 1009})
MAX_GROWTH_MIB: Final = 20.0
MAX_CPU_MS: Final = 50.0
WARM_UP: Final = 1_000
"""Frames after which the memory is looked at first, where there are many: allocators and caches have grown by then."""

SECONDS: Final = 30.0
"""For an answer."""

MAX_ON_ONE_SOCKET: Final = 50
HIGHEST_ID: Final = 2**53 - 1


class Socket:
    """A bare socket that says what it is told to, byte for byte; greeted, and logged in or not."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._file: BinaryIO = self._socket.makefile("rb")
        self.used = 0
        self.alive = True
        self.send(UPGRADE)
        while self._file.readline() not in {b"\r\n", b""}:
            pass
        self.ask(Hello(id=1, protocol=PROTOCOL_VERSION, client="faults"), "welcome")
        if token:
            self.ask(Resume(id=2, token=token), "logged_in")

    def send(self, data: bytes) -> None:
        """Raises no error where the server has closed meanwhile: its close frame tells."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def ask(self, request: Request, kind: str) -> dict[str, object]:
        """Send it, and wait for this kind of answer."""
        self.send(client_frame(encode(request)))
        while True:
            frame = self.read()
            assert isinstance(frame, dict), f"closed with {frame}"
            if frame["type"] == kind:
                return frame

    def read(self) -> dict[str, object] | int:
        """A frame, or the close code; 0 where the socket ended without one."""
        while True:
            try:
                head = self._file.read(2)
                if len(head) < 2:
                    return 0
                size = head[1]
                if size == 126:
                    size = int.from_bytes(self._file.read(2), "big")
                elif size == 127:
                    size = int.from_bytes(self._file.read(8), "big")
                payload = self._file.read(size)
            except ConnectionError:
                return 0
            if head[0] == 0x88:
                return int.from_bytes(payload[:2], "big")
            if head[0] == 0x81:
                decoded: dict[str, object] = msgspec.json.decode(payload)
                return decoded

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def receive(self) -> bytes:
        """Whatever has come."""
        data = self._socket.recv(65_536)
        self.alive = bool(data)
        return data

    def close(self) -> None:
        """Without taking leave."""
        self._file.close()
        self._socket.close()


def cpu_clock(pid: int) -> Callable[[], float]:
    """Milliseconds that the server's event loop has worked; of Linux to the nanosecond."""
    schedule = Path(f"/proc/{pid}/schedstat")
    if sys.platform == "linux" and schedule.exists():
        return lambda: int(schedule.read_bytes().split()[0]) / 1e6
    process = psutil.Process(pid)
    return lambda: sum(process.cpu_times()[:2]) * 1e3


def throw(stage: Stage, frames: list[Malformed]) -> dict[str, object]:
    """Send each, see what comes back, and what it has cost."""
    process = psutil.Process(stage.server.pid)
    clock = cpu_clock(stage.server.pid)
    got: Counter[str] = Counter()
    wrong: list[str] = []
    dearest = 0.0, ""
    before = 0
    one: Socket | None = None
    for number, malformed in enumerate(frames):
        if number == min(WARM_UP, len(frames) // 2):
            before = process.memory_info().rss
        if one is None:
            one = Socket(stage.server.port, company.token(1) if number % 3 else "")
        begun = clock()
        one.send(malformed.wire)
        answer = one.read()
        while isinstance(answer, dict) and answer["type"] != "error":
            answer = one.read()  # a push
        dearest = max(dearest, (clock() - begun, f"{number} {malformed.kind}"))
        if isinstance(answer, int):
            got[f"close {answer}"] += 1
            right = malformed.closes and answer in PROPER
        else:
            got[str(answer["code"])] += 1
            right = not malformed.closes and answer["code"] in ERRORS
        if not right:
            wrong.append(f"{number} {malformed.kind}: {malformed.wire[:80]!r} got {answer}")
        one.used += 1
        if isinstance(answer, int) or one.used == MAX_ON_ONE_SOCKET:
            if not isinstance(answer, int):
                one.ask(Ping(id=HIGHEST_ID), "pong")
            one.close()
            one = None
    if one is not None:
        one.close()
    growth = (process.memory_info().rss - before) / 2**20
    Socket(stage.server.port, company.token(1)).close()  # it goes on
    kinds = Counter(malformed.kind for malformed in frames)
    return {
        "frames": len(frames), "kinds": dict(kinds), "seed": SEED, "got": dict(got.most_common()), "wrong": wrong[:5],
        "wrong_count": len(wrong), "memory_growth_mib": round(growth, 1), "dearest_cpu_ms": round(dearest[0], 2),
        "dearest": dearest[1],
    }  # fmt: skip


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result. The short form judges no cost: a busy machine can make it."""
    with stage(2, sessions=True) as set_up:
        result = throw(set_up, generate(SEED, 400 if short else 10_000))
    growth, dearest = result["memory_growth_mib"], result["dearest_cpu_ms"]
    assert isinstance(growth, float)
    assert isinstance(dearest, float)
    cheap = growth < MAX_GROWTH_MIB and dearest < MAX_CPU_MS
    yield {"point": "malformed_frames", "passed": not result["wrong_count"] and (short or cheap), **result}
