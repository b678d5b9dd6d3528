"""The local store of one account: an SQLite file, encrypted at rest with ChaCha20 (SQLite3 Multiple Ciphers).

Belongs to the engine's loop. What the person wrote is committed with synchronous=FULL: it survives kill -9 and power
loss. What the server can send again is committed with NORMAL, which costs no flush: after power loss the newest of it
may be missing, together with its cursor, and is fetched again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeVar

import apsw
import msgspec
from msgspec import UNSET, Raw

from client.errors import StoreError
from client.session.effects import (
    Change,
    Conversation,
    DropOutgoing,
    Failure,
    ForgetEvents,
    Outgoing,
    SaveConversation,
    SaveDirectory,
    SaveEvents,
    SaveMeta,
    SaveOutgoing,
)
from client.store_schema import CONVERSATION_COLUMNS, MIGRATIONS
from protocol.messages import Department, Event, Person

assert apsw.mc_version, "apsw without encryption is installed; only apsw-sqlite3mc will do"  # type: ignore[attr-defined]  # not in the stubs

KEY_BYTES: Final = 32
BUSY_MILLISECONDS: Final = 5_000

_people: Final = msgspec.json.Decoder(Person)
_departments: Final = msgspec.json.Decoder(Department)
_encoder: Final = msgspec.json.Encoder()
RecordType = TypeVar("RecordType", Person, Department)

OpenFailure = Literal["wrong_key", "store_newer", "store_damaged", "disk_full", "store_failed"]


class Store:
    """An open store. Raises StoreError (codes: OpenFailure) where it cannot be opened, read or written."""

    def __init__(self, path: Path | None, key: bytes | None) -> None:
        """`path` None: in memory, for this run; otherwise `key` holds 32 random bytes."""
        try:
            self._db = apsw.Connection(":memory:" if path is None else str(path))
        except apsw.Error as error:
            raise _explain(error) from error
        try:
            self._open(path, key)
        except apsw.Error as error:
            self.close()
            raise _explain(error) from error
        except StoreError:
            self.close()
            raise

    def _open(self, path: Path | None, key: bytes | None) -> None:
        self._db.set_busy_timeout(BUSY_MILLISECONDS)
        if path is not None:
            if key is None or len(key) != KEY_BYTES:
                raise StoreError("wrong_key", "The local store cannot be opened without its key.")
            self._db.execute("PRAGMA cipher = 'chacha20'")
            self._db.execute(f"PRAGMA key = 'raw:{key.hex()}'")
            self._db.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # here a wrong key shows
            # A new file's first journal must be gone for good: one that came back with the power takes everything back.
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA temp_store = MEMORY")  # nothing of a message in an unencrypted temporary file
        self._migrate()

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()  # type: ignore[misc]  # always one row
        if version > len(MIGRATIONS):
            text = "The local store was written by a newer version of this program. Update it to see its history."
            raise StoreError("store_newer", text)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            with self._transaction():
                self._db.execute(script)
                self._db.execute(f"PRAGMA user_version = {number}")

    def close(self) -> None:
        """Let go of the file. Harmless when done twice."""
        self._db.close()

    # ------------------------------------------------------------ writing

    def write(self, changes: Sequence[Change], *, durable: bool = False) -> None:
        """All of the changes, or none. `durable`: on the disk when this returns. Raises StoreError."""
        if not changes:
            return
        try:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with self._transaction():
                for change in changes:
                    self._write(change)
        except apsw.Error as error:
            raise _explain(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. A full disk makes SQLite roll back by itself, so this asks before it does."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _write(self, change: Change) -> None:
        db = self._db
        match change:
            case SaveConversation(conversation=c):
                row = tuple(getattr(c, name) for name in CONVERSATION_COLUMNS)
                marks = ", ".join("?" * len(row))
                db.execute(f"INSERT OR REPLACE INTO conversations VALUES ({marks})", row)  # noqa: S608  # only question marks
            case SaveEvents(events=events):
                rows = [
                    (e.conversation, e.seq, e.at, e.sender, e.kind, e.message_id or None, bytes(e.body))
                    for e in events
                ]  # fmt: skip
                db.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            case ForgetEvents(conversation=id):
                db.execute("DELETE FROM events WHERE conversation = ?", (id,))
            case SaveOutgoing(message=m):
                failure = None if m.failure is None else _encode_failure(m.failure)
                row = (m.key, m.conversation, m.position, m.at, m.text, failure)
                db.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?)", row)
            case DropOutgoing(key=key):
                db.execute("DELETE FROM outbox WHERE key = ?", (key,))
            case SaveDirectory():
                self._write_records("departments", change.departments)
                self._write_records("people", change.people)
                self._write(SaveMeta("directory_cursor", change.cursor))
            case SaveMeta(name=name, value=value):
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _write_records(self, table: Literal["departments", "people"], records: Iterable[Person | Department]) -> None:
        rows = [(record.id, _encoder.encode(record)) for record in records]
        self._db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", rows)  # noqa: S608  # one of two names

    # ------------------------------------------------------------ reading

    def meta(self, name: str) -> str:
        """A small value, or an empty text. Raises StoreError, like every reader here."""
        rows = self._read("SELECT value FROM meta WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def people(self) -> list[Person]:
        """Everybody in the directory."""
        return [_people.decode(data) for (data,) in self._read("SELECT data FROM people")]

    def departments(self) -> list[Department]:
        """Every department."""
        return [_departments.decode(data) for (data,) in self._read("SELECT data FROM departments")]

    def conversations(self) -> list[Conversation]:
        """Every record."""
        return [Conversation(*_record(row)) for row in self._read("SELECT * FROM conversations")]

    def outgoing(self) -> list[Outgoing]:
        """What was not acknowledged, in order."""
        rows = self._read("SELECT key, conversation, position, at, text, failure FROM outbox ORDER BY position")
        return [Outgoing(key, to, place, at, text, _decode_failure(why)) for key, to, place, at, text, why in rows]

    def run_below(self, conversation: str, top: int, limit: int) -> list[Event]:
        """Events from seq `top` downwards without a gap, at most `limit`, in order of seq. Empty: `top` is missing."""
        rows = self._read(
            "SELECT conversation, seq, at, sender, kind, message_id, body FROM events"
            " WHERE conversation = ? AND seq <= ? ORDER BY seq DESC LIMIT ?",
            conversation, top, limit,
        )  # fmt: skip
        run: list[Event] = []
        for row in rows:
            if row[1] != top - len(run):
                break
            run.append(_event(row))
        run.reverse()
        return run

    def unread(self, conversation: str, me: str, after: int) -> tuple[int, int]:
        """How many messages of others are above seq `after`, and the seq of the first; (0, 0) for none."""
        rows = self._read(
            "SELECT count(*), min(seq) FROM events"
            " WHERE conversation = ? AND seq > ? AND kind = 'message' AND sender <> ?",
            conversation, after, me,
        )  # fmt: skip
        return int(rows[0][0]), int(rows[0][1] or 0)

    def introduces(self, event: Event) -> bool:
        """Whether no earlier event of the conversation carries this event's message id: it brings something new."""
        sql = "SELECT 1 FROM events WHERE conversation = ? AND seq < ? AND message_id = ? LIMIT 1"
        return not self._read(sql, event.conversation, event.seq, str(event.message_id))

    def _read(self, sql: str, *values: str | int) -> list[tuple]:  # type: ignore[type-arg]  # rows as SQLite gives them
        try:
            return self._db.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise _explain(error) from error


