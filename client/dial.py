"""Opens the socket to the server: straight or through a proxy, with TLS where the URL asks for it."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from client.errors import LinkError
from client.proxy import Proxy, choose
from client.tls import Trust, secure, speaks_tls

PROBE_SECONDS: Final = 3.0

_NO_WAY: Final = (500, 502, 503, 504, 1, 3, 4, 5, 6)
"""What a proxy answers that tried in vain: HTTP status, or the reply of SOCKS5 (RFC 1928, section 6)."""


@dataclass(frozen=True, slots=True)
class Network:
    """What a person has set about the way to the server."""

    trust: Trust = field(default_factory=Trust)
    proxy: str = "system"
    """system, none or manual."""
    proxy_address: str = ""
    proxy_password: Callable[[], str] = str
    """For a manual proxy. It may block, so it is called on the link's thread."""


def dial(url: str, network: Network, timeout: float, opened: Callable[[socket.socket], None]) -> socket.socket:
    """A socket for this ws or wss URL, with `timeout` seconds for each step. Raises OSError and LinkError.

    `opened` gets the socket as soon as it is connected, and again before the TLS handshake, so that another
    thread can end either.
    """
    host = _host(url)
    plain = _connect(url, network, timeout)
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
            if not speaks_tls(_connect(url, network, PROBE_SECONDS), host):
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


def _connect(url: str, network: Network, timeout: float) -> socket.socket:
    host, port = _host(url), urlsplit(url).port or (443 if url.startswith("wss:") else 80)
    proxy = _proxy(url, network)
    if proxy is None:
        return socket.create_connection((host, port), timeout)
    return _through(proxy, host, port, timeout)


def _proxy(url: str, network: Network) -> Proxy | None:
    """The system's proxies are its environment variables, and on Windows and macOS its own settings."""
    system: dict[str, str] = {}
    if network.proxy == "system" and not urllib.request.proxy_bypass(_host(url)):
        system = urllib.request.getproxies()
    password = network.proxy_password() if network.proxy == "manual" else ""
    return choose(url, network.proxy, network.proxy_address, password, system)


def _through(proxy: Proxy, host: str, port: int, timeout: float) -> socket.socket:
    """A socket to the host through the proxy, which also looks up its name. Raises LinkError."""
    # On this thread, and only where there is a proxy.
    from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType  # noqa: PLC0415
    from python_socks.sync import Proxy as Client  # noqa: PLC0415

    kind = ProxyType.HTTP if proxy.kind == "http" else ProxyType.SOCKS5
    client = Client(kind, proxy.host, proxy.port, proxy.user or None, proxy.password or None, rdns=True)
    where = f"{proxy.host}:{proxy.port}"
    try:
        return client.connect(host, port, timeout)
    except (ProxyConnectionError, ProxyTimeoutError, OSError) as error:
        text = f"The proxy {where} does not answer. Check its address in the settings, and the network."
        raise LinkError("proxy_unreachable", text, retry=True) from error
    except (ProxyError, ValueError) as error:
        code = error.error_code if isinstance(error, ProxyError) else None
        # 401 is what tinyproxy says to a wrong password.
        login = (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.UNAUTHORIZED)
        if code in login or "authentication" in str(error).lower():
            text = f"The proxy {where} wants a user name and a password, or refused them. Enter them in the settings."
            raise LinkError("proxy_login", text) from error
        if code in _NO_WAY:
            text = f"The proxy {where} does not reach {host}. Check the server's address."
            raise LinkError("proxy_no_way", text, retry=True) from error
        text = f"The proxy {where} refuses to connect to {host}. Ask your administrator."
        raise LinkError("proxy_refused", text, retry=True) from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
