"""Opening an account: its key from the vault, its store from the disk, and what to do where one of them is lost.

Never a lockout, never a plain-text secret, nothing deleted: what cannot be opened is set aside, or left as it is while
this run works from memory. `notice` is what the person should know (a Fluent id without its prefix `notice-`).
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Protocol

import msgspec

from client.errors import StoreError
from client.log import log
from client.ports import VaultPort
from client.session.effects import Outgoing
from client.session.session import Account
from client.store import KEY_BYTES, Store
from protocol.messages import ChosenState, Person

CHOSEN: dict[str, ChosenState] = {"online": "online", "away": "away", "busy": "busy", "invisible": "invisible"}


class StoresPort(Protocol):
    """Where stores come from (client/store.py)."""

    def exists(self, account: str) -> bool:
        """Whether there is a file."""

    def open(self, account: str, key: bytes) -> Store:
        """Open it, or begin it. Raises StoreError."""

    def memory(self) -> Store:
        """A store for this run only."""

    def set_aside(self, account: str) -> object:
        """Rename the file, so that a fresh one can begin. Raises StoreError."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An account's store. `persistent`: it outlasts this run."""

    store: Store
    notice: str
    persistent: bool


def account_name(url: str, login: str) -> str:
    """One account: a server's URL and a log-in name, in which capitals do not matter."""
    return f"{url}:{login.strip().lower()}"


async def open_account(stores: StoresPort, vault: VaultPort, account: str) -> Opened:
    """The account's store, whatever happened to its key or its file. Raises StoreError only without memory."""
    name = f"key:{account}"
    key = await asyncio.to_thread(vault.get, name)
    exists = stores.exists(account)
    if exists and key is None and not vault.persistent:
        # It could not be asked (locked, its prompt dismissed): a new key would shut the old file for ever.
        return Opened(stores.memory(), "no-keyring", False)
    if exists and key is not None and len(key) == KEY_BYTES:
        try:
            return Opened(stores.open(account, key), "", vault.persistent)
        except StoreError as error:
            log("store not opened", code=error.code)
            if error.code not in ("wrong_key", "store_damaged"):
                # Newer, or no room: it stays as it is for the day when it can be opened.
                return Opened(stores.memory(), _notice(error.code), False)
            notice = _notice(error.code)
    else:
        notice = "key-lost" if exists else ""
    # A file is begun only with a key that the keyring has taken: one from this run's memory would be lost with it.
    key = secrets.token_bytes(KEY_BYTES)
    if not await asyncio.to_thread(vault.set, name, key):
        return Opened(stores.memory(), "no-keyring", False)
    try:
        if exists:
            stores.set_aside(account)
        return Opened(stores.open(account, key), notice, True)
    except StoreError as error:
        log("store not begun", code=error.code)
        return Opened(stores.memory(), _notice(error.code), False)


def read_account(store: Store, me: Person) -> Account:
    """Everything that the session needs from the store. Raises StoreError."""
    return Account(
        me=me,
        conversations=store.conversations(),
        outgoing=store.outgoing(),
        departments=store.departments(),
        people=store.people(),
        directory_cursor=store.meta("directory_cursor"),
        chosen=CHOSEN.get(store.meta("chosen_state"), "online"),
        status_text=store.meta("status_text"),
    )


def unsent(store: Store) -> list[Outgoing]:
    """What waits in the outbox of a store that is damaged elsewhere; nothing where that cannot be read either."""
    try:
        return store.outgoing()
    except (StoreError, msgspec.DecodeError) as error:
        log("outbox not read", why=type(error).__name__)
        return []


def _notice(code: str) -> str:
    return {
        "wrong_key": "key-lost",
        "store_damaged": "store-damaged",
        "store_newer": "store-newer",
        "disk_full": "disk-full",
    }.get(code, "store-failed")
