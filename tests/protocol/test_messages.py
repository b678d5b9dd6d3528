"""Every frame survives encoding and decoding; what is wrong is refused with the code that says why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import codec
from protocol import messages as m
from protocol.errors import ERRORS, ErrorCode, FrameError, ProtocolError
from protocol.examples import EXAMPLES

USER = st.from_regex(r"\A[a-z0-9]{1,32}\Z")
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
CONVERSATION = st.builds(m.direct_conversation, USER, USER)
SEQ = st.integers(0, 2**53)
BODY = st.one_of(st.builds(m.MessageBody, text=TEXT), st.builds(m.ReadBody, seq=SEQ)).map(codec.encode_body)

PERSON = st.builds(m.Person, id=USER, login=TEXT.filter(len), name=TEXT.filter(len), departments=st.lists(TEXT))
EVENT = st.builds(
    m.Event,
    conversation=CONVERSATION,
    seq=SEQ,
    at=SEQ,
    sender=USER,
    kind=st.sampled_from(["message", "read", "from_the_future"]),
    message_id=st.just("0b8f6c1e") | st.just(msgspec.UNSET),
    body=BODY,
)
st.register_type_strategy(m.Person, PERSON)
st.register_type_strategy(m.Event, EVENT)
st.register_type_strategy(msgspec.Raw, BODY)


def frames(shape: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Frames of one type with every field drawn within what the type allows."""
    known: dict[str, st.SearchStrategy[Any]] = {
        "re": st.integers(0, 2**53 - 1),
        "text": TEXT,
        "details": st.dictionaries(TEXT, TEXT | st.integers(-1000, 1000), max_size=3),
        "id": st.integers(0, 2**53 - 1) if issubclass(shape, m.Request) else USER,
        "conversation": st.builds(
            m.ConversationState,
            id=CONVERSATION,
            members=st.lists(USER, max_size=3),
            last_seq=SEQ,
            read=st.dictionaries(USER, SEQ, max_size=3),
            unread=SEQ,
            events=st.lists(EVENT, max_size=3),
        )
        if shape is m.ConversationOpened
        else CONVERSATION,
        "user": PERSON if shape is m.LoggedIn else TEXT if shape is m.Login else USER,
        "peer": USER,
        "protocol": st.integers(1, 9),
        "oldest": st.integers(1, 9),
        "message_id": st.uuids().map(str),
        "limit": st.integers(1, 200),
        "before": SEQ,
        "after": TEXT if shape is m.GetDirectory else SEQ,
        "seq": SEQ,
        "at": SEQ,
        "now": SEQ,
        "expires": SEQ,
        "last_seq": SEQ,
        "event": EVENT,
        "events": st.lists(EVENT, max_size=3),
        "departments": st.lists(
            st.builds(m.Department, id=USER, name=TEXT.filter(len), parent=TEXT, order=st.integers(-9, 9)), max_size=3
        ),
        "people": st.lists(PERSON, max_size=3)
        if shape is m.Directory
        else st.lists(
            st.builds(m.PresenceEntry, user=USER, state=st.sampled_from(["online", "away", "busy", "offline"])),
            max_size=3,
        ),
        "cursors": st.dictionaries(CONVERSATION, SEQ, max_size=3),
        "conversations": st.lists(
            st.builds(m.ConversationState, id=CONVERSATION, members=st.lists(USER), last_seq=SEQ), max_size=3
        ),
    }
    hints = {field.name for field in msgspec.structs.fields(shape)}
    return st.builds(shape, **{name: strategy for name, strategy in known.items() if name in hints})


@pytest.mark.parametrize("shape", m.REQUESTS, ids=lambda shape: str(shape.__name__))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_request_survives_the_wire(shape: type[msgspec.Struct], data: st.DataObject) -> None:
    frame = data.draw(frames(shape))
    assert codec.decode_request(codec.encode(frame)) == frame


