"""The bus inside one process: every actor runs here."""

from __future__ import annotations

from collections.abc import Sequence

from server_stub.bus.base import Message, Receiver


class LocalBus:
    """Hands every message straight to this node's receiver."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None

    def connect(self, receiver: Receiver) -> None:
        """See Bus.connect."""
        self._receiver = receiver

    def send(self, users: Sequence[str], message: Message) -> None:
        """See Bus.send."""
        if self._receiver is not None:
            for user in users:
                self._receiver.arrived(user, message)

    def broadcast(self, data: bytes) -> None:
        """See Bus.broadcast."""
        if self._receiver is not None:
            self._receiver.arrived_for_all(data)
