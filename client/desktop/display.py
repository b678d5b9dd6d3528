"""Whether a window can be opened at all, asked before anything heavy is loaded."""

from __future__ import annotations

import os
import sys
from typing import Final

from client.errors import UsageError

CHROMIUM_FLAGS: Final = "QTWEBENGINE_CHROMIUM_FLAGS"
_WITHOUT_DISPLAY: Final = ("offscreen", "minimal", "vnc", "eglfs", "linuxfb")


def check_display() -> None:
    """Qt and Chromium end the process where they cannot work: say it in words before. Raises UsageError."""
    if sys.platform != "linux":
        return
    environment = os.environ
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY") and platform not in _WITHOUT_DISPLAY:
        raise UsageError(
            "no_display", "There is no display (DISPLAY and WAYLAND_DISPLAY are empty). Start it in a desktop session."
        )
    if os.geteuid() == 0 and "--no-sandbox" not in environment.get(CHROMIUM_FLAGS, ""):
        raise UsageError(
            "root",
            "It does not run as root: the browser engine's sandbox needs an ordinary user. "
            f"In a container, set {CHROMIUM_FLAGS}=--no-sandbox.",
        )
