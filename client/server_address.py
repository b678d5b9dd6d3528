"""The server's address as a person gives it, turned into the WebSocket URL to connect to. Pure."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from client.errors import ClientError

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_NAME = re.compile(r"(?!-)[a-z0-9._-]{1,253}")
_PATH = re.compile(r"[\w.~!$&'()*+,;=:@%/-]*", re.ASCII)


def server_url(address: str) -> str:
    """`host`, `host:port`, or a URL with ws, wss, http or https, as a URL in one form.

    Without a scheme it is wss on port 443; for an address of this very machine (localhost, 127.0.0.1, ::1), where no
    certificate can be expected, it is ws, on port 80 unless another is given. Raises ClientError (bad_address).
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad(address) from None
    if parts.username is not None or parts.query or parts.fragment or port == 0 or not _PATH.fullmatch(parts.path):
        raise _bad(address)
    if parts.scheme and parts.scheme not in _SCHEMES:
        raise _bad(address)
    try:
        name = str(ipaddress.IPv6Address(host)) if ":" in host else host.encode("idna").decode("ascii").lower()
    except ValueError:
        raise _bad(address) from None
    if ":" not in name and not _NAME.fullmatch(name):
        raise _bad(address)
    scheme = _SCHEMES.get(parts.scheme) or ("ws" if _is_loopback(name) else "wss")
    ordinary = 443 if scheme == "wss" else 80
    where = f"[{name}]" if ":" in name else name
    return f"{scheme}://{where}{'' if port in (None, ordinary) else f':{port}'}{parts.path or '/'}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad(address: str) -> ClientError:
    return ClientError("bad_address", f"{address[:100]!r} is not an address of a server. An example: chat.example.com")
