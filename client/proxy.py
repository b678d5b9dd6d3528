"""Which proxy leads to a server, from what is set and what the system says. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from client.errors import LinkError

_KINDS: Final[Mapping[str, Literal["http", "socks5"]]] = {
    "http": "http", "socks5": "socks5", "socks5h": "socks5", "socks": "socks5",
}  # fmt: skip
_PORTS: Final = {"http": 8080, "socks5": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy to go through: HTTP CONNECT (RFC 9110, section 9.3.6) or SOCKS5 (RFC 1928)."""

    kind: Literal["http", "socks5"]
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


def parse(address: str) -> Proxy:
    """`host`, `host:port` or a URL with http or socks5, with a name and a password or without. Raises ValueError."""
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    kind = _KINDS.get(parts.scheme)
    if kind is None or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("not an address of a proxy")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(kind, parts.hostname, parts.port or _PORTS[kind], user, password)


def split_password(address: str) -> tuple[str, str]:
    """The address without its password, and the password; an address that is wrong stays as it is."""
    try:
        password = parse(address).password
    except ValueError:
        return address, ""
    before, at, after = address.rpartition("@")
    scheme, mark, login = before.rpartition("://")
    return f"{scheme}{mark}{login.partition(':')[0]}{at}{after}", password


def wrong_address(address: str) -> str | None:
    """Why this cannot be kept as the proxy's address, or None where it can. Empty is none."""
    if not address:
        return None
    try:
        proxy = parse(address)
    except ValueError:
        return "must be like http://proxy.example.com:8080 or socks5://name@proxy.example.com:1080"
    return "must not hold a password in the file; enter it in the settings" if proxy.password else None


def choose(url: str, mode: str, address: str, password: str, system: Mapping[str, str]) -> Proxy | None:
    """The proxy for a ws or wss URL, None for the direct way.

    `mode` is system, none or manual. `system` maps scheme to proxy, as urllib.request.getproxies gives it; it never
    leads to this very machine. Raises LinkError (proxy_address_wrong).
    """
    if mode == "none":
        return None
    host = urlsplit(url).hostname or ""
    if mode == "system":
        names = ("https", "all", "socks") if url.startswith("wss:") else ("http", "all", "socks")
        address = next((system[name] for name in names if system.get(name)), "")
        if not address or _is_this_machine(host):
            return None
    try:
        proxy = parse(address)
    except ValueError:
        text = "The address of the proxy is wrong. Check it in the settings."
        raise LinkError("proxy_address_wrong", text) from None
    return replace(proxy, password=password) if mode == "manual" else proxy


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
