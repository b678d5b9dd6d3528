"""The database's numbered migrations, and how it is opened. A database from a newer version is refused.

PRAGMA user_version counts the migrations that have run. A migration that has been released is never changed; a new
one is added at the end.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import apsw

from server_stub.errors import DatabaseTooNew, StorageError

BUSY_MILLISECONDS: Final = 10_000
"""How long one process waits for another one's transaction: an import of 100,000 people takes a few seconds."""

CACHE_KIB: Final = 64 * 1024
"""The most memory that the writer keeps of the database: the pages of what is written often."""

CHECKPOINT_PAGES: Final = 4_000
"""The log is brought into the database when it has grown by these pages of 4 KiB: a page that changed often in between
is copied once. Four times SQLite's own figure takes a fifth off a message's cost."""

MIGRATIONS: Final = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

    CREATE TABLE people (
        id TEXT PRIMARY KEY,
        login TEXT NOT NULL UNIQUE,            -- storage.base.login_key of it
        version INTEGER NOT NULL,
        disabled INTEGER NOT NULL,
        data TEXT NOT NULL                     -- protocol.messages.Person as JSON
    ) WITHOUT ROWID;
    CREATE INDEX people_version ON people (version);

    CREATE TABLE departments (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        data TEXT NOT NULL                     -- protocol.messages.Department as JSON
    ) WITHOUT ROWID;
    CREATE INDEX departments_version ON departments (version);

    CREATE TABLE passwords (user TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        token_hash BLOB NOT NULL UNIQUE,
        user TEXT NOT NULL,
        device TEXT NOT NULL,
        created INTEGER NOT NULL,
        used INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX sessions_user ON sessions (user);

    CREATE TABLE conversations (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);

    CREATE TABLE members (
        user TEXT NOT NULL,
        conversation INTEGER NOT NULL,
        read INTEGER NOT NULL DEFAULT 0,       -- has read up to this seq
        PRIMARY KEY (user, conversation)
    ) WITHOUT ROWID;
    CREATE INDEX members_conversation ON members (conversation);

    CREATE TABLE events (
        conversation INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        sender TEXT NOT NULL,
        kind TEXT NOT NULL,
        message_id TEXT,
        original INTEGER NOT NULL,             -- 1: this event brings the message; 0: it is about one, or none
        body BLOB NOT NULL,
        PRIMARY KEY (conversation, seq)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX events_message ON events (sender, message_id) WHERE original = 1;
    """,
)


def open_database(path: Path) -> apsw.Connection:
    """Open, or create, and bring up to date. Raises StorageError: DatabaseTooNew for a newer version's database."""
    if not getattr(apsw, "mc_version", ""):
        raise StorageError(
            "The SQLite module is not the one that Oschat is tested with: remove the package apsw, "
            "then install apsw-sqlite3mc again."
        )
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = connect(path, apsw.SQLITE_OPEN_READWRITE)
        connection.pragma("journal_mode", "wal")
        connection.pragma("cache_size", -CACHE_KIB)
        connection.wal_autocheckpoint(CHECKPOINT_PAGES)
        try:
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    except (apsw.Error, OSError) as error:
        raise StorageError(f"The database {path} cannot be opened: {error}") from error
    return connection


def connect(path: Path, flags: int) -> apsw.Connection:
    """A connection with the settings that every one of ours has. Raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    # A commit has returned only when the log is on the disk, so that nothing acknowledged is lost with the power. FULL
    # does that; EXTRA costs the same, and makes sure that the journal of the database's first moment is gone for good:
    # one that came back with the power would take everything back.
    connection.pragma("synchronous", "extra")
    return connection


def _migrate(connection: apsw.Connection, path: Path) -> None:
    with_version = connection.pragma("user_version")
    if with_version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.pragma("user_version"))
        if version > len(MIGRATIONS):
            raise DatabaseTooNew(
                f"The database {path} was written by a newer version of Oschat (its version is {version}, this program "
                f"knows up to {len(MIGRATIONS)}). Start the newer program, or restore an older backup."
            )
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            connection.execute(script)
            connection.pragma("user_version", number)
        connection.execute(
            "INSERT OR IGNORE INTO meta VALUES ('directory_epoch', ?), ('directory_version', 0)",
            (secrets.token_hex(4),),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
