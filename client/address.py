"""The page's address: a loopback socket and two secrets, made before anything else is loaded."""

from __future__ import annotations

import secrets
import socket as sockets
from urllib.parse import quote


class Address:
    """A bound, listening socket on 127.0.0.1, and what the addresses behind it are. Raises OSError."""

    def __init__(self, port: int = 0) -> None:
        # A port that was just left by another run can be taken again at once on POSIX; on Windows the option would
        # let another program share the port.
        self.socket = sockets.create_server(("127.0.0.1", port), backlog=64)
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.token = secrets.token_urlsafe(32)
        """Opens the page and the bridge; it leaves this process only in the addresses of our own windows."""
        self.knock = secrets.token_urlsafe(32)
        """Brings the main window to the front, nothing else; kept in the profile for a second start."""

    @property
    def host(self) -> str:
        """What the Host header must say."""
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        """The page's origin (RFC 6454)."""
        return f"http://{self.host}"

    @property
    def prefix(self) -> str:
        """What every address of the page begins with."""
        return f"{self.origin}/{self.token}/"

    @property
    def show_url(self) -> str:
        """Where a second start knocks."""
        return f"{self.origin}/{self.knock}/show"

    def page(self, window: str) -> str:
        """The address of the page of `window`: "main" or a conversation's id."""
        return f"{self.prefix}index.html?window={quote(window, safe='')}"
