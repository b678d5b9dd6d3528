"""The persistent WebSocket: websocket-client's blocking calls in threads of their own, never in the engine's.

Each attempt has a reader thread (it connects, then reads) and a writer thread. What happens is posted as LinkInput
through `post`, which may be called from any thread. Nothing here decides when to come back: the session does.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import websocket

from client.dial import Network, dial, why_ended
from client.errors import LinkError
from client.log import log
from client.ports import FrameArrived, LinkClosed, LinkInput, LinkOpened
from client.tls import explain_tls
from protocol.limits import MAX_ANSWER_BYTES

CONNECT_TIMEOUT_SECONDS: Final = 10.0
SEND_TIMEOUT_SECONDS: Final = 15.0
QUEUED_FRAMES: Final = 1_000
"""When so many wait, the link is as good as dead: it is closed, and catching up repairs what was dropped."""


class Connection:
    """Implements LinkPort. `post` gets each LinkInput, in order for each attempt.

    `network` is asked at each attempt, on the thread that calls `open`.
    """

    def __init__(self, post: Callable[[LinkInput], None], network: Callable[[], Network] = Network) -> None:
        self._post = post
        self._network = network
        self._current: _Attempt | None = None
        self._threads: list[threading.Thread] = []

    def open(self, attempt: int, url: str) -> None:
        """Begin to connect; an earlier socket is closed."""
        self.close()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._current = _Attempt(attempt, url, self._network(), self._post)
        self._threads += self._current.start()

    def send(self, data: bytes) -> None:
        """Queue one frame; dropped where there is no link."""
        if self._current is not None:
            self._current.send(data)

    def close(self) -> None:
        """Close the socket without waiting."""
        if self._current is not None:
            self._current.close()
            self._current = None

    def join(self, timeout: float) -> bool:
        """After close: wait so many seconds for every thread to end. Whether they have."""
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)


class _Attempt:
    """One socket, from connecting to closing."""

    def __init__(self, number: int, url: str, network: Network, post: Callable[[LinkInput], None]) -> None:
        self._number = number
        self._url = url
        self._network = network
        self._post = post
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(QUEUED_FRAMES)
        self._socket: _WebSocket | None = None
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=job, name=f"link {self._number} {what}", daemon=True)
            for job, what in ((self._run, "reads"), (self._write, "writes"))
        ]
        for thread in threads:
            thread.start()
        return threads

    def send(self, data: bytes) -> None:
        try:
            self._outgoing.put_nowait(data)
        except queue.Full:
            log("link closed: too many frames wait", attempt=self._number)
            self._abort()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._abort()

    def _abort(self) -> None:
        """Wake both threads: shutting the socket down ends a blocking read or write at once."""
        with self._lock:
            link = self._socket
        if link is not None:
            link.abort()

    def _run(self) -> None:
        code, failure = 0, None
        try:
            code = self._connect_and_read()
        except Exception as error:
            failure = explain(error, self._url)
            log("link failed", attempt=self._number, code=failure.code, why=type(error).__name__)
        with self._lock:
            link, self._socket, closed = self._socket, None, self._closed
        with suppress(queue.Full):  # then the writer finds that the socket is gone
            self._outgoing.put_nowait(None)
        if link is not None:
            link.shutdown()  # type: ignore[no-untyped-call]  # the library has no types here
        if not closed:
            self._post(LinkClosed(self._number, code, failure))

    def _connect_and_read(self) -> int:
        """Read until the link ends. The close code, 0 where there was none."""
        link = _WebSocket(
            skip_utf8_validation=True,  # the codec checks what it decodes; the library's check takes 0.2 s a megabyte
            enable_multithread=True,
        )
        with self._lock:
            if self._closed:
                return 0
            self._socket = link  # so that closing ends a handshake, too
        dialled = dial(self._url, self._network, CONNECT_TIMEOUT_SECONDS, link.take)
        options = {"socket": dialled, "suppress_origin": True, "redirect_limit": 0}
        try:
            link.connect(self._url, **options)  # type: ignore[no-untyped-call]  # as above
        except (OSError, websocket.WebSocketException) as error:
            raise self._explained(error) from error
        link.settimeout(None)  # the session's watchdog decides when silence is too long
        self._post(LinkOpened(self._number))
        while True:
            opcode, data = link.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big") if len(data) >= 2 else 0
            if opcode != websocket.ABNF.OPCODE_TEXT:
                raise websocket.WebSocketProtocolException("a binary message")
            self._post(FrameArrived(self._number, data))

    def _explained(self, error: Exception) -> Exception:
        """A failure of the WebSocket's handshake, or what a second look found behind it."""
        slow = isinstance(error, (TimeoutError, websocket.WebSocketTimeoutException))
        # A port with TLS answers 400 at most to plain text.
        clear = isinstance(error, ssl.SSLError) or getattr(error, "status_code", 400) != 400
        if slow or clear or self._closed:
            return error
        return why_ended(self._url, self._network) or error

    def _write(self) -> None:
        while (data := self._outgoing.get()) is not None:
            with self._lock:
                link = self._socket
            if link is None:
                return  # closed meanwhile; nothing is sent before it is open
            try:
                link.send(data, websocket.ABNF.OPCODE_TEXT)
            except (OSError, websocket.WebSocketException) as error:
                log("sending failed", attempt=self._number, why=type(error).__name__)
                self._abort()
                return


