"""The window host where pywebview has no Qt: WebView2 on Windows, WKWebView on macOS. Not tried on either yet."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import webview

from client.desktop.guard import Guard
from client.log import log
from client.placement import Area, Placement


class PlainHost:
    """pywebview as it is, its bridge refused. It has no hook for navigation: the page's policy stands alone."""

    gui: Final = "edgechromium" if sys.platform == "win32" else "cocoa"

    def __init__(self, guard: Guard, *, debugging_port: int | None) -> None:
        del guard  # pywebview has no hook for it here
        names = ["winforms", "edgechromium"] if sys.platform == "win32" else ["cocoa"]
        for name in names:
            module = importlib.import_module(f"webview.platforms.{name}")
            if hasattr(module, "js_bridge_call"):
                module.js_bridge_call = _refuse_bridge_call  # type: ignore[attr-defined]  # it is theirs
        webview.settings["ALLOW_DOWNLOADS"] = False
        webview.settings["REMOTE_DEBUGGING_PORT"] = debugging_port

    def screens(self) -> Sequence[Area]:
        """Each screen, the primary one first."""
        return [Area(x=each.x, y=each.y, width=each.width, height=each.height) for each in webview.screens]

    def origin(self) -> tuple[int, int]:
        """What pywebview adds to a window's x and y."""
        return 0, 0

    def watch(self, window: Any, moved: Callable[[Placement], None]) -> None:
        """Tell where `window` stands when it closes."""

        def closing() -> None:
            # GUI calls from this handler deadlock (pywebview#1699): ask from another thread.
            threading.Thread(target=tell, name="placement", daemon=True).start()

        def tell() -> None:
            width, height = window.gui.get_size(window.uid)
            x, y = window.gui.get_position(window.uid)
            if None not in (x, y, width, height):
                moved(Placement(x=x, y=y, width=width, height=height))

        window.events.closing += closing

    def bring_to_front(self, window: Any) -> None:
        """Show, un-minimize and raise."""
        window.restore()
        window.show()
        # There is no call to raise a window: on top for a moment does it.
        window.on_top = True
        window.on_top = False

    def dispose(self, window: Any) -> None:
        """Nothing is left of a closed window."""


def _refuse_bridge_call(window: object, function: str, parameter: object, value_id: str) -> None:
    """In place of pywebview's bridge, which would call any attribute that the page names."""
    del window, parameter, value_id
    log("pywebview bridge call refused", function=str(function)[:100])
