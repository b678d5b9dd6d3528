"""A client without windows for tests: the real engine, store and link; pages and vault are recorded in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from client import bridge_api as api
from client.config import Settings
from client.connection import Connection
from client.engine import Engine, wall_clock
from client.last_login import LastLogin
from client.ports import Clock, LinkInput, PageId
from client.store import Stores

DEADLINE_SECONDS = 20.0
MAIN: PageId = 1
EventType = TypeVar("EventType", bound=api.BridgeEvent)


class MemoryVault:
    """A keyring in memory, which can outlive a client, and fail."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self.missing = False

    @property
    def persistent(self) -> bool:
        return not self.missing

    def get(self, name: str) -> bytes | None:
        return None if self.missing else self.secrets.get(name)

    def set(self, name: str, secret: bytes) -> bool:
        if not self.missing:
            self.secrets[name] = secret
        return not self.missing

    def delete(self, name: str) -> None:
        self.secrets.pop(name, None)


class Windows:
    """Remembers what was asked for."""

    native = True

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.titles: dict[str, str] = {}

    def open_conversation(self, conversation: str, title: str) -> None:
        self.opened.append((conversation, title))

    def show_main(self) -> None:
        self.opened.append(("main", ""))

    def set_title(self, window: str, title: str) -> None:
        self.titles[window] = title

    def close_conversations(self) -> None:
        self.opened.clear()

    def open_link(self, url: str) -> None:
        self.links.append(url)


class Desk:
    """One client. Page 1 is its main window; further pages are made with `page`."""

    def __init__(
        self,
        profile: Path,
        vault: MemoryVault,
        server: str = "",
        user: str = "",
        *,
        clock: Clock = time.monotonic,
        wall: Callable[[], int] = wall_clock,
    ) -> None:
        profile.mkdir(parents=True, exist_ok=True)
        self.vault = vault
        self.windows = Windows()
        self.events: list[tuple[frozenset[PageId] | None, api.BridgeEvent]] = []
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.engine: Engine

        def post(item: LinkInput) -> None:
            loop.call_soon_threadsafe(self._take, item)

        self.connection = Connection(post)
        self.engine = Engine(
            link=self.connection,
            vault=vault,
            windows=self.windows,
            pages=self,
            settings=Settings(profile),
            last_login=LastLogin(profile),
            stores=Stores(profile),
            server=server,
            user=user,
            version="test",
            clock=clock,
            wall=wall,
        )

    def _take(self, item: LinkInput) -> None:
        self.engine.link_input(item)
        self._news.set()

    def push(self, event: api.BridgeEvent, *, to: frozenset[PageId] | None = None) -> None:
        self.events.append((to, event))
        self._news.set()

    async def call(self, call: api.Call, page: PageId = MAIN) -> Struct:
        async with asyncio.timeout(DEADLINE_SECONDS):
            result = await self.engine.call(page, call)
        assert isinstance(result, call.result)
        return result

    def all(self, kind: type[EventType], page: PageId = MAIN) -> list[EventType]:
        return [event for to, event in self.events if isinstance(event, kind) and (to is None or page in to)]

    async def until(self, holds: Callable[[], object], what: str = "the condition") -> None:
        """Wait for pushed events until it holds. Fails after the deadline."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{what} did not come; the last events: {self.events[-5:]}") from None

    async def next_news(self) -> None:
        """Until something came from the link, or was pushed."""
        self._news.clear()
        await self._news.wait()

    def app(self) -> api.AppView:
        return self.engine._app_view()

    async def online(self) -> None:
        await self.until(lambda: self.app().link.state == "online" and self.engine._session._requests.synced, "online")

    async def log_in(self, server: str, user: str, password: str, remember: bool = True) -> None:
        await self.call(api.LogIn(server=server, user=user, password=password, remember=remember))
        await self.online()

    async def id_of(self, login: str) -> str:
        """The person's id, as soon as the directory has told of them."""
        found: list[str] = []

        def known() -> bool:
            people = self.engine._session.directory._people.values()
            found.extend(person.id for person in people if person.login == login)
            return bool(found)

        await self.until(known, login)
        return found[0]

    async def open(self, login: str, page: PageId = 2) -> api.ConversationView:
        """Open the conversation with somebody on a page of its own."""
        opened = await self.call(api.OpenConversation(peer=await self.id_of(login)))
        assert isinstance(opened, api.OpenView)
        return await self.conversation(opened.conversation, page)

    async def conversation(self, id: str, page: PageId = 2) -> api.ConversationView:
        self.engine.page_connected(page, id)
        view = await self.call(api.GetConversation(conversation=id), page)
        assert isinstance(view, api.ConversationView)
        return view

    async def send(self, conversation: str, text: str, page: PageId = 2) -> str:
        sent = await self.call(api.SendMessage(conversation=conversation, text=text), page)
        assert isinstance(sent, api.SendView)
        return sent.key

    def shown(self, view: api.ConversationView, page: PageId = 2, since: int = 0) -> list[api.MessageView]:
        """What a page shows: the snapshot with all events since applied, as the page would."""
        messages = {message.key: message for message in view.messages}
        for to, event in self.events[since:]:
            if to is not None and page not in to:
                continue
            if isinstance(event, api.MessageChanged) and event.conversation == view.id:
                messages[event.message.key] = event.message
            elif isinstance(event, api.MessageRemoved) and event.conversation == view.id:
                messages.pop(event.key, None)
            elif isinstance(event, api.ConversationChanged) and event.conversation == view.id:
                for key, m in messages.items():
                    if m.state == "sent" and m.seq <= event.read_by_peer:
                        messages[key] = m.__class__(
                            **{**{f: getattr(m, f) for f in m.__struct_fields__}, "state": "read"}
                        )
        numbered = sorted((m for m in messages.values() if m.seq), key=lambda m: m.seq)
        return numbered + [m for m in messages.values() if not m.seq]


@asynccontextmanager
async def desk(
    profile: Path,
    vault: MemoryVault,
    server: str = "",
    user: str = "",
    *,
    clock: Clock = time.monotonic,
    wall: Callable[[], int] = wall_clock,
) -> AsyncIterator[Desk]:
    """A client that is started, and stopped afterwards."""
    one = Desk(profile, vault, server, user, clock=clock, wall=wall)
    one.engine.page_connected(MAIN, "main")
    await one.engine.start()
    try:
        yield one
    finally:
        await one.engine.stop()
        assert one.connection.join(10.0), "the link's threads did not end"
