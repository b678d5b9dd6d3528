"""What the engine needs from the I/O around it, as interfaces; app.py plugs in the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from msgspec import Struct

from client.bridge_api import BridgeEvent, Call, SettingsView
from client.errors import LinkError

# ---------------------------------------------------------------- link: inputs that the connection thread posts


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """The WebSocket of attempt `attempt` is open."""

    attempt: int


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """Attempt `attempt` failed or its socket closed. `code` is the WebSocket close code, 0 where there was none."""

    attempt: int
    code: int
    error: LinkError | None


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """One text frame."""

    attempt: int
    data: bytes


LinkInput = LinkOpened | LinkClosed | FrameArrived


class LinkPort(Protocol):
    """The persistent WebSocket's thread. None of these blocks; results come as LinkInput."""

    def open(self, attempt: int, url: str) -> None:
        """Begin to connect; an earlier socket is closed."""

    def send(self, data: bytes) -> None:
        """Queue one frame. If the link is gone, it is dropped: the session sends again after catching up."""

    def close(self) -> None:
        """Close the socket without waiting."""


# ---------------------------------------------------------------- vault


class VaultPort(Protocol):
    """The OS keyring, or memory for this run. Its calls may block (a prompt to unlock): never on the engine's loop."""

    @property
    def persistent(self) -> bool:
        """Whether what is kept survives this run."""

    def get(self, name: str) -> bytes | None:
        """The secret, or None. Never raises: a keyring that fails is a keyring without it."""

    def set(self, name: str, secret: bytes) -> bool:
        """Keep the secret; False where it will last for this run only."""

    def delete(self, name: str) -> None:
        """Forget the secret."""


# ---------------------------------------------------------------- windows and pages

PageId = int
"""One page's WebSocket to the bridge, for as long as it lasts."""


class WindowPort(Protocol):
    """The window host. Callable from the engine's thread; nothing blocks."""

    native: bool

    def open_conversation(self, conversation: str, title: str) -> None:
        """Open the conversation's window, or bring it to the front."""

    def show_main(self) -> None:
        """Bring the main window to the front."""

    def set_title(self, window: str, title: str) -> None:
        """`window` is "main" or a conversation's id."""

    def close_conversations(self) -> None:
        """After logging out."""

    def open_link(self, url: str) -> None:
        """Hand a link, already checked, to the system."""


class PagePort(Protocol):
    """Every page that is connected to the bridge."""

    def push(self, event: BridgeEvent, *, to: frozenset[PageId] | None = None) -> None:
        """Send an event to these pages, or to all. A page that does not read is disconnected and starts afresh."""


# ---------------------------------------------------------------- settings


class SettingsPort(Protocol):
    """What a person can set, read and written on the engine's loop (client/config.py holds the registry)."""

    def get(self, name: str) -> str | bool | int:
        """The value now. Raises KeyError for a name that is not in the registry: a mistake in our code."""

    def view(self) -> SettingsView:
        """Every setting with its definition, in order."""

    def change(self, name: str, value: str | bool | int) -> None:
        """Check and keep a value. Raises BridgeError for a wrong name or value, ClientError where it cannot be kept."""


# ---------------------------------------------------------------- the engine, as the shell sees it


class EnginePort(Protocol):
    """The owner of the client's state. Everything here is called on the engine's loop, link_input too."""

    async def start(self) -> None:
        """Open the store and begin. Raises ClientError; its text is then the answer to every call of a page."""

    async def stop(self) -> None:
        """Keep what must be kept and let go of everything."""

    async def call(self, page: PageId, call: Call) -> Struct:
        """The result of a call of a page. Calls are begun in the order in which the page made them. Raises ClientError.

        One page's calls may overlap: what must keep its order happens before the first await.
        """

    def page_connected(self, page: PageId, window: str) -> None:
        """A page came; `window` is "main" or a conversation's id."""

    def page_gone(self, page: PageId) -> None:
        """The page went."""

    def link_input(self, item: LinkInput) -> None:
        """Something that the connection thread posted."""


# ---------------------------------------------------------------- the last log-in

Remembered = Literal["server", "login", "remember"]
"""Of the last log-in: the server's address as it was typed, the log-in name, and "yes" or "" for remember me."""


class LastLoginPort(Protocol):
    """What the log-in page shows first, kept in plain text in the profile (client/last_login.py). Nothing blocks."""

    def recall(self, name: Remembered) -> str:
        """What was kept, or an empty text."""

    def keep(self, name: Remembered, value: str) -> None:
        """Keep it for the next start. Raises ClientError where the profile cannot be written."""


Clock = Callable[[], float]
WindowKind = Literal["main", "conversation"]
