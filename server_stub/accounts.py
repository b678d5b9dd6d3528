"""Who may come in: passwords (argon2id, never on the event loop) and session tokens (256 bits, stored hashed)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from msgspec import Struct

from protocol.errors import ErrorCode, ProtocolError
from protocol.messages import Person
from server_stub.directory import DirectoryBook
from server_stub.storage.base import Session, Storage

MAX_WAITING_LOGINS: Final = 500
"""Log-ins that may wait for their hash; more are asked to come again."""

EXTEND_AFTER_SECONDS: Final = 3_600
"""A session that is used again is written down at most this often."""

MIN_PASSWORD_CHARACTERS: Final = 8
MAX_PASSWORD_CHARACTERS: Final = 1_000

# OWASP's password storage cheat sheet: argon2id with 19 MiB, 2 passes, 1 lane.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Admission(Struct):
    """Somebody may come in. `token` is there when the client must keep a new one."""

    person: Person
    session: Session
    token: str | None


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """An id for a person or department: 80 random bits in 16 characters of a to z and 2 to 7."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(16))


def hash_password(password: str) -> str:
    """The argon2id hash with a salt of its own. Takes tens of milliseconds."""
    return _hasher.hash(_prepared(password))


def hash_passwords(passwords: Iterable[str]) -> list[str]:
    """Many at once, on all processors: argon2 lets go of Python's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(hash_password, passwords))


def password_problem(password: str) -> str | None:
    """Why this cannot be a password, or None."""
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        return f"a password needs {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS:,} characters"
    return None


def hash_token(token: str) -> bytes:
    """How a token is stored. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


class Accounts:
    """Log-ins and sessions. `refresh` brings the directory up to date with the storage."""

    def __init__(
        self,
        storage: Storage,
        directory: DirectoryBook,
        refresh: Callable[[], Awaitable[None]],
        session_days: int,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._refresh = refresh
        self._lifetime = session_days * 86_400_000
        self._pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys_hash = hash_password(secrets.token_hex())

    async def log_in(self, login: str, password: str, device: str) -> Admission:
        """A new session. Raises ProtocolError; an unknown user takes as long as a wrong password. StorageError."""
        if self._waiting >= MAX_WAITING_LOGINS:
            raise ProtocolError(ErrorCode.SERVER_BUSY, retry_after=5)
        self._waiting += 1
        try:
            await self._refresh()
            person = self._directory.by_login(login)
            stored = await self._storage.password_hash(person.id if person else "")
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._pool, _verify, stored or self._nobodys_hash, password)
            if person is None or stored is None or not right:
                raise ProtocolError(ErrorCode.BAD_CREDENTIALS)
            person = self._enabled(person.id)
            if _hasher.check_needs_rehash(stored):
                stored = await self._rehash(person.id, stored, password)
            token = secrets.token_urlsafe(32)
            now = now_ms()
            session = Session(
                id=secrets.token_hex(8),
                user=person.id,
                token_hash=hash_token(token),
                device=device,
                created=now,
                used=now,
                expires=now + self._lifetime,
            )
            if not await self._storage.add_session(session, stored):
                raise ProtocolError(ErrorCode.BAD_CREDENTIALS)  # the password was changed in between
            return Admission(person, session, token)
        finally:
            self._waiting -= 1

    async def resume(self, token: str) -> Admission:
        """The session of this token. Raises ProtocolError and StorageError."""
        return await self._session(hash_token(token))

    async def look_again(self, admission: Admission) -> Admission:
        """The same, if it has not ended in the meantime. Raises ProtocolError and StorageError."""
        return await self._session(admission.session.token_hash)

    async def _session(self, token_hash: bytes) -> Admission:
        session = await self._storage.session(token_hash)
        now = now_ms()
        if session is None:
            raise ProtocolError(ErrorCode.SESSION_EXPIRED)
        person = self._enabled(session.user)
        if session.revoked or session.expires < now:
            raise ProtocolError(ErrorCode.SESSION_EXPIRED)
        if now - session.used > EXTEND_AFTER_SECONDS * 1_000:
            session.used, session.expires = now, now + self._lifetime
            await self._storage.extend_session(session.id, session.used, session.expires)
        return Admission(person, session, None)

    def close(self) -> None:
        """Let go of the threads; hashes that are under way are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _enabled(self, user: str) -> Person:
        person = self._directory.people.get(user)
        if person is None:
            raise ProtocolError(ErrorCode.SESSION_EXPIRED)
        if person.disabled:
            raise ProtocolError(ErrorCode.ACCOUNT_DISABLED)
        return person

    async def _rehash(self, user: str, stored: str, password: str) -> str:
        """An older version's hash is replaced by one with today's parameters."""
        fresh = await asyncio.get_running_loop().run_in_executor(self._pool, hash_password, password)
        return fresh if await self._storage.set_password(user, fresh, replaces=stored) else stored


def _prepared(password: str) -> str:
    """One form for a password that systems type differently: accents apart or not (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, _prepared(password))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
