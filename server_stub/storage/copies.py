"""Backup while the server runs, and restore while it does not: whole, checked copies of the SQLite database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import apsw

from server_stub.errors import DatabaseTooNew, StorageError
from server_stub.storage.migrations import connect, open_database

_PARTS: Final = ("", "-wal", "-shm")


def backup(database: Path, file: Path) -> None:
    """Write a copy of the database into the new file `file`, readable by this user alone. Raises StorageError.

    The copy is the state of one moment; whoever writes meanwhile is not held up (SQLite's online backup, in WAL mode).
    """
    if not database.exists():
        raise StorageError(f"There is no database at {database}: nothing to back up.")
    if file.exists():
        raise StorageError(f"{file} is there already. Give the backup a new name.")
    _copy(database, file)


def restore(file: Path, database: Path) -> Path | None:
    """Put the copy `file` in the place of the database. Returns where the old database is kept. Raises StorageError.

    The caller holds the data directory. Clients notice that numbers have gone back and fetch anew: their cursors of
    conversations by sync, those of the directory by its new epoch.
    """
    if not file.is_file():
        raise StorageError(f"There is no file {file}: nothing was restored.")
    fresh = database.with_name(f"{database.name}.restoring")
    _remove(fresh)
    try:
        _copy(file, fresh)
        connection = open_database(fresh)  # a newer version is refused, an older one brought up to date
        try:
            connection.execute("UPDATE meta SET value = ? WHERE name = 'directory_epoch'", (secrets.token_hex(4),))
            connection.pragma("journal_mode", "delete")  # all of it in the one file that is moved
        finally:
            connection.close()
        kept = _set_aside(database)
        fresh.replace(database)
    except DatabaseTooNew:
        raise StorageError(
            f"The backup {file} was written by a newer version of Oschat. Restore it with that."
        ) from None
    except (apsw.Error, OSError) as error:
        raise StorageError(f"The backup {file} cannot be restored: {error}. The database is as it was.") from error
    finally:
        _remove(fresh)
    return kept


def _remove(database: Path) -> None:
    """Remove a database of ours that is of no more use, with its log."""
    for suffix in _PARTS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a whole database and check the copy. Raises StorageError; then there is no copy."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        reading = connect(source, apsw.SQLITE_OPEN_READONLY)
        writing = connect(part, apsw.SQLITE_OPEN_READWRITE)
        try:
            with writing.backup("main", reading, "main") as copying:
                copying.step(-1)
            writing.pragma("journal_mode", "delete")
            found = writing.pragma("integrity_check")
            if found != "ok" or not writing.pragma("user_version"):
                raise StorageError(f"{source} is damaged, or no database of Oschat: {str(found)[:200]}")
        finally:
            writing.close()
            reading.close()
        part.replace(target)
    except (apsw.Error, OSError) as error:
        raise StorageError(f"{source} cannot be copied to {target}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _set_aside(database: Path) -> Path | None:
    """Rename the database with its log: nothing is deleted."""
    if not database.exists():
        return None
    number = 1
    while (kept := database.with_name(f"{database.stem}.kept-{number}{database.suffix}")).exists():
        number += 1
    for suffix in _PARTS:
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept
