"""The loopback server over real sockets: who may come in, and which files there are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from client.address import Address
from client.static_files import TYPES, StaticFiles
from client.ui_server import UiServer
from tests.support.loopback import SECRET, Pages, Site


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
