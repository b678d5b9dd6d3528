"""The local store on real files: what it keeps, that it is encrypted, and what it does when it cannot be opened."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from client.errors import StoreError
from client.session.effects import (
    Conversation,
    DropOutgoing,
    Failure,
    Outgoing,
    SaveConversation,
    SaveDirectory,
    SaveEvents,
    SaveMeta,
    SaveOutgoing,
)
from client.store import Store, Stores
from client.store_schema import CONVERSATION_COLUMNS, MIGRATIONS
from protocol.codec import encode_body
from protocol.messages import Department, Event, MessageBody, Person

KEY = bytes(range(32))
SECRET = "the merger is on Tuesday"


def event(seq: int, text: str = "hello", conversation: str = "d.a.b", sender: str = "b") -> Event:
    return Event(
        conversation=conversation, seq=seq, at=1_000 + seq, sender=sender, kind="message",
        message_id=f"message-{seq:04d}", body=encode_body(MessageBody(text=text)),
    )  # fmt: skip


def outgoing(number: int, text: str = "unsent") -> Outgoing:
    return Outgoing(key=f"key-{number:05d}", conversation="d.a.b", position=number, at=number, text=text)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(tmp_path / "account.db", KEY)
    yield one
    one.close()


def test_the_library_can_encrypt() -> None:
    assert apsw.mc_version  # type: ignore[attr-defined]  # not in the stubs


def test_everything_comes_back(tmp_path: Path) -> None:
    conversation = Conversation(
        id="d.a.b", peer="b", cursor=7, read_mine=3, read_told=2, read_peer=5, unread=1, counted=7, last_message=6,
        at=99, preview="hé 张", mine=True, wants_to_talk=True, draft="half a thou",
    )  # fmt: skip
    failed = dataclasses.replace(outgoing(2), failure=Failure("user_disabled", "Disabled.", False))
    person = Person(id="b", login="bob", name="Bob", departments=["it"], title="Engineer")
    strange = Event(
        conversation="d.a.b", seq=2, at=1, sender="a", kind="poll", message_id=UNSET, body=Raw(b'{"x":[1]}')
    )
    one = Store(tmp_path / "account.db", KEY)
    one.write(
        [
            SaveConversation(conversation),
            SaveEvents((event(1), strange)),
            SaveOutgoing(outgoing(3)),
            SaveOutgoing(failed),
            SaveOutgoing(outgoing(1)),
            DropOutgoing("key-00003"),
            SaveDirectory((Department(id="it", name="IT"),), (person,), "cursor-1"),
            SaveMeta("status_text", "在家"),
        ],
        durable=True,
    )
    one.close()
    one = Store(tmp_path / "account.db", KEY)
    assert one.conversations() == [conversation]
    assert one.outgoing() == [outgoing(1), failed]
    assert one.run_below("d.a.b", 2, 10) == [event(1), strange]
    assert one.people() == [person]
    assert one.departments() == [Department(id="it", name="IT")]
    assert (one.meta("directory_cursor"), one.meta("status_text"), one.meta("nothing")) == ("cursor-1", "在家", "")
    one.close()


def test_the_record_and_its_table_have_the_same_columns(store: Store) -> None:
    columns = [row[1] for row in store._db.execute("PRAGMA table_info(conversations)")]
    assert tuple(columns) == CONVERSATION_COLUMNS


def test_an_event_that_is_there_is_left_alone(store: Store) -> None:
    store.write([SaveEvents((event(1, "first"),))])
    store.write([SaveEvents((event(1, "second"), event(2)))])
    assert store.run_below("d.a.b", 9, 9) == []
    assert store.run_below("d.a.b", 2, 9) == [event(1, "first"), event(2)]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(1, 40)), st.integers(1, 40), st.integers(1, 50))
def test_a_run_ends_at_the_first_hole(present: set[int], top: int, limit: int) -> None:
    store = Store(None, None)
    store.write([SaveEvents(tuple(event(seq) for seq in present))])
    expected: list[int] = []
    while top - len(expected) in present and len(expected) < limit:
        expected.insert(0, top - len(expected))
    assert [e.seq for e in store.run_below("d.a.b", top, limit)] == expected
    store.close()


def test_unread_messages_are_those_of_others(store: Store) -> None:
    store.write([SaveEvents((event(1), event(2, sender="a"), event(3), event(4)))])
    assert store.unread("d.a.b", "a", 1) == (2, 3)
    assert store.unread("d.a.b", "a", 4) == (0, 0)


def test_a_later_event_about_a_message_brings_nothing_new(store: Store) -> None:
    edit = Event(conversation="d.a.b", seq=2, at=1, sender="b", kind="edit", message_id="message-0001", body=Raw(b"{}"))
    store.write([SaveEvents((event(1), edit))])
    assert not store.introduces(edit)
    assert store.introduces(event(1))


def test_nothing_of_a_message_is_readable_on_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "account.db", KEY)
    store.write([SaveEvents((event(1, SECRET),)), SaveOutgoing(outgoing(1, SECRET))], durable=True)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {path.suffix for path in files} >= {".db", ".db-wal"}
    for path in files:
        data = path.read_bytes()
        assert SECRET.encode() not in data, path
        assert b"SQLite format 3" not in data, path
        assert b"CREATE TABLE" not in data, path
    store.close()
    assert SECRET.encode() not in (tmp_path / "account.db").read_bytes()


@pytest.mark.parametrize("key", [None, b"", b"short", bytes(32)])
def test_a_wrong_key_is_refused_and_changes_nothing(tmp_path: Path, key: bytes | None) -> None:
    store = Store(tmp_path / "account.db", KEY)
    store.write([SaveMeta("me", "anna")])
    store.close()
    before = (tmp_path / "account.db").read_bytes()
    with pytest.raises(StoreError) as failure:
        Store(tmp_path / "account.db", key)
    assert failure.value.code == "wrong_key"
    assert (tmp_path / "account.db").read_bytes() == before


def test_a_newer_version_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "account.db", KEY)
    store._db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    store.close()
    before = (tmp_path / "account.db").read_bytes()
    with pytest.raises(StoreError) as failure:
        Store(tmp_path / "account.db", KEY)
    assert failure.value.code == "store_newer"
    assert (tmp_path / "account.db").read_bytes() == before


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "account.db", KEY)
    store.write([SaveEvents(tuple(event(seq, "x" * 500) for seq in range(1, 200)))])
    store.close()
    path = tmp_path / "account.db"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError) as failure:
        Store(path, KEY).run_below("d.a.b", 199, 200)
    assert failure.value.code in ("store_damaged", "wrong_key", "store_failed")


def test_a_full_disk_is_named_and_nothing_is_half_written(store: Store) -> None:
    store.write([SaveOutgoing(outgoing(1))], durable=True)
    (pages,) = next(iter(store._db.execute("PRAGMA page_count")))
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError) as failure:
        store.write([SaveOutgoing(outgoing(2)), SaveEvents(tuple(event(n, "x" * 5_000) for n in range(1, 50)))])
    assert failure.value.code == "disk_full"
    assert failure.value.retry
    assert store.outgoing() == [outgoing(1)]
    store._db.execute("PRAGMA max_page_count = 100000")
    store.write([SaveOutgoing(outgoing(2))], durable=True)
    assert store.outgoing() == [outgoing(1), outgoing(2)]


WRITER = """
import sys
from pathlib import Path
from client.session.effects import SaveOutgoing
from client.store import Store
from tests.client.test_store import KEY, outgoing

