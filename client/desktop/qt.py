"""The window host on Linux: how pywebview's Qt backend is reached, and made safe, all in this module and qt_page."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMainWindow

from client.desktop.display import CHROMIUM_FLAGS
from client.desktop.guard import Guard
from client.desktop.qt_page import GuardedPage, GuardedRequests, View
from client.log import log, tell
from client.placement import Area, Placement

_SAVE_AFTER_MS: Final = 400
"""A window that has not moved for this long is where the person wants it."""

_GUI_SECONDS: Final = 5


def keep_singletons() -> None:
    """Make None, True and False outlast PySide6 on Python 3.11. Call it once, before Qt is used.

    The wheels of PySide6 6.12 count on Python 3.12's immortal objects (PEP 683): each call that returns one of these,
    and each signal, gives up a reference that nobody took. After some thousand titles of windows the last one was
    gone, and Python aborted.
    """
    if sys.version_info < (3, 12):
        for singleton in (None, True, False, NotImplemented, ...):
            # The count is the first field of every object, except in builds for debugging Python itself.
            ctypes.c_ssize_t.from_address(id(singleton)).value += 1 << 40


class QtHost:
    """Windows of pywebview's Qt backend. Created on the main thread, before any window."""

    gui: Final = "qt"

    def __init__(self, guard: Guard, *, debugging_port: int | None) -> None:
        keep_singletons()
        given = os.environ.get(CHROMIUM_FLAGS)
        # Otherwise qtpy tries the other bindings first.
        os.environ["QT_API"] = "pyside6"
        if not os.environ.get("QT_QPA_PLATFORM") and not os.environ.get("WAYLAND_DISPLAY"):
            # Otherwise, where X cannot be reached, Qt tries Wayland, which complains on stderr by itself.
            os.environ["QT_QPA_PLATFORM"] = "xcb"
        from webview.platforms import qt  # noqa: PLC0415  # it reads the variable above

        backend: Any = qt
        # On some distributions this import has just switched Chromium's sandbox off: our flags alone count.
        flags = [given] if given else []
        if debugging_port is not None:
            flags.append(f"--remote-debugging-port={debugging_port}")
        os.environ[CHROMIUM_FLAGS] = " ".join(flags)
        backend.environ_append = _ignore_flags
        backend.js_bridge_call = _refuse_bridge_call
        self._views: dict[str, QMainWindow] = backend.BrowserView.instances
        backend.BrowserView.WebPage = partial(GuardedPage, guard)
        backend.BrowserView.WebView = partial(View, guard)
        backend.BrowserView.RequestInterceptor = partial(GuardedRequests, guard)
        backend.BrowserView.on_load_finished = _no_bridge
        self._app = _application()
        self._runner = _Runner()
        self._watchers: dict[str, _Watcher] = {}
        self._pages: dict[str, QObject] = {}

    def screens(self) -> Sequence[Area]:
        """The usable part of each screen, the primary one first. Waits for the GUI thread where it is another."""
        found: list[Area] = []
        done = threading.Event()

        def read() -> None:
            primary = self._app.primaryScreen()
            for screen in sorted(self._app.screens(), key=lambda screen: screen is not primary):
                area = screen.availableGeometry()
                found.append(Area(x=area.x(), y=area.y(), width=area.width(), height=area.height()))
            done.set()

        if threading.current_thread() is threading.main_thread():
            read()
        else:
            self._runner.call.emit(read)
            done.wait(_GUI_SECONDS)
        return found

    def origin(self) -> tuple[int, int]:
        """What pywebview adds to a window's x and y: the corner of the primary screen."""
        area = self._app.primaryScreen().geometry()
        return area.x(), area.y()

    def watch(self, window: Any, moved: Callable[[Placement], None]) -> None:
        """Tell where `window` (not shown yet) stands, whenever it has come to rest and when it closes."""

        def begin() -> None:
            self._watchers[window.uid] = _Watcher(window.native, moved)
            self._pages[window.uid] = window.native.webview.page()

        def end() -> None:
            watcher = self._watchers.pop(window.uid, None)
            if watcher is not None:
                watcher.tell()

        # Both of these events are handled on the GUI thread.
        window.events.before_show += begin
        window.events.closing += end

    def bring_to_front(self, window: Any) -> None:
        """Show, un-minimize, raise and activate, soon."""

        def front() -> None:
            view = self._views.get(window.uid)
            if view is None:
                return
            view.setWindowState((view.windowState() & ~Qt.WindowState.WindowMinimized) | Qt.WindowState.WindowActive)
            view.show()
            view.raise_()
            view.activateWindow()

        self._runner.call.emit(front)

    def dispose(self, window: Any) -> None:
        """Destroy what is left of a closed window, soon and on the GUI thread.

        Otherwise Python's collector would, whenever and on whichever thread it runs, and Chromium would abort.
        """
        view = window.native

        def destroy() -> None:
            # The page (a view asked for it would make a new one) before its profile; children go with their parent.
            for owned in (
                self._pages.pop(window.uid, None),
                view,
                view.profile,
                view.request_interceptor,
                view.js_bridge,
            ):
                if owned is not None and shiboken6.isValid(owned):
                    shiboken6.delete(owned)

        self._runner.call.emit(destroy)


class _Runner(QObject):
    """Lives on the GUI thread and runs there what is emitted."""

    call = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.call.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def _run(self, function: Callable[[], None]) -> None:
        function()


class _Watcher(QObject):
    """Follows where a window stands."""

    def __init__(self, view: QMainWindow, moved: Callable[[Placement], None]) -> None:
        super().__init__(view)
        self._view = view
        self._moved = moved
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_AFTER_MS)
        self._timer.timeout.connect(self.tell)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait until it rests (Qt's name)."""
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.WindowStateChange):
            self._timer.start()
        return False

    def tell(self) -> None:
        """Tell where it is now."""
        self._timer.stop()
        view = self._view
        if view.isMinimized() or not view.isVisible():
            return
        if view.isMaximized():
            place = view.normalGeometry()
            self._moved(Placement(x=place.x(), y=place.y(), width=place.width(), height=place.height(), maximized=True))
        else:
            self._moved(Placement(x=view.x(), y=view.y(), width=view.width(), height=view.height()))


def _application() -> QApplication:
    """The QApplication; where Qt cannot open one it would abort: end with one line instead."""

    def message(kind: QtMsgType, context: object, text: str) -> None:
        if kind == QtMsgType.QtFatalMsg:
            log("qt cannot go on", why=text)
            display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""
            tell(
                f"No window can be opened on the display {display!r}. Check that the desktop session is there and that "
                "the libraries which the README names are installed; client.log in the profile says what Qt lacks."
            )
            logging.shutdown()
            os._exit(1)
        log("qt", kind=kind.name, text=text[:500])

    qInstallMessageHandler(message)
    app = QApplication.instance() or QApplication(["oschat"])
    assert isinstance(app, QApplication)
    app.setApplicationName("Oschat")
    app.setDesktopFileName("oschat")
    return app


def _no_bridge(view: Any) -> None:
    """In place of the injection of pywebview's scripts; whoever waits for the page is told."""
    view.pywebview_window.events.before_load.set()
    view.pywebview_window.events.loaded.set()


def _ignore_flags(key: str, *values: str) -> None:
    """In place of pywebview's: it would grant every request for camera and microphone without asking."""
    log("flags of pywebview ignored", key=key, values=" ".join(values))


def _refuse_bridge_call(window: object, function: str, parameter: object, value_id: str) -> None:
    """In place of pywebview's bridge, which would call any attribute that the page names."""
    log("pywebview bridge call refused", function=str(function)[:100])
