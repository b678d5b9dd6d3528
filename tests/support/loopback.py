"""The loopback server of the page in a thread of its own, over a folder of files with traps in it."""

from __future__ import annotations

import asyncio
import http.client
import threading
from pathlib import Path
from typing import Any

import websocket

from client.address import Address
from client.static_files import StaticFiles
from client.ui_server import UiServer

SECRET = "the passwords"


class Pages:
    """Takes the bridge's place: echoes what a page sends."""

    def __init__(self) -> None:
        self.windows: list[str] = []
        self.gone_pages: list[int] = []
        self.changed = threading.Condition()
        self.sends: dict[int, Any] = {}

    def connected(self, window: str, send: Any) -> int:
        self.windows.append(window)
        self.sends[len(self.windows)] = send
        return len(self.windows)

    def received(self, page: int, data: bytes) -> None:
        self.sends[page](data)

    def gone(self, page: int) -> None:
        with self.changed:
            self.gone_pages.append(page)
            self.changed.notify_all()

    def wait_gone(self, page: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: page in self.gone_pages, 10)


class Site:
    """A server in a thread of its own, over a folder of files."""

    def __init__(self, folder: Path) -> None:
        self.ui = folder / "ui"
        self.themes = folder / "themes"
        for path, text in {
            "ui/index.html": "<!doctype html><title>x</title>",
            "ui/app.js": "export {}",
            "ui/deep/a b.css": "p {}",
            "ui/.hidden.js": SECRET,
            "ui/notes.txt": SECRET,
            "themes/mine/theme.css": ":root {}",
            "secret.js": SECRET,
            "ui-other/secret.js": SECRET,
        }.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        (self.ui / "link.js").symlink_to(folder / "secret.js")
        (self.ui / "folder").symlink_to(folder)
        (self.ui / "loop.js").symlink_to(self.ui / "loop.js")
        self.address = Address()
        self.pages = Pages()
        self.shown = threading.Event()
        self.server = UiServer(self.address, StaticFiles(self.ui, self.themes), self.pages, self.shown.set)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.run(self.server.start())

    def run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def call(self, function: Any, *arguments: object) -> None:
        """Run on the server's loop and wait."""

        async def once() -> None:
            function(*arguments)

        self.run(once())

    def close(self) -> None:
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def get(self, path: str, *, host: str | None = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=10)
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self.address.host if host is None else host)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def path(self, rest: str) -> str:
        return f"/{self.address.token}/{rest}"

    def open(self, window: str = "main", origin: str | None = None) -> websocket.WebSocket:
        return websocket.create_connection(
            f"ws://{self.address.host}{self.path('bridge')}?window={window}",
            origin=self.address.origin if origin is None else origin,
            timeout=10,
        )
