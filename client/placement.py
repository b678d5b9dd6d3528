"""Where windows stand: remembered in the profile, and moved back onto a screen that exists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from client.files import write_atomically
from client.log import log

FILE_NAME: Final = "windows.json"
MAX_REMEMBERED: Final = 200
"""Conversations whose places are kept; the one that was placed longest ago is forgotten first."""

MAIN_SIZE: Final = (360, 720)
CONVERSATION_SIZE: Final = (560, 640)
MIN_SIZE: Final = (280, 320)
_VISIBLE: Final = 80
"""So many pixels of a window must be on a screen, with its top edge, so that it can be caught with the mouse."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """A window's frame on the desktop, in device-independent pixels; without x and y, the system places it."""

    width: int
    height: int
    x: int | None = None
    y: int | None = None
    maximized: bool = False


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a screen that windows may use."""

    x: int
    y: int
    width: int
    height: int


def clamp(placement: Placement, areas: Sequence[Area]) -> Placement:
    """The placement, made to fit a screen; where it lies on none, its size alone."""
    width = max(placement.width, MIN_SIZE[0])
    height = max(placement.height, MIN_SIZE[1])
    x, y = placement.x, placement.y
    home = next((area for area in areas if x is not None and y is not None and _caught(x, y, width, area)), None)
    fit = home or (areas[0] if areas else None)
    if fit is not None:
        width = min(width, max(fit.width, MIN_SIZE[0]))
        height = min(height, max(fit.height, MIN_SIZE[1]))
    if home is None:
        x = y = None
    return Placement(width=width, height=height, x=x, y=y, maximized=placement.maximized)


def _caught(x: int, y: int, width: int, area: Area) -> bool:
    """Whether enough of the top edge is in `area`."""
    shown = min(x + width, area.x + area.width) - max(x, area.x)
    return shown >= _VISIBLE and area.y - 1 <= y <= area.y + area.height - _VISIBLE


class Placements:
    """The remembered placements of a profile, by window. Owned by the windows' thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._known: dict[str, Placement] = {}
        try:
            self._known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Placement])
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            log("placements not read", why=str(error))

    def get(self, window: str) -> Placement:
        """Where `window` was, or how a new one begins."""
        width, height = MAIN_SIZE if window == "main" else CONVERSATION_SIZE
        return self._known.get(window, Placement(width=width, height=height))

    def remember(self, window: str, placement: Placement) -> None:
        """Keep it for the next time; a disk that does not take it costs only the memory of a place."""
        if self._known.get(window) == placement:
            return
        self._known.pop(window, None)
        self._known[window] = placement
        while len(self._known) > MAX_REMEMBERED:
            self._known.pop(next(name for name in self._known if name != "main"))
        try:
            write_atomically(self._path, msgspec.json.encode(self._known))
        except OSError as error:
            log("placements not saved", why=error.strerror)
