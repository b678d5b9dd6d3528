"""Who may do what on the server, for every type of request; and what no stranger learns; and noise on the port."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.errors import ERRORS
from protocol.messages import REQUESTS
from tests.support.server import Frame, ServerProcess, WireClient, conversation


@dataclass
class House:
    """A server with ann and bob, who talk; eve, who is a stranger to that; and dan, who is disabled."""

    server: ServerProcess
    ann: str
    bob: str
    eve: str
    dan: str

    @property
    def between(self) -> str:
        return conversation(self.ann, self.bob)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    server = ServerProcess(tmp_path_factory.mktemp("server")).start()
    ids = [server.add_user(login, "correct horse") for login in ("ann", "bob", "eve", "dan")]
    found = House(server, *ids)
    for peer in (found.bob, found.dan):
        with server.login("ann", "correct horse") as ann:
            assert ann.say(conversation(found.ann, peer), "for the two of us")["type"] == "sent"
    server.command("user", "disable", "dan")
    with server.login("ann", "correct horse") as ann:
        while not next(p for p in ann.request("get_directory")["people"] if p["id"] == found.dan).get("disabled"):
            ann.push("directory_changed")
    yield found
    assert server.stop() == 0


def request(house: House, kind: str, peer: str) -> Frame:
    """A well-formed request of each type, about ann's conversation with `peer`."""
    talk = {"conversation": conversation(house.ann, peer)}
    requests: dict[str, Frame] = {
        "hello": {"protocol": 1},
        "login": {"user": "ann", "password": "wrong password"},
        "resume": {"token": "wrong token"},
        "logout": {},
        "ping": {},
        "get_directory": {},
        "get_presence": {},
        "set_presence": {"state": "online"},
        "open_conversation": {"peer": peer},
        "send": {**talk, "message_id": f"matrix-{random.getrandbits(64):x}", "body": {"text": "x"}},
        "mark_read": {**talk, "seq": 1},
        "set_typing": talk,
        "get_history": talk,
        "sync": {},
    }
    return requests[kind]


# What each type of request gets: before hello, before log-in, from a member, about a disabled peer, from a stranger.
MATRIX = {
    "hello": ("welcome", "welcome", "already_logged_in", "already_logged_in", "already_logged_in"),
    "login": ("hello_required", "bad_credentials", *["already_logged_in"] * 3),
    "resume": ("hello_required", "session_expired", *["already_logged_in"] * 3),
    "logout": ("hello_required", "not_logged_in", "ok", "ok", "ok"),
    "ping": ("hello_required", "pong", "pong", "pong", "pong"),
    "get_directory": ("hello_required", "not_logged_in", "directory", "directory", "directory"),
    "get_presence": ("hello_required", "not_logged_in", "presence_list", "presence_list", "presence_list"),
    "set_presence": ("hello_required", "not_logged_in", "ok", "ok", "ok"),
    "open_conversation": ("hello_required", "not_logged_in", *["conversation_opened"] * 3),  # a stranger opens her own
    "send": ("hello_required", "not_logged_in", "sent", "user_disabled", "no_such_conversation"),
    "mark_read": ("hello_required", "not_logged_in", "ok", "ok", "no_such_conversation"),
    "set_typing": ("hello_required", "not_logged_in", "ok", "ok", "no_such_conversation"),
    "get_history": ("hello_required", "not_logged_in", "history", "history", "no_such_conversation"),
    "sync": ("hello_required", "not_logged_in", "synced", "synced", "synced"),
}
KINDS = [struct.__struct_config__.tag for struct in REQUESTS]


def test_every_type_of_request_has_its_row() -> None:
    assert sorted(MATRIX) == sorted(map(str, KINDS))


@pytest.mark.parametrize("kind", MATRIX)
def test_who_may_ask_for_what(house: House, kind: str) -> None:
    silent, greeted, member, to_disabled, stranger = MATRIX[kind]
    server = house.server

    def outcome(client: WireClient, peer: str) -> str:
        answer = client.request(kind, **request(house, kind, peer))
        if answer["type"] == "error":
            assert answer["text"] == ERRORS[answer["code"]].text
            return str(answer["code"])
        return str(answer["type"])

    with server.connect() as client:
        assert outcome(client, house.bob) == silent
    with server.greeted() as client:
        assert outcome(client, house.bob) == greeted
    with server.login("ann", "correct horse") as client:
        assert outcome(client, house.bob) == member
    with server.login("ann", "correct horse") as client:
        assert outcome(client, house.dan) == to_disabled
    with server.login("eve", "correct horse") as client:
        assert outcome(client, house.bob) == stranger


def test_a_stranger_learns_nothing(house: House) -> None:
    with house.server.login("eve", "correct horse") as eve, house.server.login("ann", "correct horse") as ann:
        assert eve.request("sync", cursors={house.between: 0})["conversations"] == []
        opened = eve.request("open_conversation", peer=house.bob)["conversation"]
        assert opened["id"] == conversation(house.eve, house.bob)
        assert opened.get("events", []) == []
        ann.say(house.between, "a secret")
        ann.request("set_typing", conversation=house.between)
        existing = eve.request("get_history", conversation=house.between)
        missing = eve.request("get_history", conversation="d.nobody.someone")
        assert {**existing, "re": 0} == {**missing, "re": 0}
        assert eve.request("ping")["type"] == "pong"
        assert {push["type"] for push in eve.pushes} <= {"presence"}


def test_a_message_id_of_somebody_else_tells_nothing(house: House) -> None:
    with house.server.login("ann", "correct horse") as ann, house.server.login("eve", "correct horse") as eve:
        assert ann.say(house.between, "x", "an-id-of-ann")["type"] == "sent"
        sent = eve.say(conversation(house.eve, house.bob), "y", "an-id-of-ann")
        assert sent["type"] == "sent"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NOISE = st.one_of(
    st.binary(max_size=200),
    st.fixed_dictionaries({"type": st.sampled_from(KINDS) | st.text(), "id": st.integers() | JSON}, optional={}),
    st.fixed_dictionaries(
        {"type": st.sampled_from([kind for kind in KINDS if kind != "logout"]), "id": st.integers(0, 9)},
        optional=dict.fromkeys(
            ("conversation", "message_id", "body", "seq", "cursors", "page", "peer", "limit", "before"), JSON
        ),
    ),
    JSON,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames=st.lists(NOISE, min_size=1, max_size=8))
def test_noise_gets_errors_or_a_close_and_the_server_goes_on(house: House, frames: list[object]) -> None:
    with house.server.greeted() as client:
        for noise in frames:
            data = noise if isinstance(noise, bytes) else json.dumps(noise).encode()
            client.socket.send(data, opcode=1)
        client.socket.send('{"type":"ping","id":424242}')
        try:
            while client.read().get("re") != 424242:
                pass
        except ConnectionError:
            assert client.close_code == 1007  # what was no UTF-8
    with house.server.greeted() as client:
        assert client.request("ping")["type"] == "pong"
