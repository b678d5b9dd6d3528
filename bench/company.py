"""A server's database with as many people as a measurement needs, made through the server's own storage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from protocol.codec import encode_body
from protocol.messages import Department, MessageBody, Person, direct_conversation
from server_stub.accounts import hash_password
from server_stub.app import DataDirectory
from server_stub.storage.base import Draft
from server_stub.storage.sqlite import SqliteStorage

PASSWORD: Final = "a long enough password"  # noqa: S105  # of people who exist for some seconds


def make(folder: Path, count: int, conversations: int = 0) -> list[str]:
    """Fill the data directory with people `person1` … who all have PASSWORD; returns their user ids.

    So many of them have written to person1.
    """
    return asyncio.run(_make(folder, count, conversations))


async def _make(folder: Path, count: int, conversations: int) -> list[str]:
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
        ids = [person.id for person in people]
        body = bytes(encode_body(MessageBody(text="Have you seen the figures of last week?")))
        for other in ids[1 : conversations + 1]:
            members = (ids[0], other)
            draft = Draft(direct_conversation(*members), members, other, "message", body, f"first-{other.zfill(8)}")
            storage.append(draft, lambda _draft, _outcome: None)
        await storage.drain()
    finally:
        await storage.close()
    return ids
