"""The storage's writer thread goes on, whatever fails in it; and the end of a server is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from structlog.testing import capture_logs

from protocol.messages import Person
from server_stub.accounts import hash_password
from server_stub.app import App
from server_stub.config import Config
from server_stub.errors import StorageError
from server_stub.storage.base import Draft
from server_stub.storage.events import EventWriter
from server_stub.storage.sqlite import SqliteStorage

PASSWORD = "correct horse"


def run(path: Path, test: Callable[[SqliteStorage], Awaitable[None]]) -> None:
    async def main() -> None:
        storage = SqliteStorage(path / "oschat.db")
        try:
            await asyncio.wait_for(test(storage), 30)
        finally:
            await asyncio.wait_for(storage.close(), 30)

    asyncio.run(main())


def draft(number: int) -> Draft:
    return Draft("d.ann.bob", ("ann", "bob"), "ann", "message", b'{"text":"hello"}', f"message-{number}")


async def append(storage: SqliteStorage, number: int) -> Any:
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    storage.append(draft(number), lambda _, result: outcome.set_result(result))
    storage.submit()
    return await outcome


def test_a_job_that_fails_in_python_fails_alone(tmp_path: Path) -> None:
    def planted(connection: apsw.Connection) -> None:
        connection.execute("DELETE FROM meta")
        raise ZeroDivisionError("planted")

    async def test(storage: SqliteStorage) -> None:
        with pytest.raises(StorageError, match="planted"):
            await storage.run_on_writer(planted)
        assert (await append(storage, 1)).seq == 1
        assert (await storage.directory(0)).version == 0  # what it had deleted is there
        assert storage.healthy

    run(tmp_path, test)


def test_a_group_that_fails_in_python_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = EventWriter.apply
    planted = [ZeroDivisionError("planted")]

    def fail_once(writer: EventWriter, *arguments: Any, **options: Any) -> Any:
        if planted:
            raise planted.pop()
        return original(writer, *arguments, **options)

    monkeypatch.setattr(EventWriter, "apply", fail_once)

    async def test(storage: SqliteStorage) -> None:
        with capture_logs() as logs:
            assert isinstance(await append(storage, 1), StorageError)
        assert [line["event"] for line in logs] == ["storage.write_failed"]
        assert (await append(storage, 1)).seq == 1
        assert storage.healthy

    run(tmp_path, test)


def test_one_failing_callback_keeps_nobody_else_waiting(tmp_path: Path) -> None:

    def planted(_: Draft, __: object) -> None:
        raise ZeroDivisionError("planted")

    async def test(storage: SqliteStorage) -> None:
        with capture_logs() as logs:
            storage.append(draft(1), planted)
            assert (await append(storage, 2)).seq == 2
        assert [line["event"] for line in logs] == ["storage.callback_failed"]
        await storage.drain()

    run(tmp_path, test)


def test_a_disk_that_does_not_tell_of_changes_does_not_end_the_writer(tmp_path: Path) -> None:

    class Silent:
        def pragma(self, name: str) -> int:
            raise apsw.IOError("planted")

    async def test(storage: SqliteStorage) -> None:
        storage._connection, real = Silent(), storage._connection  # type: ignore[assignment]  # it only fails
        try:
            with capture_logs() as logs:
                assert storage._data_version(7) == 7
            assert logs[-1]["event"] == "storage.look_failed"
        finally:
            storage._connection = real
        assert (await append(storage, 1)).seq == 1

    run(tmp_path, test)


def test_the_end_does_not_look_at_what_others_change(tmp_path: Path) -> None:
    async def main() -> None:
        storage = SqliteStorage(tmp_path / "oschat.db")
        app = App(Config(listen="127.0.0.1:0"), storage)
        await app.start()
        under_way = asyncio.create_task(app._look_outside())
        await app.stop()
        storage.on_outside_change()  # the writer's last call may come as late as this
        with capture_logs() as logs:
            await asyncio.wait_for(under_way, 30)
            await app._look_outside()
        assert logs == []
        assert not app._refreshing

    asyncio.run(main())


def test_an_account_disabled_during_its_log_in_admits_nobody(tmp_path: Path) -> None:
    ann = Person(id="ann", login="ann", name="Ann")

    async def main() -> None:
        storage = SqliteStorage(tmp_path / "oschat.db")
        await storage.save_directory([ann], [], {ann.id: hash_password(PASSWORD)})
        app = App(Config(listen="127.0.0.1:0"), storage)
        await app.start()
        before = app.office.admissions_changed
        await storage.save_directory([Person(id="ann", login="ann", name="Ann", disabled=True)], [], {})
        await app.refresh()  # as another's log-in does it
        assert app.office.admissions_changed > before  # who is just coming in looks again
        await app.stop()

    asyncio.run(main())
