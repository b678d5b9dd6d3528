"""What can go wrong in the server, apart from what the wire tells clients (protocol/errors.py).

ServerError             anything that a person who runs the server is told, in one line or a few
  ├─ ConfigError        a line of the configuration is wrong
  ├─ StartError         the server cannot start: port taken, data directory, TLS files
  ├─ AccountError       a user command cannot be done: no such user, the name is taken
  ├─ ImportRefused      an organisation file has wrong rows; nothing was imported
  └─ StorageError       the storage could not do it; nothing of the request was kept
       ├─ StorageBusy   too much is waiting to be written
       └─ DatabaseTooNew  a newer version of the program wrote this database
"""

from __future__ import annotations

from collections.abc import Sequence


class ServerError(Exception):
    """A failure with a text for the person who runs the server."""


class ConfigError(ServerError):
    """A setting is unknown or has a value that is not allowed."""


class StartError(ServerError):
    """The server cannot start as it was told to."""


class AccountError(ServerError):
    """A command about a user cannot be done."""


class ImportRefused(ServerError):
    """An organisation file has wrong rows. `problems` names each with its line and reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join([*problems, f"{len(problems)} wrong; nothing was imported."]))
        self.problems = list(problems)


class StorageError(ServerError):
    """The storage could not do what was asked, and has kept nothing of it."""


class StorageBusy(StorageError):
    """Too much is waiting to be written; the same request can succeed in a moment."""


class DatabaseTooNew(StorageError):
    """The database was written by a newer version of this program."""
