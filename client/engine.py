"""The one owner of the client's state: inputs in, effects performed, pages answered.

Everything runs on one asyncio loop. Inputs come from pages (`call`), from the link (`link_input`) and from the clock;
the pure session decides; `_perform` carries out what it decided: the store first, then frames and pages in order.
"""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
from msgspec import Struct

from client import bridge_api as api
from client import history, views
from client.account import StoresPort
from client.calls import Calls, Hands, checked_link
from client.entrance import Entrance
from client.errors import ClientError, StoreError
from client.index_ahead import IndexAhead
from client.log import log, log_failure
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
from client.session import effects as fx
from client.session.session import Session
from protocol.codec import encode
from protocol.messages import AnyAnswer, Logout, Person, Request

RESET_MESSAGES: Final = 50
"""More new messages than this at once: pages ask for the snapshot again."""

LOGOUT_SECONDS: Final = 3.0
"""So long the server may take to confirm a log-out; then it is done here all the same."""


def wall_clock() -> int:
    """Milliseconds since 1970-01-01 UTC."""
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
        wall: Callable[[], int] = wall_clock,
    ) -> None:
        """`server`, where given, cannot be edited by the person; `user` is what the log-in page shows first."""
        self._link = link
        self._windows = windows
        self._settings = settings
        self._version = version
        self._clock = clock
        self._wall = wall
        self._entrance = Entrance(vault, stores, last_login, server=server, user=user)
        self._session = Session(random, f"Oschat {version}".strip(), device)
        self._pages = Pages(pages, self._app_view, lambda: len(views.recents(self._session)), self._changed_view)
        hands = Hands(perform=self._perform, ask=self._ask, clock=clock, wall=wall)
        self._calls = Calls(self._session, self._entrance, self._pages, windows=windows, settings=settings, hands=hands)
        self._ready = False
        self._entering: asyncio.Task[None] | None = None
        self._login_wait: asyncio.Future[None] | None = None
        self._tickets: dict[int, asyncio.Future[AnyAnswer]] = {}
        self._last_ticket = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._index = IndexAhead(self._spawn)
        self._ended = False

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Open the account that was remembered, show its history, and resume in the background."""
        token, account = await self._entrance.recall()
        if account is not None:
            self._session.load(account)
            self._ready = True
            self._index.consider(self._session.directory)
        if token is not None:
            self._perform(self._session.resume(self._entrance.url, token, self._clock()))

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
        ended = ClientError("ended", "The program ends.")
        self._fail_login(ended)
        for ticket in list(self._tickets):
            self._replied(ticket, ended)
        self._entrance.close()

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

    async def call(self, page: PageId, call: api.Call) -> Struct:
        """The result of a call of a page. Raises ClientError."""
        match call:
            case api.Start():
                return views.start_view(self._app_view(), self._pages.window(page), self._windows.native)
            case api.LogIn():
                await self._log_in(call)
            case api.GetSettings():
                return self._settings.view()
            case api.ChangeSetting(name=name, value=value):
                self._settings.change(name, value)
                self._pages.push(api.SettingsChanged())
                self._pages.app_dirty()
            case api.OpenLink(url=url):
                self._windows.open_link(checked_link(url))
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
            case api.LogOut():
                await self._log_out()
            case _:
                return await self._calls.answer(page, call)
        return api.Nothing()

    # ------------------------------------------------------------ logging in and out

    async def _log_in(self, call: api.LogIn) -> None:
        if self._ready:
            raise ClientError("already_logged_in", "Somebody is logged in here. Log out first.")
        self._entrance.approach(call.server, call.user, call.remember)
        self._fail_login(ClientError("login_replaced", "Another log-in was begun."))
        self._stop_entering()
        wait = self._login_wait = asyncio.get_running_loop().create_future()
        url, user = self._entrance.url, self._entrance.login
        self._perform(self._session.log_in(url, user, call.password, self._clock()))
        await wait

    def _fail_login(self, error: ClientError) -> None:
        wait, self._login_wait = self._login_wait, None
        if wait is not None and not wait.done():
            wait.set_exception(error)

    def _authenticated(self, user: Person, token: str | None) -> None:
        if not self._ready and self._entering is None:
            self._entering = self._spawn(self._enter(user, token))
        elif self._ready and token is not None:
            self._spawn(self._entrance.keep(token))

    async def _enter(self, user: Person, token: str | None) -> None:
        """The server accepted the log-in: load the account and catch up."""
        account = await self._entrance.enter(user)
        await self._entrance.keep(token)
        self._entering = None
        self._session.load(account)
        self._ready = True
        self._perform([fx.SaveMeta("me", msgspec.json.encode(user).decode()), fx.RecentsDirty(), fx.DirectoryDirty()])
        if self._session.link.state == "online":
            self._perform(self._session.catch_up())
        wait, self._login_wait = self._login_wait, None
        if wait is not None and not wait.done():
            wait.set_result(None)
        self._pages.app_dirty()

    def _stop_entering(self) -> None:
        entering, self._entering = self._entering, None
        if entering is not None:
            entering.cancel()

    async def _log_out(self) -> None:
        try:
            async with asyncio.timeout(LOGOUT_SECONDS):
                await self._ask(Logout(id=0))
        except (ClientError, TimeoutError) as error:
            log("log-out not confirmed by the server", why=type(error).__name__)
        await self._leave()

    async def _leave(self) -> None:
        """Nobody is logged in any more. The store's file and its key stay: what is unsent is in there."""
        self._ready = False
        self._stop_entering()
        self._perform(self._session.unload())
        self._entrance.close()
        self._windows.close_conversations()
        self._pages.app_dirty()
        await self._entrance.forget_token()

    # ------------------------------------------------------------ effects

    def _perform(self, effects: list[fx.Effect]) -> None:
        changes = [effect for effect in effects if isinstance(effect, fx.Change)]
        if changes and self._entrance.is_open:
            try:
                self._entrance.store.write(changes)
            except StoreError as error:
                self._store_failed(error)
            else:
                self._store_works()
        for effect in effects:
            try:
                self._perform_one(effect)
            except StoreError as error:
                self._store_failed(error)
        self._schedule()

    def _store_failed(self, error: StoreError) -> None:
        """Nothing is lost: the server has the events, and the outbox is written before it is answered for."""
        log("store failed", code=error.code)
        self._entrance.notice = "disk-full" if error.code == "disk_full" else "store-failed"
        self._pages.app_dirty()

    def _store_works(self) -> None:
        if self._entrance.notice == "disk-full":
            self._entrance.notice = ""
            self._pages.app_dirty()

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
                log("session over", code=error.code)
                self._spawn(self._leave())
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
            case fx.RecountUnread(conversation=id, after=after):
                count, _ = self._entrance.store.unread(id, self._session.me.id, after)
                self._perform(self._session.talk.recounted(id, count))
            case fx.DiscountRead(conversation=id, after=after, until=until):
                store, me = self._entrance.store, self._session.me.id
                read = store.unread(id, me, after)[0] - store.unread(id, me, until)[0]
                self._perform(self._session.talk.discounted(id, read))
            case _:
                pass  # a change: written already

    def _events_applied(self, applied: fx.EventsApplied) -> None:
        id = applied.conversation
        conversation = self._session.talk.conversations.get(id)
        if id not in self._pages.shown() or conversation is None:
            return
        store, me, read = self._entrance.store, self._session.me.id, conversation.read_peer
        shown = [history.message_view(store, event, me, read) for event in applied.events]
        messages = [view for view in shown if view is not None]
        if applied.hole or len(messages) > RESET_MESSAGES:
            self._pages.push_shown(id, api.ConversationReset(conversation=id))
            return
        for message in messages:
            self._pages.push_shown(id, api.MessageChanged(conversation=id, message=message))

    def _directory_dirty(self, people: frozenset[str]) -> None:
        self._pages.directory_dirty()
        conversations = self._session.talk.conversations
        if not people or conversations.with_any(people):
            self._pages.recents_dirty()
        for id in self._pages.shown():
            conversation = conversations.get(id)
            if conversation is not None and (not people or conversation.peer in people):
                self._pages.conversation_dirty(id)
        if self._session.me.id in people:
            self._pages.app_dirty()

        self._index.consider(self._session.directory)

    async def _ask(self, request: Request) -> AnyAnswer:
        """The server's answer. Raises ClientError, also where there is no link."""
        self._last_ticket += 1
        future = self._tickets[self._last_ticket] = asyncio.get_running_loop().create_future()
        self._perform(self._session.ask(request, self._last_ticket))
        answer: AnyAnswer = await future
        return answer

    def _replied(self, ticket: int, outcome: AnyAnswer | ClientError) -> None:
        future = self._tickets.pop(ticket, None)
        if future is None or future.done():
            return
        if isinstance(outcome, ClientError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def watched() -> None:
            try:
                await work
            except Exception:
                log_failure("engine task failed")
                self._fail_login(ClientError("internal", "The program failed at this. Try again.", retry=True))

        task = asyncio.get_running_loop().create_task(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

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
        now, wall = self._clock(), self._wall()
        return views.app_view(
            self._session, self._entrance, self._settings, ready=self._ready, version=self._version, now=now, wall=wall
        )

    def _changed_view(self, id: str) -> api.ConversationChanged | None:
        return views.changed_view(self._session, id) if self._ready else None
