"""The link's threads against real sockets: a real server, and servers that misbehave in each way that has a name."""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.connection import QUEUED_FRAMES, Connection
from client.ports import FrameArrived, LinkClosed, LinkInput, LinkOpened
from protocol.codec import decode_server_frame, encode
from protocol.errors import CloseCode
from protocol.limits import MAX_ANSWER_BYTES
from protocol.messages import Hello, Welcome
from tests.client.link_faults import Authority, Script, answer, scripted, silent, upgrade
from tests.support.logs import LogGuard
from tests.support.server import ServerProcess

DEADLINE = 20.0


class Inputs:
    """What the connection posted, and the connection."""

    def __init__(self) -> None:
        self._queue: queue.Queue[LinkInput] = queue.Queue()
        self.connection = Connection(self._queue.put)

    def next(self) -> LinkInput:
        return self._queue.get(timeout=DEADLINE)

    def closed(self) -> LinkClosed:
        while True:
            item = self.next()
            if isinstance(item, LinkClosed):
                return item

    def nothing(self) -> bool:
        return self._queue.empty()


@pytest.fixture
def link() -> Iterator[Inputs]:
    inputs = Inputs()
    yield inputs
    inputs.connection.close()
    assert inputs.connection.join(DEADLINE)


def failure(link: Inputs, url: str) -> str:
    link.connection.open(1, url)
    closed = link.closed()
    assert closed.attempt == 1
    assert closed.error is not None
    assert closed.error.text.endswith(".")
    return closed.error.code


def test_frames_go_both_ways_to_a_real_server(link: Inputs, server: ServerProcess) -> None:
    link.connection.open(7, server.url)
    assert link.next() == LinkOpened(7)
    link.connection.send(encode(Hello(id=1, protocol=1)))
    arrived = link.next()
    assert isinstance(arrived, FrameArrived)
    assert arrived.attempt == 7
    assert isinstance(decode_server_frame(arrived.data), Welcome)
    assert server.stop() == 0
    closed = link.closed()
    assert (closed.attempt, closed.code) == (7, CloseCode.SERVICE_RESTART)


def test_a_killed_server_is_noticed_at_once(link: Inputs, server: ServerProcess) -> None:
    link.connection.open(1, server.url)
    assert link.next() == LinkOpened(1)
    server.kill9()
    closed = link.closed()
    assert closed.error is not None
    assert (closed.code, closed.error.code, closed.error.retry) == (0, "link_failed", True)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (answer("404 Not Found"), "not_an_oschat_server"),
        (answer("200 OK"), "not_an_oschat_server"),
        (answer("301 Moved Permanently\r\nLocation: http://elsewhere.invalid/"), "not_an_oschat_server"),
        (answer("503 Service Unavailable"), "server_busy"),
        (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not_an_oschat_server"),
    ],
)
def test_what_is_no_oschat_server_is_named(link: Inputs, script: Script, code: str) -> None:
    with scripted(script) as port:
        assert failure(link, f"ws://127.0.0.1:{port}/") == code