class _WebSocket(websocket.WebSocket):
    """Can be aborted from another thread at any time, and refuses a message that is too large.

    That is a message over the protocol's limit, refused as soon as its length is told, before it fills the memory.
    """

    _gathered = 0
    _aborted = False

    def __setattr__(self, name: str, value: object) -> None:
        """The library sets `sock` when TCP is connected, and then waits for the handshake: not after an abort."""
        super().__setattr__(name, value)
        if name == "sock" and self._aborted:
            self.abort()

    def take(self, connected: socket.socket) -> None:
        """The socket, before its TLS handshake: from now on an abort ends it."""
        self.sock = connected

    def abort(self) -> None:
        """Shut the socket down, now or as soon as there is one: a blocking read or write ends at once."""
        self._aborted = True
        if self.sock is not None:
            with suppress(OSError):  # it is gone already
                self.sock.shutdown(socket.SHUT_RDWR)

    def recv_frame(self) -> websocket.ABNF:
        """One frame. Raises WebSocketPayloadException for one that makes its message too large."""
        buffer = self.frame_buffer
        if buffer.needs_header():
            buffer.recv_header()
        if buffer.needs_length():
            buffer.recv_length()
        assert buffer.header is not None
        assert buffer.length is not None
        ends, opcode = buffer.header[0], buffer.header[4]
        if opcode < websocket.ABNF.OPCODE_CLOSE:  # not a control frame, which may come between
            self._gathered += buffer.length
            if self._gathered > MAX_ANSWER_BYTES:
                raise websocket.WebSocketPayloadException("the message is larger than the protocol allows")
            if ends:
                self._gathered = 0
        frame: websocket.ABNF = super().recv_frame()  # type: ignore[no-untyped-call]  # the library has no types here
        return frame


def explain(error: BaseException, url: str) -> LinkError:
    """What a failed attempt means to a person."""
    host = urlsplit(url).hostname or url
    match error:
        case socket.gaierror() | websocket.WebSocketAddressException():
            text = (
                f"There is no computer called {host}. Check the address, and whether you are in the company's network."
            )
            return LinkError("name_not_found", text, retry=True)
        case LinkError():
            return error
        case ssl.SSLError():
            return explain_tls(error, host)
        case ConnectionRefusedError():
            text = f"Nothing listens at this port of {host}. Check the address; the server may be stopped."
            return LinkError("connection_refused", text, retry=True)
        case TimeoutError() | websocket.WebSocketTimeoutException():
            return LinkError("timeout", f"{host} does not answer. Check the address and the network.", retry=True)
        case websocket.WebSocketBadStatusException() if error.status_code in (502, 503, 504):
            return LinkError(
                "server_busy", f"The server behind {host} does not answer now. Try again later.", retry=True
            )
        case websocket.WebSocketConnectionClosedException() | websocket.WebSocketProxyException():
            pass
        case websocket.WebSocketException():
            return LinkError("not_an_oschat_server", f"What answers at {host} is not an Oschat server.")
    return LinkError("link_failed", f"The link to {host} failed. Check the network.", retry=True)
