"""The gateway: sockets, limits, and every kind of frame that is not as it should be."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from protocol.limits import MAX_REQUEST_BYTES, MAX_TEXT_CHARACTERS
from tests.support.server import ServerProcess, WireClient, conversation

TEXT, BINARY, CONTINUATION = websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_CONT


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for many small tests, with ann and bob in it."""
    process = ServerProcess(tmp_path_factory.mktemp("server")).start()
    process.add_user("ann", "correct horse", "Ann")
    process.add_user("bob", "battery staple", "Bob")
    yield process
    assert process.stop() == 0


@pytest.fixture
def ann(shared: ServerProcess) -> Iterator[WireClient]:
    with shared.login("ann", "correct horse") as client:
        yield client


@pytest.fixture
def bob(shared: ServerProcess) -> Iterator[WireClient]:
    with shared.login("bob", "battery staple") as client:
        yield client


def frame(payload: bytes, opcode: int = TEXT, fin: int = 1, rsv: int = 0) -> bytes:
    """A client's frame, right or wrong, with a mask of zeros (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([fin << 7 | rsv << 6 | opcode]) + length + bytes(4) + payload


def raw(client: WireClient, *frames: bytes) -> None:
    assert client.socket.sock is not None
    client.socket.sock.sendall(b"".join(frames))


def error(answer: dict[str, Any]) -> tuple[str, bool]:
    assert answer["type"] == "error", answer
    assert answer["text"]
    return answer["code"], answer.get("retry", False)


# ---------------------------------------------------------------- frames that cannot be understood


MESSAGE = b'{"type":"send","id":7,"conversation":"%s","message_id":"%s","body":%s}'


@pytest.mark.parametrize(
    ("data", "code", "re"),
    [
        (b"", "bad_frame", None),
        (b"{", "bad_frame", None),
        (b"[]", "bad_field", None),
        (b"null", "bad_field", None),
        (b"[" * 100_000, "bad_field", None),
        (b'{"type":"ping","id":7,"x":' + b"[" * 100_000, "bad_frame", None),
        (b'{"type":"ping","id":7}x', "bad_frame", None),
        (b'{"id":7}', "bad_field", 7),
        (b'{"type":"ping"}', "bad_field", None),
        (b'{"type":"fly","id":7}', "unknown_type", 7),
        (b'{"type":5,"id":7}', "bad_field", None),
        (b'{"type":"ping","id":-1}', "bad_field", None),
        (b'{"type":"ping","id":"7"}', "bad_field", None),
        (MESSAGE % (b"x", b"12345678", b'{"text":"x"}'), "bad_field", 7),
        (MESSAGE % (b"d.a.b", b"short", b'{"text":"x"}'), "bad_field", 7),
        (MESSAGE % (b"d.a.b", b"12345678", b'"x"'), "bad_field", 7),
        (MESSAGE % (b"d.a.b", b"12345678", b'{"text":"\\ud800"}'), "bad_frame", None),
        (b'{"type":"get_history","id":7,"conversation":"d.a.b","limit":100000}', "bad_field", 7),
    ],
)
def test_a_malformed_frame_is_one_error_and_the_socket_lives(
    ann: WireClient, data: bytes, code: str, re: int | None
) -> None:
    raw(ann, frame(data))
    answer = ann.read()
    while answer["type"] != "error":  # somebody's presence may come first
        answer = ann.read()
    assert error(answer) == (code, False)
    assert answer.get("re") == re
    assert ann.request("ping")["type"] == "pong"


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([frame(b"x", BINARY)], 1003),
        ([frame(b'{"type":"ping","id":1,"x":"\xff"}')], 1007),
        ([frame(b"x" * (MAX_REQUEST_BYTES + 1))], 1009),
        (
            [frame(b"x" * 100_000, fin=0), frame(b"x" * 100_000, CONTINUATION, 0), frame(b"x" * 100_000, CONTINUATION)],
            1009,
        ),
        ([frame(b"x", rsv=1)], 1002),
        ([frame(b"x", CONTINUATION)], 1002),
        ([frame(b"x", fin=0), frame(b"x")], 1002),
        ([frame(b"x", opcode=5)], 1002),
        ([b"\x81\x01x"], 1002),  # not masked
        ([frame(b"x" * 126, websocket.ABNF.OPCODE_PING)], 1002),
    ],
)
def test_a_socket_that_breaks_the_rules_is_closed_with_the_proper_code(
    ann: WireClient, shared: ServerProcess, frames: list[bytes], code: int
) -> None:
    raw(ann, *frames)
    assert ann.closed() == code
    assert ann.close_reason == ("frame_too_large" if code == 1009 else "") or code == 1002  # picows has its own words
    with shared.greeted() as other:
        assert other.request("ping")["type"] == "pong"


def test_fragments_are_put_together_and_pings_may_come_between(ann: WireClient) -> None:
    raw(
        ann,
        frame(b'{"type":"pi', fin=0),
        frame(b"still there?", websocket.ABNF.OPCODE_PING),
        frame(b'ng","id"', CONTINUATION, 0),
        frame(b":99}", CONTINUATION),
    )
    assert ann.answer(99)["type"] == "pong"


def test_fields_of_a_newer_client_are_ignored(ann: WireClient) -> None:
    assert ann.request("ping", colour={"deep": [1, 2]})["type"] == "pong"


# ---------------------------------------------------------------- before log-in


def test_requests_before_hello_and_before_login(shared: ServerProcess) -> None:
    with shared.connect() as client:
        assert error(client.request("login", user="ann", password="x"))[0] == "hello_required"
        assert error(client.request("sync"))[0] == "hello_required"
        assert error(client.request("ping"))[0] == "hello_required"
        welcome = client.request("hello", protocol=1)
        assert welcome["protocol"] == 1
        assert welcome["max_request_bytes"] == MAX_REQUEST_BYTES
        assert error(client.request("sync"))[0] == "not_logged_in"
        assert error(client.request("send", conversation="d.a.b", message_id="12345678", body={"text": "x"}))[0] == (
            "not_logged_in"
        )


def test_versions_that_have_nothing_in_common(shared: ServerProcess) -> None:
    with shared.connect() as client:
        assert client.request("hello", protocol=9, oldest=1)["protocol"] == 1
    with shared.connect() as client:
        answer = client.request("hello", protocol=9, oldest=5)
        assert error(answer) == ("update_required", False)
        assert answer["details"] == {"oldest": 1, "newest": 1}
        assert client.closed() == 4002


# ---------------------------------------------------------------- messages


def test_messages_that_are_refused(ann: WireClient, bob: WireClient) -> None:
    between = conversation(ann.user, bob.user)
    assert error(ann.say(between, ""))[0] == "empty_message"
    assert error(ann.say(between, " \n\t　"))[0] == "empty_message"
    too_long = ann.say(between, "é" * (MAX_TEXT_CHARACTERS + 1))
    assert error(too_long)[0] == "text_too_long"
    assert too_long["details"] == {"limit": MAX_TEXT_CHARACTERS, "characters": MAX_TEXT_CHARACTERS + 1}
    assert ann.say(between, "é" * MAX_TEXT_CHARACTERS)["type"] == "sent"
    assert error(ann.say(conversation(ann.user, "nobody"), "x"))[0] == "no_such_user"
    for stranger in ("d.nobody.someone", f"d.{bob.user}.zzzzz", "g.1", f"d.{ann.user}.{ann.user}"):
        assert error(ann.say(stranger, "x"))[0] == "no_such_conversation"
    for request in ("mark_read", "get_history", "set_typing"):
        fields = {"seq": 1} if request == "mark_read" else {}
        for stranger in (f"d.{bob.user}.zzzzz", "d.nobody.someone"):
            assert error(ann.request(request, conversation=stranger, **fields))[0] == "no_such_conversation"
    assert error(ann.request("open_conversation", peer="nobody"))[0] == "no_such_user"
    assert error(ann.request("open_conversation", peer=ann.user))[0] == "self_conversation"
    assert error(ann.request("set_presence", state="busy", text="x" * 141))[0] == "text_too_long"
    assert error(ann.request("hello", protocol=1))[0] == "already_logged_in"


def test_a_retry_is_harmless_and_an_id_belongs_to_one_conversation(ann: WireClient, bob: WireClient) -> None:
    between = conversation(ann.user, bob.user)
    sent = ann.say(between, "once", "retry-message-1")
    again = ann.say(between, "once", "retry-message-1")
    assert {**sent, "re": 0} == {**again, "re": 0}
    bob.push("new_event")
    assert bob.say(between, "same id, other sender", "retry-message-1")["seq"] > sent["seq"]


def test_a_message_to_a_disabled_person(shared: ServerProcess, ann: WireClient) -> None:
    eve = shared.add_user("eve", "correct horse")
    between = conversation(ann.user, eve)
    ann.push("directory_changed")
    assert ann.say(between, "before")["type"] == "sent"
    shared.command("user", "disable", "eve")
    ann.push("directory_changed")
    assert error(ann.say(between, "after"))[0] == "user_disabled"
    history = ann.request("get_history", conversation=between)
    assert [event["body"]["text"] for event in history["events"]] == ["before"]


def test_every_device_but_the_sending_one_gets_the_event(
    shared: ServerProcess, ann: WireClient, bob: WireClient
) -> None:
    between = conversation(ann.user, bob.user)
    with shared.login("ann", "correct horse") as phone:
        sent = ann.say(between, "to all")
        for client in (bob, phone):
            assert client.push("new_event")["event"]["seq"] == sent["seq"]
        assert not any(push["type"] == "new_event" for push in ann.pushes)
        bob.request("mark_read", conversation=between, seq=sent["seq"])
        for client in (ann, bob, phone):
            event = client.push("new_event")["event"]
            assert (event["kind"], event["sender"], event["body"]) == ("read", bob.user, {"seq": sent["seq"]})


def test_typing_goes_to_the_other_one_alone(ann: WireClient, bob: WireClient) -> None:
    between = conversation(ann.user, bob.user)
    assert ann.request("set_typing", conversation=between)["type"] == "ok"
    assert bob.push("typing") == {"type": "typing", "conversation": between, "user": ann.user}
    assert ann.request("set_typing", conversation=between, on=False)["type"] == "ok"
    assert bob.push("typing")["on"] is False
    assert not any(push["type"] == "typing" for push in ann.pushes)


def test_presence_is_told_and_goes_with_the_connection(shared: ServerProcess, ann: WireClient) -> None:
    with shared.login("bob", "battery staple") as bob:
        bob.request("set_presence", state="busy", text="in a meeting")
        entry = {"user": bob.user, "state": "busy", "text": "in a meeting"}
        while entry not in ann.push("presence")["people"]:
            pass
        assert entry in ann.request("get_presence")["people"]
        bob.request("set_presence", state="invisible")
        while {"user": bob.user, "state": "offline"} not in ann.push("presence")["people"]:
            pass
        assert ann.request("get_presence")["people"] == []
        ann.request("set_presence", state="away")
        assert [item["user"] for item in ann.request("get_presence")["people"]] == [ann.user]


# ---------------------------------------------------------------- slow readers, TLS


def test_who_does_not_read_is_told_to_catch_up(shared: ServerProcess, bob: WireClient) -> None:
    with shared.login("ann", "correct horse") as slow, shared.login("ann", "correct horse") as fast:
        between = conversation(slow.user, bob.user)
        last = 0
        while not any(line["event"] == "socket.too_slow" for line in list(shared.logs)):
            last = bob.say(between, "x" * 9_000)["seq"]
            while fast.push("new_event")["event"]["seq"] < last:
                pass
        assert slow.closed() == 4000
        assert fast.request("ping")["type"] == "pong"
        state = fast.request("sync", cursors={between: last - 1})["conversations"][0]
        assert state["last_seq"] == last


def certificate(directory: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Oschat test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return directory / "cert.pem", directory / "key.pem"


def test_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    process = ServerProcess(tmp_path / "server", "--tls-cert", str(cert), "--tls-key", str(key)).start()
    assert process.url.startswith("wss://127.0.0.1:")
    context = ssl.create_default_context(cafile=str(cert))
    with WireClient(process.url, sslopt={"context": context}) as client:
        assert client.request("hello", protocol=1)["type"] == "welcome"
    with pytest.raises(ssl.SSLCertVerificationError):
        WireClient(process.url, sslopt={"context": ssl.create_default_context()})
    assert process.stop() == 0


def test_hundreds_of_frames_in_one_write_are_answered_in_order(ann: WireClient) -> None:
    ids = range(1_000, 1_500)
    raw(ann, *(frame(json.dumps({"type": "ping", "id": number}).encode()) for number in ids))
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.extend(ann.read()["re"] for _ in ids))
    reader.start()
    reader.join(20)
    assert seen == list(ids)
