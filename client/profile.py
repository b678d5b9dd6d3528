"""The profile: a folder that holds one person's data on this machine, and an id by which the keyring knows it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from client.errors import UsageError
from client.files import write_atomically

FILE_NAME: Final = "profile.json"


class _Profile(msgspec.Struct, frozen=True, kw_only=True):
    id: str


def open_profile(folder: Path) -> str:
    """Create the folder for its owner alone where it is missing, and give the profile's id. Raises UsageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
        path = folder / FILE_NAME
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Profile).id
        except (FileNotFoundError, msgspec.DecodeError):
            # A new id costs a log-in, no more: the keyring's entries of the old one are not found any longer.
            profile = _Profile(id=secrets.token_hex(8))
            write_atomically(path, msgspec.json.encode(profile))
            return profile.id
    except OSError as error:
        raise UsageError(
            "bad_profile",
            f"The profile folder {folder} cannot be used: {error.strerror}. Give another with --profile.",
        ) from error
