"""The windows: the main one and one for each open conversation (a WindowPort), in pywebview or in a browser.

The engine's thread only posts jobs; a thread of this module performs them in order, because pywebview's calls wait
for its GUI thread. The main thread is pywebview's. Closing the main window ends the program.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from client.address import Address
from client.log import log, log_failure
from client.placement import MIN_SIZE, Area, Placement, Placements, clamp

if TYPE_CHECKING:
    import webview

MAX_JOBS: Final = 1_000
"""Jobs that wait for the GUI. When it hangs and they are full, further ones are dropped and logged."""

TITLE: Final = "Oschat"
_SHOWN_SECONDS: Final = 20
_MAX_TITLE: Final = 300


class Host(Protocol):
    """What a desktop offers beyond pywebview: client/desktop/qt.py, client/desktop/plain.py."""

    @property
    def gui(self) -> Literal["qt", "edgechromium", "cocoa"]:
        """Which of pywebview's backends."""

    def screens(self) -> Sequence[Area]:
        """The usable part of each screen, the primary one first."""

    def origin(self) -> tuple[int, int]:
        """What pywebview adds to a window's x and y."""

    def watch(self, window: Any, moved: Callable[[Placement], None]) -> None:
        """Tell where a window comes to stand."""

    def bring_to_front(self, window: Any) -> None:
        """Show, un-minimize, raise and activate."""

    def dispose(self, window: Any) -> None:
        """Destroy what is left of a closed window."""


class NativeWindows:
    """Native windows. `run` blocks the main thread until the main window is closed."""

    native = True

    def __init__(
        self,
        address: Address,
        placements: Placements,
        *,
        make_host: Callable[[], Host],
        open_link: Callable[[str], None],
    ) -> None:
        self._address = address
        self._placements = placements
        self._make_host = make_host
        self._open_link = open_link
        self._windows: dict[str, webview.Window] = {}
        self._host: Host | None = None
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(MAX_JOBS)
        self._closing = False

    # ------------------------------------------------------------ the main thread

    def run(self, loaded: Callable[[], None]) -> None:
        """Open the main window and serve until it is closed. Raises UsageError where no window can be opened.

        `loaded` is called when the window is made and Chromium's processes start.
        """
        host = self._make_host()
        import webview  # noqa: PLC0415  # the slowest import of all: after the engine's thread has begun

        self._host = host
        main = self._create("main", TITLE)
        main.events.before_show += loaded
        worker = threading.Thread(target=self._work, args=(main,), name="windows", daemon=True)
        worker.start()
        webview.start(gui=host.gui, private_mode=True, debug=False)
        self._closing = True
        self._post(None)
        log("windows closed")

    # ------------------------------------------------------------ from any thread

    def open_conversation(self, conversation: str, title: str) -> None:
        """Open the conversation's window, or bring it to the front."""
        self._post(lambda: self._open(conversation, title))

    def show_main(self) -> None:
        """Bring the main window to the front."""
        self._post(lambda: self._front("main"))

    def set_title(self, window: str, title: str) -> None:
        """`window` is "main" or a conversation's id."""
        self._post(lambda: self._set_title(window, title))

    def close_conversations(self) -> None:
        """After logging out."""
        self._post(self._close_conversations)

    def open_link(self, url: str) -> None:
        """Hand a link, already checked, to the system (which checks it again)."""
        self._open_link(url)

    def quit(self) -> None:
        """Close every window, which ends `run`."""
        self._closing = True
        self._post(self._close_all)

    def _post(self, job: Callable[[], None] | None) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            log("window job dropped")

    # ------------------------------------------------------------ the windows' thread

    def _work(self, main: webview.Window) -> None:
        if not main.events.shown.wait(_SHOWN_SECONDS):
            log("main window not shown")
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                # One window's trouble must not end the others.
                log_failure("window job failed")

    def _create(self, window: str, title: str) -> webview.Window:
        import webview  # noqa: PLC0415  # see run

        assert self._host is not None
        place = clamp(self._placements.get(window), self._host.screens())
        left, top = self._host.origin()
        created = webview.create_window(
            title,
            url=self._address.page(window),
            width=place.width,
            height=place.height,
            x=None if place.x is None else place.x - left,
            y=None if place.y is None else place.y - top,
            maximized=place.maximized,
            min_size=MIN_SIZE,
            text_select=True,
            zoomable=True,
            background_color="#FFFFFF",
        )
        assert created is not None
        self._windows[window] = created
        created.events.shown += lambda: log("window shown", window=window)
        created.events.closed += lambda: self._post(lambda: self._closed(window, created))
        self._host.watch(created, lambda placement: self._post(lambda: self._placed(window, placement)))
        return created

    def _placed(self, window: str, placement: Placement) -> None:
        self._placements.remember(window, placement)
        log("window placed", window=window, width=placement.width, height=placement.height)

    def _closed(self, window: str, closed: webview.Window) -> None:
        log("window closed", window=window)
        if window == "main":
            # It is kept: the GUI thread ends with it, and the process before anything else can destroy it.
            self._close_all()
            return
        if self._windows.get(window) is closed:
            del self._windows[window]
        if self._host is not None:
            self._host.dispose(closed)

    def _open(self, conversation: str, title: str) -> None:
        known = self._windows.get(conversation)
        if self._closing:
            return
        if known is None or known.events.closed.is_set():
            self._create(conversation, title[:_MAX_TITLE])
        else:
            self._front(conversation)

    def _front(self, window: str) -> None:
        known = self._windows.get(window)
        if known is not None and self._host is not None:
            self._host.bring_to_front(known)
            log("window in front", window=window)

    def _set_title(self, window: str, title: str) -> None:
        known = self._windows.get(window)
        if known is not None and not known.events.closed.is_set():
            known.set_title(title[:_MAX_TITLE])

    def _close_conversations(self) -> None:
        for name, window in list(self._windows.items()):
            if name != "main":
                window.destroy()

    def _close_all(self) -> None:
        self._closing = True
        self._close_conversations()
        main = self._windows.get("main")
        if main is not None and not main.events.closed.is_set():
            main.destroy()
