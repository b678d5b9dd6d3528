"""The files that the page may read: ui/, and the user's own themes; nothing outside them, by no trick."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".ftl": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".ogg": "audio/ogg",
}
"""The kinds of file that are served, with their media types; others do not exist for the page."""

USER_THEMES: Final = "user-themes"
"""The folder under which the user's own themes appear."""


class File(NamedTuple):
    """A file as it is served."""

    data: bytes
    type: str


class StaticFiles:
    """Finds files under `ui` and, under user-themes/, in `themes`."""

    def __init__(self, ui: Path, themes: Path) -> None:
        self._ui = ui.resolve()
        self._themes = themes.resolve()

    def find(self, path: bytes) -> File | None:
        """The file at `path`, percent-encoded and relative as in the request; None where there is none to serve."""
        try:
            text = unquote_to_bytes(path).decode("utf-8")
        except UnicodeDecodeError:
            return None
        parts = text.split("/")
        if any(part in ("", ".", "..") or not part.isprintable() or set(part) & set('\\:*?"<>|') for part in parts):
            return None
        root = self._ui
        if parts[0] == USER_THEMES:
            root = self._themes
            parts = parts[1:]
        if not parts or any(part.startswith(".") for part in parts):
            return None
        content_type = TYPES.get(Path(parts[-1]).suffix)
        if content_type is None:
            return None
        try:
            # Links are followed first, so that what is compared is where the file really is.
            target = root.joinpath(*parts).resolve(strict=True)
            if not target.is_relative_to(root) or not target.is_file():
                return None
            return File(target.read_bytes(), content_type)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
            return None
