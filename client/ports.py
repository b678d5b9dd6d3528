"""What the engine needs from the I/O around it, as interfaces; app.py plugs in the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from client.bridge_api import BridgeEvent
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


Clock = Callable[[], float]
WindowKind = Literal["main", "conversation"]
