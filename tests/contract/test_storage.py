"""The storage contract, held against every back end."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from protocol.codec import decode_body, encode_body
from protocol.messages import Department, Event, MessageBody, Person, ReadBody
from server_stub.errors import DatabaseTooNew, StorageBusy, StorageError
from server_stub.storage import sqlite
from server_stub.storage.base import Draft, Duplicate, Page, ReadMark, Session, Storage
from server_stub.storage.sqlite import SqliteStorage

NEWEST = Page(200, 1_000_000)
BETWEEN = "d.ann.bob"


@dataclass
class Backend:
    """One back end under test."""

    name: str
    open: Callable[[], Storage]
    """Opens the same storage again each time. On an event loop."""
    fail_writes: Callable[[Storage, bool], None]
    """Make the disk refuse what is written, for real; or let it go on."""

    def run(self, test: Callable[[Storage], Awaitable[None]]) -> None:
        """Run a test on an open storage."""

        async def main() -> None:
            storage = self.open()
            try:
                await asyncio.wait_for(test(storage), 30)
            finally:
                await storage.close()

        asyncio.run(main())


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    def fill(storage: Storage, full: bool) -> None:
        assert isinstance(storage, SqliteStorage)
        done = threading.Event()
        pages = 1 if full else 1_000_000_000  # SQLite takes the least that the database has already

        def work(connection: apsw.Connection) -> None:
            connection.pragma("max_page_count", pages)
            done.set()

        storage.run_on_writer(work)
        assert done.wait(10)

    return Backend(request.param, lambda: SqliteStorage(tmp_path / "test.db"), fill)


def message(text: str, message_id: str, sender: str = "ann", conversation: str = BETWEEN) -> Draft:
    members = tuple(conversation.split(".")[1:])
    body = bytes(encode_body(MessageBody(text=text)))
    return Draft(conversation, members, sender, "message", body, message_id)


async def append(storage: Storage, *drafts: Draft) -> list[Any]:
    """Append all in one turn, and wait for what became of them, in the order in which that was told."""
    outcomes: list[Any] = []
    for draft in drafts:
        storage.append(draft, lambda _, outcome: outcomes.append(outcome))
    await storage.drain()
    return outcomes


async def mark(storage: Storage, user: str, seq: int) -> Event | StorageError | None:
    outcomes: list[Event | StorageError | None] = []
    storage.mark_read(ReadMark(BETWEEN, user, seq), lambda _, outcome: outcomes.append(outcome))
    await storage.drain()
    return outcomes[0]


def texts(events: list[Event]) -> list[str]:
    bodies = [decode_body(event) for event in events]
    return [body.text for body in bodies if isinstance(body, MessageBody)]


def test_events_are_numbered_without_a_gap_in_each_conversation(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        drafts = [message(str(n), f"message-{n:04}", conversation=f"d.ann.{'bc'[n % 2]}") for n in range(200)]
        events = await append(storage, *drafts)
        for peer in "bc":
            seqs = [event.seq for event in events if event.conversation == f"d.ann.{peer}"]
            assert seqs == list(range(1, 101))
        last, page = await storage.history("d.ann.b", Page(1_000, 10**9))
        assert last == 100
        assert page == [event for event in events if event.conversation == "d.ann.b"]

    backend.run(test)


def test_numbers_go_on_after_opening_again(backend: Backend) -> None:
    async def first(storage: Storage) -> None:
        await append(storage, message("one", "message-1"))

    async def second(storage: Storage) -> None:
        (event,) = await append(storage, message("two", "message-2"))
        assert event.seq == 2
        _, events = await storage.history(BETWEEN, NEWEST)
        assert texts(events) == ["one", "two"]

    backend.run(first)
    backend.run(second)


def test_a_repeated_message_is_stored_once(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        (event,) = await append(storage, message("hello", "message-1"))
        again, other, fresh, twice = await append(
            storage,
            message("hello", "message-1"),
            message("hello", "message-1", conversation="d.ann.cid"),
            message("new", "message-2"),
            message("new", "message-2"),
        )
        assert again == other == Duplicate(BETWEEN, 1, event.at)
        assert fresh.seq == 2
        assert twice == Duplicate(BETWEEN, 2, fresh.at)
        (same_id_of_another,) = await append(storage, message("mine", "message-1", sender="bob"))
        assert same_id_of_another.seq == 3
        assert await storage.history("d.ann.cid", NEWEST) == (0, [])

    backend.run(test)


def test_reading_moves_only_forward_and_only_over_messages_of_others(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        assert await mark(storage, "bob", 3) is None  # no such conversation
        await append(storage, message("one", "message-1"), message("two", "message-2"))
        assert await mark(storage, "ann", 2) is None  # her own
        assert await mark(storage, "eve", 2) is None  # not a member
        read = await mark(storage, "bob", 1)
        assert isinstance(read, Event)
        assert (read.seq, read.kind, decode_body(read)) == (3, "read", ReadBody(seq=1))
        assert await mark(storage, "bob", 1) is None
        beyond = await mark(storage, "bob", 1_000)
        assert isinstance(beyond, Event)
        assert decode_body(beyond) == ReadBody(seq=3)
        assert await mark(storage, "bob", 4) is None  # only receipts have come since
        state = await storage.conversation(BETWEEN, "bob", NEWEST)
        assert state is not None
        assert (state.read, state.unread, state.last_seq) == ({"bob": 3}, 0, 4)

    backend.run(test)


def test_history_pages(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, *(message(str(n), f"message-{n:04}") for n in range(1, 11)))

        async def seqs(page: Page) -> list[int]:
            last, events = await storage.history(BETWEEN, page)
            assert last == 10
            return [event.seq for event in events]

        assert await seqs(Page(3, 10**6)) == [8, 9, 10]
        assert await seqs(Page(3, 10**6, before=8)) == [5, 6, 7]
        assert await seqs(Page(3, 10**6, before=2)) == [1]
        assert await seqs(Page(3, 10**6, before=1)) == []
        assert await seqs(Page(3, 10**6, after=2)) == [3, 4, 5]
        assert await seqs(Page(3, 10**6, after=10)) == []
        assert await seqs(Page(9, 10**6, before=6, after=2)) == [3, 4, 5]
        assert await seqs(Page(9, 600)) == [9, 10]  # bytes are counted, too
        assert await seqs(Page(9, 1)) == [10]  # but one comes in any case
        assert await storage.history("d.ann.nobody", NEWEST) == (0, [])

    backend.run(test)


def test_sync_gives_what_moved_past_the_cursors(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, message("to bob", "message-1"), message("to cid", "message-2", conversation="d.ann.cid"))
        await append(storage, message("not for ann", "message-3", sender="bob", conversation="d.bob.cid"))
        states, following = await storage.changed_conversations("ann", {}, "", 10**6)
        assert [state.id for state in states] == [BETWEEN, "d.ann.cid"]
        assert following == ""
        states, _ = await storage.changed_conversations("ann", {BETWEEN: 1}, "", 10**6)
        assert [state.id for state in states] == ["d.ann.cid"]
        states, _ = await storage.changed_conversations("ann", {BETWEEN: 1, "d.ann.cid": 1}, "", 10**6)
        assert states == []
        (state,), _ = await storage.changed_conversations("ann", {BETWEEN: 9, "d.ann.cid": 1}, "", 10**6)
        assert (state.id, state.last_seq, len(state.events)) == (BETWEEN, 1, 1)  # an older backup was restored
        lost, state = (
            await storage.changed_conversations("bob", {"d.bob.zoe": 3, "d.ann.zoe": 3, BETWEEN: 1}, "", 99)
        )[0]
        assert (lost.id, lost.last_seq, lost.members) == ("d.bob.zoe", 0, ["bob", "zoe"])  # nothing is left of it
        (state,), _ = await storage.changed_conversations("bob", {"d.bob.cid": 1}, "", 10**6)
        assert (state.unread, state.members) == (1, ["ann", "bob"])

    backend.run(test)


def test_sync_leaves_a_hole_where_too_much_is_new(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, *(message(str(n), f"message-{n:04}") for n in range(1, 302)))
        (state,), _ = await storage.changed_conversations("bob", {BETWEEN: 101}, "", 10**6)
        assert [event.seq for event in state.events] == list(range(102, 302))
        (state,), _ = await storage.changed_conversations("bob", {BETWEEN: 100}, "", 10**6)
        assert [event.seq for event in state.events] == list(range(252, 302))
        assert (state.last_seq, state.unread) == (301, 301)

    backend.run(test)


def test_sync_goes_on_page_by_page(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, *(message("x", f"message-{n:04}", conversation=f"d.ann.{n:04}") for n in range(250)))
        seen: list[str] = []
        pages = 0
        page = ""
        while pages == 0 or page:
            states, page = await storage.changed_conversations("ann", {"d.ann.0007": 1}, page, 10**6)
            seen += [state.id for state in states]
            pages += 1
        assert pages == 3
        assert seen == [f"d.ann.{n:04}" for n in range(250) if n != 7]
        states, page = await storage.changed_conversations("ann", {}, "", 600)  # bytes end a page, too
        assert 0 < len(states) < 5
        assert page

    backend.run(test)


def test_unread_is_counted_up_to_a_thousand(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, *(message("x", f"message-{n:04}") for n in range(1_003)))
        for user, count in (("bob", 1_000), ("ann", 0)):
            state = await storage.conversation(BETWEEN, user, Page(1, 1_000))
            assert state is not None
            assert state.unread == count

    backend.run(test)


def test_a_full_disk_fails_what_it_must_and_nothing_else(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await append(storage, message("before", "message-1"))
        backend.fail_writes(storage, True)
        big = "x" * 9_000
        failed = await append(storage, *(message(big, f"while-full-{n:04}") for n in range(50)))
        assert all(isinstance(outcome, StorageError) for outcome in failed)
        assert not storage.healthy
        with pytest.raises(StorageError):
            await storage.save_directory(
                [Person(id=f"p{n}", login=f"p{n}", name="x" * 200) for n in range(500)], [], {}
            )
        assert (await storage.history(BETWEEN, NEWEST))[0] == 1  # reading goes on
        backend.fail_writes(storage, False)
        (event,) = await append(storage, message(big, "while-full-0000"))
        assert event.seq == 2
        assert storage.healthy

    backend.run(test)


def test_too_much_waiting_is_refused(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(storage: Storage) -> None:
        monkeypatch.setattr(sqlite, "MAX_WAITING", 10)
        with pytest.raises(StorageBusy):
            await append(storage, *(message("x", f"message-{n:04}") for n in range(11)))
        await storage.drain()
        (event,) = await append(storage, message("x", "message-later"))
        assert event.seq == 11

    backend.run(test)


ANN = Person(id="ann", login="Ann", name="Ann")
BOB = Person(id="bob", login="bob", name="Bob", departments=["sales"])
SALES = Department(id="sales", name="Sales")


def test_the_directory_keeps_versions(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        assert (await storage.directory(0)).version == 0
        first = await storage.save_directory([ANN, BOB], [SALES], {})
        second = await storage.save_directory([msgspec.structs.replace(ANN, title="Head")], [], {})
        rows = await storage.directory(0)
        assert sorted((version, person.id) for version, person in rows.people) == [(first, "bob"), (second, "ann")]
        assert rows.departments == [(first, SALES)]
        rows = await storage.directory(first)
        assert [person.title for _, person in rows.people] == ["Head"]
        assert rows.version == second
        with pytest.raises(StorageError):
            await storage.save_directory([Person(id="eve", login="ANN", name="Eve")], [], {})
        assert (await storage.directory(0)).version == second  # nothing of it was kept

    backend.run(test)


def session(name: str, user: str = "ann", expires: int = 2**50) -> Session:
    return Session(id=name, user=user, token_hash=name.encode(), device="laptop", created=1, used=1, expires=expires)


def test_sessions_come_and_go(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await storage.save_directory([ANN, BOB], [], {"ann": "hash"})
        assert await storage.password_hash("ann") == "hash"
        assert await storage.password_hash("bob") is None
        assert not await storage.add_session(session("s0"), "an older hash")
        for name in ("s1", "s2", "s3"):
            assert await storage.add_session(session(name), "hash")
        assert await storage.session(b"s1") == session("s1")
        assert await storage.session(b"s0") is None
        await storage.extend_session("s1", 5, 2**51)
        extended = await storage.session(b"s1")
        assert extended is not None
        assert (extended.used, extended.expires) == (5, 2**51)
        assert await storage.ended_sessions(["s1", "s2", "s9"]) == {"s9"}
        await storage.revoke_sessions("bob")
        await storage.revoke_sessions("ann", "s1")
        assert await storage.ended_sessions(["s1", "s2", "s3"]) == {"s1"}
        await storage.revoke_sessions("ann")
        assert await storage.ended_sessions(["s1", "s2", "s3"]) == {"s1", "s2", "s3"}
        revoked = await storage.session(b"s2")
        assert revoked is not None
        assert revoked.revoked

    backend.run(test)


def test_a_new_password_and_a_disabled_account_end_sessions(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        await storage.save_directory([ANN], [], {"ann": "hash"})
        await storage.save_directory([ANN], [], {"ann": "only an initial one"})
        assert await storage.password_hash("ann") == "hash"
        assert await storage.add_session(session("s1"), "hash")
        assert await storage.set_password("ann", "rehashed", replaces="hash")
        assert not await storage.set_password("ann", "rehashed", replaces="hash")
        assert await storage.ended_sessions(["s1"]) == set()
        assert await storage.set_password("ann", "new")
        assert await storage.ended_sessions(["s1"]) == {"s1"}
        assert await storage.add_session(session("s2"), "new")
        await storage.save_directory([msgspec.structs.replace(ANN, disabled=True)], [], {})
        assert await storage.ended_sessions(["s2"]) == {"s2"}

    backend.run(test)


def test_another_process_is_noticed(backend: Backend) -> None:
    async def test(storage: Storage) -> None:
        noticed = asyncio.Event()
        storage.on_outside_change = noticed.set
        await append(storage, message("one's own change", "message-1"))
        other = backend.open()
        await other.save_directory([ANN], [], {})
        await other.close()
        began = time.monotonic()
        await asyncio.wait_for(noticed.wait(), 10)
        assert time.monotonic() - began < 2

    backend.run(test)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        await SqliteStorage(tmp_path / "new.db").close()
        connection = apsw.Connection(str(tmp_path / "new.db"))
        connection.pragma("user_version", 1_000)
        connection.close()
        with pytest.raises(DatabaseTooNew, match="newer version of Oschat"):
            SqliteStorage(tmp_path / "new.db")

    asyncio.run(main())


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "text.db").write_text("This is a letter, not a database." * 100)
        with pytest.raises(StorageError, match=r"text\.db cannot be opened"):
            SqliteStorage(tmp_path / "text.db")

    asyncio.run(main())


def test_the_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    async def main() -> None:
        await SqliteStorage(tmp_path / "mine.db").close()

    asyncio.run(main())
    if os.name == "posix":
        assert (tmp_path / "mine.db").stat().st_mode & 0o077 == 0