@pytest.mark.parametrize("shape", m.ANSWERS + m.PUSHES, ids=lambda shape: str(shape.__name__))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_server_frame_survives_the_wire(shape: type[msgspec.Struct], data: st.DataObject) -> None:
    frame = data.draw(frames(shape))
    encoded = codec.encode(frame)
    decoded = codec.decode_server_frame(encoded)
    assert decoded is not None
    assert type(decoded) is shape
    assert codec.encode(decoded) == encoded


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_a_frame_error(data: bytes) -> None:
    try:
        codec.decode_request(data)
    except FrameError as error:
        assert codec.error_frame(error).code in {code.value for code in ErrorCode}


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_damaged_frame_is_refused_or_still_valid(example: msgspec.Struct, data: st.DataObject) -> None:
    encoded = bytearray(codec.encode(example))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    for decode in (codec.decode_request, codec.decode_server_frame):
        try:
            decode(bytes(encoded))
        except FrameError as error:
            assert error.code in ERRORS


@pytest.mark.parametrize(
    ("data", "code", "request_id"),
    [
        (b"{", ErrorCode.BAD_FRAME, None),
        (b"", ErrorCode.BAD_FRAME, None),
        (b'"\xff"', ErrorCode.BAD_FIELD, None),
        (b'{"type":"ping","id":7} {}', ErrorCode.BAD_FRAME, None),
        (b"[" * 100_000, ErrorCode.BAD_FIELD, None),
        (b"[]", ErrorCode.BAD_FIELD, None),
        (b"{}", ErrorCode.BAD_FIELD, None),
        (b'{"type":"zap","id":3}', ErrorCode.UNKNOWN_TYPE, 3),
        (b'{"type":"zap"}', ErrorCode.UNKNOWN_TYPE, None),
        (b'{"type":"ping"}', ErrorCode.BAD_FIELD, None),
        (b'{"type":"ping","id":"7"}', ErrorCode.BAD_FIELD, None),
        (b'{"type":"ping","id":-1}', ErrorCode.BAD_FIELD, None),
        (b'{"type":"ping","id":1e300}', ErrorCode.BAD_FIELD, None),
        (b'{"type":"set_presence","id":1,"state":"zap"}', ErrorCode.BAD_FIELD, 1),
        (b'{"type":"send","id":4,"conversation":"d.a.b","message_id":"short","body":{}}', ErrorCode.BAD_FIELD, 4),
        (b'{"type":"get_history","id":5,"conversation":"d.a.b","limit":9999}', ErrorCode.BAD_FIELD, 5),
        (b'{"type":"open_conversation","id":6,"peer":"../etc"}', ErrorCode.BAD_FIELD, 6),
    ],
)
def test_what_is_wrong_is_said(data: bytes, code: ErrorCode, request_id: int | None) -> None:
    with pytest.raises(FrameError) as caught:
        codec.decode_request(data)
    assert caught.value.code is code
    assert caught.value.request_id == request_id


def test_fields_of_a_newer_side_are_ignored() -> None:
    frame = codec.decode_request(b'{"type":"ping","id":7,"new":{"deep":[1]}}')
    assert frame == m.Ping(id=7)
    assert codec.decode_server_frame(b'{"type":"from_the_future","x":1}') is None
    event = msgspec.structs.replace(_event(), kind="from_the_future")
    assert codec.decode_body(event) is None


def test_an_error_frame_carries_what_helps() -> None:
    error = ProtocolError(ErrorCode.TOO_MANY_ATTEMPTS, retry_after=60, request_id=2, details={"limit": 10})
    frame = codec.error_frame(error)
    assert (frame.re, frame.code, frame.retry, frame.retry_after) == (2, "too_many_attempts", True, 60)
    assert frame.text == ERRORS[ErrorCode.TOO_MANY_ATTEMPTS].text


def test_every_code_has_its_facts() -> None:
    assert set(ERRORS) == set(ErrorCode)


def test_a_direct_conversation_has_one_id() -> None:
    assert m.direct_conversation("b", "a") == m.direct_conversation("a", "b") == "d.a.b"
    assert m.direct_members("d.a.b") == ("a", "b")
    for other in ("d.b.a", "d.a.a", "g.x", "d.a", "d.a.b.c", "d..b"):
        assert m.direct_members(other) is None


def _event() -> m.Event:
    body = codec.encode_body(m.MessageBody(text="x"))
    return m.Event(conversation="d.a.b", seq=1, at=1, sender="a", kind="message", body=body)
