"""Conversations and their events in SQL: numbering and storing on the writer's connection, reading on any.

Pure functions of a connection, without threads: sqlite.py runs them where they belong.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

import apsw
from msgspec import UNSET, Raw, Struct

from protocol.codec import encode_body
from protocol.limits import MAX_PAGE_CONVERSATIONS, MAX_PAGE_EVENTS
from protocol.messages import ConversationState, Event, ReadBody, direct_members
from server_stub.storage.base import Draft, Duplicate, Page, ReadMark

MAX_CACHED: Final = 50_000
"""Conversations whose last number the writer remembers; when there are more, it forgets all and looks them up again."""

MAX_UNREAD: Final = 1_000
"""Unread messages are counted up to this many."""

NEWEST: Final = 50
"""Events that a sync page gives of a conversation in which more than MAX_PAGE_EVENTS are new, or that was restored."""

_ROW: Final = "(?,?,?,?,?,?,?,?)"
_CHUNKS: Final = (32, 8, 1)
"""Rows of one INSERT: each statement gives up and takes back Python's lock once, so fewer are faster."""

_INSERTS: Final = {size: "INSERT INTO events VALUES " + ",".join(repeat(_ROW, size)) for size in _CHUNKS}  # noqa: S608  # constants
_FORWARD: Final = (
    "SELECT seq, at, sender, kind, message_id, body FROM events WHERE conversation = ? AND seq > ? AND seq < ? "
    "ORDER BY seq LIMIT ?"
)
_BACKWARD: Final = _FORWARD.replace("ORDER BY seq", "ORDER BY seq DESC")

_Row = tuple[int, int, int, str, str, str | None, int, bytes]
Item = Draft | ReadMark
Outcome = Event | Duplicate | None


class _Place(Struct):
    """Where a conversation stands."""

    key: int
    last: int


class EventWriter:
    """Gives out the numbers. One instance for each database, used by one thread, in the caller's transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._places: dict[str, _Place] = {}

    def forget(self) -> None:
        """The transaction was rolled back: what was numbered in it does not count."""
        self._places.clear()

    def apply(self, items: Sequence[Item], *, careful: bool) -> list[Outcome]:
        """Store these in order. Raises apsw.Error, after which the caller rolls back and calls forget().

        Repeated messages are so rare that they are not looked for first: the unique index raises ConstraintError, and
        the caller rolls back and comes again with `careful`.
        """
        if len(self._places) > MAX_CACHED:
            self._places.clear()
        now = time.time_ns() // 1_000_000
        rows: list[_Row] = []
        outcomes: list[Outcome] = []
        for item in items:
            if isinstance(item, ReadMark) or careful:
                self._insert(rows)
                rows.clear()
            if isinstance(item, ReadMark):
                outcomes.append(self._mark(item, now, rows))
            elif careful and (stored := self._find(item)) is not None:
                outcomes.append(stored)
            else:
                outcomes.append(self._number(item, now, rows))
        self._insert(rows)
        return outcomes

    def _number(self, draft: Draft, now: int, rows: list[_Row]) -> Event:
        place = self._places.get(draft.conversation) or self._open(draft)
        place.last = seq = place.last + 1
        message_id = draft.message_id
        rows.append(
            (
                place.key,
                seq,
                now,
                draft.sender,
                draft.kind,
                message_id,
                0 if message_id is None else 1,
                draft.body,
            )
        )
        return Event(
            conversation=draft.conversation,
            seq=seq,
            at=now,
            sender=draft.sender,
            kind=draft.kind,
            message_id=UNSET if message_id is None else message_id,
            body=Raw(draft.body),
        )

    def _open(self, draft: Draft) -> _Place:
        place = self._look_up(draft.conversation)
        if place is None:
            self._connection.execute("INSERT INTO conversations (id) VALUES (?)", (draft.conversation,))
            place = self._places[draft.conversation] = _Place(self._connection.last_insert_rowid(), 0)
            self._connection.executemany(
                "INSERT INTO members (user, conversation) VALUES (?, ?)",
                zip(draft.members, repeat(place.key), strict=False),
            )
        return place

    def _look_up(self, conversation: str) -> _Place | None:
        place = self._places.get(conversation)
        if place is None:
            key = conversation_key(self._connection, conversation)
            if key is not None:
                place = self._places[conversation] = _Place(key, last_seq(self._connection, key))
        return place

    def _find(self, draft: Draft) -> Duplicate | None:
        row = self._connection.execute(
            "SELECT c.id, e.seq, e.at FROM events e JOIN conversations c ON c.key = e.conversation "
            "WHERE e.sender = ? AND e.message_id = ? AND e.original = 1",
            (draft.sender, draft.message_id),
        ).fetchone()
        return None if row is None else Duplicate(*row)

    def _mark(self, mark: ReadMark, now: int, rows: list[_Row]) -> Event | None:
        place = self._look_up(mark.conversation)
        if place is None:
            return None
        seq = min(mark.seq, place.last)
        # Only what somebody else said can be read. Without this rule, two clients that mark each other's receipts as
        # read would never come to an end.
        moved = self._connection.execute(
            "UPDATE members SET read = ?1 WHERE user = ?2 AND conversation = ?3 AND read < ?1 AND EXISTS (SELECT 1 "
            "FROM events e WHERE e.conversation = ?3 AND e.seq > read AND e.seq <= ?1 AND e.original = 1 "
            "AND e.sender <> ?2) RETURNING read",
            (seq, mark.user, place.key),
        ).fetchone()
        if moved is None:
            return None
        body = bytes(encode_body(ReadBody(seq=seq)))
        return self._number(Draft(mark.conversation, (), mark.user, "read", body), now, rows)

    def _insert(self, rows: list[_Row]) -> None:
        begin = 0
        for size in _CHUNKS:
            while len(rows) - begin >= size:
                chunk = rows[begin : begin + size]
                self._connection.execute(_INSERTS[size], [value for row in chunk for value in row])
                begin += size


def conversation_key(connection: apsw.Connection, conversation: str) -> int | None:
    """The key under which a conversation's events are stored."""
    row = connection.execute("SELECT key FROM conversations WHERE id = ?", (conversation,)).fetchone()
    return None if row is None else int(row[0])


