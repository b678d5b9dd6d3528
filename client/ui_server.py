"""The loopback server of the page: its files, and the WebSocket of the bridge, for our own windows alone.

    http://127.0.0.1:PORT/TOKEN/index.html?window=main|CONVERSATION    the page
    http://127.0.0.1:PORT/TOKEN/user-themes/…                          the user's own themes
    ws://127.0.0.1:PORT/TOKEN/bridge?window=…                          the bridge

TOKEN is 256 bits at random for this run. Whatever comes without it, with another Host (DNS rebinding), or from
another origin, gets 403. A second start of the program knocks at /KNOCK/show, with a token of its own that opens
nothing else. The socket is bound before anything else is loaded, so the address is known at once and the window can
come up meanwhile. picows answers one GET for each connection and upgrades WebSockets; nothing else is served.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from client.bridge import MAX_CALL_BYTES
from client.log import log, log_failure
from client.static_files import StaticFiles

if TYPE_CHECKING:
    from client.address import Address

MAX_UNSENT_BYTES: Final = 8 * 1024 * 1024
"""The outbound queue of a page. When it is full the page is not reading: it is disconnected and starts afresh."""

HANDSHAKE_SECONDS: Final = 5.0
"""A connection that has not sent its request by then is closed."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Those that Qt's Chromium knows; it warns of others, and has neither USB nor Bluetooth nor payments.
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), midi=(), "
    "screen-wake-lock=(), clipboard-read=(), fullscreen=(), accelerometer=(), gyroscope=()",
}


def content_security_policy(port: int) -> str:
    """What the page may do: its own files and its own socket, no inline script or style, no eval, no markup sinks."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "media-src 'self'",
            f"connect-src 'self' ws://127.0.0.1:{port}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html dompurify default",
        )
    )


class PageHost(Protocol):
    """What the bridge offers to sockets."""

    def connected(self, window: str, send: Callable[[bytes], None]) -> int:
        """A page came."""

    def received(self, page: int, data: bytes) -> None:
        """It sent a message."""

    def gone(self, page: int) -> None:
        """Its socket closed."""


class UiServer:
    """Serves on the socket of `address`, on the running loop. `on_show` is called when a second start knocks."""

    def __init__(self, address: Address, files: StaticFiles, pages: PageHost, on_show: Callable[[], None]) -> None:
        self._address = address
        self._files = files
        self._pages = pages
        self._on_show = on_show
        self._server: asyncio.Server | None = None
        self._sockets: set[_PageSocket] = set()
        self._headers = {**_HEADERS, "Content-Security-Policy": content_security_policy(address.port)}

    async def start(self) -> None:
        """Begin to accept; whoever connected before was kept waiting by the system."""
        self._server = await ws_create_server(
            self._answer,
            sock=self._address.socket,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            max_frame_size=MAX_CALL_BYTES,
        )

    async def stop(self) -> None:
        """Disconnect every page and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for page in list(self._sockets):
            page.close(WSCloseCode.GOING_AWAY)
        await self._server.wait_closed()

    def _answer(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        try:
            return self._route(request)
        except Exception:
            # picows would send the exception's text to whoever asked.
            log_failure("request failed")
            return self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _route(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        headers = request.headers
        path, _, query = request.path.partition(b"?")
        token, _, rest = path[1:].partition(b"/")
        if headers.getall("Host", []) != [self._address.host] or not path.startswith(b"/"):
            return self._forbid("host")
        origin = headers.get("Origin")
        if origin is not None and origin != self._address.origin:
            return self._forbid("origin")
        if hmac.compare_digest(token, self._address.knock.encode()):
            # Only our own second start knows this, from a file that only this user can read; it is no browser.
            if rest != b"show" or "Sec-Fetch-Site" in headers or origin is not None:
                return self._forbid("knock")
            self._on_show()
            return self._respond(HTTPStatus.OK, b"ok", "text/plain; charset=utf-8")
        if not hmac.compare_digest(token, self._address.token.encode()):
            return self._forbid("token")
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return self._forbid("site")
        if rest == b"bridge":
            return self._upgrade(request, origin, query)
        found = self._files.find(rest)
        if found is None:
            return self._refuse(HTTPStatus.NOT_FOUND)
        return self._respond(HTTPStatus.OK, found.data, found.type)

    def _upgrade(self, request: WSUpgradeRequest, origin: str | None, query: bytes) -> WSUpgradeResponseWithListener:
        if origin is None:
            return self._forbid("origin")
        # A list in Firefox ("keep-alive, Upgrade"), of which picows takes only the one word.
        if "upgrade" in request.headers.get("Connection", "").lower():
            request.headers["Connection"] = "upgrade"
        window = parse_qs(query.decode("ascii", "replace")).get("window", ["main"])[0][:100]
        page = _PageSocket(window, self._pages, self._sockets)
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), page)

    def _respond(self, status: HTTPStatus, body: bytes, content_type: str) -> WSUpgradeResponseWithListener:
        headers = {**self._headers, "Content-Type": content_type}
        if status is HTTPStatus.OK:
            response = WSUpgradeResponse.create_ok_response(body, headers)
        else:
            response = WSUpgradeResponse.create_error_response(status, body, headers)
        return WSUpgradeResponseWithListener(response, None)

    def _refuse(self, status: HTTPStatus) -> WSUpgradeResponseWithListener:
        return self._respond(status, status.phrase.encode(), "text/plain; charset=utf-8")

    def _forbid(self, why: str) -> WSUpgradeResponseWithListener:
        log("request refused", why=why)
        return self._refuse(HTTPStatus.FORBIDDEN)


class _PageSocket(WSListener):
    """One page's WebSocket."""

    def __init__(self, window: str, pages: PageHost, sockets: set[_PageSocket]) -> None:
        super().__init__()
        self._window = window
        self._pages = pages
        self._sockets = sockets
        self._page = 0
        self._transport: WSTransport | None = None
        self._parts = b""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self._sockets.add(self)
        self._page = self._pages.connected(self._window, self._send)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame: one call, or a part of one (RFC 6455, section 5.4)."""
        if frame.msg_type == WSMsgType.CLOSE:
            self.close(WSCloseCode.OK)
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            data = self._parts + frame.get_payload_as_bytes()
            if len(data) > MAX_CALL_BYTES:
                log("call refused", why="too large", page=self._page)
                self.close(WSCloseCode.MESSAGE_TOO_BIG)
            elif not frame.fin:
                self._parts = data
            else:
                self._parts = b""
                self._pages.received(self._page, data)
        elif frame.msg_type == WSMsgType.BINARY:
            self.close(WSCloseCode.UNSUPPORTED_DATA)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is closed, by whichever side."""
        self._sockets.discard(self)
        self._transport = None
        self._pages.gone(self._page)

    def pause_writing(self) -> None:
        """The page reads more slowly than we send; MAX_UNSENT_BYTES bounds that."""

    def resume_writing(self) -> None:
        """It has caught up."""

    def close(self, code: WSCloseCode) -> None:
        """Close the socket with this code."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.send_close(code, b"")
            transport.disconnect()

    def _send(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.underlying_transport.get_write_buffer_size() + len(data) > MAX_UNSENT_BYTES:
            log("page does not read", page=self._page)
            self._transport = None
            transport.underlying_transport.abort()
            return
        transport.send(WSMsgType.TEXT, data)
