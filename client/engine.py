"""The one owner of the client's state: inputs in, effects performed, pages answered.

Everything runs on one asyncio loop. Inputs come from pages (`call`), from the link (`link_input`) and from the clock;
the pure session decides; `_perform` carries out what it decided: the store first, then frames and pages in order.
What a call changes happens before its first await, so the calls of a page keep their order.
"""

from __future__ import annotations

import asyncio
import random as random_module
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from client import bridge_api as api
from client import history, views
from client.account import Opened, StoresPort, account_name, open_account, read_account
from client.errors import BridgeError, ClientError, StoreError
from client.log import log
from client.pages import Pages
from client.ports import (
    Clock,
    FrameArrived,
    LastLoginPort,
    LinkClosed,
    LinkInput,
    LinkOpened,
    LinkPort,
    PageId,
    PagePort,
    SettingsPort,
    VaultPort,
    WindowPort,
)
from client.server_address import server_url
from client.session import effects as fx
from client.session.session import Session
from client.store import Store
from protocol.codec import encode
from protocol.limits import MAX_TEXT_CHARACTERS
from protocol.messages import AnyAnswer, GetHistory, History, Logout, Person, Request, direct_conversation

FIRST_PAGE_MESSAGES: Final = 50
RESET_MESSAGES: Final = 50
"""More new messages than this at once: pages ask for the snapshot again."""
LOGOUT_SECONDS: Final = 3.0
"""So long the server may take to confirm a log-out; then it is done here all the same."""
LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})


def _wall() -> int:
    return time.time_ns() // 1_000_000


