"""The calls of a page, for somebody who is logged in: arguments to the session and the store, views back.

What a call changes happens before its first await, so the calls of a page keep their order.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit

from msgspec import Struct

from client import bridge_api as api
from client import history, views
from client.entrance import Entrance
from client.errors import BridgeError, ClientError
from client.pages import Pages
from client.ports import Clock, PageId, SettingsPort, WindowPort
from client.session.effects import Conversation, Effect, Outgoing, SaveConversation, SaveOutgoing
from client.session.session import Session
from protocol.limits import MAX_TEXT_CHARACTERS
from protocol.messages import AnyAnswer, GetHistory, History, Person, Request, direct_conversation

FIRST_PAGE_MESSAGES: Final = 50

LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the engine lends: it performs effects, asks the server, and tells the time."""

    perform: Callable[[list[Effect]], None]
    ask: Callable[[Request], Awaitable[AnyAnswer]]
    clock: Clock
    wall: Callable[[], int]


class Calls:
    """Answers calls of bridge_api for the account that is loaded."""

    def __init__(
        self, session: Session, entrance: Entrance, pages: Pages, *, windows: WindowPort, settings: SettingsPort,
        hands: Hands,
    ) -> None:  # fmt: skip
        self._session = session
        self._entrance = entrance
        self._pages = pages
        self._windows = windows
        self._settings = settings
        self._hands = hands

    async def answer(self, page: PageId, call: api.Call) -> Struct:
        """The result. Raises ClientError."""
        session, perform, now = self._session, self._hands.perform, self._hands.clock()
        match call:
            case api.ChoosePresence(state=state, text=text):
                perform(session.choose_presence(state, text))
            case api.GetRecents(offset=offset, limit=limit):
                rows = views.recents(session)
                shown = [views.recent_view(session, c) for c in rows[offset : offset + limit]]
                return api.RecentsView(rows=shown, total=len(rows))
            case api.GetTree(expanded=departments, offset=offset, limit=limit):
                expanded = frozenset(departments)
                slice, total = session.directory.slice(expanded, offset, limit)
                return api.TreeView(rows=[views.tree_row(session, row, expanded) for row in slice], total=total)
            case api.Search(query=query, offset=offset, limit=limit):
                hits, total = session.directory.search(query, offset, limit)
                return api.SearchView(rows=[views.found_row(session, hit) for hit in hits], total=total)
            case api.GetPerson(id=id):
                self._person(id)
                return views.person_view(session, id)
            case api.OpenConversation(peer=peer):
                return self._open_conversation(peer)
            case api.GetConversation(conversation=conversation):
                return await self._conversation_view(page, conversation)
            case api.GetOlder(conversation=conversation, before=before, limit=limit):
                self._conversation(conversation)
                older = await self._page(conversation, before - 1, limit)
                error = views.error_view(older.error)
                return api.OlderView(messages=older.messages, has_older=older.has_older, error=error)
            case api.SendMessage(conversation=conversation, text=text):
                return self._send(self._conversation(conversation), text)
            case api.RetryMessage(key=key):
                perform(session.retry(key, now, self._hands.wall()))
            case api.DiscardMessage(key=key):
                perform(session.talk.discard(key))
            case api.MarkRead(conversation=conversation, seq=seq):
                perform(session.mark_read(conversation, seq, now))
            case api.SetTyping(conversation=conversation, on=on):
                self._conversation(conversation)
                if self._settings.get("send_typing"):
                    perform(session.set_typing(conversation, on, now))
            case api.SaveDraft(conversation=conversation, text=text):
                self._save_draft(self._conversation(conversation), text)
            case _:
                raise BridgeError("unknown_method", "The engine does not know this call.")
        return api.Nothing()

    def _person(self, id: str) -> Person:
        person = self._session.directory.person(id)
        if person is None:
            raise ClientError("no_such_user", "There is no such person in the directory.")
        return person

    def _conversation(self, id: str) -> Conversation:
        conversation = self._session.talk.conversations.get(id)
        if conversation is None or not conversation.peer:
            raise ClientError("no_such_conversation", "There is no such conversation, or you are not in it.")
        return conversation

    def _open_conversation(self, peer: str) -> api.OpenView:
        person = self._person(peer)
        if peer == self._session.me.id:
            raise ClientError("self_conversation", "A conversation needs somebody else.")
        conversation = direct_conversation(self._session.me.id, peer)
        docked = self._settings.get("conversations_in") == "docked"
        if not docked and self._windows.native:
            self._windows.open_conversation(conversation, person.name)
        self._pages.push(api.FocusComposer(conversation=conversation), self._pages.windows(conversation))
        self._hands.perform(self._session.open_conversation(peer))
        url = f"index.html?window={quote(conversation, safe='')}"
        return api.OpenView(conversation=conversation, place="docked" if docked else "window", url=url)

    async def _conversation_view(self, page: PageId, id: str) -> api.ConversationView:
        conversation = self._conversation(id)
        # Shown from here on: what comes while the first page is fetched comes as an event, too.
        self._pages.show(page, id)
        self._hands.perform(self._session.talk.seen(id))
        _, first_unread = self._entrance.store.unread(id, self._session.me.id, conversation.read_mine)
        while True:
            top = self._conversation(id).cursor
            newest = await self._page(id, top, FIRST_PAGE_MESSAGES)
            conversation = self._conversation(id)
            if conversation.cursor == top:
                break  # nothing came while the server was asked: this is the state of now
        me = self._session.me.id
        waiting = [views.sent_view(message, me) for message in self._session.talk.outbox.of(id)]
        return api.ConversationView(
            id=id,
            peer=views.person_view(self._session, conversation.peer),
            messages=[*newest.messages, *waiting],
            has_older=newest.has_older,
            first_unread=first_unread,
            last_seq=conversation.cursor,
            draft=conversation.draft,
            typing=self._session.talk.typing.is_typing(id),
        )

    async def _page(self, id: str, top: int, limit: int) -> history.Page:
        def read_by_peer() -> int:
            return self._conversation(id).read_peer

        source = history.Source(self._entrance.store, self._ask_history, self._session.me.id, read_by_peer)
        return await history.page(source, id, top, limit)

    async def _ask_history(self, request: GetHistory) -> History:
        answer = await self._hands.ask(request)
        if not isinstance(answer, History):
            raise ClientError("internal", "The server answered something else.")
        return answer

    def _send(self, conversation: Conversation, text: str) -> api.SendView:
        if not text.strip():
            raise ClientError("empty_message", "The message is empty.")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise ClientError("text_too_long", "The text is too long. Shorten it, or send it in parts.")
        message = Outgoing(
            key=uuid.uuid4().hex,
            conversation=conversation.id,
            position=self._session.talk.outbox.next_position(),
            at=self._hands.wall(),
            text=text,
        )
        # On the disk before anybody sees it. Where that fails the text stays in the composer, and in the draft.
        emptied = SaveConversation(replace(conversation, draft=""))
        self._entrance.store.write([SaveOutgoing(message), emptied], durable=True)
        self._hands.perform(self._session.send(message, self._hands.clock()))
        return api.SendView(key=message.key)

    def _save_draft(self, conversation: Conversation, text: str) -> None:
        if text != conversation.draft:
            self._entrance.store.write([SaveConversation(replace(conversation, draft=text))], durable=True)
            self._hands.perform(self._session.talk.save_draft(conversation.id, text))


def checked_link(url: str) -> str:
    """The link. Raises ClientError unless it is a link that may be opened."""
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in LINK_SCHEMES or not url.isprintable() or " " in url:
        raise ClientError("link_refused", "Only links to web pages and mail addresses are opened.")
    return url
