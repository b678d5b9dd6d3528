"""The engine with the parts around it: wired here, started and stopped by app.py on the engine's loop."""

from __future__ import annotations

import asyncio
import platform
import threading
from typing import Final

from client import __version__
from client.command_line import Options
from client.connection import Connection
from client.dial import Network
from client.engine import Engine
from client.last_login import LastLogin
from client.ports import LinkInput, PagePort, SettingsPort, WindowPort
from client.proxy_password import SettingsWithProxyPassword
from client.store import Stores
from client.tls import Trust
from client.vault import KeyringVault

MAX_LINK_INPUTS: Final = 1_000
"""What the link's thread has posted and the engine has not taken. When it is full, the link's thread waits: the
socket is not read, and the server's own queue says what follows."""

_STORES: Final = "stores"
_WAIT_SECONDS: Final = 1.0


class ClientCore:
    """Engine, link, vault and stores of one profile."""

    def __init__(
        self, options: Options, profile_id: str, settings: SettingsPort, windows: WindowPort, pages: PagePort
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(MAX_LINK_INPUTS)
        self._ended = False
        self._vault = KeyringVault(profile_id)
        self._settings = SettingsWithProxyPassword(settings, self._vault)
        self._engine = Engine(
            link=Connection(self._post, lambda: _network(self._settings)),
            vault=self._vault,
            windows=windows,
            pages=pages,
            settings=self._settings,
            last_login=LastLogin(options.profile),
            stores=Stores(options.profile / _STORES),
            server=options.server or "",
            user=options.user or "",
            version=__version__,
            device=platform.node()[:100],
        )

    async def start(self) -> Engine:
        """Start the engine. Raises ClientError."""
        await self._engine.start()
        return self._engine

    async def stop(self) -> None:
        """End whatever has begun."""
        # First the vault: what waits for a person at the keyring's prompt must not hold the rest.
        self._vault.close()
        self._settings.close()
        await self._engine.stop()
        self._ended = True

    def _post(self, item: LinkInput) -> None:
        """From the link's thread to the engine's."""
        while not self._room.acquire(timeout=_WAIT_SECONDS):
            if self._ended:
                return
        try:
            self._loop.call_soon_threadsafe(self._take, item)
        except RuntimeError:
            # The loop has ended, and with it everybody who would want to know.
            return

    def _take(self, item: LinkInput) -> None:
        self._room.release()
        self._engine.link_input(item)


def _network(settings: SettingsWithProxyPassword) -> Network:
    """The way to the server, as the settings say it now."""

    def text(name: str) -> str:
        return str(settings.get(name)).strip()

    return Network(
        trust=Trust(text("ca_file"), text("pinned_key"), text("client_certificate")),
        proxy=text("proxy"),
        proxy_address=text("proxy_address"),
        proxy_password=settings.password,
    )