def last_seq(connection: apsw.Connection, key: int) -> int:
    """The number of a conversation's newest event; 0 where there is none."""
    return int(_one(connection, "SELECT coalesce(max(seq), 0) FROM events WHERE conversation = ?", (key,)))


def history(connection: apsw.Connection, name: str, page: Page) -> tuple[int, list[Event]]:
    """See Storage.history."""
    last: int = 0
    events: list[Event] = []
    with connection:  # one view for all the questions
        key = conversation_key(connection, name)
        if key is not None:
            last = last_seq(connection, key)
            events = _page(connection, name, key, page)
    return last, events


def conversation(connection: apsw.Connection, name: str, user: str, page: Page) -> ConversationState | None:
    """See Storage.conversation."""
    state: ConversationState | None = None
    with connection:
        key = conversation_key(connection, name)
        if key is not None:
            state = _state(connection, name, key, user, _page(connection, name, key, page))
    return state


def changed_conversations(
    connection: apsw.Connection, user: str, cursors: Mapping[str, int], page: str, max_bytes: int
) -> tuple[list[ConversationState], str]:
    """See Storage.changed_conversations."""
    begin = int(page) if page.isascii() and page.isdigit() and len(page) < 19 else 0
    following = ""
    states: list[ConversationState] = []
    with connection:
        if not begin and cursors:
            states += _lost(connection, user, cursors)
        for key, name, last in _conversations_of(connection, user, begin):
            new = last - cursors.get(name, 0)
            if not new:
                continue
            if len(states) == MAX_PAGE_CONVERSATIONS or max_bytes <= 0:
                following = str(begin)
                break
            events = _page(connection, name, key, Page(new if 0 < new <= MAX_PAGE_EVENTS else NEWEST, max_bytes))
            max_bytes -= sum(map(_size, events)) + 250
            states.append(_state(connection, name, key, user, events))
            begin = key
    return states, following


def _lost(connection: apsw.Connection, user: str, cursors: Mapping[str, int]) -> list[ConversationState]:
    """Conversations in which the client has events and this database has none: it was restored from a backup."""
    known = {name for _, name, _ in _conversations_of(connection, user, 0)}
    members = {name: direct_members(name) for name, cursor in cursors.items() if cursor and name not in known}
    return [
        ConversationState(id=name, members=list(pair), last_seq=0)
        for name, pair in members.items()
        if pair is not None and user in pair
    ]


def _conversations_of(connection: apsw.Connection, user: str, begin: int) -> Iterator[tuple[int, str, int]]:
    """Keys, ids and last numbers of the conversations of `user` after the key `begin`."""
    return connection.execute(
        "SELECT c.key, c.id, (SELECT max(seq) FROM events e WHERE e.conversation = c.key) "
        "FROM members m JOIN conversations c ON c.key = m.conversation "
        "WHERE m.user = ? AND m.conversation > ? ORDER BY m.conversation",
        (user, begin),
    )


def _page(connection: apsw.Connection, conversation: str, key: int, page: Page) -> list[Event]:
    forward = page.after is not None and page.before is None
    rows = connection.execute(
        _FORWARD if forward else _BACKWARD,
        (key, page.after or 0, 2**62 if page.before is None else page.before, page.limit),
    )
    events: list[Event] = []
    left = page.max_bytes
    for seq, at, sender, kind, message_id, body in rows:
        event = Event(
            conversation=conversation,
            seq=seq,
            at=at,
            sender=sender,
            kind=kind,
            message_id=UNSET if message_id is None else message_id,
            body=Raw(body),
        )
        left -= _size(event)
        if left < 0 and events:
            break
        events.append(event)
    if not forward:
        events.reverse()
    return events


def _size(event: Event) -> int:
    """About how many bytes an event takes in a frame: its body, and the fields around it."""
    return len(memoryview(event.body)) + 250


def _state(connection: apsw.Connection, name: str, key: int, user: str, events: list[Event]) -> ConversationState:
    read = dict(connection.execute("SELECT user, read FROM members WHERE conversation = ? ORDER BY user", (key,)))
    unread = _one(
        connection,
        "SELECT count(*) FROM (SELECT 1 FROM events WHERE conversation = ? AND seq > ? AND original = 1 "
        "AND sender <> ? LIMIT ?)",
        (key, read.get(user, 0), user, MAX_UNREAD),
    )
    return ConversationState(
        id=name,
        members=list(read),
        last_seq=last_seq(connection, key),
        read={member: seq for member, seq in read.items() if seq},
        unread=unread,
        events=events,
    )


def _one(connection: apsw.Connection, query: str, values: tuple[object, ...]) -> int:
    """The number that a query of one row and one column gives."""
    ((number,),) = connection.execute(query, values)
    return int(number)
