"""The link's TLS: what is refused with which words, and what the settings add to the system's trust."""

from __future__ import annotations

import base64
import hashlib
import queue
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client.connection import Connection
from client.dial import Network
from client.ports import LinkClosed, LinkInput, LinkOpened
from client.tls import Trust, key_digest
from tests.client.link_faults import Authority, scripted, silent, upgrade

DEADLINE = 20.0

Reach = Callable[..., str]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """Open a link with this trust: "open", or the code of the failure."""
    links: list[Connection] = []

    def connect(url: str, **trust: str) -> str:
        inputs: queue.Queue[LinkInput] = queue.Queue()
        link = Connection(inputs.put, lambda: Network(trust=Trust(**trust)))
        links.append(link)
        link.open(1, url)
        first = inputs.get(timeout=DEADLINE)
        if isinstance(first, LinkOpened):
            return "open"
        assert isinstance(first, LinkClosed)
        assert first.error is not None
        assert first.error.text.endswith(".")
        return first.error.code

    yield connect
    for link in links:
        link.close()
        assert link.join(DEADLINE)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def accept(connection: socket.socket) -> None:
    upgrade(connection)
    silent(connection)


@pytest.mark.parametrize(
    ("host", "wrong", "code"),
    [
        ("localhost", {"expired": True}, "certificate_expired"),
        ("localhost", {"self_signed": True}, "certificate_self_signed"),
        ("chat.example.com", {}, "certificate_wrong_host"),
    ],
)
def test_a_wrong_certificate_is_refused(
    reach: Reach, authority: Authority, host: str, wrong: dict[str, bool], code: str
) -> None:
    with scripted(accept, authority.context(host, **wrong)) as port:
        assert reach(f"wss://localhost:{port}/", ca_file=str(authority.file)) == code


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")  # the server is as old as that
def test_an_old_tls_is_refused(reach: Reach, authority: Authority) -> None:
    context = authority.context("localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with scripted(accept, context) as port:
        assert reach(f"wss://localhost:{port}/", ca_file=str(authority.file)) == "tls_too_old"


def test_plain_text_to_a_port_with_tls_names_wss(reach: Reach, authority: Authority) -> None:
    with scripted(accept, authority.context("localhost")) as port:
        assert reach(f"ws://localhost:{port}/") == "tls_wanted"


def test_a_further_authority_is_trusted_by_its_file_alone(reach: Reach, authority: Authority) -> None:
    with scripted(accept, authority.context("localhost")) as port:
        assert reach(f"wss://localhost:{port}/") == "certificate_untrusted"
        assert reach(f"wss://localhost:{port}/", ca_file=str(authority.file)) == "open"


def test_a_file_that_cannot_be_used_is_named(reach: Reach, authority: Authority, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with scripted(accept, authority.context("localhost")) as port:
        for name in (empty, tmp_path / "missing.pem"):
            assert reach(f"wss://localhost:{port}/", ca_file=str(name)) == "certificate_file_unusable"
            assert reach(f"wss://localhost:{port}/", client_certificate=str(name)) == "certificate_file_unusable"


def pin(file: Path) -> bytes:
    """As cryptography sees the key."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashlib.sha256(key).digest()
    assert key_digest(certificate.public_bytes(serialization.Encoding.DER)) == digest
    return digest


def test_a_pinned_key_is_required(reach: Reach, authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = authority.issue("localhost")
    context.load_cert_chain(file)
    digest = pin(file)
    encoded = base64.b64encode(digest).decode()
    with scripted(accept, context) as port:
        for right in (digest.hex(), digest.hex(":").upper(), encoded, f"sha256//{encoded}"):
            assert reach(f"wss://localhost:{port}/", ca_file=str(authority.file), pinned_key=right) == "open"
        for wrong in (digest.hex()[:-1], pin(authority.file).hex(), "any"):
            code = reach(f"wss://localhost:{port}/", ca_file=str(authority.file), pinned_key=wrong)
            assert code == "certificate_not_pinned"
        # A pin takes nothing of the other checks away.
        assert reach(f"wss://localhost:{port}/", pinned_key=digest.hex()) == "certificate_untrusted"


def test_what_is_no_certificate_has_no_key() -> None:
    for data in (b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x01"):
        with pytest.raises(ValueError, match="not DER"):
            key_digest(data)


def test_a_client_certificate_is_shown_to_a_server_that_asks(reach: Reach, authority: Authority) -> None:
    context = authority.context("localhost")
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    own = str(authority.issue("ann"))
    with scripted(accept, context) as port:
        url = f"wss://localhost:{port}/"
        assert reach(url, ca_file=str(authority.file)) == "client_certificate_needed"
        assert reach(url, ca_file=str(authority.file), client_certificate=own) == "open"


def test_an_ipv6_address_is_reached(reach: Reach, authority: Authority) -> None:
    with scripted(accept, authority.context("::1"), host="::1") as port:
        assert reach(f"wss://[::1]:{port}/", ca_file=str(authority.file)) == "open"
    with scripted(accept, host="::1") as port:
        assert reach(f"ws://[::1]:{port}/") == "open"