class Stores:
    """The stores of a profile: a file for each account. The name of an account is its server and log-in name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, account: str) -> Path:
        """Where the account's file is. Its name tells nothing about the account."""
        return self._directory / f"account-{hashlib.sha256(account.encode()).hexdigest()[:24]}.db"

    def exists(self, account: str) -> bool:
        """Whether there is a file."""
        return self.path(account).exists()

    def open(self, account: str, key: bytes) -> Store:
        """Open it, or begin it. Raises StoreError."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError("store_failed", f"The profile's directory cannot be used: {error.strerror}.") from error
        return Store(self.path(account), key)

    def memory(self) -> Store:
        """A store for this run only."""
        return Store(None, None)

    def set_aside(self, account: str) -> Path:
        """Rename the file, so that nothing of it is lost, and a fresh one can begin. Raises StoreError."""
        path = self.path(account)
        number = 1
        while (aside := path.with_suffix(f".kept-{number}.db")).exists():
            number += 1
        try:
            for suffix in ("-wal", "-shm", ""):
                part = path.with_name(path.name + suffix)
                if part.exists():
                    part.rename(aside.with_name(aside.name + suffix))
        except OSError as error:
            raise StoreError("store_failed", f"The old store cannot be set aside: {error.strerror}.") from error
        return aside


def _explain(error: apsw.Error) -> StoreError:
    match error:
        case apsw.FullError():
            return StoreError("disk_full", "The disk is full. Make room, then try again; nothing was lost.", retry=True)
        case apsw.NotADBError():
            return StoreError("wrong_key", "The key does not fit the local store.")
        case apsw.CorruptError():
            return StoreError("store_damaged", "The local store is damaged.")
    text = "The local store cannot be used. Check that the profile's directory can be written."
    return StoreError("store_failed", f"{text} ({type(error).__name__})", retry=True)


def _event(row: tuple) -> Event:  # type: ignore[type-arg]  # a row as SQLite gives it
    conversation, seq, at, sender, kind, message_id, body = row
    return Event(
        conversation=conversation, seq=seq, at=at, sender=sender, kind=kind,
        message_id=UNSET if message_id is None else message_id, body=Raw(body),
    )  # fmt: skip


def _record(row: tuple) -> tuple:  # type: ignore[type-arg]  # a row as SQLite gives it
    """SQLite has no truth values."""
    return tuple(
        bool(value) if name in ("mine", "wants_to_talk") else value
        for name, value in zip(CONVERSATION_COLUMNS, row, strict=True)
    )


def _encode_failure(failure: Failure) -> str:
    return msgspec.json.encode([failure.code, failure.text, failure.retry]).decode()


def _decode_failure(data: str | None) -> Failure | None:
    return None if data is None else Failure(*msgspec.json.decode(data, type=tuple[str, str, bool]))