class Engine:
    """Implements EnginePort."""

    def __init__(
        self,
        *,
        link: LinkPort,
        vault: VaultPort,
        windows: WindowPort,
        pages: PagePort,
        settings: SettingsPort,
        last_login: LastLoginPort,
        stores: StoresPort,
        server: str = "",
        user: str = "",
        version: str = "",
        device: str = "",
        random: Callable[[], float] = random_module.random,
        clock: Clock = time.monotonic,
        wall: Callable[[], int] = _wall,
    ) -> None:
        """`server`, where given, cannot be edited by the person; `user` is what the log-in page shows first."""
        self._link = link
        self._vault = vault
        self._windows = windows
        self._settings = settings
        self._last_login = last_login
        self._stores = stores
        self._server_locked = bool(server)
        self._server = server or last_login.recall("server")
        self._login = user or last_login.recall("login")
        self._remember = last_login.recall("remember") == "yes"
        self._version = version
        self._clock = clock
        self._wall = wall
        self._session = Session(random, f"Oschat {version}".strip(), device)
        self._pages = Pages(pages, self._app_view, lambda: len(views.recents(self._session)), self._changed_view)
        self._opened: Opened | None = None
        self._account = ""
        self._url = ""
        self._ready = False
        self._notice = ""
        self._remember_possible = False
        self._entering = False
        self._login_wait: asyncio.Future[None] | None = None
        self._tickets: dict[int, asyncio.Future[AnyAnswer]] = {}
        self._last_ticket = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Open the account that was remembered, show its history, and resume in the background."""
        token = None
        if self._server and self._login:
            try:
                self._url = server_url(self._server)
            except ClientError:
                self._url = ""  # the log-in page shows the address, and says what is wrong when it is used
            else:
                self._account = account_name(self._url, self._login)
                token = await asyncio.to_thread(self._vault.get, f"token:{self._account}")
        if token is None:
            await asyncio.to_thread(self._vault.get, "token:")  # persistent is known after a first question
        else:
            self._remember = True
            self._opened = await open_account(self._stores, self._vault, self._account)
            self._notice = self._opened.notice
            self._load_remembered(self._opened.store)
        self._remember_possible = self._vault.persistent
        if token is not None:
            self._perform(self._session.resume(self._url, token.decode(), self._clock()))

    async def stop(self) -> None:
        """Close the link and the store. Nothing is lost: what was accepted is in the store."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._pages.stop()
        self._link.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for future in [*self._tickets.values(), self._login_wait]:
            if future is not None and not future.done():
                future.set_exception(ClientError("ended", "The program ends."))
        self._tickets.clear()
        self._close_store()

    def page_connected(self, page: PageId, window: str) -> None:
        """A page came; `window` is "main" or a conversation's id."""
        self._pages.connected(page, window)

    def page_gone(self, page: PageId) -> None:
        """The page went."""
        self._pages.gone(page)

    def link_input(self, item: LinkInput) -> None:
        """Something that the connection thread posted."""
        if self._ended:
            return
        now = self._clock()
        match item:
            case LinkOpened(attempt=attempt):
                self._perform(self._session.link_opened(attempt, now))
            case LinkClosed(attempt=attempt, code=code, error=error):
                self._perform(self._session.link_closed(attempt, code, error, now))
            case FrameArrived(attempt=attempt, data=data):
                self._perform(self._session.frame(attempt, data, now, self._wall()))

    # ------------------------------------------------------------ calls

    async def call(self, page: PageId, call: api.Call) -> Struct:
        """The result of a call of a page. Raises ClientError."""
        match call:
            case api.Start():
                return self._start_view(page)
            case api.LogIn():
                return await self._log_in(call)
            case api.GetSettings():
                return self._settings.view()
            case api.ChangeSetting(name=name, value=value):
                self._settings.change(name, value)
                self._pages.push(api.SettingsChanged())
                self._pages.app_dirty()
            case api.OpenLink(url=url):
                self._windows.open_link(_checked_link(url))
            case api.SetTitle(title=title):
                self._windows.set_title(self._pages.window(page), title)
            case api.ReportProblem(text=text):
                log("problem in the page", page=page, text=text)
            case api.CloseConversation(conversation=conversation):
                self._pages.hide(page, conversation)
            case api.ReconnectNow():
                self._perform(self._session.reconnect(self._clock()))
            case _ if not self._ready:
                raise ClientError("not_logged_in", "Log in first.")
            case _:
                return await self._account_call(page, call)
        return api.Nothing()

    async def _account_call(self, page: PageId, call: api.Call) -> Struct:
        """Calls that need somebody to be logged in."""
        session = self._session
        match call:
            case api.LogOut():
                await self._log_out()
            case api.ChoosePresence(state=state, text=text):
                self._perform(session.choose_presence(state, text))
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
                older = await self._page(self._conversation(conversation), before - 1, limit)
                error = views.error_view(older.error)
                return api.OlderView(messages=older.messages, has_older=older.has_older, error=error)
            case api.SendMessage(conversation=conversation, text=text):
                return self._send(self._conversation(conversation), text)
            case api.RetryMessage(key=key):
                self._perform(session.retry(key, self._wall(), self._clock()))
            case api.DiscardMessage(key=key):
                self._perform(session.discard(key))
            case api.MarkRead(conversation=conversation, seq=seq):
                self._perform(session.mark_read(conversation, seq, self._clock()))
            case api.SetTyping(conversation=conversation, on=on):
                self._conversation(conversation)
                self._perform(session.set_typing(conversation, on, self._clock()))
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

    def _conversation(self, id: str) -> fx.Conversation:
        conversation = self._session.conversations.get(id)
        if conversation is None or not conversation.peer:
            raise ClientError("no_such_conversation", "There is no such conversation, or you are not in it.")
        return conversation

    def _store(self) -> Store:
        if self._opened is None:
            raise ClientError("not_logged_in", "Log in first.")
        return self._opened.store

    def _open_conversation(self, peer: str) -> api.OpenView:
        person = self._person(peer)
        if peer == self._session.me.id:
            raise ClientError("self_conversation", "A conversation needs somebody else.")
        conversation = direct_conversation(self._session.me.id, peer)
        docked = self._settings.get("conversations_in") == "docked"
        if not docked and self._windows.native:
            self._windows.open_conversation(conversation, person.name)
        self._pages.push(api.FocusComposer(conversation=conversation), self._pages.windows(conversation))
        self._perform(self._session.open_conversation(peer))
        url = f"index.html?window={quote(conversation, safe='')}"
        return api.OpenView(conversation=conversation, place="docked" if docked else "window", url=url)

    async def _conversation_view(self, page: PageId, id: str) -> api.ConversationView:
        conversation = self._conversation(id)
        # Shown from here on: what comes while the first page is fetched comes as an event too.
        self._pages.show(page, id)
        self._perform(self._session.seen(id))
        _, first_unread = self._store().unread(id, self._session.me.id, conversation.read_mine)
        newest = await self._page(conversation, conversation.cursor, FIRST_PAGE_MESSAGES)
        # Only now, in one go with the answer: the newest state of what may have changed meanwhile.
        conversation = self._conversation(id)
        waiting = [views.sent_view(message, self._session.me.id) for message in self._session.outbox.of(id)]
        return api.ConversationView(
            id=id,
            peer=views.person_view(self._session, conversation.peer),
            messages=[*newest.messages, *waiting],
            has_older=newest.has_older,
            first_unread=first_unread,
            last_seq=conversation.cursor,
            draft=conversation.draft,
            typing=self._session.typing.is_typing(id),
        )

    async def _page(self, conversation: fx.Conversation, top: int, limit: int) -> history.Page:
        id, session = conversation.id, self._session

        def read_by_peer() -> int:
            return self._conversation(id).read_peer

        source = history.Source(self._store(), self._ask_history, session.me.id, read_by_peer)
        return await history.page(source, id, top, limit)

    def _send(self, conversation: fx.Conversation, text: str) -> api.SendView:
        if not text.strip():
            raise ClientError("empty_message", "The message is empty.")
        if len(text) > MAX_TEXT_CHARACTERS:
            raise ClientError("text_too_long", "The text is too long. Shorten it, or send it in parts.")
        session = self._session
        message = fx.Outgoing(
            key=uuid.uuid4().hex, conversation=conversation.id, position=session.outbox.next_position(),
            at=self._wall(), text=text,
        )  # fmt: skip
        emptied = replace(conversation, draft="")
        # On the disk before anybody sees it. Where that fails the text stays in the composer, and in the draft.
        self._store().write([fx.SaveOutgoing(message), fx.SaveConversation(emptied)], durable=True)
        session.conversations.put(emptied)
        self._perform(session.send(message, self._clock()))
        return api.SendView(key=message.key)

    def _save_draft(self, conversation: fx.Conversation, text: str) -> None:
        if text != conversation.draft:
            self._store().write([fx.SaveConversation(replace(conversation, draft=text))], durable=True)
            self._perform(self._session.save_draft(conversation.id, text))

    # ------------------------------------------------------------ logging in and out

    async def _log_in(self, call: api.LogIn) -> api.Nothing:
        if self._ready:
            raise ClientError("already_logged_in", "Somebody is logged in here. Log out first.")
        server = self._server if self._server_locked else call.server.strip()
        url = server_url(server)
        self._fail_login(ClientError("login_replaced", "Another log-in was begun."))
        self._server, self._login, self._remember = server, call.user.strip(), call.remember
        self._url, self._notice = url, ""
        wait = self._login_wait = asyncio.get_running_loop().create_future()
        self._perform(self._session.log_in(url, self._login, call.password, self._clock()))
        await wait
        return api.Nothing()

    def _fail_login(self, error: ClientError) -> None:
        wait, self._login_wait = self._login_wait, None
        if wait is not None and not wait.done():
            wait.set_exception(error)

    def _load_remembered(self, store: Store) -> None:
        """History is shown before the link is up, where the store knows whose it is."""
        try:
            me = store.meta("me")
            if me:
                self._session.load(read_account(store, msgspec.json.decode(me, type=Person)))
                self._ready = True
        except StoreError as error:
            log("store not read", code=error.code)
            self._notice = "store-failed"

    async def _enter(self, user: Person, token: str | None) -> None:
        """The server accepted the log-in: open the account's store, unless it is open, and go on."""
        account = account_name(self._url, user.login)
        if self._opened is None or account != self._account:
            self._close_store()
            self._account = account
            opened = await open_account(self._stores, self._vault, account)
            self._notice = opened.notice
        else:
            opened = self._opened
        self._opened = opened
        try:
            self._session.load(read_account(opened.store, user))
        except StoreError as error:
            log("store not read", code=error.code)
            opened.store.close()
            self._opened = replace(opened, store=self._stores.memory(), persistent=False)
            self._notice = "store-failed"
            self._session.load(read_account(self._opened.store, user))
        self._login = user.login
        self._ready = True
        self._perform([fx.SaveMeta("me", msgspec.json.encode(user).decode())])
        await self._keep_login(token)
        self._remember_possible = self._vault.persistent
        self._entering = False
        if self._login_wait is not None and not self._login_wait.done():
            self._login_wait.set_result(None)
        self._login_wait = None
        self._pages.recents_dirty()
        self._pages.directory_dirty()
        if self._session.link.state == "online" and not self._session.live:
            self._perform(self._session.catch_up(self._clock()))
        self._pages.app_dirty()

    async def _keep_login(self, token: str | None) -> None:
        """What the next start needs; the token in the keyring only where the person wants to be remembered."""
        name = f"token:{self._account}"
        if not self._remember:
            await asyncio.to_thread(self._vault.delete, name)
        elif token is not None:
            await asyncio.to_thread(self._vault.set, name, token.encode())
        try:
            self._last_login.keep("server", self._server)
            self._last_login.keep("login", self._login)
            self._last_login.keep("remember", "yes" if self._remember else "")
        except ClientError as error:
            log("last log-in not kept", code=error.code)
            self._notice = "profile-failed"

    async def _log_out(self) -> None:
        try:
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self._ask(Logout(id=0))
        except (ClientError, TimeoutError) as error:
            log("log-out not confirmed by the server", why=type(error).__name__)
        await self._leave(None)

    async def _leave(self, error: ClientError | None) -> None:
        """Nobody is logged in any more. The store's file and its key stay: what is unsent is in there."""
        name = f"token:{self._account}"
        self._ready = False
        self._entering = False
        self._perform([*self._session.unload(), *([fx.LoginFailed(error)] if error else [])])
        self._close_store()
        self._windows.close_conversations()
        self._pages.app_dirty()
        await asyncio.to_thread(self._vault.delete, name)

    def _close_store(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.store.close()

    # ------------------------------------------------------------ effects

    def _perform(self, effects: list[fx.Effect]) -> None:
        changes = [effect for effect in effects if isinstance(effect, fx.Change)]
        if changes and self._opened is not None:
            try:
                self._opened.store.write(changes)
            except StoreError as error:
                # Nothing is lost: the server has the events, and the outbox is written before it is answered for.
                log("store not written", code=error.code)
                self._notice = "disk-full" if error.code == "disk_full" else "store-failed"
                self._pages.app_dirty()
        for effect in effects:
            self._perform_one(effect)
        self._schedule()

    def _perform_one(self, effect: fx.Effect) -> None:
        match effect:
            case fx.OpenLink(attempt=attempt, url=url):
                self._link.open(attempt, url)
            case fx.CloseLink():
                self._link.close()
            case fx.SendFrame(request=request):
                self._link.send(encode(request))
            case fx.Authenticated(user=user, token=token):
                self._authenticated(user, token)
            case fx.LoginFailed(error=error):
                self._fail_login(error)
            case fx.SessionOver(error=error):
                self._spawn(self._leave(error))
            case fx.Replied(ticket=ticket, outcome=outcome):
                self._replied(ticket, outcome)
            case fx.AppDirty():
                self._pages.app_dirty()
            case fx.RecentsDirty():
                self._pages.recents_dirty()
            case fx.DirectoryDirty(people=people):
                self._directory_dirty(people)
            case fx.ConversationDirty(conversation=conversation):
                self._pages.conversation_dirty(conversation)
            case fx.EventsApplied():
                self._events_applied(effect)
            case fx.OutgoingChanged(message=message):
                view = views.sent_view(message, self._session.me.id)
                event = api.MessageChanged(conversation=message.conversation, message=view)
                self._pages.push_shown(message.conversation, event)
            case fx.OutgoingRemoved(conversation=conversation, key=key):
                self._pages.push_shown(conversation, api.MessageRemoved(conversation=conversation, key=key))
            case fx.RecountUnread(conversation=id):
                conversation_now = self._conversation(id)
                count, _ = self._store().unread(id, self._session.me.id, conversation_now.read_mine)
                self._perform(self._session.recounted(id, count))
            case _:
                pass  # a change: written already

    def _authenticated(self, user: Person, token: str | None) -> None:
        if self._entering:
            return
        if not self._ready:
            self._entering = True
            self._spawn(self._enter(user, token))
        elif token is not None:
            self._spawn(self._keep_login(token))

    def _events_applied(self, applied: fx.EventsApplied) -> None:
        id = applied.conversation
        if id not in self._pages.shown():
            return
        store, me, read = self._store(), self._session.me.id, self._conversation(id).read_peer
        shown = [history.message_view(store, event, me, read) for event in applied.events]
        messages = [view for view in shown if view is not None]
        if applied.hole or len(messages) > RESET_MESSAGES:
            self._pages.push_shown(id, api.ConversationReset(conversation=id))
            return
        for message in messages:
            self._pages.push_shown(id, api.MessageChanged(conversation=id, message=message))

    def _directory_dirty(self, people: frozenset[str]) -> None:
        self._pages.directory_dirty()
        self._pages.recents_dirty()
        for id in self._pages.shown():
            conversation = self._session.conversations.get(id)
            if conversation is not None and conversation.peer in people:
                self._pages.conversation_dirty(id)
        if self._session.me.id in people:
            self._pages.app_dirty()

    async def _ask(self, request: Request) -> AnyAnswer:
        """The server's answer. Raises ClientError, also where there is no link."""
        self._last_ticket += 1
        future = self._tickets[self._last_ticket] = asyncio.get_running_loop().create_future()
        self._perform(self._session.ask(request, self._last_ticket))
        answer: AnyAnswer = await future
        return answer

    async def _ask_history(self, request: GetHistory) -> History:
        answer = await self._ask(request)
        if not isinstance(answer, History):
            raise ClientError("internal", "The server answered something else.")
        return answer

    def _replied(self, ticket: int, outcome: AnyAnswer | ClientError) -> None:
        future = self._tickets.pop(ticket, None)
        if future is None or future.done():
            return
        if isinstance(outcome, ClientError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.deadline()
        if deadline is not None and not self._ended:
            wait = max(0.0, deadline - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._session.tick(self._clock(), self._wall()))

    # ------------------------------------------------------------ views

    def _app_view(self) -> api.AppView:
        session = self._session
        return api.AppView(
            phase="ready" if self._ready else "login",
            link=views.link_view(session, self._clock(), self._wall()),
            me=views.person_view(session, session.me.id) if self._ready else None,
            chosen_state=session.chosen,
            status_text=session.status_text,
            organisation=session.organisation,
            server=self._server,
            login=self._login,
            remember=self._remember,
            server_locked=self._server_locked,
            remember_possible=self._remember_possible,
            notice=self._notice,
            unread=session.conversations.unread(),
            conversations_in="docked" if self._settings.get("conversations_in") == "docked" else "windows",
            language=msgspec.convert(self._settings.get("language"), api.Language),
            appearance=msgspec.convert(self._settings.get("appearance"), api.Appearance),
            version=self._version,
        )

    def _start_view(self, page: PageId) -> api.StartView:
        window = self._pages.window(page)
        kind = "main" if window == "main" else "conversation"
        view = api.WindowView(kind=kind, conversation="" if kind == "main" else window)  # type: ignore[arg-type]  # one of the two
        return api.StartView(window=view, app=self._app_view(), native=self._windows.native)

    def _changed_view(self, id: str) -> api.ConversationChanged | None:
        conversation = self._session.conversations.get(id)
        if not self._ready or conversation is None:
            return None
        return api.ConversationChanged(
            conversation=id,
            peer=views.person_view(self._session, conversation.peer),
            typing=self._session.typing.is_typing(id),
            read_by_peer=conversation.read_peer,
        )


def _checked_link(url: str) -> str:
    """Raises ClientError unless it is a link that may be opened."""
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in LINK_SCHEMES or not url.isprintable() or " " in url:
        raise ClientError("link_refused", "Only links to web pages and mail addresses are opened.")
    return url
