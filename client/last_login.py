"""What the log-in page shows first: the last server, log-in name and choice to be remembered, in plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from client.errors import ClientError
from client.files import write_atomically
from client.ports import Remembered

FILE_NAME: Final = "last-login.json"


class LastLogin:
    """Implements LastLoginPort. A file that cannot be read counts as empty: it costs some typing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._values: dict[str, str] = {}
        try:
            self._values = msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._values = {}

    def recall(self, name: Remembered) -> str:
        """What was kept, or an empty text."""
        return self._values.get(name, "")

    def keep(self, name: Remembered, value: str) -> None:
        """Keep it for the next start. Raises ClientError where the profile cannot be written."""
        if self._values.get(name, "") == value:
            return
        self._values[name] = value
        try:
            write_atomically(self._path, msgspec.json.encode(self._values))
        except OSError as error:
            raise ClientError("profile_failed", f"The profile folder cannot be written: {error.strerror}.") from error
