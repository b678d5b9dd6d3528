"""One running program for each profile: a second start brings the first to the front.

The lock is the operating system's, on an open file: it ends with the process that holds it, also by kill -9. Beside
it lies instance.json, for its owner alone, with the address at which the holder listens for a knock.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import msgspec

from client.errors import UsageError
from client.files import write_atomically

LOCK_NAME: Final = "lock"
FILE_NAME: Final = "instance.json"
KNOCK_SECONDS: Final = 5.0
"""So long the first start may take from its lock to its answer."""

_RETRY_SECONDS: Final = 0.05


class _Instance(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    show_url: str


class Instance:
    """The claim of this process on a profile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: IO[bytes] | None = None

    def claim(self) -> bool:
        """Take the profile; False where another process has it. Raises UsageError where it cannot be locked."""
        path = self._folder / LOCK_NAME
        try:
            # Appending: a second start must not change the file before it holds the lock.
            lock = path.open("ab")
        except OSError as error:
            raise UsageError("bad_profile", f"{path} cannot be opened: {error.strerror}.") from error
        try:
            _lock(lock)
        except BlockingIOError:
            lock.close()
            return False
        except OSError as error:
            lock.close()
            raise UsageError(
                "bad_profile", f"{path} cannot be locked: {error.strerror}. Keep the profile on a local disk."
            ) from error
        self._lock = lock
        return True

    def announce(self, show_url: str) -> None:
        """Tell later starts where to knock. Raises UsageError."""
        try:
            data = msgspec.json.encode(_Instance(pid=os.getpid(), show_url=show_url))
            write_atomically(self._folder / FILE_NAME, data)
        except OSError as error:
            raise UsageError(
                "bad_profile", f"The profile folder {self._folder} cannot be written: {error.strerror}."
            ) from error

    def release(self) -> None:
        """Give the profile back."""
        if self._lock is not None:
            (self._folder / FILE_NAME).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def knock(self) -> bool:
        """Ask the process that has the profile to show its window; False where it does not answer in time."""
        deadline = time.monotonic() + KNOCK_SECONDS
        while time.monotonic() < deadline:
            if self._knock_once():
                return True
            # The first start may hold the lock and not yet have announced itself; there is no event to wait for.
            time.sleep(_RETRY_SECONDS)
        return False

    def _knock_once(self) -> bool:
        try:
            known = msgspec.json.decode((self._folder / FILE_NAME).read_bytes(), type=_Instance)
            address = urlsplit(known.show_url)
            if address.hostname != "127.0.0.1" or address.port is None:
                return False
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=2)
            try:
                connection.request("GET", address.path)
                return connection.getresponse().status == http.client.OK
            finally:
                connection.close()
        except (OSError, ValueError, http.client.HTTPException, msgspec.DecodeError):
            return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        """Lock or raise BlockingIOError."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        """Lock or raise BlockingIOError."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
