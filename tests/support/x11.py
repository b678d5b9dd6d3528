"""Looks at the windows on the X display, and does to them what a person does by the window manager's frame."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

DEADLINE_SECONDS: Final = 20.0
_LOOK_EVERY_SECONDS: Final = 0.02

_CLIENT_MESSAGE: Final = 33
_VIEWABLE: Final = 2
_ANY: Final = 0
_TEXT_WORDS: Final = 1_024
_TINY: Final = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A window with a title, as it stands on the root window."""

    id: int
    title: str
    x: int
    y: int
    width: int
    height: int
    visible: bool


class _Attributes(ctypes.Structure):
    """XWindowAttributes (Xlib.h)."""

    _fields_ = [
        *[(name, ctypes.c_int) for name in ("x", "y", "width", "height", "border", "depth")],
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *[(name, ctypes.c_int) for name in ("kind", "bit_gravity", "win_gravity", "backing_store")],
        *[(name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")],
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        *[(name, ctypes.c_int) for name in ("map_installed", "map_state")],
        *[(name, ctypes.c_long) for name in ("all_events", "your_events", "no_propagate")],
        ("override", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    ]


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent (Xlib.h), with the padding of XEvent."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("pad", ctypes.c_long * 24),
    ]


class Screen:
    """The X display of the tests."""

    def __init__(self) -> None:
        self._x = x = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        x.XDefaultRootWindow.restype = ctypes.c_ulong
        x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        x.XInternAtom.restype = ctypes.c_ulong
        self._ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
        x.XSetErrorHandler(self._ignore)  # a window may go while we look at it
        self._display = ctypes.c_void_p(x.XOpenDisplay(os.environ["DISPLAY"].encode()))
        assert self._display, "no X display"
        self._root = int(x.XDefaultRootWindow(self._display))

    def close(self) -> None:
        """End the connection."""
        self._x.XCloseDisplay(self._display)

    def windows(self) -> list[Shown]:
        """Every window with a title that a person could see, the lowest first."""
        found = [shown for window in self._below(self._root) if (shown := self._look(window)) is not None]
        # Toolkits keep tiny ones for their own talk.
        return [shown for shown in found if shown.width > _TINY and shown.height > _TINY]

    def wait(self, wanted: Callable[[list[Shown]], bool]) -> list[Shown]:
        """Look until the windows are as wanted; X has no single event for that."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not wanted(windows := self.windows()):
            assert time.monotonic() < deadline, f"the windows stay as they are: {windows}"
            time.sleep(_LOOK_EVERY_SECONDS)
        return windows

    def window(self, title: str) -> Shown:
        """The visible window with this title, as soon as it is there."""
        windows = self.wait(lambda windows: any(each.title == title and each.visible for each in windows))
        return next(each for each in windows if each.title == title and each.visible)

    def place(self, window: Shown, *, x: int, y: int, width: int, height: int) -> None:
        """Move and resize."""
        self._x.XMoveResizeWindow(self._display, ctypes.c_ulong(window.id), x, y, width, height)
        self._x.XFlush(self._display)

    def minimize(self, window: Shown) -> None:
        """As by the window manager's button."""
        self._x.XIconifyWindow(self._display, ctypes.c_ulong(window.id), 0)
        self._x.XFlush(self._display)

    def close_window(self, window: Shown) -> None:
        """As by the window manager's button: the program is asked."""
        message = _ClientMessage(
            type=_CLIENT_MESSAGE, window=window.id, message_type=self._atom("WM_PROTOCOLS"), format=32
        )
        message.data[0] = self._atom("WM_DELETE_WINDOW")
        self._x.XSendEvent(self._display, ctypes.c_ulong(window.id), 0, ctypes.c_long(0), ctypes.byref(message))
        self._x.XFlush(self._display)

    def _below(self, window: int) -> Iterator[int]:
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        if not self._x.XQueryTree(
            self._display,
            ctypes.c_ulong(window),
            ctypes.byref(root),
            ctypes.byref(parent),
            ctypes.byref(children),
            ctypes.byref(count),
        ):
            return
        found = [children[index] for index in range(count.value)]
        if children:
            self._x.XFree(children)
        for child in found:
            yield child
            yield from self._below(child)

    def _look(self, window: int) -> Shown | None:
        title = self._title(window)
        attributes = _Attributes()
        if not title or not self._x.XGetWindowAttributes(
            self._display, ctypes.c_ulong(window), ctypes.byref(attributes)
        ):
            return None
        x, y, child = ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        self._x.XTranslateCoordinates(
            self._display,
            ctypes.c_ulong(window),
            ctypes.c_ulong(self._root),
            0,
            0,
            ctypes.byref(x),
            ctypes.byref(y),
            ctypes.byref(child),
        )
        return Shown(
            window, title, x.value, y.value, attributes.width, attributes.height, attributes.map_state == _VIEWABLE
        )

    def _title(self, window: int) -> str:
        kind, form, count, rest = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_ulong(), ctypes.c_ulong()
        data = ctypes.POINTER(ctypes.c_ubyte)()
        failed = self._x.XGetWindowProperty(
            self._display,
            ctypes.c_ulong(window),
            ctypes.c_ulong(self._atom("_NET_WM_NAME")),
            ctypes.c_long(0),
            ctypes.c_long(_TEXT_WORDS),
            0,
            ctypes.c_ulong(_ANY),
            ctypes.byref(kind),
            ctypes.byref(form),
            ctypes.byref(count),
            ctypes.byref(rest),
            ctypes.byref(data),
        )
        if failed or not data:
            return ""
        text = bytes(data[index] for index in range(count.value)).decode("utf-8", "replace")
        self._x.XFree(data)
        return text

    def _atom(self, name: str) -> int:
        return int(self._x.XInternAtom(self._display, name.encode(), 0))


@contextmanager
def window_manager() -> Iterator[None]:
    """Openbox, which gives windows frames, focus and an order, as a desktop does."""
    process = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
