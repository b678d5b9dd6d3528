"""The bridge: what a page may call, its arguments checked; every answer and event on its way to the pages.

Pure of sockets: ui_server.py gives it a function that sends for each page, and hands over what the page sent.
Everything runs on the engine's loop. A page is not trusted: whatever is not on the allow-list of bridge_api.py, or
has other arguments than declared there, is refused with a typed error and logged, and never reaches the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec

from client.bridge_api import CALLS, EVENTS, BridgeEvent, Call, ErrorView, snake
from client.errors import BridgeError, ClientError
from client.log import log, log_failure
from client.ports import EnginePort, PageId

MAX_CALL_BYTES: Final = 256 * 1024
"""A call over this many bytes closes the page's socket: the longest one that is allowed is far shorter."""

MAX_PENDING_CALLS: Final = 256
"""Calls of one page under way at once; one more is refused with `too_many_calls`."""

Send = Callable[[bytes], None]


class _Envelope(msgspec.Struct, frozen=True):
    """A call as the page sends it, before its arguments are looked at."""

    id: int
    method: str
    args: msgspec.Raw = msgspec.Raw(b"{}")


class _Result(msgspec.Struct, frozen=True):
    id: int
    result: msgspec.Struct


class _Error(msgspec.Struct, frozen=True):
    id: int
    error: ErrorView


class _Event(msgspec.Struct, frozen=True):
    event: str
    data: BridgeEvent


class _Page:
    """One connected page."""

    def __init__(self, window: str, send: Send) -> None:
        self.window = window
        self.send = send
        self.calls: set[asyncio.Task[None]] = set()


_encoder: Final = msgspec.json.Encoder()
_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)
_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(call) for name, call in CALLS.items()
}


class Bridge:
    """Every page that is connected (a PagePort), and the way from each to the engine."""

    def __init__(self) -> None:
        self._pages: dict[PageId, _Page] = {}
        self._last_page = 0
        self._engine: EnginePort | None = None
        self._failure: ClientError | None = None
        self._opened = asyncio.Event()

    def open(self, engine: EnginePort) -> None:
        """From now on calls reach the engine; those that came before do now, in their order."""
        self._engine = engine
        for number, page in self._pages.items():
            engine.page_connected(number, page.window)
        self._opened.set()

    def fail(self, failure: ClientError) -> None:
        """The engine could not start: every call is answered with the reason."""
        self._failure = failure
        self._opened.set()

    def connected(self, window: str, send: Send) -> PageId:
        """A page came. `send` must not block and must not raise; it may drop what it cannot send."""
        self._last_page += 1
        self._pages[self._last_page] = _Page(window, send)
        log("page connected", page=self._last_page, window=window)
        if self._engine is not None:
            self._engine.page_connected(self._last_page, window)
        return self._last_page

    def gone(self, page: PageId) -> None:
        """The page's socket closed. What it called goes on; the answers have nowhere to go."""
        if self._pages.pop(page, None) is None:
            return
        log("page gone", page=page)
        if self._engine is not None:
            self._engine.page_gone(page)

    def push(self, event: BridgeEvent, *, to: frozenset[PageId] | None = None) -> None:
        """Send an event to these pages, or to all. A page that does not read is disconnected and starts afresh."""
        name = snake(type(event).__name__)
        if name not in EVENTS:
            raise ValueError(f"{name} is not an event of the bridge")
        data = _encoder.encode(_Event(name, event))
        # A copy: a send that finds its page stuck disconnects it, and the page leaves the table.
        for number, page in list(self._pages.items()):
            if to is None or number in to:
                page.send(data)

    def received(self, page: PageId, data: bytes) -> None:
        """One message of a page: a call. Begun now, in order; answered by `send` when it is done."""
        state = self._pages.get(page)
        if state is None:
            return
        number = -1
        try:
            try:
                envelope = _envelope_decoder.decode(data)
                number = envelope.id
                call = _decode(envelope)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BridgeError("bad_call", f"The call is not as declared: {error}") from None
            if len(state.calls) >= MAX_PENDING_CALLS:
                raise BridgeError("too_many_calls", "Too many calls are under way. Wait for their answers.", retry=True)
        except BridgeError as error:
            log("call refused", logging.WARNING, page=page, code=error.code, why=error.text[:300])
            state.send(_encoder.encode(_Error(number, _view(error))))
            return
        task = asyncio.get_running_loop().create_task(self._answer(page, state, number, call))
        state.calls.add(task)
        task.add_done_callback(state.calls.discard)

    async def _answer(self, page: PageId, state: _Page, number: int, call: Call) -> None:
        answer: _Result | _Error
        try:
            # Waiters are woken in the order in which they came, so the calls keep their order across the start.
            await self._opened.wait()
            if self._engine is None:
                raise self._failure or ClientError("internal", "The program did not start.")
            answer = _Result(number, await self._engine.call(page, call))
            # No await between the result and its sending: an event that is newer must not overtake it.
        except ClientError as error:
            answer = _Error(number, _view(error))
        except Exception:
            log_failure("call failed", method=snake(type(call).__name__))
            answer = _Error(
                number, ErrorView(code="internal", text="The program failed at this. Try again.", retry=True)
            )
        if page in self._pages:
            state.send(_encoder.encode(answer))


def _decode(envelope: _Envelope) -> Call:
    """The call by the allow-list. Raises BridgeError and msgspec.DecodeError."""
    decoder = _decoders.get(envelope.method)
    if decoder is None:
        raise BridgeError("unknown_method", f"There is no method {envelope.method[:64]!r} on the bridge.")
    call: Call = decoder.decode(envelope.args)
    return call


def _view(error: ClientError) -> ErrorView:
    return ErrorView(code=error.code, text=error.text, retry=error.retry, retry_after=error.retry_after)
