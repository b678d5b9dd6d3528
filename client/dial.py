"""Opens the socket to the server, with TLS where the URL asks for it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from client.errors import LinkError
from client.tls import Trust, secure, speaks_tls

PROBE_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Network:
    """What a person has set about the way to the server."""

    trust: Trust = field(default_factory=Trust)


def dial(url: str, network: Network, timeout: float, opened: Callable[[socket.socket], None]) -> socket.socket:
    """A socket for this ws or wss URL, with `timeout` seconds for each step. Raises OSError and LinkError.

    `opened` gets the socket as soon as it is connected, and again before the TLS handshake, so that another
    thread can end either.
    """
    host = _host(url)
    plain = _connect(url, timeout)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened(plain)
        return secure(plain, host, network.trust, opened) if url.startswith("wss:") else plain
    except BaseException:
        plain.close()
        raise


def why_ended(url: str, network: Network) -> Exception | None:
    """Why a server ended the WebSocket's handshake without a word, where a look at its TLS tells; sends nothing.

    A ws URL may lead to a port that speaks TLS; a wss server may have refused the client's certificate, which in
    TLS 1.3 comes after the handshake and is lost where the client has already sent more (RFC 8446, section 4.4.2.4).
    """
    host = _host(url)
    try:
        if url.startswith("ws:"):
            if not speaks_tls(_connect(url, PROBE_SECONDS), host):
                return None
            text = f"{host} speaks only encrypted at this port. Begin the address with wss://."
            return LinkError("tls_wanted", text)
        with dial(url, network, PROBE_SECONDS, lambda _: None) as link:
            link.recv(1)
    except ssl.SSLError as error:
        return error
    except OSError:
        return None
    return None


def _connect(url: str, timeout: float) -> socket.socket:
    port = urlsplit(url).port or (443 if url.startswith("wss:") else 80)
    return socket.create_connection((_host(url), port), timeout)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
