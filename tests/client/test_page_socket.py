"""A page's WebSocket on the loopback server: whole messages, bounds, and its end."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from client.bridge import MAX_CALL_BYTES
from client.ui_server import MAX_UNSENT_BYTES
from tests.support.logs import LogGuard
from tests.support.loopback import Site


def end(page: websocket.WebSocket) -> None:
    """Close the socket without a closing handshake."""
    page.shutdown()  # type: ignore[no-untyped-call]  # websocket-client's own


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


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
