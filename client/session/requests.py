"""Request ids, and what was asked: each answer finds its question."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from protocol.messages import Request

RequestType = TypeVar("RequestType", bound=Request)


class Requests:
    """Questions of one connection. `synced` is whether catching up is complete, so that messages may go out."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, tuple[Request, int | None]] = {}
        self.synced = False

    def asked(self, request: RequestType, ticket: int | None = None) -> RequestType:
        """The request with its id."""
        self._last += 1
        numbered = msgspec.structs.replace(request, id=self._last)
        self._open[self._last] = (numbered, ticket)
        return numbered

    def answered(self, id: int) -> tuple[Request | None, int | None]:
        """The request of this id and the engine's ticket; None for an answer to nothing."""
        return self._open.pop(id, (None, None))

    def link_lost(self) -> list[int]:
        """Nothing is answered any more; the tickets that wait."""
        tickets = [ticket for _, ticket in self._open.values() if ticket is not None]
        self._open.clear()
        self.synced = False
        return tickets
