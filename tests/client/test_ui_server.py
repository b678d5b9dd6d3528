"""The loopback server over real sockets: who may come in, which files there are, and how a page's socket behaves."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from client.address import Address
from client.bridge import MAX_CALL_BYTES
from client.static_files import TYPES, StaticFiles
from client.ui_server import MAX_UNSENT_BYTES, UiServer
from tests.support.logs import LogGuard

SECRET = "the passwords"


class Pages:
    """Takes the bridge's place: echoes what a page sends."""

    def __init__(self) -> None:
        self.windows: list[str] = []
        self.gone_pages: list[int] = []
        self.changed = threading.Condition()
        self.sends: dict[int, Any] = {}

    def connected(self, window: str, send: Any) -> int:
        self.windows.append(window)
        self.sends[len(self.windows)] = send
        return len(self.windows)

    def received(self, page: int, data: bytes) -> None:
        self.sends[page](data)

    def gone(self, page: int) -> None:
        with self.changed:
            self.gone_pages.append(page)
            self.changed.notify_all()

    def wait_gone(self, page: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: page in self.gone_pages, 10)


class Site:
    """A server in a thread of its own, over a folder of files."""

    def __init__(self, folder: Path) -> None:
        self.ui = folder / "ui"
        self.themes = folder / "themes"
        for path, text in {
            "ui/index.html": "<!doctype html><title>x</title>",
            "ui/app.js": "export {}",
            "ui/deep/a b.css": "p {}",
            "ui/.hidden.js": SECRET,
            "ui/notes.txt": SECRET,
            "themes/mine/theme.css": ":root {}",
            "secret.js": SECRET,
            "ui-other/secret.js": SECRET,
        }.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        (self.ui / "link.js").symlink_to(folder / "secret.js")
        (self.ui / "folder").symlink_to(folder)
        (self.ui / "loop.js").symlink_to(self.ui / "loop.js")
        self.address = Address()
        self.pages = Pages()
        self.shown = threading.Event()
        self.server = UiServer(self.address, StaticFiles(self.ui, self.themes), self.pages, self.shown.set)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.run(self.server.start())

    def run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def call(self, function: Any, *arguments: object) -> None:
        """Run on the server's loop and wait."""

        async def once() -> None:
            function(*arguments)

        self.run(once())

    def close(self) -> None:
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def get(self, path: str, *, host: str | None = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=10)
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self.address.host if host is None else host)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def path(self, rest: str) -> str:
        return f"/{self.address.token}/{rest}"

    def open(self, window: str = "main", origin: str | None = None) -> websocket.WebSocket:
        return websocket.create_connection(
            f"ws://{self.address.host}{self.path('bridge')}?window={window}",
            origin=self.address.origin if origin is None else origin,
            timeout=10,
        )


def end(page: websocket.WebSocket) -> None:
    """Close the socket without a closing handshake."""
    page.shutdown()  # type: ignore[no-untyped-call]  # websocket-client's own


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


# ---------------------------------------------------------------- who may come in


def test_the_page_is_served_with_its_policy(site: Site) -> None:
    response, body = site.get(site.path("index.html?window=main"))
    assert response.status == 200
    assert body.startswith(b"<!doctype html>")
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"connect-src 'self' ws://127.0.0.1:{site.address.port}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy.split("; ")
    assert "unsafe" not in policy
    for feature in ("camera=()", "microphone=()", "geolocation=()", "display-capture=()"):
        assert feature in headers["permissions-policy"]


