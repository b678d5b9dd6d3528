"""A server's database with as many people as a measurement needs, made through the server's own storage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from protocol.messages import Department, Person
from server_stub.accounts import hash_password
from server_stub.app import DataDirectory
from server_stub.storage.sqlite import SqliteStorage

PASSWORD: Final = "a long enough password"  # noqa: S105  # of people who exist for some seconds


def make(folder: Path, count: int) -> list[str]:
    """Fill the data directory with people `person1` … who all have PASSWORD; returns their user ids."""
    return asyncio.run(_make(folder, count))


async def _make(folder: Path, count: int) -> list[str]:
    data = DataDirectory(folder)
    data.prepare()
    storage = SqliteStorage(data.database)
    try:
        people = [
            Person(id=f"u{n}", login=f"person{n}", name=f"Person {n}", departments=["all"]) for n in range(1, count + 1)
        ]
        hashed = hash_password(PASSWORD)  # one for all: each costs tens of milliseconds, and nobody measures it here
        await storage.save_directory(
            people, [Department(id="all", name="Everybody")], dict.fromkeys((person.id for person in people), hashed)
        )
    finally:
        await storage.close()
    return [person.id for person in people]
