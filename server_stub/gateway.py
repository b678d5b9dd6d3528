"""The gateway: one port for WebSockets and /healthz; sockets to frames and back.

Each socket's output of one turn of the loop goes out as one write. What a client does not read is held up to
MAX_HELD_BYTES; then the socket is closed with 4000 (resync), and the client comes back and catches up.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from protocol.codec import decode_request, error_frame
from protocol.errors import CloseCode, FrameError
from protocol.limits import MAX_REQUEST_BYTES
from protocol.messages import AnyRequest
from server_stub.assembler import PROTOCOL_ERROR, Assembler, Violation, close_answer
from server_stub.framing import frame as framed
from server_stub.turn import Step, Turn

log = structlog.get_logger()

MAX_HELD_BYTES: Final = 1024 * 1024
"""Output that is held for a socket whose client does not read."""

READ_BUFFER_BYTES: Final = 2_048
"""To begin with; it grows with the frames. Most connections are idle."""

MAX_FRAME_BYTES: Final = 2 * MAX_REQUEST_BYTES
"""Over this, picows cuts a socket at once. A frame that is a little too large is read, so that the client, which still
writes it, comes to read why it was refused."""

HANDSHAKE_SECONDS: Final = 5
"""For the HTTP request that becomes a WebSocket."""

CLOSE_SECONDS: Final = 5
"""For the client to answer a close frame; then the socket is cut."""

RESYNC_SECONDS: Final = 30
"""The same for a client that does not read: the close frame waits behind what the system holds for it."""

PING_AFTER_SECONDS: Final = 30
"""A client that has been silent for this long gets a WebSocket ping, and after as long again is taken for dead."""

_ids = itertools.count(1)


class Attached(Protocol):
    """Where a logged-in socket's requests go."""

    def request(self, device: Connection, request: AnyRequest) -> None:
        """Take a request; the answer comes by `send`."""


class Office(Protocol):
    """Where sockets find their user's actor."""

    def attach(self, user: str, device: Connection) -> Attached:
        """A device has logged in."""

    def detach(self, user: str, device: Connection) -> None:
        """A device has gone."""


class Connection(WSListener):
    """One socket."""

    def __init__(self, gateway: Gateway, desk: Attached) -> None:
        self.key = next(_ids)
        self.session = ""
        self.user = ""
        self.address = ""
        self.greeted = False
        self.busy = False
        self.heard = True
        """Whether anything has come since the last look."""
        self.closing = False
        self.deadline = 0.0
        """When the socket is closed (before log-in) or cut (after a close frame), by the loop's clock."""
        self._gateway = gateway
        self._handler = desk
        self._office: Office | None = None
        self._transport: WSTransport | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._in_turn = False
        self._paused = False
        self._assembler = Assembler()

    # ---------------------------------------------------------------- as a device

    def send(self, data: bytes) -> None:
        """Write a WebSocket frame, at the end of this turn."""
        if self.closing:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes > MAX_HELD_BYTES:
            if not self._paused:
                self._write()  # a turn may have more to say than is to be held: whether it is read shows only so
            else:
                self._out.clear()
                log.info("socket.too_slow", device=self.key, user=self.user)
                self.close(CloseCode.RESYNC)
        elif not self._paused and not self._in_turn:
            self._in_turn = True
            self._gateway.speaks(self)

    def close(self, code: int, reason: str = "") -> None:
        """Send what is left, then a close frame; the client's own, or CLOSE_SECONDS, ends the socket."""
        if self.closing:
            return
        self.closing = True
        transport = self._transport
        if transport is not None:
            self._write()
            transport.send_close(code, reason)  # type: ignore[arg-type]  # any code will do, not only picows' names
            self.deadline = self._gateway.now() + (RESYNC_SECONDS if code == CloseCode.RESYNC else CLOSE_SECONDS)
            self._gateway.watch(self)
        self._leave()

    def admit(self, user: str, session: str, office: Office) -> None:
        """Somebody has logged in: requests go to the user's actor from now on."""
        if self.closing:
            return
        self.user = user
        self.session = session
        self._office = office
        self._gateway.unwatch(self)
        self._handler = office.attach(user, self)

    def flush(self) -> None:
        """The turn is over: write."""
        self._in_turn = False
        if not self._paused:
            self._write()

    def cut(self) -> None:
        """End the socket without waiting for anything."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def ping(self) -> None:
        """Ask the client's WebSocket library for a sign of life."""
        if self._transport is not None and not self._paused:
            self._transport.send_ping()

    def _write(self) -> None:
        transport = self._transport
        if self._out and transport is not None and not transport.is_close_frame_sent:  # picows closes, too
            out = self._out
            transport.underlying_transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()
        self._out_bytes = 0

    def _leave(self) -> None:
        if self._office is not None:
            self._office.detach(self.user, self)
            self._office = None

    # ---------------------------------------------------------------- as a listener

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The WebSocket is open."""
        self._transport = transport
        self.address = str((transport.underlying_transport.get_extra_info("peername") or ("",))[0])
        self._gateway.opened(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self.closing = True
        self._transport = None
        self._gateway.closed(self)
        self._leave()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """The client has read."""
        self._paused = False
        self._write()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A WebSocket frame has come."""
        try:
            self._frame(transport, frame)
        except Exception:  # nothing of one socket may reach the others, or picows' own log
            log.exception("socket.failed", device=self.key)
            self.close(CloseCode.INTERNAL)

    def _frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.heard = True
        kind = frame.msg_type
        reserved = frame.rsv1 or frame.rsv2 or frame.rsv3
        if kind == WSMsgType.CLOSE:
            if not self.closing:
                self.close(close_answer(frame.get_payload_as_bytes(), reserved=reserved))
            transport.disconnect()
        elif self.closing or self._gateway.stopping:
            pass  # what is not answered any more is asked again elsewhere, or later
        elif kind in _CONTROL:
            if reserved:
                self.close(PROTOCOL_ERROR)
            elif kind == WSMsgType.PING:  # picows' own answer would not count as held output
                payload = frame.get_payload_as_bytes()
                self.send(bytes((0x8A, len(payload))) + payload)
        else:
            try:
                data = self._assembler.take(kind.value, frame.fin, reserved, frame.get_payload_as_bytes())
            except Violation as violation:
                self.close(violation.code, violation.reason)
            else:
                if data is not None:
                    self._message(data)

    def _message(self, data: bytes) -> None:
        try:
            request = decode_request(data)
        except FrameError as error:
            self.send(framed(error_frame(error)))
        else:
            self._handler.request(self, request)


