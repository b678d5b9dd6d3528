"""What pages may call, on the engine with a real server: roster, search, presence, drafts, typing, settings, links."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from client import bridge_api as api
from client.errors import BridgeError, ClientError
from tests.client.conftest import PASSWORD
from tests.client.desk import MAIN, Desk, MemoryVault, desk
from tests.support.server import ServerProcess


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def recents(one: Desk) -> list[api.RecentView]:
    view = await one.call(api.GetRecents(offset=0, limit=50))
    assert isinstance(view, api.RecentsView)
    assert view.total == len(view.rows)
    return view.rows


def test_before_the_log_in_only_what_needs_no_account_answers(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            start = await anna.call(api.Start())
            assert isinstance(start, api.StartView)
            assert (start.app.phase, start.app.link.state, start.app.me) == ("login", "idle", None)
            assert isinstance(await anna.call(api.GetSettings()), api.SettingsView)
            await anna.call(api.ReconnectNow())
            await anna.call(api.ReportProblem(text="a policy violation"))
            for call in (
                api.GetRecents(offset=0, limit=1),
                api.GetTree(expanded=[], offset=0, limit=1),
                api.SendMessage(conversation="d.a.b", text="x"),
                api.GetConversation(conversation="d.a.b"),
                api.LogOut(),
            ):
                with pytest.raises(ClientError) as failure:
                    await anna.call(call)
                assert failure.value.code == "not_logged_in"

    run(work())


def test_the_roster_shows_people_and_who_is_there(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            id = await anna.id_of("bob")
            await bob.log_in(server.url, "bob", PASSWORD)

            def seen() -> str:
                return anna.engine._session.directory.presence.of(id)[0]

            await anna.until(lambda: seen() == "online", "bob's presence")
            await bob.call(api.ChoosePresence(state="busy", text="in a meeting"))
            await anna.until(lambda: seen() == "busy", "bob's presence")
            assert anna.all(api.DirectoryChanged)
            person = await anna.call(api.GetPerson(id=id))
            assert isinstance(person, api.PersonView)
            assert (person.name, person.presence, person.status_text) == ("Bob Chen", "busy", "in a meeting")
            tree = await anna.call(api.GetTree(expanded=[], offset=0, limit=50))
            assert isinstance(tree, api.TreeView)
            assert {row.name for row in tree.rows} == {"Anna Berg", "Bob Chen", "张伟"}
            for query, names in (("chen bo", ["Bob Chen"]), ("伟", ["张伟"]), ("nobody", [])):
                found = await anna.call(api.Search(query=query, offset=0, limit=10))
                assert isinstance(found, api.SearchView)
                assert [row.name for row in found.rows] == names
            with pytest.raises(ClientError) as failure:
                await anna.call(api.GetPerson(id="nobody"))
            assert failure.value.code == "no_such_user"
        # What one chose is told again after the next start.
        async with desk(tmp_path / "b", bob.vault) as bob:
            assert (bob.app().chosen_state, bob.app().status_text) == ("busy", "in a meeting")

    run(work())


def test_a_colleague_who_wants_to_talk_shows_in_the_recents(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna, desk(tmp_path / "b", MemoryVault()) as bob:
            await anna.log_in(server.url, "anna", PASSWORD)
            await bob.log_in(server.url, "bob", PASSWORD)
            theirs = await bob.open("anna")
            await anna.until(lambda: anna.all(api.RecentsChanged) and anna.all(api.RecentsChanged)[-1].total == 1)
            (row,) = await recents(anna)
            assert (row.conversation, row.wants_to_talk, row.unread) == (theirs.id, True, 0)
            await bob.call(api.SetTyping(conversation=theirs.id, on=True), 2)
            mine = await anna.conversation(theirs.id)
            assert await recents(anna) == []  # it was seen, and nothing was said yet
            await anna.until(lambda: anna.engine._session.talk.typing.is_typing(mine.id), "typing")
            await bob.send(theirs.id, "here I am")
            await anna.until(lambda: anna.app().unread == 1, "the unread count")
            (row,) = await recents(anna)
            assert (row.preview, row.mine, row.unread, row.typing) == ("here I am", False, 1, False)
            fresh = await anna.conversation(mine.id)
            assert fresh.first_unread == fresh.messages[-1].seq
            await anna.call(api.MarkRead(conversation=mine.id, seq=fresh.last_seq), 2)
            assert anna.app().unread == 0

    run(work())


def test_a_draft_is_kept_over_a_restart_and_ends_with_the_message(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        vault = MemoryVault()
        async with desk(tmp_path / "a", vault) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            await anna.call(api.SaveDraft(conversation=mine.id, text="half a\nthought"), 2)
        async with desk(tmp_path / "a", vault) as anna:
            view = await anna.conversation(mine.id)
            assert view.draft == "half a\nthought"
            (row,) = await recents(anna)
            assert (row.draft, row.preview) == (True, "half a thought")
            await anna.send(mine.id, "a whole thought")
            assert (await anna.conversation(mine.id)).draft == ""
            assert not (await recents(anna))[0].draft

    run(work())


def test_calls_with_wrong_arguments_get_clear_errors(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob")
            me = await anna.id_of("anna")
            for call, code in (
                (api.SendMessage(conversation=mine.id, text=" \n\t "), "empty_message"),
                (api.SendMessage(conversation=mine.id, text="x" * 10_001), "text_too_long"),
                (api.SendMessage(conversation="d.x.y", text="hello"), "no_such_conversation"),
                (api.GetConversation(conversation="d.x.y"), "no_such_conversation"),
                (api.GetConversation(conversation="g.team"), "no_such_conversation"),
                (api.OpenConversation(peer="nobody"), "no_such_user"),
                (api.OpenConversation(peer=me), "self_conversation"),
                (api.LogIn(server="x", user="anna", password="x", remember=False), "already_logged_in"),
                (api.ChangeSetting(name="no_such", value=1), "no_such_setting"),
            ):
                with pytest.raises(ClientError) as failure:
                    await anna.call(call)
                if code == "no_such_setting":
                    assert isinstance(failure.value, BridgeError)
                else:
                    assert failure.value.code == code
            assert (await anna.conversation(mine.id)).messages == []
            for harmless in (api.RetryMessage(key="x" * 8), api.DiscardMessage(key="x" * 8)):
                await anna.call(harmless)

    run(work())


def test_links_titles_and_settings_reach_the_window_host(tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            anna.engine.page_connected(2, "d.a.b")
            for link in ("https://example.com/a?b=c", "HTTP://example.com", "mailto:bob@example.com"):
                await anna.call(api.OpenLink(url=link))
            for link in (
                "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ssh://host", "example.com", "",
                "https://a b", "https://a\nb", "http://[",
            ):  # fmt: skip
                with pytest.raises(ClientError) as failure:
                    await anna.call(api.OpenLink(url=link))
                assert failure.value.code == "link_refused"
            assert anna.windows.links == ["https://example.com/a?b=c", "HTTP://example.com", "mailto:bob@example.com"]
            await anna.call(api.SetTitle(title="Roster (2)"), MAIN)
            await anna.call(api.SetTitle(title="Bob"), 2)
            assert anna.windows.titles == {"main": "Roster (2)", "d.a.b": "Bob"}
            await anna.call(api.ChangeSetting(name="appearance", value="dark"))
            assert anna.app().appearance == "dark"
            assert anna.all(api.SettingsChanged)
            await anna.until(lambda: anna.all(api.AppChanged) and anna.all(api.AppChanged)[-1].app == anna.app())

    run(work())


def test_a_docked_conversation_opens_no_window(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            await anna.call(api.ChangeSetting(name="conversations_in", value="docked"))
            opened = await anna.call(api.OpenConversation(peer=await anna.id_of("bob")))
            assert isinstance(opened, api.OpenView)
            assert opened.place == "docked"
            assert anna.windows.opened == []
            await anna.call(api.ChangeSetting(name="conversations_in", value="windows"))
            anna.engine.page_connected(5, opened.conversation)
            await anna.call(api.OpenConversation(peer=await anna.id_of("bob")))
            assert anna.windows.opened == [(opened.conversation, "Bob Chen")]
            assert [e.conversation for e in anna.all(api.FocusComposer, 5)] == [opened.conversation]
            assert anna.all(api.FocusComposer, MAIN) == []

    run(work())


def test_events_go_only_to_pages_that_show_the_conversation(server: ServerProcess, tmp_path: Path) -> None:
    async def work() -> None:
        async with desk(tmp_path / "a", MemoryVault()) as anna:
            await anna.log_in(server.url, "anna", PASSWORD)
            mine = await anna.open("bob", page=2)
            await anna.conversation(mine.id, page=3)
            await anna.send(mine.id, "one")
            await anna.call(api.CloseConversation(conversation=mine.id), 3)
            await anna.send(mine.id, "two")
            anna.engine.page_gone(2)
            await anna.send(mine.id, "three")

            def seen(page: int) -> set[str]:
                return {e.message.text for e in anna.all(api.MessageChanged, page)}

            assert (seen(MAIN), seen(2), seen(3)) == (set(), {"one", "two"}, {"one"})

    run(work())
