"""Fills a server's database with what the sample company wrote during the last days (history.txt).

A server stamps every message itself, so nothing that is sent can be a week old. This loader stores the conversations
through the server's own storage code, while no server runs on the database, and then dates them back.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from protocol.codec import encode_body
from protocol.messages import Event, MessageBody, direct_conversation, direct_members
from sample.company import HERE
from server_stub.storage.base import Draft, ReadMark
from server_stub.storage.events import EventWriter
from server_stub.storage.migrations import open_database

_LINE: Final = re.compile(r"(?:-(\d+) (\d\d):(\d\d)|-(\d+)min) ([a-z.]+): (.+?)( \(unread\))?$")


class Line(NamedTuple):
    """Something that somebody wrote; `at` in milliseconds since 1970-01-01 UTC."""

    conversation: str
    sender: str
    reader: str
    at: int
    text: str
    unread: bool


def lines(now: float, ids: Mapping[str, str]) -> Iterator[Line]:
    """The whole history as of `now` (seconds since 1970-01-01 UTC), with these user ids by log-in name."""
    pair = ("", "")
    unread = False
    for text in (HERE / "history.txt").read_text(encoding="utf-8").splitlines():
        if text.startswith("## "):
            one, other = text[3:].split()
            pair, unread = (ids[one], ids[other]), False
        elif match := _LINE.match(text):
            day, hour, minute, ago, login, said, mark = match.groups()
            sender = ids[login]
            unread = unread or mark is not None
            reader = pair[1] if sender == pair[0] else pair[0]
            at = now - 60 * int(ago) if ago else _moment(now, int(day), int(hour), int(minute))
            yield Line(direct_conversation(*pair), sender, reader, int(at * 1000), said, unread)


def fill(database: Path) -> int:
    """Store the history in this database, which no server has open. Returns the number of messages.

    Raises server_stub.errors.StorageError where the database cannot be opened.
    """
    connection = open_database(database)
    try:
        writer = EventWriter(connection)
        random_ids = random.Random("farhill")  # noqa: S311  # message ids need to differ, not to be secret
        written = 0
        with connection:
            ids = {login: user for user, login in connection.execute("SELECT id, login FROM people")}
            for line in lines(time.time(), ids):
                body = bytes(encode_body(MessageBody(text=line.text)))
                message_id = f"sample-{random_ids.getrandbits(64):016x}"
                draft = Draft(
                    line.conversation, direct_members(line.conversation) or (), line.sender, "message", body, message_id
                )
                (event,) = writer.apply([draft], careful=False)
                assert isinstance(event, Event)
                marks = [ReadMark(line.conversation, user, event.seq) for user in _readers(line)]
                stored = [event, *(one for one in writer.apply(marks, careful=False) if isinstance(one, Event))]
                connection.executemany(
                    "UPDATE events SET at = ? WHERE seq = ? "
                    "AND conversation = (SELECT key FROM conversations WHERE id = ?)",
                    [(line.at, one.seq, line.conversation) for one in stored],
                )
                written += 1
    finally:
        connection.close()
    return written


def _readers(line: Line) -> list[str]:
    return [] if line.unread else [line.reader]


def _moment(now: float, days: int, hour: int, minute: int) -> float:
    """So many days before today, at this time of the local day."""
    today = time.localtime(now)
    return time.mktime((today.tm_year, today.tm_mon, today.tm_mday - days, hour, minute, 0, 0, 0, -1))
