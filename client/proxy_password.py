"""Keeps the proxy's password out of the settings' file: in the vault, or in memory where that cannot keep it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from client.bridge_api import SettingsView
from client.ports import SettingsPort, VaultPort
from client.proxy import split_password

_NAME: Final = "proxy password"


class SettingsWithProxyPassword:
    """The settings (a SettingsPort), whose `proxy_address` may be given with a password, which goes to the vault.

    `password` may be called from any thread; the rest belongs to the engine's loop.
    """

    def __init__(self, settings: SettingsPort, vault: VaultPort) -> None:
        self._settings = settings
        self._vault = vault
        self._lock = threading.Lock()
        self._given: str | None = None
        # The vault may wait for a person; its calls keep their order.
        self._worker = ThreadPoolExecutor(1, "proxy password")

    def get(self, name: str) -> str | bool | int:
        """The value now. Raises KeyError for a name that is not in the registry: a mistake in our code."""
        return self._settings.get(name)

    def view(self) -> SettingsView:
        """Every setting with its definition, in order."""
        return self._settings.view()

    def change(self, name: str, value: str | bool | int) -> None:
        """Check and keep a value. Raises BridgeError for a wrong name or value, ClientError where it cannot be kept.

        A new address without a password forgets the old one: it was for another proxy.
        """
        if name != "proxy_address" or not isinstance(value, str):
            self._settings.change(name, value)
            return
        before = self._settings.get(name)
        address, password = split_password(value)
        self._settings.change(name, address)
        if password or address != before:
            with self._lock:
                self._given = password
            self._worker.submit(self._keep, password)

    def password(self) -> str:
        """The password, or an empty text. May block for as long as the vault asks a person."""
        with self._lock:
            given = self._given
        if given is not None:
            return given
        kept = self._vault.get(_NAME)
        return "" if kept is None else kept.decode("utf-8", "replace")

    def close(self) -> None:
        """End, without waiting; after the vault's own close."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _keep(self, password: str) -> None:
        if password:
            self._vault.set(_NAME, password.encode())
        else:
            self._vault.delete(_NAME)
