"""Directory, accounts and sessions in SQL: pure functions of a connection, each one transaction of the caller's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import apsw
import msgspec

from protocol.codec import encode
from protocol.messages import Department, Person
from server_stub.errors import StorageError
from server_stub.storage.base import DirectoryRows, Session, login_key

_person = msgspec.json.Decoder(Person)
_department = msgspec.json.Decoder(Department)
_SESSION_COLUMNS = "id, user, token_hash, device, created, used, expires, revoked"


def directory(connection: apsw.Connection, after: int) -> DirectoryRows:
    """See Storage.directory."""
    with connection:  # one view for all the questions
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        people = list(connection.execute("SELECT version, data FROM people WHERE version > ?", (after,)))
        departments = list(connection.execute("SELECT version, data FROM departments WHERE version > ?", (after,)))
    return DirectoryRows(
        epoch=meta["directory_epoch"],
        version=meta["directory_version"],
        people=[(version, _person.decode(data)) for version, data in people],
        departments=[(version, _department.decode(data)) for version, data in departments],
    )


def save_directory(
    connection: apsw.Connection,
    people: Sequence[Person],
    departments: Sequence[Department],
    passwords: Mapping[str, str],
) -> int:
    """See Storage.save_directory."""
    ((version,),) = connection.execute(
        "UPDATE meta SET value = value + 1 WHERE name = 'directory_version' RETURNING value"
    )
    connection.executemany(
        "INSERT INTO departments VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET version = excluded.version, data = excluded.data",
        ((department.id, version, encode(department).decode()) for department in departments),
    )
    try:
        connection.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET login = excluded.login, "
            "version = excluded.version, disabled = excluded.disabled, data = excluded.data",
            (
                (person.id, login_key(person.login), version, person.disabled, encode(person).decode())
                for person in people
            ),
        )
    except apsw.ConstraintError as error:
        raise StorageError("A log-in name is already taken by somebody else.") from error
    connection.executemany(
        "UPDATE sessions SET revoked = 1 WHERE user = ?", ((person.id,) for person in people if person.disabled)
    )
    connection.executemany("INSERT OR IGNORE INTO passwords VALUES (?, ?)", passwords.items())
    return int(version)


def password_hash(connection: apsw.Connection, user: str) -> str | None:
    """See Storage.password_hash."""
    row = connection.execute("SELECT hash FROM passwords WHERE user = ?", (user,)).fetchone()
    return None if row is None else str(row[0])


def set_password(connection: apsw.Connection, user: str, new_hash: str, replaces: str | None) -> bool:
    """See Storage.set_password."""
    if replaces is not None:
        connection.execute("UPDATE passwords SET hash = ? WHERE user = ? AND hash = ?", (new_hash, user, replaces))
        return connection.changes() == 1
    connection.execute("INSERT OR REPLACE INTO passwords VALUES (?, ?)", (user, new_hash))
    revoke_sessions(connection, user, None)
    return True


def add_session(connection: apsw.Connection, session: Session, verified_hash: str) -> bool:
    """See Storage.add_session. Sessions that have been over for long are forgotten on the way."""
    if password_hash(connection, session.user) != verified_hash:
        return False
    now = time.time_ns() // 1_000_000
    connection.execute("DELETE FROM sessions WHERE user = ? AND expires < ?", (session.user, now))
    connection.execute(
        f"INSERT INTO sessions ({_SESSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # constant
        msgspec.structs.astuple(session),
    )
    return True


def session(connection: apsw.Connection, token_hash: bytes) -> Session | None:
    """See Storage.session."""
    row = connection.execute(
        f"SELECT {_SESSION_COLUMNS} FROM sessions WHERE token_hash = ?",  # noqa: S608  # constant
        (token_hash,),
    ).fetchone()
    if row is None:
        return None
    *values, revoked = row
    return Session(**dict(zip(_SESSION_COLUMNS.split(", "), values, strict=False)), revoked=bool(revoked))


def extend_session(connection: apsw.Connection, name: str, used: int, expires: int) -> None:
    """See Storage.extend_session."""
    connection.execute("UPDATE sessions SET used = ?, expires = ? WHERE id = ?", (used, expires, name))


def revoke_sessions(connection: apsw.Connection, user: str, name: str | None) -> None:
    """See Storage.revoke_sessions."""
    connection.execute("UPDATE sessions SET revoked = 1 WHERE user = ?1 AND (?2 IS NULL OR id = ?2)", (user, name))


def ended_sessions(connection: apsw.Connection, names: Sequence[str]) -> set[str]:
    """See Storage.ended_sessions."""
    rows = connection.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM sessions WHERE NOT revoked)",
        (msgspec.json.encode(list(names)).decode(),),
    )
    return {str(row[0]) for row in rows}