def test_a_port_where_nothing_listens(link: Inputs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(link, f"ws://127.0.0.1:{port}/") == "connection_refused"


def test_a_name_that_does_not_exist(link: Inputs) -> None:
    assert failure(link, "ws://no-such-host.invalid/") == "name_not_found"


def test_a_server_that_says_nothing(link: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.connection.CONNECT_TIMEOUT_SECONDS", 0.3)
    with scripted(silent) as port:
        assert failure(link, f"ws://127.0.0.1:{port}/") == "timeout"


@pytest.mark.parametrize(
    ("host", "expired", "trusted", "code"),
    [
        ("localhost", False, False, "certificate_untrusted"),
        ("localhost", True, True, "certificate_expired"),
        ("chat.example.com", False, True, "certificate_wrong_host"),
    ],
)
def test_certificates_are_checked(
    link: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, host: str, expired: bool, trusted: bool, code: str
) -> None:
    authority = Authority(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with scripted(silent, authority.context(host, expired=expired)) as port:
        assert failure(link, f"wss://localhost:{port}/") == code


def test_a_trusted_certificate_is_accepted(link: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    def script(connection: socket.socket) -> None:
        upgrade(connection)
        connection.sendall(b"\x81\x02hi")
        silent(connection)

    with scripted(script, authority.context("localhost")) as port:
        link.connection.open(1, f"wss://localhost:{port}/")
        assert link.next() == LinkOpened(1)
        assert link.next() == FrameArrived(1, b"hi")


def test_tls_to_a_port_without_it(link: Inputs) -> None:
    with scripted(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert failure(link, f"wss://127.0.0.1:{port}/") == "not_an_oschat_server"


def after_upgrade(data: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        upgrade(connection)
        connection.sendall(data)
        silent(connection)

    return script


HUGE = b"\x81\x7f" + struct.pack("!Q", MAX_ANSWER_BYTES + 1)
PART = b"\x01\x7f" + struct.pack("!Q", MAX_ANSWER_BYTES // 2) + b"x" * (MAX_ANSWER_BYTES // 2)
NEXT = b"\x00" + PART[1:]


@pytest.mark.parametrize("data", [HUGE, PART + NEXT + NEXT, b"\x82\x02hi", b"\x83\x00", b"\xff\x00"])
def test_frames_that_the_protocol_does_not_know_close_the_link(link: Inputs, data: bytes) -> None:
    with scripted(after_upgrade(data)) as port:
        assert failure(link, f"ws://127.0.0.1:{port}/") == "not_an_oschat_server"


@pytest.mark.parametrize("code", [1000, CloseCode.SERVICE_RESTART, CloseCode.RESYNC, CloseCode.SESSION_ENDED])
def test_close_codes_are_passed_on(link: Inputs, code: int) -> None:
    with scripted(after_upgrade(b"\x88\x02" + struct.pack("!H", code))) as port:
        link.connection.open(1, f"ws://127.0.0.1:{port}/")
        assert link.closed() == LinkClosed(1, code, None)


def test_closing_ends_the_threads_and_posts_nothing_more(link: Inputs) -> None:
    for script in (silent, after_upgrade(b"")):  # in the handshake, and after it
        with scripted(script) as port:
            link.connection.open(1, f"ws://127.0.0.1:{port}/")
            if script is not silent:
                assert link.next() == LinkOpened(1)
            link.connection.close()
            assert link.connection.join(DEADLINE)
            assert link.nothing()


def test_opening_anew_leaves_the_earlier_socket(link: Inputs) -> None:
    gone = threading.Event()

    def script(connection: socket.socket) -> None:
        upgrade(connection)
        silent(connection)
        gone.set()

    with scripted(script) as first, scripted(after_upgrade(b"\x81\x02hi")) as second:
        link.connection.open(1, f"ws://127.0.0.1:{first}/")
        assert link.next() == LinkOpened(1)
        link.connection.open(2, f"ws://127.0.0.1:{second}/")
        assert gone.wait(DEADLINE)
        assert link.next() == LinkOpened(2)
        assert link.next() == FrameArrived(2, b"hi")


def test_a_server_that_does_not_read_is_left_and_never_blocks_the_sender(link: Inputs, logs: LogGuard) -> None:
    stop = threading.Event()

    def script(connection: socket.socket) -> None:
        upgrade(connection)
        stop.wait(DEADLINE)

    with scripted(script) as port:
        link.connection.open(1, f"ws://127.0.0.1:{port}/")
        assert link.next() == LinkOpened(1)
        frame = b"x" * 100_000
        for _ in range(QUEUED_FRAMES + 200):
            link.connection.send(frame)
        closed = link.closed()
        assert closed.error is not None
        stop.set()


def test_sending_without_a_link_is_harmless(link: Inputs) -> None:
    link.connection.send(b"{}")
    link.connection.close()
    link.connection.close()
    assert link.nothing()