class Gateway:
    """The listening port and all its sockets. Runs on the event loop."""

    def __init__(self, turn: Turn, login_seconds: float, healthy: Callable[[], bool]) -> None:
        self.stopping = False
        self._turn = turn
        self._login_seconds = login_seconds
        self._healthy = healthy
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._desk: Attached | None = None
        self._speaking: list[Connection] = []
        self._open: set[Connection] = set()
        self._watched: set[Connection] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._next_look = 0.0
        self._all_closed = asyncio.Event()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None, desk: Attached) -> int:
        """Open the port; returns it. Raises OSError where it cannot be had."""
        self._desk = desk
        # picows writes a line for each connection, and one for each malformed frame: its log is ours to write.
        quiet = logging.getLogger("picows.server")
        quiet.setLevel(logging.CRITICAL + 1)
        self._server = await ws_create_server(
            self._accept,
            host,
            port,
            ssl=tls,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            max_frame_size=MAX_FRAME_BYTES,
            read_buffer_init_size=READ_BUFFER_BYTES,
            enable_auto_pong=False,
            logger_name=logging.LoggerAdapter(quiet),
            backlog=1_024,
        )
        self._next_look = self.now() + PING_AFTER_SECONDS
        self._look()
        return int(self._server.sockets[0].getsockname()[1])

    def stop_accepting(self) -> None:
        """Close the listening port, and hear no more requests; the sockets stay for what they are still to be told."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self, code: CloseCode, seconds: float) -> None:
        """Close all sockets with this code, and return when all are gone or the time is over."""
        self.stop_accepting()
        for connection in tuple(self._open):
            connection.close(code)
        if self._open:
            self._all_closed.clear()
            try:
                await asyncio.wait_for(self._all_closed.wait(), seconds)
            except TimeoutError:
                log.info("gateway.cut", sockets=len(self._open))
                for connection in tuple(self._open):
                    connection.cut()
        if self._tick is not None:
            self._tick.cancel()

    def flush(self) -> None:
        """The turn is over: every socket that has something to say says it."""
        while self._speaking:
            speaking, self._speaking = self._speaking, []
            for connection in speaking:
                connection.flush()

    # ---------------------------------------------------------------- for connections

    def now(self) -> float:
        """The loop's clock, in seconds."""
        return self._loop.time()

    def speaks(self, connection: Connection) -> None:
        """Have this socket flushed at the end of the turn."""
        self._speaking.append(connection)
        self._turn.ask(Step.SOCKETS)

    def opened(self, connection: Connection) -> None:
        """A socket is there; somebody must log in on it soon."""
        self._open.add(connection)
        connection.deadline = self.now() + self._login_seconds
        self._watched.add(connection)

    def closed(self, connection: Connection) -> None:
        """A socket is gone."""
        self._open.discard(connection)
        self._watched.discard(connection)
        if not self._open:
            self._all_closed.set()

    def watch(self, connection: Connection) -> None:
        """Cut it at its deadline."""
        self._watched.add(connection)

    def unwatch(self, connection: Connection) -> None:
        """Forget about its deadline."""
        self._watched.discard(connection)

    # ---------------------------------------------------------------- the port

    def _accept(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        path = request.path.partition(b"?")[0]
        if path == b"/healthz":
            if self._healthy():
                response = WSUpgradeResponse.create_ok_response(b'{"status":"ok"}\n', _JSON)
            else:
                response = WSUpgradeResponse.create_error_response(503, b'{"status":"storage_failed"}\n', _JSON)
            return WSUpgradeResponseWithListener(response, None)
        if path != b"/" or self._desk is None:
            return None
        return Connection(self, self._desk)

    def _look(self) -> None:
        """Once a second: who has missed a deadline, and who has been silent."""
        self._tick = self._loop.call_later(1.0, self._look)
        now = self.now()
        for connection in tuple(self._watched):
            if connection.deadline <= now:
                if connection.closing:
                    connection.cut()
                elif not connection.busy:  # a log-in that waits its turn is answered first
                    connection.close(CloseCode.LOGIN_TIMEOUT)
        if now >= self._next_look:
            self._next_look = now + PING_AFTER_SECONDS
            for connection in tuple(self._open):
                if connection.heard:
                    connection.heard = False
                elif connection.closing:
                    connection.cut()
                else:
                    connection.ping()
                    self._silent(connection)

    def _silent(self, connection: Connection) -> None:
        """It was silent for a whole look: if the ping brings nothing before the next one, it is dead."""
        self._loop.call_later(PING_AFTER_SECONDS * 0.9, self._still_silent, connection)

    def _still_silent(self, connection: Connection) -> None:
        if not connection.heard:
            log.info("socket.dead", device=connection.key, user=connection.user)
            connection.cut()


_CONTROL: Final = frozenset({WSMsgType.PING, WSMsgType.PONG})

_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
