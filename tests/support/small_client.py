"""The client's real shell around an engine of a few lines: `python -m tests.support.small_client ARGUMENTS`.

For tests of the shell itself (windows, bridge, loopback server, start and end), apart from session and store.
"""

from __future__ import annotations

import asyncio
import os
import sys

from msgspec import Struct

from client import bridge_api as api
from client.__main__ import main
from client.command_line import Options
from client.errors import ClientError
from client.log import log
from client.ports import LinkInput, PageId, PagePort, SettingsPort, WindowPort


class SmallEngine:
    """Answers what the shell's tests call."""

    def __init__(self, options: Options, settings: SettingsPort, windows: WindowPort, pages: PagePort) -> None:
        self._options = options
        self._settings = settings
        self._windows = windows
        self._pages = pages
        self._names: dict[PageId, str] = {}

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to keep."""

    def page_connected(self, page: PageId, window: str) -> None:
        self._names[page] = window

    def page_gone(self, page: PageId) -> None:
        del self._names[page]

    def link_input(self, item: LinkInput) -> None:
        raise AssertionError("no link here")

    async def call(self, page: PageId, call: api.Call) -> Struct:
        match call:
            case api.Start():
                return self._start(self._names[page])
            case api.OpenConversation(peer=peer):
                conversation = f"d.me.{peer}"
                self._windows.open_conversation(conversation, f"Talk with {peer}")
                self._pages.push(api.FocusComposer(conversation=conversation))
                return api.OpenView(conversation=conversation, place="window", url="")
            case api.SetTitle(title=title):
                self._windows.set_title(self._names[page], title)
            case api.OpenLink(url=url):
                self._windows.open_link(url)
            case api.LogOut():
                self._windows.close_conversations()
            case api.GetSettings():
                return self._settings.view()
            case api.ChangeSetting(name=name, value=value):
                self._settings.change(name, value)
            case api.ReportProblem(text=text):
                log("page problem", text=text)
            case api.ReconnectNow():
                raise RuntimeError("a mistake of ours")
            case _:
                raise ClientError("not_here", "This engine is too small for that.")
        return api.Nothing()

    def _start(self, window: str) -> api.StartView:
        return api.StartView(
            window=api.WindowView(
                kind="main" if window == "main" else "conversation", conversation="" if window == "main" else window
            ),
            app=api.AppView(
                phase="login",
                link=api.LinkView(state="idle"),
                me=None,
                chosen_state="online",
                status_text="",
                organisation="",
                server=self._options.server or "",
                login=self._options.user or "",
                remember=False,
                server_locked=self._options.server is not None,
                remember_possible=False,
                notice="",
                unread=0,
                conversations_in="windows",
                language="system",
                appearance="system",
                version="0",
            ),
            native=self._windows.native,
        )


class SmallCore:
    """A Core of that engine; it fails where a test asks for it by environment."""

    def __init__(
        self, options: Options, profile_id: str, settings: SettingsPort, windows: WindowPort, pages: PagePort
    ) -> None:
        self._engine = SmallEngine(options, settings, windows, pages)

    async def start(self) -> SmallEngine:
        await asyncio.sleep(0)
        failure = os.environ.get("SMALL_CLIENT_FAILS")
        if failure == "client":
            raise ClientError("store_newer", "The store is from a newer version. Update this program.")
        if failure == "other":
            raise RuntimeError("a mistake of ours")
        if failure == "hangs":
            await asyncio.get_running_loop().create_future()
        return self._engine

    async def stop(self) -> None:
        log("core stopped")


if __name__ == "__main__":
    code = main(make_core=SmallCore)
    sys.stdout.flush()
    os._exit(code)
