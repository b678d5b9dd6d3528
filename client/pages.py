"""Which page shows what, and how often it is told: events that only say "ask again" are gathered.

Everything runs on the engine's loop. The makers of the views are called when an event goes out, so that it tells the
newest state, however many changes came before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from client.bridge_api import AppChanged, AppView, BridgeEvent, ConversationChanged, DirectoryChanged, RecentsChanged
from client.ports import PageId, PagePort

RECENTS_SECONDS: Final = 0.1
DIRECTORY_SECONDS: Final = 0.25


class Pages:
    """`app`, `recents` and `conversation` make what is pushed."""

    def __init__(
        self,
        port: PagePort,
        app: Callable[[], AppView],
        recents: Callable[[], int],
        conversation: Callable[[str], ConversationChanged | None],
    ) -> None:
        self._port = port
        self._app = app
        self._recents = recents
        self._conversation = conversation
        self._windows: dict[PageId, str] = {}
        self._shown: dict[str, set[PageId]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._last: dict[str, float] = {}
        self._told: AppView | None = None

    # ------------------------------------------------------------ pages

    def connected(self, page: PageId, window: str) -> None:
        """A page came."""
        self._windows[page] = window

    def gone(self, page: PageId) -> None:
        """A page went."""
        self._windows.pop(page, None)
        for conversation in [c for c, pages in self._shown.items() if page in pages]:
            self.hide(page, conversation)

    def window(self, page: PageId) -> str:
        """Which window a page is in: "main" or a conversation's id."""
        return self._windows.get(page, "main")

    def show(self, page: PageId, conversation: str) -> None:
        """From now on the conversation's events go to this page."""
        if page in self._windows:
            self._shown.setdefault(conversation, set()).add(page)

    def hide(self, page: PageId, conversation: str) -> None:
        """They need not any more."""
        pages = self._shown.get(conversation, set())
        pages.discard(page)
        if not pages:
            self._shown.pop(conversation, None)

    def shown(self) -> list[str]:
        """Conversations that some page shows."""
        return list(self._shown)

    def windows(self, window: str) -> frozenset[PageId]:
        """The pages of a window."""
        return frozenset(page for page, name in self._windows.items() if name == window)

    # ------------------------------------------------------------ events

    def push(self, event: BridgeEvent, to: frozenset[PageId] | None = None) -> None:
        """At once, to these pages or to all."""
        self._port.push(event, to=to)

    def push_shown(self, conversation: str, event: BridgeEvent) -> None:
        """At once, to the pages that show the conversation."""
        if pages := self._shown.get(conversation):
            self._port.push(event, to=frozenset(pages))

    def app_dirty(self) -> None:
        """AppView may have changed: pushed after this turn of the loop, if it has."""
        self._later("app", 0.0, self._push_app)

    def recents_dirty(self) -> None:
        """The recent conversations changed."""
        self._later("recents", RECENTS_SECONDS, lambda: self.push(RecentsChanged(total=self._recents())))

    def directory_dirty(self) -> None:
        """People, departments or presence changed."""
        self._later("directory", DIRECTORY_SECONDS, lambda: self.push(DirectoryChanged()))

    def conversation_dirty(self, conversation: str) -> None:
        """The peer, their typing or their read position changed."""
        if conversation in self._shown:
            self._later(conversation, 0.0, lambda: self._push_conversation(conversation))

    def stop(self) -> None:
        """Nothing is pushed any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _push_app(self) -> None:
        app = self._app()
        if app != self._told:
            self._told = app
            self.push(AppChanged(app=app))

    def _push_conversation(self, conversation: str) -> None:
        event = self._conversation(conversation)
        if event is not None:
            self.push_shown(conversation, event)

    def _later(self, name: str, interval: float, job: Callable[[], None]) -> None:
        """Once after this turn, and not more often than each `interval` seconds."""
        if name in self._timers:
            return
        loop = asyncio.get_running_loop()
        wait = max(0.0, self._last.get(name, 0.0) + interval - loop.time()) if interval else 0.0

        def run() -> None:
            del self._timers[name]
            if interval:
                self._last[name] = loop.time()
            job()

        self._timers[name] = loop.call_later(wait, run)
