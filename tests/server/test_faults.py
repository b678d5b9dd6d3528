"""When things break: the process is killed, the disk is full, an actor crashes. Nothing acknowledged is ever lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import websocket

from protocol.messages import GetHistory, GetPresence, History
from server_stub.app import App
from server_stub.config import Config
from server_stub.services import Device
from server_stub.storage.sqlite import SqliteStorage
from server_stub.user_actor import UserActor
from tests.support.logs import LogGuard
from tests.support.server import Frame, ServerProcess, WireClient, conversation


class Sender(threading.Thread):
    """Sends numbered messages with a window of 20 until the link breaks; goes on with what is not acknowledged."""

    def __init__(self, client: WireClient, between: str, waiting: list[str], last: int) -> None:
        super().__init__()
        self.client = client
        self.between = between
        self.waiting = waiting
        self.retried = frozenset(waiting)
        self.last = last
        self.acknowledged: dict[str, int] = {}
        self.seen = 0
        self.right = False

    def run(self) -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            sent: dict[int, str] = {}
            for message_id in list(self.waiting):
                sent[self._send(message_id)] = message_id
            while True:
                while len(sent) < 20:
                    self.last += 1
                    message_id = f"{self.client.user}-{self.last:06}"
                    self.waiting.append(message_id)
                    sent[self._send(message_id)] = message_id
                self._in_order(self.client.read())
                for request_id, answer in list(self.client.answers.items()):
                    del self.client.answers[request_id]
                    assert answer["type"] == "sent", answer
                    message_id = sent.pop(request_id)
                    self.waiting.remove(message_id)
                    self.acknowledged[message_id] = answer["seq"]
        self.right = True

    def _in_order(self, frame: Frame) -> None:
        """Acknowledgements and events come in the order of their numbers; a retry's may be older than this link."""
        seq = frame["event"]["seq"] if frame["type"] == "new_event" else frame.get("seq", 0)
        retry = frame.get("message_id") in self.retried
        if seq and (not retry or seq == self.seen + 1):
            assert self.seen in {0, seq - 1}, (self.seen, frame)
            self.seen = seq

    def _send(self, message_id: str) -> int:
        return self.client.send(
            "send", conversation=self.between, message_id=message_id, body={"text": f"text of {message_id}"}
        )


def whole_history(client: WireClient, between: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    last = 1
    while len(found) < last:
        page = client.request("get_history", conversation=between, after=len(found), limit=200)
        found += [(event["seq"], event["message_id"]) for event in page["events"]]
        last = page["last_seq"]
    return found


def test_kill_9_under_load_loses_and_doubles_nothing(server: ServerProcess) -> None:
    ann, bob = server.add_user("ann", "correct horse"), server.add_user("bob", "battery staple")
    between = conversation(ann, bob)
    tokens = {}
    for login, password in (("ann", "correct horse"), ("bob", "battery staple")):
        with server.login(login, password) as client:
            tokens[client.user] = client.token
    waiting: dict[str, list[str]] = {ann: [], bob: []}
    last = {ann: 0, bob: 0}
    acknowledged: dict[str, int] = {}
    for _ in range(4):
        senders = [Sender(server.resume(tokens[user]), between, waiting[user], last[user]) for user in (ann, bob)]
        for sender in senders:
            sender.start()
        enough = random.randint(20, 300)
        while all(sender.is_alive() for sender in senders) and len(senders[0].acknowledged) < enough:
            senders[0].join(0.001)
        server.kill9()
        for sender in senders:
            sender.join(20)
            sender.client.close()
            assert sender.right  # it ended with its link, not with a failed assertion
            acknowledged |= sender.acknowledged
            last[sender.client.user] = sender.last
        server.restart()
    with server.resume(tokens[ann]) as client:
        history = whole_history(client, between)
    assert [seq for seq, _ in history] == list(range(1, len(history) + 1))
    ids = [message_id for _, message_id in history]
    assert len(ids) == len(set(ids))
    stored = {message_id: seq for seq, message_id in history}
    assert acknowledged.items() <= stored.items()
    for user in (ann, bob):
        mine = [message_id for message_id in ids if message_id.startswith(user)]
        assert mine == sorted(mine)


def health(server: ServerProcess) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{server.port}/healthz", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


if sys.platform == "linux":
    import resource

    def test_a_disk_that_takes_no_more_is_told_and_got_over(server: ServerProcess, logs: LogGuard) -> None:
        logs.expect("storage.write_failed")
        ann, bob = server.add_user("ann", "correct horse"), server.add_user("bob", "battery staple")
        between = conversation(ann, bob)
        with server.login("ann", "correct horse") as one, server.login("bob", "battery staple") as two:
            assert one.say(between, "before")["type"] == "sent"
            two.push("new_event")
            unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4_096, unlimited[1]))
            for number in range(3):
                answer = one.say(between, "x" * 5_000, f"while-full-{number}")
                assert (answer["type"], answer["code"], answer["retry"]) == ("error", "storage_failed", True)
            answer = two.request("mark_read", conversation=between, seq=1)
            assert answer["code"] == "storage_failed"
            assert health(server) == 503
            assert one.request("get_history", conversation=between)["last_seq"] == 1
            with server.greeted() as other:
                refused = other.request("login", user="bob", password="battery staple")
                assert refused["code"] == "storage_failed"
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
            server.wait_log("storage.write_recovered")  # it finds out by itself
            assert health(server) == 200
            sent = one.say(between, "x" * 5_000, "while-full-1")
            assert (sent["type"], sent["seq"]) == ("sent", 2)
            assert two.push("new_event")["event"]["message_id"] == "while-full-1"
        assert server.stop() == 0


def test_a_crash_stays_in_its_actor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = ServerProcess(tmp_path)
    ann = users.add_user("ann", "correct horse")
    users.add_user("bob", "battery staple")

    def planted(actor: UserActor, device: Device, request: GetPresence) -> None:
        raise ZeroDivisionError("planted")

    async def planted_later(actor: UserActor, request: GetHistory) -> History:
        raise ZeroDivisionError("planted later")

    monkeypatch.setattr(UserActor, "_get_presence", planted)
    monkeypatch.setattr(UserActor, "_history", planted_later)

    def scenario() -> None:
        with users.login("bob", "battery staple") as bob:
            between = conversation(ann, bob.user)
            for request, fields in (("get_presence", {}), ("get_history", {"conversation": between})):
                with users.login("ann", "correct horse") as one, users.login("ann", "correct horse") as two:
                    one.send(request, **fields)
                    assert one.closed() == 1011
                    assert two.closed() == 1011
                assert bob.request("ping")["type"] == "pong"
                with users.login("ann", "correct horse") as again:
                    sent = again.say(between, "still here")
                    while bob.push("new_event")["event"]["seq"] != sent["seq"]:
                        pass

    async def serve_and_try() -> None:
        storage = SqliteStorage(tmp_path / "oschat.db")
        app = App(Config(listen="127.0.0.1:0"), storage)
        users.url = await app.start()
        try:
            await asyncio.get_running_loop().run_in_executor(None, scenario)
        finally:
            await app.stop()

    asyncio.run(serve_and_try())
