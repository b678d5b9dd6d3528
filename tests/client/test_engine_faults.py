"""What goes wrong around the engine: stores that cannot be opened or written, servers that die, long random days."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from client import bridge_api as api
from client.errors import ClientError, StoreError
from client.store import Stores
from client.store_schema import MIGRATIONS
from tests.client.conftest import PASSWORD
from tests.client.desk import Desk, MemoryVault, desk
from tests.support.server import ServerProcess


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def settled(*desks: Desk) -> None:
    """Wait until nothing waits in an outbox, and everybody knows the same events."""

    def quiet() -> bool:
        ends = set()
        for one in desks:
            talk = one.engine._session.talk
            if talk.outbox.conversations() or not one.engine._session.live:
                return False
            ends.add(tuple(sorted((c.id, c.cursor) for c in talk.conversations.all() if c.cursor)))
        return len(ends) == 1

    while not quiet():
        await asyncio.wait_for(asyncio.gather(*(one.next_news() for one in desks[:1])), 20)


def test_a_full_disk_loses_nothing(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            await anna.call(api.SaveDraft(conversation=mine.id, text="kept"), 2)
            database = anna.engine._entrance.store._db
            (pages,) = next(iter(database.execute("PRAGMA page_count")))
            database.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(StoreError) as failure:
                for _ in range(200):
                    await anna.send(mine.id, "x" * 9_000)
            assert failure.value.code == "disk_full"
            assert failure.value.retry
            database.execute("PRAGMA max_page_count = 1000000")
            await anna.send(mine.id, "there is room again")
            await settled(anna)
            said = [m.text for m in (await anna.conversation(mine.id)).messages]
            assert said[-1] == "there is room again"

    run(work())


@pytest.mark.parametrize(("fault", "notice"), [("newer", "store-newer"), ("damaged", "key-lost")])
def test_a_store_that_cannot_be_opened_costs_nobody_the_log_in(
    server: ServerProcess, tmp_path: Path, fault: str, notice: str
) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            await anna.send(mine.id, "kept")
            await settled(anna)
        (path,) = (tmp_path / "a").glob("account-*.db")
        if fault == "newer":
            (key,) = (secret for name, secret in vault.secrets.items() if name.startswith("key:"))
            (account,) = (name.partition(":")[2] for name in vault.secrets if name.startswith("key:"))
            store = Stores(tmp_path / "a").open(account, key)
            store._db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
            store.close()
        else:
            path.write_bytes(b"\x00" * 8192)
        before = path.read_bytes()
        async with desk(tmp_path / "a", vault) as anna:
            assert anna.app().notice == notice
            await anna.until(lambda: anna.app().phase == "ready", "the resumed session")
            await anna.online()
            assert [m.text for m in (await anna.conversation(mine.id)).messages] == ["kept"]
        kept = {file.read_bytes() for file in (tmp_path / "a").glob("account-*.db")}
        assert before in kept

    run(work())


def test_a_server_that_was_set_up_anew_does_not_show_the_history_of_others(tmp_path: Path) -> None:
    first, second = ServerProcess(tmp_path / "first"), ServerProcess(tmp_path / "second")
    for one in (first, second):
        for login in ("anna", "bob"):
            one.add_user(login, PASSWORD)

    async def work() -> None:
        vault = MemoryVault()
        first.start()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(first.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            await anna.send(mine.id, "on the first server")
            await settled(anna)
        first.stop()
        second.port = first.port
        second.start()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.until(lambda: anna.app().phase == "login", "the log-in page")
            await anna.log_in(second.url, "anna", PASSWORD)
            assert anna.app().notice == "other-server"
            view = await anna.call(api.GetRecents(offset=0, limit=10))
            assert isinstance(view, api.RecentsView)
            assert view.rows == []
        second.stop()

    run(work())


def test_older_history_that_cannot_be_asked_for_says_so(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "b", MemoryVault()) as bob:
            await bob.log_in(server.url, "bob", PASSWORD)
            theirs = await bob.open("anna")
            for number in range(230):
                await bob.send(theirs.id, f"said {number}")
            await settled(bob)
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            server.stop()
            await anna.until(lambda: anna.app().link.state != "online", "the lost link")
            view = await anna.conversation(theirs.id)
            shown, error = view.messages, None
            while error is None:
                older = await anna.call(api.GetOlder(conversation=theirs.id, before=shown[0].seq, limit=200), 2)
                assert isinstance(older, api.OlderView)
                assert older.has_older
                shown, error = older.messages + shown, older.error
            assert (error.code, error.retry) == ("offline", True)
            there = len(shown)
            assert 0 < there < 230
            assert [m.text for m in shown] == [f"said {number}" for number in range(230 - there, 230)]
            server.restart()
            await anna.call(api.ReconnectNow())
            await anna.online()
            older = await anna.call(api.GetOlder(conversation=theirs.id, before=shown[0].seq, limit=200), 2)
            assert isinstance(older, api.OlderView)
            assert older.error is None
            assert [m.text for m in older.messages] == [f"said {n}" for n in range(230 - there)][-200:]

    run(work())


@pytest.mark.parametrize("fault", ["token", "record"])
def test_secrets_and_records_that_make_no_sense_cost_nobody_the_log_in(
    server: ServerProcess, tmp_path: Path, fault: str
) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            if fault == "record":
                anna.engine._entrance.store._db.execute("UPDATE people SET data = '{}'")
        if fault == "token":
            vault.secrets = {n: b"\xff\xfe" if n.startswith("token:") else s for n, s in vault.secrets.items()}
        async with desk(tmp_path / "a", vault) as anna:
            if fault == "token":
                await anna.until(lambda: anna.app().phase == "login" and anna.app().link.error, "the log-in page")
                await anna.log_in(server.url, "anna", PASSWORD)
            await anna.until(lambda: anna.app().phase == "ready", "the resumed session")
            await anna.online()
            assert anna.app().notice == {"token": "", "record": "store-damaged"}[fault]
            assert await anna.id_of("bob")
        # The damaged file was kept, and a fresh one serves from now on.
        async with desk(tmp_path / "a", vault) as anna:
            await anna.online()
            assert anna.app().notice == ""
        assert len(list((tmp_path / "a").glob("*.kept-*.db"))) == (fault == "record")

    run(work())


class PromptedVault(MemoryVault):
    """A locked keyring: its prompt may be dismissed when something is asked for, and answered when it is kept."""

    dismissed = False

    @property
    def persistent(self) -> bool:
        return not self.dismissed

    def get(self, name: str) -> bytes | None:
        return None if self.dismissed else super().get(name)


def test_a_prompt_that_was_dismissed_costs_no_history(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = PromptedVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            talk = await anna.open("bob")
            await anna.send(talk.id, "kept")
            await settled(anna)
        secrets = dict(vault.secrets)
        vault.dismissed = True
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            assert anna.app().notice == "no-keyring"
        vault.dismissed = False
        kept = {name: secret for name, secret in vault.secrets.items() if name.startswith("key:")}
        assert kept.items() <= secrets.items()
        server.stop()
        async with desk(tmp_path / "a", vault) as anna:
            assert anna.app().notice == ""
            assert [m.text for m in (await anna.conversation(talk.id)).messages] == ["kept"]

    run(work())


def test_what_waits_in_a_damaged_store_still_goes_out(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            talk = await anna.open("bob")
            server.kill9()
            await anna.send(talk.id, "written before the damage")
            anna.engine._entrance.store._db.execute("UPDATE people SET data = '{}'")
        server.restart()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.online()
            talk = await anna.open("bob")
            news = [m.text for m in talk.messages]
            assert news == ["written before the damage"]
            await anna.until(lambda: anna.shown(talk)[-1].state == "sent", "the acknowledgement")

    run(work())


def test_two_log_ins_at_once_the_later_one_counts(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            first = asyncio.ensure_future(
                anna.call(api.LogIn(server=server.url, user="bob", password=PASSWORD, remember=False))
            )
            await asyncio.sleep(0)
            await anna.log_in(server.url, "anna", PASSWORD)
            with pytest.raises(ClientError) as failure:
                await first
            assert failure.value.code == "login_replaced"
            me = anna.app().me
            assert me is not None
            assert me.login == "anna"

    run(work())


def test_a_day_of_random_things_leaves_pages_as_a_fresh_look_would(server: ServerProcess, tmp_path: Path) -> None:
    """Snapshot and events give a fresh snapshot, for both, whatever happened in between."""

    async def work() -> None:
        pick = random.Random(20)
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            await bob.log_in(server.url, "bob", PASSWORD)
            first = {}
            for one, other in ((anna, "bob"), (bob, "anna")):
                since = len(one.events)
                first[one] = (await one.open(other), since)
            conversation = first[anna][0].id
            said = 0
            for _ in range(120):
                one = pick.choice([anna, bob])
                match pick.randrange(10):
                    case 0 | 1 | 2 | 3 | 4:
                        said += 1
                        await one.send(conversation, f"said {said}")
                    case 5 | 6:
                        cursor = (await one.conversation(conversation, 7)).last_seq
                        await one.call(api.MarkRead(conversation=conversation, seq=cursor), 2)
                    case 7:
                        await one.call(api.SetTyping(conversation=conversation, on=pick.random() < 0.5), 2)
                    case 8:
                        await one.call(api.SaveDraft(conversation=conversation, text=f"draft {said}"), 2)
                    case _ if pick.random() < 0.3:
                        server.kill9()
                        server.restart()
                        for each in (anna, bob):
                            await each.until(lambda each=each: each.app().link.state != "online")  # type: ignore[misc]
                            await each.call(api.ReconnectNow())
            for each in (anna, bob):
                await each.call(api.ReconnectNow())
            await settled(anna, bob)
            for one, (view, since) in first.items():
                fresh = await one.conversation(conversation, 3)
                assert len(fresh.messages) == min(said, 50)
                assert one.shown(view, since=since)[-50:] == fresh.messages
                rows = await one.call(api.GetRecents(offset=0, limit=5))
                assert isinstance(rows, api.RecentsView)
                assert sum(row.unread for row in rows.rows) == one.app().unread

    run(work())
