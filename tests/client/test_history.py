"""Pages of a conversation: from the store, across holes from the server, and what unknown kinds look like."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from client.errors import ClientError, LinkError
from client.history import Page, Source, message_view, page
from client.session.effects import SaveEvents
from client.store import Store
from protocol.messages import Event, GetHistory, History
from tests.client.playbook import TALK, read, said


class Server:
    """Answers get_history, or is away."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.away = False
        self.asked = 0

    async def ask(self, request: GetHistory) -> History:
        self.asked += 1
        if self.away:
            raise LinkError("offline", "Away.", retry=True)
        assert isinstance(request.before, int)
        found = [event for event in self.events if event.seq < request.before][-request.limit :]
        return History(re=1, conversation=TALK, last_seq=len(self.events), events=found)


def get(store: Store, server: Server, top: int, limit: int, read_by_peer: int = 0) -> Page:
    source = Source(store, server.ask, "a", lambda: read_by_peer)
    return asyncio.run(page(source, TALK, top, limit))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(1, 30))
def test_pages_from_the_newest_down_give_everything_once(
    size: int, kept: set[int], reads: set[int], limit: int
) -> None:
    events = [read(seq, seq - 1) if seq in reads else said(seq) for seq in range(1, size + 1)]
    store, server = Store(None, None), Server(events)
    store.write([SaveEvents(tuple(event for event in events if event.seq in kept))])
    shown: list[int] = []
    top, more = size, size > 0
    while more:
        part = get(store, server, top, limit)
        assert part.error is None
        assert len(part.messages) <= limit
        shown = [message.seq for message in part.messages] + shown
        top = part.messages[0].seq - 1 if part.messages else 0
        more = part.has_older and bool(part.messages)
    assert shown == [event.seq for event in events if event.kind == "message"]
    # What was fetched is kept: the second look asks nobody.
    before, server.away = server.asked, True
    if shown and shown[0] == 1:
        assert [message.seq for message in get(store, server, size, 1_000).messages] == shown
        assert server.asked == before
    store.close()


def test_away_from_the_server_a_page_ends_at_the_hole() -> None:
    store, server = Store(None, None), Server([])
    server.away = True
    store.write([SaveEvents((said(1), said(2), said(4), said(5)))])
    part = get(store, server, 5, 50)
    assert [message.seq for message in part.messages] == [4, 5]
    assert part.has_older
    assert isinstance(part.error, ClientError)
    assert get(store, server, 0, 50) == Page([], False, None)


def test_a_server_that_has_nothing_older_ends_the_history() -> None:
    store, server = Store(None, None), Server([])
    store.write([SaveEvents((said(4), said(5)))])
    part = get(store, server, 5, 50)
    assert ([message.seq for message in part.messages], part.has_older, part.error) == ([4, 5], False, None)


def strange(seq: int, kind: str, key: str | None, body: bytes = b"{}") -> Event:
    return Event(
        conversation=TALK, seq=seq, at=seq, sender="b", kind=kind,
        message_id=UNSET if key is None else key, body=Raw(body),
    )  # fmt: skip


def test_an_unknown_kind_shows_only_where_it_brings_a_message() -> None:
    store = Store(None, None)
    poll, edit, joined = strange(2, "poll", "poll-0001"), strange(3, "edit", "message-0001"), strange(4, "joined", None)
    damaged = strange(5, "message", "message-0005", b'{"txt": "?"}')
    store.write([SaveEvents((said(1), poll, edit, joined, damaged))])
    states = [view.state if (view := message_view(store, e, "a", 0)) else None for e in (poll, edit, joined, damaged)]
    assert states == ["unsupported", None, None, "unsupported"]
    assert message_view(store, read(6, 1), "a", 0) is None


def test_own_messages_are_read_up_to_the_peers_position() -> None:
    store, server = Store(None, None), Server([])
    store.write([SaveEvents((said(1, sender="a"), said(2, sender="b"), said(3, sender="a")))])
    assert [message.state for message in get(store, server, 3, 9, read_by_peer=2).messages] == [
        "read",
        "received",
        "sent",
    ]
