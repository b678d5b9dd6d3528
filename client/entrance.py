"""Who is logged in here: the account's name, its open store and its token; what is remembered for the next start.

Belongs to the engine's loop. Questions to the vault run in a thread, because a keyring may prompt.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import msgspec

from client.account import Opened, StoresPort, account_name, open_account, read_account, unsent
from client.errors import ClientError, StoreError
from client.log import log
from client.ports import LastLoginPort, VaultPort
from client.server_address import server_url
from client.session.effects import SaveOutgoing
from client.session.session import Account
from client.store import Store
from protocol.messages import Person

UNREADABLE: Final = (StoreError, msgspec.DecodeError)
"""The file, or a record in it that an earlier version wrote otherwise."""


class Entrance:
    """`server`, where given, cannot be edited by the person; `user` is what the log-in page shows first."""

    def __init__(
        self, vault: VaultPort, stores: StoresPort, last_login: LastLoginPort, *, server: str, user: str
    ) -> None:
        self._vault = vault
        self._stores = stores
        self._last_login = last_login
        self.server_locked = bool(server)
        self.server = server or last_login.recall("server")
        self.login = user or last_login.recall("login")
        self.remember = last_login.recall("remember") == "yes"
        self.remember_possible = False
        self.notice = ""
        self.url = ""
        self._account = ""
        self._opened: Opened | None = None

    @property
    def store(self) -> Store:
        """The open store. Raises ClientError where nobody is logged in."""
        if self._opened is None:
            raise ClientError("not_logged_in", "Log in first.")
        return self._opened.store

    @property
    def is_open(self) -> bool:
        """Whether there is an open store."""
        return self._opened is not None

    # ------------------------------------------------------------ the start

    async def recall(self) -> tuple[str | None, Account | None]:
        """The token of the last log-in, if it was remembered; and the account, where its store could be read."""
        try:
            self.url = server_url(self.server) if self.server else ""
        except ClientError:
            self.url = ""  # the log-in page shows the address, and says what is wrong when it is used
        self._account = account_name(self.url, self.login)
        token = await asyncio.to_thread(self._vault.get, f"token:{self._account}")
        self.remember_possible = self._vault.persistent  # known after a first question
        if token is None or not self.url or not self.login:
            return None, None
        self.remember = True
        self._opened = await open_account(self._stores, self._vault, self._account)
        self.notice = self._opened.notice
        try:
            me = self._opened.store.meta("me")
            account = read_account(self._opened.store, msgspec.json.decode(me, type=Person)) if me else None
        except UNREADABLE as error:
            await self._anew(self._opened, error)
            account = None
        # Whatever else the keyring may hold under this name is no token to the server, which says so.
        return token.decode("ascii", "replace"), account

    # ------------------------------------------------------------ logging in and out

    def approach(self, server: str, user: str, remember: bool) -> None:
        """A person tries to log in. Raises ClientError (bad_address)."""
        server = self.server if self.server_locked else server.strip()
        self.url = server_url(server)
        self.server, self.login, self.remember, self.notice = server, user.strip(), remember, ""

    async def enter(self, user: Person) -> Account:
        """The server accepted the log-in as `user`: open the account's store, unless it is open already."""
        account = account_name(self.url, user.login)
        opened = self._opened
        if opened is None or account != self._account:
            self.close()
            opened = await open_account(self._stores, self._vault, account)
        self._account, self._opened = account, opened
        try:
            opened = self._opened = await self._for_person(opened, user)
            self.notice = opened.notice
            loaded = read_account(opened.store, user)
        except UNREADABLE as error:
            opened = await self._anew(opened, error)
            loaded = read_account(opened.store, user)
        self.login = user.login
        return loaded

    async def _for_person(self, opened: Opened, user: Person) -> Opened:
        """A server that was set up anew has other people under the same names: their history is not shown as this."""
        me = opened.store.meta("me")
        if not me or msgspec.json.decode(me, type=Person).id == user.id:
            return opened
        opened.store.close()
        self._stores.set_aside(self._account)
        return replace(await open_account(self._stores, self._vault, self._account), notice="other-server")

    async def _anew(self, opened: Opened, error: StoreError | msgspec.DecodeError) -> Opened:
        """A damaged store is set aside; what waits in its outbox comes along. One that only fails now is left alone."""
        log("store not read", code=error.code if isinstance(error, StoreError) else type(error).__name__)
        damaged = isinstance(error, msgspec.DecodeError) or error.code == "store_damaged"
        waiting = [SaveOutgoing(message) for message in unsent(opened.store)]
        opened.store.close()
        fresh = Opened(self._stores.memory(), "store-failed", False)
        if damaged and opened.persistent:
            try:
                self._stores.set_aside(self._account)
                fresh = replace(await open_account(self._stores, self._vault, self._account), notice="store-damaged")
            except StoreError as failure:
                log("store not set aside", code=failure.code)
        try:
            fresh.store.write(waiting, durable=True)
        except StoreError as failure:
            log("outbox not carried over", code=failure.code)
        self._opened, self.notice = fresh, fresh.notice
        return fresh

    async def keep(self, token: str | None) -> None:
        """What the next start needs; the token in the keyring only where the person wants to be remembered."""
        name = f"token:{self._account}"
        if not self.remember:
            await asyncio.to_thread(self._vault.delete, name)
        elif token is not None:
            await asyncio.to_thread(self._vault.set, name, token.encode())
        self.remember_possible = self._vault.persistent
        try:
            self._last_login.keep("server", self.server)
            self._last_login.keep("login", self.login)
            self._last_login.keep("remember", "yes" if self.remember else "")
        except ClientError as error:
            log("last log-in not kept", code=error.code)
            self.notice = "profile-failed"

    async def forget_token(self) -> None:
        """It is of no more use. The store's key stays: what is unsent is in there."""
        await asyncio.to_thread(self._vault.delete, f"token:{self._account}")

    def close(self) -> None:
        """Close the store. Its file stays."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.store.close()
