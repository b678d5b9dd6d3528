"""A server's database with as many people as a measurement needs, made through the server's own storage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from protocol.codec import encode_body
from protocol.messages import Department, MessageBody, Person, direct_conversation
from server_stub.accounts import hash_password, hash_token, now_ms
from server_stub.app import DataDirectory
from server_stub.storage.base import Draft, Session
from server_stub.storage.sqlite import SqliteStorage

PASSWORD: Final = "a long enough password"  # noqa: S105  # of people who exist for some seconds


GROUP: Final = 10_000
"""What is handed to the storage at a time, in rows."""


def make(folder: Path, count: int, conversations: int = 0, *, sessions: bool = False) -> list[str]:
    """Fill the data directory with people `person1` … who all have PASSWORD; returns their user ids.

    So many of them have written to person1. With sessions, each can come in with token().
    """
    return asyncio.run(_make(folder, count, conversations, sessions=sessions))


def token(number: int) -> str:
    """With what person `number` comes back."""
    return f"token-of-{number}"


def fill(folder: Path, ids: list[str], count: int) -> None:
    """Store so many messages, evenly spread over the pairs of people: 1 and 2, 3 and 4, and so on."""
    asyncio.run(_fill(folder, ids, count))


async def _fill(folder: Path, ids: list[str], count: int) -> None:
    storage = SqliteStorage(DataDirectory(folder).database)
    try:
        body = bytes(encode_body(MessageBody(text="Have you seen the figures of last week?")))
        pairs = [(one, other) for one, other in zip(ids[::2], ids[1::2], strict=True)]
        talks = [direct_conversation(*pair) for pair in pairs]
        for begin in range(0, count, GROUP):
            for number in range(begin, min(begin + GROUP, count)):
                at = number % len(pairs)
                draft = Draft(talks[at], pairs[at], pairs[at][0], "message", body, f"old-{number:012d}")
                storage.append(draft, lambda _draft, _outcome: None)
            await storage.drain()
    finally:
        await storage.close()


async def _make(folder: Path, count: int, conversations: int, *, sessions: bool) -> list[str]:
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
        if sessions:
            now = now_ms()
            kept = [
                Session(
                    id=f"session{number}",
                    user=user,
                    token_hash=hash_token(token(number)),
                    device="bench",
                    created=now,
                    used=now,
                    expires=now + 86_400_000,
                )
                for number, user in enumerate(ids, 1)
            ]
            await asyncio.gather(*(storage.add_session(session, hashed) for session in kept))
    finally:
        await storage.close()
    return ids
