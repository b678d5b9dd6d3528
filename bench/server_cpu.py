"""The server's CPU for a message that is stored on disk, acknowledged, and delivered to one other person.

The server runs on the first core and the load on the last one (where there are two). CPU is user and system time of
the server's process over the measured messages, all its threads together.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import company
from protocol.codec import encode
from protocol.limits import PROTOCOL_VERSION
from protocol.messages import Hello, Login, direct_conversation
from tests.support.server import ServerProcess

TEXT = "Could you look at the second page again? 第二页的数字还要核对一下。"
DEADLINE_SECONDS = 120.0


class _Kind(msgspec.Struct):
    """As much of a frame as the load needs."""

    type: str
    re: int = 0


_kind = msgspec.json.Decoder(_Kind)


class Peer(WSListener):
    """A client that counts, with a window of messages that wait for their acknowledgement."""

    def __init__(self) -> None:
        self.transport: WSTransport
        self.answers: dict[int, asyncio.Future[str]] = {}
        self.conversation = ""
        self.window = 0
        self.to_send = 0
        self.sent = 0
        self.acknowledged = 0
        self.received = 0
        self.expected = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._prefix = ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The socket is open."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count acknowledgements and events; send what the window now allows."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        kind = _kind.decode(frame.get_payload_as_bytes())
        if kind.type == "sent":
            self.acknowledged += 1
            self._fill()
        elif kind.type == "new_event":
            self.received += 1
        elif kind.re in self.answers:
            self.answers.pop(kind.re).set_result(kind.type)
        elif kind.type == "error":
            self.done.set_exception(RuntimeError(bytes(frame.get_payload_as_bytes()).decode()))
        if self.acknowledged >= self.to_send and self.received >= self.expected and not self.done.done():
            self.done.set_result(None)

    async def ask(self, request: Any, answer: str) -> None:
        """Send a request and wait for this type of answer."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.answers[request.id] = future
        self.transport.send(WSMsgType.TEXT, encode(request))
        async with asyncio.timeout(DEADLINE_SECONDS):
            kind = await future
        assert kind == answer, kind

    def begin(self, conversation: str, prefix: str, count: int, window: int) -> None:
        """Send `count` messages with `window` of them under way; or receive, where `window` is 0."""
        self.conversation, self._prefix, self.window = conversation, prefix, window
        self.sent = self.acknowledged = self.received = 0
        self.to_send, self.expected = (count, 0) if window else (0, count)
        self.done = asyncio.get_running_loop().create_future()
        self._fill()

    def _fill(self) -> None:
        while self.sent < self.to_send and self.sent - self.acknowledged < self.window:
            self.sent += 1
            number = self.sent
            self.transport.send(
                WSMsgType.TEXT,
                f'{{"type":"send","id":{number + 100},"conversation":"{self.conversation}",'
                f'"message_id":"{self._prefix}{number:012d}","body":{{"text":"{TEXT}"}}}}'.encode(),
            )


def measure(*, window: int, pairs: int, count: int) -> dict[str, object]:
    """One figure: `pairs` people send `count` messages each, with `window` of them under way at a time."""
    with tempfile.TemporaryDirectory() as folder, _cores() as (ours, theirs):
        data = Path(folder) / "server"
        ids = company.make(data, 2 * pairs)
        _pin(theirs)
        server = ServerProcess(data, "--log-level", "warning").start()
        _pin(ours)
        try:
            seconds, wall = asyncio.run(_load(server, ids, window, count))
        finally:
            server.stop()
    messages = pairs * count
    return {
        "name": "server_cpu_us_per_message",
        "window": window,
        "senders": pairs,
        "messages": messages,
        "value": round(seconds / messages * 1e6, 1),
        "messages_per_second": round(messages / wall),
    }


async def _load(server: ServerProcess, ids: list[str], window: int, count: int) -> tuple[float, float]:
    peers = [await _log_in(server.url, f"person{n}") for n in range(1, len(ids) + 1)]
    pairs = list(zip(peers[::2], peers[1::2], ids[::2], ids[1::2], strict=True))
    process = psutil.Process(server.pid)
    before, started = 0.0, 0.0
    for prefix, part in (("warm", max(count // 10, 1)), ("full", count)):
        before, started = _cpu(process), time.perf_counter()
        for sender, receiver, one, other in pairs:
            conversation = direct_conversation(one, other)
            receiver.begin(conversation, prefix, part, 0)
            sender.begin(conversation, prefix, part, window)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.gather(*(peer.done for peer in peers))
    spent, wall = _cpu(process) - before, time.perf_counter() - started
    for peer in peers:
        peer.transport.disconnect()
    return spent, wall


async def _log_in(url: str, login: str) -> Peer:
    _, peer = await ws_connect(Peer, url)
    assert isinstance(peer, Peer)
    await peer.ask(Hello(id=1, protocol=PROTOCOL_VERSION, client="bench"), "welcome")
    await peer.ask(Login(id=2, user=login, password=company.PASSWORD), "logged_in")
    return peer


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _cores() -> Iterator[tuple[set[int], set[int]]]:
    """The core for us and the one for the server; afterwards, all of them again for us."""
    if sys.platform != "linux":
        yield set(), set()
        return
    allowed = os.sched_getaffinity(0)
    try:
        yield {max(allowed)}, {min(allowed)}
    finally:
        os.sched_setaffinity(0, allowed)


def _pin(cores: set[int]) -> None:
    """Let this process from now on, and what it starts, run on these cores alone."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, cores)


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """All the figures of this module."""
    yield measure(window=20, pairs=10, count=200 if short else 5_000)
    yield measure(window=1, pairs=1, count=200 if short else 5_000)
