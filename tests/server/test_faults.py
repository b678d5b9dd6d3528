"""When things break: the disk is full, an actor crashes. Nothing acknowledged is ever lost (tests/faults/ kills)."""

from __future__ import annotations

import asyncio
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from protocol.messages import GetHistory, GetPresence, History
from server_stub import user_actor
from server_stub.app import App
from server_stub.config import Config
from server_stub.services import Device
from server_stub.storage.sqlite import SqliteStorage
from server_stub.user_actor import UserActor
from tests.support.logs import LogGuard
from tests.support.server import ServerProcess, conversation


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

    monkeypatch.setitem(user_actor._HANDLERS, GetPresence, planted)
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