def test_the_token_is_long_and_new_each_time() -> None:
    addresses = [Address(), Address()]
    for address in addresses:
        address.socket.close()
    assert len({secret for address in addresses for secret in (address.token, address.knock)}) == 4
    assert all(len(address.token) >= 43 for address in addresses)


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/{wrong}/index.html", "/{half}/index.html", "/{token}x/index.html"]
)
def test_without_the_token_nothing_is_served(site: Site, path: str) -> None:
    token = site.address.token
    response, body = site.get(path.format(wrong="A" * len(token), half=token[:20], token=token))
    assert (response.status, body) == (403, b"Forbidden")
    assert "content-security-policy" in {name.lower() for name, _ in response.getheaders()}


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1", "127.0.0.1:1", "evil.example:{port}", ""])
def test_another_host_is_refused(site: Site, host: str) -> None:
    response, _ = site.get(site.path("index.html"), host=host.format(port=site.address.port))
    assert response.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_origin_is_refused(site: Site, headers: dict[str, str]) -> None:
    response, _ = site.get(site.path("index.html"), **headers)
    assert response.status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:{port}"])
def test_a_socket_from_another_origin_is_refused(site: Site, origin: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        site.open(origin=origin.format(port=site.address.port))
    assert caught.value.status_code == 403
    assert not site.pages.windows


def test_a_socket_without_an_origin_or_token_is_refused(site: Site) -> None:
    for path, suppress in ((site.path("bridge"), True), (f"/{'A' * 43}/bridge", False)):
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            websocket.create_connection(
                f"ws://{site.address.host}{path}",
                suppress_origin=suppress,
                origin=None if suppress else site.address.origin,
                timeout=10,
            )
        assert caught.value.status_code == 403


def test_only_a_program_with_the_knock_shows_the_window(site: Site) -> None:
    knock = f"/{site.address.knock}/show"
    for path, headers in (
        (site.path("show"), {}),
        (f"/{site.address.knock}/index.html", {}),
        (knock, {"Sec_Fetch_Site": "none"}),
        (knock, {"Origin": site.address.origin}),
    ):
        response, _ = site.get(path, **headers)
        assert response.status in (403, 404)
    assert not site.shown.is_set()
    response, _ = site.get(knock)
    assert response.status == 200
    assert site.shown.wait(5)


@pytest.mark.parametrize(
    "request_text",
    [
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
def test_nonsense_gets_no_file_and_harms_nobody(site: Site, request_text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.address.port), timeout=10) as connection:
        connection.sendall(request_text)
        answer = b""
        try:
            while data := connection.recv(65_536):
                answer += data
        except ConnectionResetError:
            answer += b""
    assert not answer or answer.split()[1] in (b"400", b"403", b"404")
    assert SECRET.encode() not in answer
    assert site.get(site.path("index.html"))[0].status == 200


# ---------------------------------------------------------------- which files there are


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("deep/a%20b.css", "text/css; charset=utf-8"),
        ("user-themes/mine/theme.css", "text/css; charset=utf-8"),
    ],
)
def test_files_have_their_types(site: Site, path: str, kind: str) -> None:
    response, body = site.get(site.path(path))
    assert (response.status, response.getheader("Content-Type")) == (200, kind)
    assert body


@pytest.mark.parametrize(
    "path",
    [
        "",
        "missing.js",
        "deep",
        "deep/",
        "notes.txt",
        ".hidden.js",
        "../secret.js",
        "%2e%2e/secret.js",
        "..%2fsecret.js",
        "%2e%2e%2fsecret.js",
        "..\\secret.js",
        "..%5csecret.js",
        "deep/../../secret.js",
        "user-themes/../secret.js",
        "user-themes/%2e%2e/secret.js",
        "../ui-other/secret.js",
        "link.js",
        "folder/secret.js",
        "loop.js",
        "//etc/passwd",
        "/etc/hosts.js",
        "app.js%00.css",
        "app.js%0a",
        "%ff.js",
        "C:/secret.js",
        "user-themes",
        "user-themes/",
    ],
)
def test_no_trick_reaches_another_file(site: Site, path: str) -> None:
    response, body = site.get(site.path(path))
    assert response.status == 404
    assert body == b"Not Found"


