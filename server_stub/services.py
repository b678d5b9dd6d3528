"""What actors see of the rest of the house: each part as an interface or a value, so that they import no I/O."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from protocol.messages import ChosenState
from server_stub.actor import Actor, Supervisor
from server_stub.bus.base import Bus
from server_stub.directory import DirectoryBook
from server_stub.storage.base import Storage


class Services(Struct):
    """What actors share."""

    storage: Storage
    bus: Bus
    directory: DirectoryBook
    supervisor: Supervisor


class Device(Protocol):
    """A socket after log-in."""

    key: int
    session: str

    def send(self, data: bytes) -> None:
        """Write a WebSocket frame, at the end of this turn."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what was sent."""


class Office(Protocol):
    """The post office, as its actors see it."""

    def set_presence(self, user: str, device: int, state: ChosenState, text: str) -> None:
        """What a device wants; everyone is told soon."""

    def everyone(self) -> bytes:
        """Who is there, as a JSON array; what has changed since it was made is told to all in a moment."""

    def sessions_ended(self) -> None:
        """Some sessions are over: who is just coming in looks again."""

    def forget(self, actor: Actor) -> None:
        """The actor has crashed; the next log-in gets a fresh one."""
