"""Secrets in the OS keyring, else in memory for this run (a VaultPort); never in a file.

keyring may block (a prompt to unlock) or hang, so it works in a thread of its own, and callers wait a bounded time.
Whatever fails there costs this run's memory of a secret, never a log-in: every secret that we keep can be made again.
"""

from __future__ import annotations

import base64
import binascii
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from client.log import log

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "oschat"
"""Under this name the keyring shows our secrets."""

ANSWER_SECONDS: Final = 60.0
"""So long a person may take for the keyring's own password."""

_PLAIN_TEXT: Final = ("keyrings.alt", "keyring.backends.fail", "keyring.backends.null")
"""Back ends that keep nothing, or keep it readable: as good as none."""

T = TypeVar("T")


class KeyringVault:
    """The secrets of one profile. Its calls may block up to ANSWER_SECONDS: never on the engine's loop.

    Each call may come from any thread. `close` frees whoever waits.
    """

    def __init__(self, profile_id: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._profile_id = profile_id
        self._answer_seconds = answer_seconds
        self._memory: dict[str, bytes] = {}
        self._persistent = False
        self._backend: KeyringBackend | None = None
        self._looked = False
        self._closed = False
        # Bounded by the callers: each waits for its answer before it asks again.
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._waiting: set[Future[Any]] = set()
        self._stuck: Future[Any] | None = None
        # A daemon: a keyring that hangs must not keep the program from ending.
        threading.Thread(target=self._work, name="vault", daemon=True).start()

    @property
    def persistent(self) -> bool:
        """Whether what is kept survives this run, as the last call found; False before the first."""
        return self._persistent

    def get(self, name: str) -> bytes | None:
        """The secret, or None. Never raises: a keyring that fails is a keyring without it."""
        if name in self._memory:
            # It could not be kept, so whatever the keyring has is older.
            return self._memory[name]
        found = self._ask("get", lambda backend: backend.get_password(SERVICE, self._user(name)))
        if found is not None:
            try:
                return base64.b64decode(found, validate=True)
            except (binascii.Error, ValueError):
                log("secret not readable", logging.WARNING, name=name)
        return None

    def set(self, name: str, secret: bytes) -> bool:
        """Keep the secret; False where it will last for this run only."""
        text = base64.b64encode(secret).decode("ascii")

        def keep(backend: KeyringBackend) -> bool:
            backend.set_password(SERVICE, self._user(name), text)
            # Some back ends take everything and keep nothing.
            return backend.get_password(SERVICE, self._user(name)) == text

        kept = self._ask("set", keep) is True
        if kept:
            self._memory.pop(name, None)
        else:
            self._persistent = False
            self._memory[name] = secret
        return kept

    def delete(self, name: str) -> None:
        """Forget the secret."""
        self._memory.pop(name, None)

        def forget(backend: KeyringBackend) -> None:
            if backend.get_password(SERVICE, self._user(name)) is not None:
                backend.delete_password(SERVICE, self._user(name))

        self._ask("delete", forget)

    def close(self) -> None:
        """Free whoever waits for the keyring; from now on only memory answers."""
        self._closed = True
        for future in list(self._waiting):
            with suppress(InvalidStateError):
                future.set_exception(TimeoutError("closed"))

    def _user(self, name: str) -> str:
        return f"{self._profile_id}:{name}"

    def _ask(self, what: str, question: Callable[[KeyringBackend], T]) -> T | None:
        """The keyring's answer; None where it has none, fails, or takes too long."""
        if self._closed or (self._stuck is not None and not self._stuck.done()):
            return None

        def work() -> T | None:
            backend = self._find()
            return None if backend is None else question(backend)

        future: Future[T | None] = Future()
        self._waiting.add(future)
        self._asked.put((work, future))
        try:
            answer = future.result(self._answer_seconds)
        except Exception as error:
            # Back ends raise what they like (D-Bus, COM, their own); the name of the class says enough for the log.
            log("keyring failed", logging.WARNING, call=what, why=type(error).__name__)
            self._persistent = False
            # While it hangs, the next calls do not wait as well.
            self._stuck = future
            return None
        finally:
            self._waiting.discard(future)
        self._persistent = self._backend is not None
        return answer

    def _work(self) -> None:
        while True:
            work, future = self._asked.get()
            with suppress(InvalidStateError):  # closed meanwhile
                try:
                    future.set_result(work())
                except Exception as error:
                    future.set_exception(error)

    def _find(self) -> KeyringBackend | None:
        """The back end to use; asked again each time while there is none, as a keyring may be started later."""
        if self._backend is None:
            import keyring  # noqa: PLC0415  # 100 ms, on this thread and not before it is needed
            from keyring.core import init_backend  # noqa: PLC0415

            if self._looked:
                init_backend()
            self._looked = True
            self._backend = _usable(keyring.get_keyring())
            log("keyring", backend=type(self._backend).__module__ if self._backend else None)
        return self._backend


def _usable(backend: KeyringBackend) -> KeyringBackend | None:
    """`backend`, or the best of a chain; None where it is none to trust with a secret."""
    chain = getattr(backend, "backends", None)
    for each in [backend] if chain is None else chain:
        if not type(each).__module__.startswith(_PLAIN_TEXT):
            return each
    return None
