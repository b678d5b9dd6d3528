"""What pages draw, made from the session's state and the store's events. Pure: nothing is changed here."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from client.bridge_api import (
    Appearance,
    AppView,
    ConversationChanged,
    ErrorView,
    Language,
    LinkView,
    MessageView,
    PersonView,
    RecentView,
    StartView,
    TreeRow,
    WindowView,
)
from client.errors import ClientError
from client.ports import SettingsPort
from client.session.conversations import preview
from client.session.effects import Conversation, Outgoing
from client.session.session import Session
from client.session.tree import Row
from protocol.codec import decode_body
from protocol.messages import Event, MessageBody, Person, ReadBody


def error_view(error: ClientError | None) -> ErrorView | None:
    """An error for the page."""
    if error is None:
        return None
    return ErrorView(code=error.code, text=error.text, retry=error.retry, retry_after=error.retry_after)


def link_view(session: Session, now: float, wall: int) -> LinkView:
    """How the link stands; the time of the next attempt by the wall clock, in milliseconds."""
    link = session.link
    match link.state:
        case "waiting":
            at = wall + round(1000 * max(0.0, link.retry_at - now))
            return LinkView(state="waiting", retry_at=at, error=error_view(link.error))
        case "connecting" | "handshake":
            return LinkView(state="connecting", error=error_view(link.error))
        case "online":
            return LinkView(state="online")
    return LinkView(state="idle", error=error_view(link.error))


class Visitor(Protocol):
    """What the log-in page shows (client/entrance.py)."""

    server: str
    login: str
    remember: bool
    server_locked: bool
    remember_possible: bool
    notice: str


def app_view(
    session: Session,
    visitor: Visitor,
    settings: SettingsPort,
    *,
    ready: bool,
    version: str,
    now: float,
    wall: int,
) -> AppView:
    """What every window must know."""
    return AppView(
        phase="ready" if ready else "login",
        link=link_view(session, now, wall),
        me=person_view(session, session.me.id) if ready else None,
        chosen_state=session.chosen,
        status_text=session.status_text,
        organisation=session.organisation,
        server=visitor.server,
        login=visitor.login,
        remember=visitor.remember,
        server_locked=visitor.server_locked,
        remember_possible=visitor.remember_possible,
        notice=visitor.notice,
        unread=session.talk.conversations.unread(),
        conversations_in="docked" if settings.get("conversations_in") == "docked" else "windows",
        language=msgspec.convert(settings.get("language"), Language),
        appearance=msgspec.convert(settings.get("appearance"), Appearance),
        version=version,
    )


def start_view(app: AppView, window: str, native: bool) -> StartView:
    """All that a page needs for its first picture; `window` is "main" or a conversation's id."""
    if window == "main":
        return StartView(window=WindowView(kind="main", conversation=""), app=app, native=native)
    return StartView(window=WindowView(kind="conversation", conversation=window), app=app, native=native)


def changed_view(session: Session, id: str) -> ConversationChanged | None:
    """The peer, their typing and their read position; None where there is no such conversation."""
    conversation = session.talk.conversations.get(id)
    if conversation is None or not conversation.peer:
        return None
    return ConversationChanged(
        conversation=id,
        peer=person_view(session, conversation.peer),
        typing=session.talk.typing.is_typing(id),
        read_by_peer=conversation.read_peer,
    )


def person_view(session: Session, id: str) -> PersonView:
    """Somebody; where the directory has not told of them yet, their id stands for the name."""
    directory = session.directory
    person = directory.person(id)
    if person is None:
        person = session.me if id == session.me.id else Person(id=id, login=id, name=id)
    state, text = directory.presence.of(id)
    return PersonView(
        id=person.id,
        name=person.name,
        login=person.login,
        title=person.title,
        department=directory.path(person),
        email=person.email,
        phone=person.phone,
        disabled=person.disabled,
        presence=state,
        status_text=text,
    )


def tree_row(session: Session, row: Row, expanded: frozenset[str]) -> TreeRow:
    """A row of the tree."""
    node = row.node
    if node is None:
        person = person_view(session, row.person)
        return TreeRow(kind="person", id=person.id, depth=row.depth, name=person.name, person=person)
    return TreeRow(
        kind="department",
        id=node.id,
        depth=row.depth,
        name=node.name,
        expanded=node.id in expanded,
        online=node.online,
        people=node.total,
    )


def found_row(session: Session, row: Row) -> TreeRow:
    """A search hit: like a row of the tree, a department with its path as the name."""
    shown = tree_row(session, row, frozenset())
    if row.node is None:
        return shown
    return TreeRow(
        kind="department", id=shown.id, depth=0, name=row.node.path, online=shown.online, people=shown.people
    )


def sent_view(message: Outgoing, me: str) -> MessageView:
    """A message that the server has not acknowledged."""
    failure = message.failure
    return MessageView(
        key=message.key,
        seq=0,
        at=message.at,
        sender=me,
        mine=True,
        text=message.text,
        state="waiting" if failure is None else "failed",
        error=None if failure is None else ErrorView(code=failure.code, text=failure.text, retry=failure.retry),
    )


def event_view(event: Event, me: str, read_by_peer: int) -> MessageView | None:
    """The message that an event brings; None for a kind that is known and brings none.

    An event that cannot be read becomes `unsupported`. Whether an unknown kind looks like a message at all
    (it brings a message id that no earlier event had) is for the caller to find out.
    """
    body = decode_body(event)
    if isinstance(body, ReadBody) or event.kind == "read":
        return None
    mine = event.sender == me
    key = event.message_id if isinstance(event.message_id, str) else f"seq-{event.seq:08d}"
    if not isinstance(body, MessageBody):
        return MessageView(
            key=key, seq=event.seq, at=event.at, sender=event.sender, mine=mine, text="", state="unsupported"
        )
    state: Literal["received", "read", "sent"] = (
        "received" if not mine else "read" if event.seq <= read_by_peer else "sent"
    )
    return MessageView(
        key=key,
        seq=event.seq,
        at=event.at,
        sender=event.sender,
        mine=mine,
        text=body.text,
        state=state,
    )


def recents(session: Session) -> list[Conversation]:
    """Conversations with something to show, the last activity first."""
    outgoing = session.talk.outbox.conversations()
    shown = [
        c
        for c in session.talk.conversations.all()
        if c.peer and (c.last_message or c.draft or c.wants_to_talk or c.id in outgoing)
    ]
    return sorted(shown, key=lambda c: (activity(session, c), c.id), reverse=True)


def activity(session: Session, conversation: Conversation) -> int:
    """When something last happened, in milliseconds."""
    waiting = session.talk.outbox.of(conversation.id)
    return max(conversation.at, waiting[-1].at if waiting else 0)


def recent_view(session: Session, conversation: Conversation) -> RecentView:
    """A row of the recent conversations."""
    waiting = session.talk.outbox.of(conversation.id)
    text, mine = conversation.preview, conversation.mine
    if waiting:
        text, mine = preview(waiting[-1].text), True
    if conversation.draft:
        text, mine = preview(conversation.draft), True
    return RecentView(
        conversation=conversation.id,
        peer=person_view(session, conversation.peer),
        preview=text,
        draft=bool(conversation.draft),
        mine=mine,
        at=activity(session, conversation),
        unread=conversation.unread,
        typing=session.talk.typing.is_typing(conversation.id),
        wants_to_talk=conversation.wants_to_talk,
        failed=any(message.failure is not None for message in waiting),
    )
