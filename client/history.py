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
    store = source.store
    messages: list[MessageView] = []
    for _ in range(MOST_ROUNDS):
        if top < 1:
            break
        run = store.run_below(conversation, top, MAX_PAGE_EVENTS)
        if not run:
            try:
                answer = await source.ask(
                    GetHistory(id=0, conversation=conversation, before=top + 1, limit=MAX_PAGE_EVENTS)
                )
            except ClientError as error:
                return Page(messages, True, error)
            run = [event for event in answer.events if event.conversation == conversation and event.seq <= top]
            if not run:
                return Page(messages, False, None)  # the server has nothing older
            store.write([SaveEvents(tuple(run))])
        views = [message_view(store, event, source.me, source.read_by_peer()) for event in run]
        older = [view for view in views if view is not None]
        room = limit - len(messages)
        if len(older) > room:
            return Page(older[-room:] + messages, True, None)
        messages = older + messages
        top = run[0].seq - 1
        if len(messages) >= limit:
            break
    return Page(messages, top >= 1, None)
