"""Watches the page's files and has the pages reload when one is saved (development only)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from client.log import log

LOOK_EVERY_SECONDS: Final = 0.3

_IGNORED: Final = ("node_modules",)


async def watch(folder: Path, changed: Callable[[], None]) -> None:
    """Call `changed` whenever a file under `folder` was saved, added or removed, until cancelled."""
    known = await asyncio.to_thread(_times, folder)
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        now = await asyncio.to_thread(_times, folder)
        if now != known:
            known = now
            log("page files changed")
            changed()


def _times(folder: Path) -> dict[str, int]:
    """When each file was saved."""
    times: dict[str, int] = {}
    for path in folder.rglob("*"):
        if any(part in _IGNORED or part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            if path.is_file():
                times[str(path)] = path.stat().st_mtime_ns
        except OSError:
            # Saved by renaming: it is there again at the next look.
            continue
    return times
