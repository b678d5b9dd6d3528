"""The bus: how a message reaches an actor by user id, whether it runs in this process or on another node.

Messages are values: a bus between nodes can write them down. Sending never blocks and never fails; who is not online
misses what was sent, and catches up from the storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from protocol.errors import ErrorCode


class Deliver(Struct, frozen=True):
    """Write these bytes, a whole WebSocket frame, to all of the user's sockets but one."""

    data: bytes
    except_device: int = 0


class EndSessions(Struct, frozen=True):
    """Close the sockets of these sessions, or of all but one; `code` says why."""

    sessions: frozenset[str] | None
    code: ErrorCode
    except_device: int = 0


Message = Deliver | EndSessions


class Receiver(Protocol):
    """Where a bus leaves the messages for actors of this node."""

    def arrived(self, user: str, message: Message) -> None:
        """Hand the message to the user's actor, if there is one here."""

    def arrived_for_all(self, data: bytes) -> None:
        """Write a frame to every socket of this node."""


class Bus(Protocol):
    """Carries messages to users, wherever they are."""

    def connect(self, receiver: Receiver) -> None:
        """Leave this node's messages there."""

    def send(self, users: Sequence[str], message: Message) -> None:
        """Carry a message to these users."""

    def broadcast(self, data: bytes) -> None:
        """Carry a frame to everyone who is online."""
