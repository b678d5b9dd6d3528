"""Pages of a conversation: from the store where it has them without a gap, else from the server.

A hole shows by itself, because events are numbered without gaps. Where the server cannot be asked, a page ends at the
hole, with the reason: what lies under it is not shown as if nothing were missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from client.bridge_api import MessageView
from client.errors import ClientError
from client.session.effects import SaveEvents
from client.store import Store
from client.views import event_view
from protocol.limits import MAX_PAGE_EVENTS
from protocol.messages import BODIES, Event, GetHistory, History

MOST_ROUNDS: Final = 10
"""So many pages of events without a message are passed over at once; then the page comes back short."""

Ask = Callable[[GetHistory], Awaitable[History]]
"""Asks the server. Raises ClientError."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where pages come from. `read_by_peer` is asked late: it may move while the server is asked."""

    store: Store
    ask: Ask
    me: str
    read_by_peer: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in order. `error`: why it ends where it does, though there is more."""

    messages: list[MessageView]
    has_older: bool
    error: ClientError | None


def message_view(store: Store, event: Event, me: str, read_by_peer: int) -> MessageView | None:
    """The message that an event brings, if any.

    An unknown kind counts as a message that this version cannot show when it carries a message id that no earlier
    event carries. With the id of an earlier one it is about that (an edit, a reaction) and shows nothing by itself.
    """
    if event.kind not in BODIES and (not isinstance(event.message_id, str) or not store.introduces(event)):
        return None
    return event_view(event, me, read_by_peer)


async def page(source: Source, conversation: str, top: int, limit: int) -> Page:
    """At most `limit` messages from seq `top` downwards. Raises StoreError."""
    events: list[Event] = []
    shown = 0
    error: ClientError | None = None
    for _ in range(MOST_ROUNDS):
        if top < 1 or shown >= limit:
            break
        run = source.store.run_below(conversation, top, MAX_PAGE_EVENTS)
        if not run:
            try:
                run = await _fetch(source, conversation, top)
            except ClientError as failure:
                error = failure
                break
            if not run:
                top = 0  # the server has nothing older
                break
        events = run + events
        shown += sum(message_view(source.store, event, source.me, 0) is not None for event in run)
        top = run[0].seq - 1
    # The views are made only now: while the server was asked, the peer may have read.
    read = source.read_by_peer()
    views = [message_view(source.store, event, source.me, read) for event in events]
    messages = [view for view in views if view is not None]
    return Page(messages[-limit:], top >= 1 or len(messages) > limit, error)


async def _fetch(source: Source, conversation: str, top: int) -> list[Event]:
    """Events from seq `top` downwards from the server, kept for the next time. Raises ClientError."""
    answer = await source.ask(GetHistory(id=0, conversation=conversation, before=top + 1, limit=MAX_PAGE_EVENTS))
    run = [event for event in answer.events if event.conversation == conversation and event.seq <= top]
    source.store.write([SaveEvents(tuple(run))])
    return run
