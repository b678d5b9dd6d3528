"""The way through a proxy: which one is chosen, real ones with and without a log-in, and where the password is kept."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.config import FILE_NAME, Settings
from client.connection import Connection
from client.dial import Network
from client.errors import BridgeError, LinkError
from client.ports import FrameArrived, LinkClosed, LinkInput, LinkOpened
from client.proxy import Proxy, choose, parse, split_password, wrong_address
from client.proxy_password import SettingsWithProxyPassword
from client.tls import Trust
from protocol.codec import decode_server_frame, encode
from protocol.messages import Hello, Welcome
from tests.client.link_faults import Authority, scripted, silent, upgrade
from tests.support.proxies import microsocks, tinyproxy
from tests.support.server import ServerProcess

DEADLINE = 20.0
LOGIN = ("ann", "battery-staple")


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        ("proxy.example.com", Proxy("http", "proxy.example.com", 8080)),
        ("http://proxy.example.com:3128/", Proxy("http", "proxy.example.com", 3128)),
        ("socks5://proxy.example.com", Proxy("socks5", "proxy.example.com", 1080)),
        ("socks5h://ann:a%40b@[::1]:9", Proxy("socks5", "::1", 9, "ann", "a@b")),
        ("ann@proxy.example.com:80", Proxy("http", "proxy.example.com", 80, "ann")),
    ],
)
def test_addresses_of_proxies(address: str, proxy: Proxy) -> None:
    assert parse(address) == proxy
    assert proxy.password not in repr(proxy) or not proxy.password


@pytest.mark.parametrize("address", ["", "https://p", "ftp://p", "http://", "http://p:x", "http://p/path", "p?q"])
def test_what_is_no_address_of_a_proxy(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(address)
    with pytest.raises(LinkError) as caught:
        choose("wss://chat.example.com/", "manual", address, "", {})
    assert caught.value.code == "proxy_address_wrong"
    assert not address or wrong_address(address)


def test_the_password_is_split_off() -> None:
    assert split_password("http://ann:secret@p:80") == ("http://ann@p:80", "secret")
    assert split_password("ann:secret@p") == ("ann@p", "secret")
    assert split_password("socks5://p:1080") == ("socks5://p:1080", "")
    assert split_password("http://p:x") == ("http://p:x", "")


def test_the_choice() -> None:
    system = {"https": "http://tls:1", "http": "http://plain:2", "all": "socks5://all:3"}

    def port(url: str, mode: str = "system", known: dict[str, str] = system) -> int:
        proxy = choose(url, mode, "socks5://ann@set:4", "secret", known)
        return 0 if proxy is None else proxy.port

    assert port("wss://chat.example.com/") == 1
    assert port("ws://chat.example.com/") == 2
    assert port("wss://chat.example.com/", known={"all": "socks5://all:3"}) == 3
    assert port("wss://chat.example.com/", known={}) == 0
    assert port("wss://chat.example.com/", "none") == 0
    assert port("wss://chat.example.com/", "manual") == 4
    for here in ("ws://localhost/", "ws://127.0.0.1:80/", "ws://[::1]/"):
        assert port(here) == 0
    assert choose("ws://chat/", "manual", "socks5://ann@set:4", "secret", {}) == Proxy(
        "socks5", "set", 4, "ann", "secret"
    )


Reach = Callable[..., str]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """Open a link on this way: "open", or the code of the failure."""
    links: list[Connection] = []

    def connect(url: str, address: str, password: str = "", mode: str = "manual", ca_file: str = "") -> str:
        inputs: queue.Queue[LinkInput] = queue.Queue()
        network = Network(Trust(ca_file), mode, address, lambda: password)
        link = Connection(inputs.put, lambda: network)
        links.append(link)
        link.open(1, url)
        first = inputs.get(timeout=DEADLINE)
        if isinstance(first, LinkOpened):
            return "open"
        assert isinstance(first, LinkClosed)
        assert first.error is not None
        assert LOGIN[1] not in first.error.text
        return first.error.code

    yield connect
    for link in links:
        link.close()
        assert link.join(DEADLINE)


@pytest.fixture
def server_port() -> Iterator[int]:
    def accept(connection: socket.socket) -> None:
        upgrade(connection)
        silent(connection)

    with scripted(accept) as port:
        yield port


def nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_an_http_proxy(reach: Reach, server_port: int, tmp_path: Path) -> None:
    with tinyproxy(tmp_path) as port:
        way = f"http://127.0.0.1:{port}"
        assert reach(f"ws://127.0.0.1:{server_port}/", way) == "open"
        assert reach(f"ws://127.0.0.1:{nobody()}/", way) == "proxy_no_way"


def test_an_http_proxy_with_a_login(reach: Reach, server_port: int, tmp_path: Path) -> None:
    with tinyproxy(tmp_path, login=LOGIN) as port:
        url = f"ws://127.0.0.1:{server_port}/"
        assert reach(url, f"http://ann@127.0.0.1:{port}", LOGIN[1]) == "open"
        assert reach(url, f"http://ann@127.0.0.1:{port}", "wrong") == "proxy_login"
        assert reach(url, f"http://127.0.0.1:{port}") == "proxy_login"


def test_an_http_proxy_that_refuses(reach: Reach, server_port: int, tmp_path: Path) -> None:
    with tinyproxy(tmp_path, only_port=443) as port:
        assert reach(f"ws://127.0.0.1:{server_port}/", f"http://127.0.0.1:{port}") == "proxy_refused"


def test_a_socks_proxy(reach: Reach, server_port: int) -> None:
    with microsocks() as port:
        way = f"socks5://127.0.0.1:{port}"
        assert reach(f"ws://localhost:{server_port}/", way) == "open"
        assert reach(f"ws://127.0.0.1:{nobody()}/", way) == "proxy_no_way"


def test_a_socks_proxy_with_a_login(reach: Reach, server_port: int) -> None:
    with microsocks(login=LOGIN) as port:
        url = f"ws://127.0.0.1:{server_port}/"
        assert reach(url, f"socks5://ann@127.0.0.1:{port}", LOGIN[1]) == "open"
        assert reach(url, f"socks5://ann@127.0.0.1:{port}", "wrong") == "proxy_login"
        assert reach(url, f"socks5://127.0.0.1:{port}") == "proxy_login"


def test_a_proxy_that_does_not_answer(reach: Reach, server_port: int) -> None:
    for scheme in ("http", "socks5"):
        assert reach(f"ws://127.0.0.1:{server_port}/", f"{scheme}://127.0.0.1:{nobody()}") == "proxy_unreachable"


def test_the_certificate_is_checked_behind_a_proxy(reach: Reach, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    def accept(connection: socket.socket) -> None:
        upgrade(connection)
        silent(connection)

    with tinyproxy(tmp_path) as proxy, scripted(accept, authority.context("localhost")) as port:
        url, way = f"wss://localhost:{port}/", f"http://127.0.0.1:{proxy}"
        assert reach(url, way) == "certificate_untrusted"
        assert reach(url, way, ca_file=str(authority.file)) == "open"


def test_the_systems_proxy(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    with microsocks() as port:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{port}")
        # The proxy is asked for the name, and says that it cannot reach it; without it there is no such name.
        assert reach("ws://no-such-host.invalid/", "", mode="system") == "proxy_no_way"
        assert reach("ws://no-such-host.invalid/", "", mode="none") == "name_not_found"
        monkeypatch.setenv("no_proxy", "no-such-host.invalid")
        assert reach("ws://no-such-host.invalid/", "", mode="system") == "name_not_found"


def test_frames_go_both_ways_through_a_proxy(server: ServerProcess) -> None:
    inputs: queue.Queue[LinkInput] = queue.Queue()
    with microsocks() as port:
        link = Connection(inputs.put, lambda: Network(proxy="manual", proxy_address=f"socks5://127.0.0.1:{port}"))
        link.open(1, server.url)
        assert inputs.get(timeout=DEADLINE) == LinkOpened(1)
        link.send(encode(Hello(id=1, protocol=1)))
        arrived = inputs.get(timeout=DEADLINE)
        assert isinstance(arrived, FrameArrived)
        assert isinstance(decode_server_frame(arrived.data), Welcome)
        link.close()
        assert link.join(DEADLINE)


class Vault:
    """A keyring in memory that tells when it was written."""

    persistent = True

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.done: queue.Queue[str] = queue.Queue()

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def set(self, name: str, secret: bytes) -> bool:
        self.kept[name] = secret
        self.done.put("set")
        return True

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)
        self.done.put("delete")


def test_the_password_goes_to_the_vault_and_never_to_the_file(tmp_path: Path) -> None:
    vault = Vault()
    settings = SettingsWithProxyPassword(Settings(tmp_path), vault)
    assert settings.password() == ""
    settings.change("proxy_address", f"http://ann:{LOGIN[1]}@proxy.example.com:80")
    assert settings.password() == LOGIN[1]
    assert vault.done.get(timeout=DEADLINE) == "set"
    assert settings.get("proxy_address") == "http://ann@proxy.example.com:80"
    assert LOGIN[1] not in (tmp_path / FILE_NAME).read_text("utf-8")
    assert LOGIN[1] not in repr(settings.view())

    settings.change("proxy_address", "http://ann@proxy.example.com:80")  # the same: the password stays
    settings.change("proxy", "manual")
    again = SettingsWithProxyPassword(Settings(tmp_path), vault)
    assert again.password() == LOGIN[1]
    again.change("proxy_address", "http://ann@other.example.com:80")  # another proxy must not get it
    assert vault.done.get(timeout=DEADLINE) == "delete"
    assert again.password() == ""
    settings.close()
    again.close()


def test_a_password_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(f'proxy_address = "http://ann:{LOGIN[1]}@p:80"\n')
    settings = Settings(tmp_path)
    assert settings.get("proxy_address") == ""
    assert "must not hold a password" in settings.problems[0]
    assert LOGIN[1] not in settings.problems[0]
    with pytest.raises(BridgeError):
        settings.change("proxy_address", "http://p:x")