store = Store(Path(sys.argv[1]), KEY)
number = 0
while True:
    number += 1
    store.write([SaveOutgoing(outgoing(number))], durable=True)
    print(number, flush=True)
"""


def test_what_was_accepted_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "account.db"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    accepted = 0
    while accepted < 50:
        accepted = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    accepted = max([accepted, *(int(line) for line in process.stdout.read().split())])
    process.stdout.close()
    assert process.wait(20) == -signal.SIGKILL
    store = Store(path, KEY)
    kept = [message.position for message in store.outgoing()]
    assert kept[:accepted] == list(range(1, accepted + 1))
    assert len(kept) - accepted in (0, 1)  # one may have been written and not yet told
    store.close()


def test_each_account_has_a_file_of_its_own_that_tells_nothing(tmp_path: Path) -> None:
    stores = Stores(tmp_path / "stores")
    account = "wss://chat.example.com/:anna"
    assert not stores.exists(account)
    stores.open(account, KEY).close()
    assert stores.exists(account)
    assert not stores.exists("wss://chat.example.com/:bob")
    assert "anna" not in str(stores.path(account).name)


def test_setting_aside_keeps_the_file_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    stores = Stores(tmp_path)
    for number in (1, 2):
        store = stores.open("a", KEY)
        store.write([SaveMeta("round", str(number))])
        store.close()
        kept = stores.set_aside("a")
        assert not stores.exists("a")
        again = Store(kept, KEY)
        assert again.meta("round") == str(number)
        again.close()
    assert len(list(tmp_path.glob("*.kept-*.db"))) == 2


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError) as failure:
        Stores(tmp_path / "file" / "stores").open("a", KEY)
    assert failure.value.code == "store_failed"
    with pytest.raises(StoreError) as failure:
        Store(tmp_path / "nowhere" / "account.db", KEY)
    assert failure.value.code == "store_failed"
