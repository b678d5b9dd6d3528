"""Tabs of an ordinary browser in place of native windows (a WindowPort): for developers of the page."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Callable

from client.address import Address
from client.log import log


class BrowserWindows:
    """The page in a browser. `run` blocks until `quit`."""

    native = False

    def __init__(self, address: Address, *, open_browser: bool, open_link: Callable[[str], None]) -> None:
        self._address = address
        self._open_browser = open_browser
        self._open_link = open_link
        self._ended = threading.Event()

    def run(self, loaded: Callable[[], None]) -> None:
        """Print the address, open it where asked, and wait for the end of the program."""
        loaded()
        url = self._address.page("main")
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        if self._open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
        self._ended.wait()

    def quit(self) -> None:
        """End `run`."""
        self._ended.set()

    def open_conversation(self, conversation: str, title: str) -> None:
        """Nothing: the page opens a tab itself, from the click that asked for it."""
        del title
        log("conversation left to the browser", window=conversation)

    def show_main(self) -> None:
        """Open a further tab: a browser's cannot be brought to the front."""
        if self._open_browser:
            threading.Thread(
                target=webbrowser.open, args=(self._address.page("main"),), name="browser", daemon=True
            ).start()

    def set_title(self, window: str, title: str) -> None:
        """Nothing: a tab takes its title from the page."""

    def close_conversations(self) -> None:
        """Nothing: a tab shows the log-in page."""

    def open_link(self, url: str) -> None:
        """Hand a link, already checked, to the system."""
        self._open_link(url)
