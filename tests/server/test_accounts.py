"""Accounts against a real storage: what is hashed, what is looked at twice, what is made stronger on the way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from protocol.errors import ErrorCode, ProtocolError
from protocol.messages import Person
from server_stub import accounts as module
from server_stub.accounts import Accounts, Admission, hash_password, hash_passwords
from server_stub.app import App
from server_stub.config import Config
from server_stub.gateway import Gateway
from server_stub.storage.sqlite import SqliteStorage
from tests.support.server import ServerProcess

ANN = Person(id="ann", login="ann", name="Ann")
PASSWORD = "correct horse"


def run(path: Path, test: Callable[[App], Awaitable[None]], stored: str) -> None:
    """Run a test on an app whose storage knows ann by this hash."""

    async def main() -> None:
        storage = SqliteStorage(path / "oschat.db")
        await storage.save_directory([ANN], [], {ANN.id: stored})
        app = App(Config(listen="127.0.0.1:0"), storage)
        await app.start()
        try:
            await test(app)
        finally:
            await app.stop()

    asyncio.run(main())


def refusal(error: pytest.ExceptionInfo[ProtocolError]) -> ErrorCode:
    return error.value.code


def test_an_unknown_user_costs_what_a_wrong_password_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[object] = []
    original = module._verify

    def watch(stored: str, password: str) -> bool:
        verified.append(extract_parameters(stored))
        return original(stored, password)

    monkeypatch.setattr(module, "_verify", watch)

    async def test(app: App) -> None:
        for login in ("ann", "nobody"):
            with pytest.raises(ProtocolError) as error:
                await app.accounts.log_in(login, "wrong", "")
            assert refusal(error) is ErrorCode.BAD_CREDENTIALS

    run(tmp_path, test, hash_password(PASSWORD))
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_an_old_hash_is_made_stronger_at_log_in(tmp_path: Path) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)

    async def test(app: App) -> None:
        admission = await app.accounts.log_in("ann", PASSWORD, "laptop")
        stored = await app.storage.password_hash("ann")
        assert stored is not None
        assert extract_parameters(stored) == extract_parameters(hash_password("x"))
        assert admission.token is not None
        assert (await app.accounts.resume(admission.token)).session.device == "laptop"
        await app.accounts.log_in("ann", PASSWORD, "")

    run(tmp_path, test, weak)


def test_a_password_changed_during_log_in_admits_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(app: App) -> None:
        loop = asyncio.get_running_loop()
        original = module._verify

        def change_then_verify(stored: str, password: str) -> bool:
            change = app.storage.set_password("ann", hash_password("another one"))
            asyncio.run_coroutine_threadsafe(change, loop).result(10)
            return original(stored, password)

        monkeypatch.setattr(module, "_verify", change_then_verify)
        with pytest.raises(ProtocolError) as error:
            await app.accounts.log_in("ann", PASSWORD, "")
        assert refusal(error) is ErrorCode.BAD_CREDENTIALS

    run(tmp_path, test, hash_password(PASSWORD))


def test_too_many_log_ins_at_once_are_asked_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_LOGINS", 2)

    async def test(app: App) -> None:
        results = await asyncio.gather(
            *(app.accounts.log_in("ann", PASSWORD, "") for _ in range(3)), return_exceptions=True
        )
        assert [isinstance(result, Admission) for result in results] == [True, True, False]
        assert isinstance(results[2], ProtocolError)
        assert (results[2].code, results[2].retry_after) == (ErrorCode.SERVER_BUSY, 5)

    run(tmp_path, test, hash_password(PASSWORD))


def test_a_session_that_ends_while_it_is_resumed_admits_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Accounts.resume

    async def test(app: App) -> None:
        admission = await app.accounts.log_in("ann", PASSWORD, "")
        token = admission.token or ""

        async def resume_then_end(accounts: Accounts, given: str) -> Admission:
            found = await original(accounts, given)
            await app.storage.revoke_sessions("ann")
            app.office.admissions_changed += 1
            return found

        monkeypatch.setattr(Accounts, "resume", resume_then_end)
        client = ServerProcess(tmp_path)
        client.url = app.url

        def come_back() -> str:
            with client.greeted() as socket:
                return str(socket.request("resume", token=token)["code"])

        code = await asyncio.get_running_loop().run_in_executor(None, come_back)
        assert code == "session_expired"

    run(tmp_path, test, hash_password(PASSWORD))


def test_a_log_in_that_waits_its_turn_outlasts_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = threading.Event()
    looks: list[float] = []
    look, verify = Gateway._look, module._verify

    def watch(gateway: Gateway) -> None:
        look(gateway)
        looks.append(gateway.now())
        if looks[-1] - looks[0] > 2.5:  # the deadline is 1 s, and looked for once a second
            late.set()

    def wait_then_verify(stored: str, password: str) -> bool:
        assert late.wait(30)
        return verify(stored, password)

    monkeypatch.setattr(Gateway, "_look", watch)
    monkeypatch.setattr(module, "_verify", wait_then_verify)

    async def main() -> None:
        storage = SqliteStorage(tmp_path / "oschat.db")
        await storage.save_directory([ANN], [], {ANN.id: hash_password(PASSWORD)})
        app = App(Config(listen="127.0.0.1:0", login_seconds=1), storage)
        client = ServerProcess(tmp_path)
        client.url = await app.start()

        def come_in() -> str:
            with client.greeted() as socket:
                return str(socket.request("login", user="ann", password=PASSWORD)["type"])

        try:
            assert await asyncio.get_running_loop().run_in_executor(None, come_in) == "logged_in"
        finally:
            await app.stop()

    asyncio.run(main())


def test_every_hash_has_its_own_salt() -> None:
    assert len(set(hash_passwords(["the same one"] * 3))) == 3


def test_a_password_may_have_its_accents_apart() -> None:
    assert module._verify(hash_password("caf\u00e9 au lait"), "cafe\u0301 au lait")
    assert not module._verify(hash_password("caf\u00e9 au lait"), "cafe au lait")