def test_a_large_file_arrives_whole(site: Site) -> None:
    data = bytes(range(256)) * 40_000
    (site.ui / "big.png").write_bytes(data)
    response, body = site.get(site.path("big.png"))
    assert (response.getheader("Content-Type"), body == data) == (TYPES[".png"], True)


# ---------------------------------------------------------------- the page's socket


def test_a_page_talks_and_is_named(site: Site) -> None:
    page = site.open("d.a.b")
    for text in ('{"id":1}', "中文 🙂", "x" * 200_000):
        page.send(text)
        assert page.recv() == text
    assert site.pages.windows == ["d.a.b"]
    page.close()
    site.pages.wait_gone(1)


def test_firefox_asks_to_upgrade_in_its_own_words(site: Site) -> None:
    page = websocket.create_connection(
        f"ws://{site.address.host}{site.path('bridge')}",
        origin=site.address.origin,
        connection="Connection: keep-alive, Upgrade",
        timeout=10,
    )
    page.send("hello")
    assert page.recv() == "hello"
    page.close()


def test_a_message_in_parts_is_put_together(site: Site) -> None:
    page = site.open()
    for fin, opcode, part in ((0, 1, "one "), (0, 0, "two "), (1, 0, "three")):
        page.send_frame(websocket.ABNF(fin=fin, opcode=opcode, mask_value=1, data=part.encode()))
    assert page.recv() == "one two three"
    page.close()


@pytest.mark.parametrize(
    ("opcode", "sizes", "code"),
    [(1, [MAX_CALL_BYTES + 1], 1009), (1, [MAX_CALL_BYTES, MAX_CALL_BYTES], 1009), (2, [10], 1003)],
)
def test_what_a_page_may_not_send_closes_its_socket(
    site: Site, opcode: int, sizes: list[int], code: int, logs: LogGuard
) -> None:
    logs.allow("exceeding max allowed size")  # picows says so where one frame alone is too large
    page = site.open()
    for number, size in enumerate(sizes, 1):
        page.send_frame(
            websocket.ABNF(
                fin=int(number == len(sizes)), opcode=opcode if number == 1 else 0, mask_value=1, data=b"x" * size
            )
        )
    opcode_got, data = page.recv_data()
    assert opcode_got == websocket.ABNF.OPCODE_CLOSE
    assert struct.unpack("!H", data[:2])[0] == code
    end(page)
    site.pages.wait_gone(1)


def test_a_page_that_does_not_read_is_disconnected(site: Site) -> None:
    stuck, other = site.open(), site.open()
    chunk = json.dumps({"event": "x", "data": "y" * 100_000}).encode()

    def flood() -> None:
        for _ in range(3 * MAX_UNSENT_BYTES // len(chunk)):
            site.pages.sends[1](chunk)

    site.call(flood)
    site.pages.wait_gone(1)
    other.send("still here")
    assert other.recv() == "still here"
    end(stuck)
    other.close()


def test_stopping_closes_every_page(tmp_path: Path) -> None:
    site = Site(tmp_path)
    page = site.open()
    site.close()
    opcode, data = page.recv_data()
    assert (opcode, struct.unpack("!H", data[:2])[0]) == (websocket.ABNF.OPCODE_CLOSE, 1001)
    end(page)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", site.address.port), timeout=5)


def test_requests_before_the_start_are_served_by_it(tmp_path: Path) -> None:
    ui = tmp_path / "ui"
    ui.mkdir()
    (ui / "index.html").write_text("early")
    address = Address()
    with socket.create_connection(("127.0.0.1", address.port), timeout=10) as early:
        early.sendall(f"GET /{address.token}/index.html HTTP/1.1\r\nHost: {address.host}\r\n\r\n".encode())

        async def main() -> bytes:
            server = UiServer(address, StaticFiles(ui, ui), Pages(), lambda: None)
            await server.start()
            answer = await asyncio.to_thread(lambda: b"".join(iter(lambda: early.recv(4_096), b"")))
            await server.stop()
            return answer

        assert asyncio.run(main()).endswith(b"early")
