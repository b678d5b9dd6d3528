"""The engine with the real store, the real link and a real server: what a person does, and what goes wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from client import bridge_api as api
from client.errors import ClientError
from tests.client.conftest import PASSWORD
from tests.client.desk import Desk, MemoryVault, desk
from tests.support.server import ServerProcess


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def texts(messages: list[api.MessageView]) -> list[str]:
    return [message.text for message in messages]


async def wait_for_text(one: Desk, text: str, page: int = 2) -> api.MessageView:
    def found() -> list[api.MessageView]:
        return [e.message for e in one.all(api.MessageChanged, page) if e.message.text == text]

    await one.until(found, f"the message {text!r}")
    return found()[-1]


async def wait_for_state(one: Desk, key: str, state: str, page: int = 2) -> api.MessageView:
    def found() -> list[api.MessageView]:
        seen = [e.message for e in one.all(api.MessageChanged, page) if e.message.key == key]
        return [message for message in seen if message.state == state]

    await one.until(found, f"the state {state} of {key}")
    return found()[-1]


def test_two_people_talk(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            await bob.log_in(server.url, "Bob", PASSWORD)
            theirs = await bob.open("anna")
            before = len(anna.events)
            mine = await anna.open("bob")
            assert mine.peer.name == "Bob Chen"
            assert anna.windows.opened == [(mine.id, "Bob Chen")]
            key = await anna.send(mine.id, "Hello, Bob")
            # The echo came before the answer.
            assert anna.all(api.MessageChanged, 2)[0].message.key == key
            assert anna.all(api.MessageChanged, 2)[0].message.state == "waiting"
            sent = await wait_for_state(anna, key, "sent")
            got = await wait_for_text(bob, "Hello, Bob")
            assert (got.key, got.seq, got.mine, got.state) == (key, sent.seq, False, "received")
            await bob.call(api.MarkRead(conversation=mine.id, seq=got.seq), 2)
            await anna.until(lambda: any(e.read_by_peer >= sent.seq for e in anna.all(api.ConversationChanged, 2)))
            await bob.send(mine.id, "你好，Anna")
            await wait_for_text(anna, "你好，Anna")
            for one, first, since in ((anna, mine, before), (bob, theirs, 0)):
                fresh = await one.conversation(first.id, 3)
                assert one.shown(first, since=since) == fresh.messages

    run(work())


def test_what_is_said_offline_goes_out_once_and_in_order(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            await bob.log_in(server.url, "bob", PASSWORD)
            mine, _ = await anna.open("bob"), await bob.open("anna")
            await anna.send(mine.id, "before")
            await wait_for_text(bob, "before")
            server.kill9()
            await anna.until(lambda: anna.app().link.state != "online")
            said = [f"offline {number}" for number in range(20)]
            keys = [await anna.send(mine.id, text) for text in said]
            view = await anna.conversation(mine.id)
            assert texts(view.messages) == ["before", *said]
            assert {message.state for message in view.messages[1:]} == {"waiting"}
            server.restart()
            for one in (anna, bob):
                await one.call(api.ReconnectNow())
                await one.online()
            await wait_for_state(anna, keys[-1], "sent")
            await wait_for_text(bob, said[-1])
            for one in (anna, bob):
                assert texts((await one.conversation(mine.id, 3)).messages) == ["before", *said]

    run(work())


def test_history_is_there_before_the_link(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            key = await anna.send(mine.id, "kept")
            await wait_for_state(anna, key, "sent")
        server.stop()
        async with desk(tmp_path / "a", vault) as anna:
            assert anna.app().phase == "ready"
            assert anna.app().me is not None
            assert texts((await anna.conversation(mine.id)).messages) == ["kept"]
            unsent = await anna.send(mine.id, "written while the server was down")
        async with desk(tmp_path / "a", vault) as anna:
            view = await anna.conversation(mine.id)
            assert [(m.text, m.state) for m in view.messages][1] == ("written while the server was down", "waiting")
            server.restart()
            await anna.call(api.ReconnectNow())
            await wait_for_state(anna, unsent, "sent")

    run(work())


def test_catching_up_after_being_away(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "b", MemoryVault()) as bob:
            await bob.log_in(server.url, "bob", PASSWORD)
            async with desk(tmp_path / "a", vault) as anna:
                await anna.log_in(server.url, "anna", PASSWORD)
                mine = await anna.open("bob")
            theirs = await bob.open("anna")
            keys = [await bob.send(theirs.id, f"missed {number}") for number in range(450)]
            await wait_for_state(bob, keys[-1], "sent")
            async with desk(tmp_path / "a", vault) as anna:
                await anna.online()
                recents = await anna.call(api.GetRecents(offset=0, limit=10))
                assert isinstance(recents, api.RecentsView)
                assert [(row.preview, row.unread) for row in recents.rows] == [("missed 449", 450)]
                view = await anna.conversation(mine.id)
                shown = view.messages
                while view.has_older and shown[0].seq > 1:
                    older = await anna.call(
                        api.GetOlder(conversation=mine.id, before=shown[0].seq, limit=100),
                    )
                    assert isinstance(older, api.OlderView)
                    assert older.error is None
                    shown = older.messages + shown
                assert texts(shown) == [f"missed {number}" for number in range(450)]

    run(work())


@pytest.mark.parametrize(
    ("address", "user", "password", "code"),
    [
        ("", "anna", "wrong", "bad_credentials"),
        ("", "nobody", "wrong", "bad_credentials"),
        ("ws://127.0.0.1:1", "anna", PASSWORD, "connection_refused"),
        ("no such address", "anna", PASSWORD, "bad_address"),
        ("ws://nowhere.invalid", "anna", PASSWORD, "name_not_found"),
    ],
)
def test_a_failed_log_in_says_why(
    server: ServerProcess, tmp_path: Path, *, address: str, user: str, password: str, code: str
) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            call = api.LogIn(server=address or server.url, user=user, password=password, remember=False)
            with pytest.raises(ClientError) as failure:
                await anna.call(call)
            assert failure.value.code == code
            assert anna.app().phase == "login"
            # The next try works.
            await anna.log_in(server.url, "anna", PASSWORD)
            assert anna.app().phase == "ready"

    run(work())


def test_remember_me_keeps_the_token_and_never_the_password(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD, remember=False)
        assert not [name for name in vault.secrets if name.startswith("token:")]
        async with desk(tmp_path / "a", vault) as anna:
            assert anna.app().phase == "login"
            assert (anna.app().server, anna.app().login, anna.app().remember) == (server.url, "anna", False)
            await anna.log_in(server.url, "anna", PASSWORD, remember=True)
        assert [name for name in vault.secrets if name.startswith("token:")]
        assert PASSWORD.encode() not in b"".join(vault.secrets.values())
        async with desk(tmp_path / "a", vault) as anna:
            await anna.online()
            await anna.call(api.LogOut())
            assert anna.app().phase == "login"
        assert not [name for name in vault.secrets if name.startswith("token:")]
        for path in (tmp_path / "a").rglob("*"):
            assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()

    run(work())


def test_a_session_that_ended_leads_to_the_log_in_page_and_keeps_the_store(
    server: ServerProcess, tmp_path: Path
) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            key = await anna.send(mine.id, "kept")
            await wait_for_state(anna, key, "sent")
            with server.login("anna", PASSWORD) as other:
                other.request("logout", everywhere=True)
            await anna.until(lambda: anna.app().phase == "login", "the log-in page")
            error = anna.app().link.error
            assert error is not None
            assert error.code == "session_expired"
            await anna.log_in(server.url, "anna", PASSWORD)
            assert texts((await anna.conversation(mine.id)).messages) == ["kept"]

    run(work())


def test_a_message_that_is_refused_shows_its_reason_and_can_be_retried_or_given_up(
    server: ServerProcess, tmp_path: Path
) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            await anna.send(mine.id, "first")
            server.command("user", "disable", "bob")
            await anna.until(lambda: any(e.peer.disabled for e in anna.all(api.ConversationChanged, 2)), "the news")
            key = await anna.send(mine.id, "refused")
            failed = await wait_for_state(anna, key, "failed")
            assert failed.error is not None
            assert failed.error.code == "user_disabled"
            recents = await anna.call(api.GetRecents(offset=0, limit=10))
            assert isinstance(recents, api.RecentsView)
            assert recents.rows[0].failed
            seen = len(anna.events)
            await anna.call(api.RetryMessage(key=key), 2)
            await anna.until(
                lambda: [e for _, e in anna.events[seen:] if isinstance(e, api.MessageChanged) and e.message.error],
            )
            await anna.call(api.DiscardMessage(key=key), 2)
            assert anna.all(api.MessageRemoved, 2)[-1].key == key
            assert texts((await anna.conversation(mine.id)).messages) == ["first"]

    run(work())


@pytest.mark.parametrize("fault", ["lost", "missing"])
def test_a_keyring_that_lost_its_key_never_locks_out(server: ServerProcess, tmp_path: Path, fault: str) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            key = await anna.send(mine.id, "kept")
            await wait_for_state(anna, key, "sent")
        vault.secrets = {name: os.urandom(32) for name in vault.secrets if name.startswith("key:")}
        vault.missing = fault == "missing"
        async with desk(tmp_path / "a", vault) as anna:
            assert anna.app().remember_possible is (fault == "lost")
            await anna.log_in(server.url, "anna", PASSWORD)
            assert anna.app().notice == {"lost": "key-lost", "missing": "no-keyring"}[fault]
            # The history comes from the server again.
            assert texts((await anna.conversation(mine.id)).messages) == ["kept"]
        kept = [path.name for path in (tmp_path / "a").glob("account-*.db")]
        assert len(kept) == {"lost": 2, "missing": 1}[fault]

    run(work())


def test_a_server_restored_from_a_backup_is_believed(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            await bob.log_in(server.url, "bob", PASSWORD)
            mine, theirs = await anna.open("bob"), await bob.open("anna")
            await anna.send(mine.id, "in the backup")
            await wait_for_text(bob, "in the backup")
            server.kill9()
            shutil.copytree(server.data, tmp_path / "backup")
            server.restart()
            for text in ("lost one", "lost two"):
                await anna.send(mine.id, text)
                await wait_for_text(bob, text)
            server.kill9()
            shutil.rmtree(server.data)
            shutil.copytree(tmp_path / "backup", server.data)
            server.restart()
            for one in (anna, bob):
                await one.until(partial(one.all, api.ConversationReset, 2), "the reset")
                assert texts((await one.conversation(mine.id)).messages) == ["in the backup"]
            await anna.send(mine.id, "after the backup")
            await wait_for_text(bob, "after the backup")
            assert texts((await bob.conversation(theirs.id)).messages) == ["in the backup", "after the backup"]

    run(work())
