"""Malformed frames of every kind from a seeded generator, and what the server owes for each."""

from __future__ import annotations

import json
import os
import struct
from random import Random
from typing import Any, Final, NamedTuple

from protocol.codec import decode_request
from protocol.errors import FrameError
from protocol.limits import MAX_REQUEST_BYTES

TEXT: Final = 1
WRONG: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    2**53,
    2**64,
    1e300,
    0.5,
    "",
    "x",
    [],
    [[]],
    {},
    {"a": {}},
    [None] * 99,
)
VALID: Final[tuple[dict[str, Any], ...]] = (
    {"type": "hello", "id": 1, "protocol": 1},
    {"type": "login", "id": 1, "user": "person1", "password": "x"},
    {"type": "resume", "id": 1, "token": "x"},
    {"type": "send", "id": 1, "conversation": "d.a.b", "message_id": "m", "body": {"text": "x"}},
    {"type": "get_history", "id": 1, "conversation": "d.a.b", "after": 0, "limit": 9},
    {"type": "sync", "id": 1, "cursors": {"d.a.b": 3}},
    {"type": "mark_read", "id": 1, "conversation": "d.a.b", "seq": 1},
)


class Malformed(NamedTuple):
    """Bytes for the socket; whether the server closes it or answers with an error."""

    kind: str
    wire: bytes
    closes: bool


def frame(random: Random, payload: bytes, first: int = 0x80 | TEXT, *, masked: bool = True) -> bytes:
    """One frame (RFC 6455, section 5.2) with this first byte."""
    size, bit = len(payload), 0x80 if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65_536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    mask = random.randbytes(4)
    pattern = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ pattern).to_bytes(size, "big")


def generate(seed: int, count: int) -> list[Malformed]:
    """So many, the kinds mixed; the same ones for the same seed."""
    random = Random(seed)
    makers = (_syntax, _types, _depth, _utf8, _sizes, _framing)
    return [random.choice(makers)(random) for _ in range(count)]


def _text(random: Random, kind: str, make: Any) -> Malformed:
    """The first of what `make` gives that the protocol refuses."""
    while True:
        payload: bytes = make()
        try:
            decode_request(payload)
        except FrameError:
            return Malformed(kind, frame(random, payload), closes=False)


def _syntax(random: Random) -> Malformed:
    def make() -> bytes:
        text = json.dumps(random.choice(VALID))
        at = random.randrange(len(text))
        how = random.randrange(4)
        if how == 0:
            text = text[:at]
        elif how == 1:
            text = text[:at] + random.choice('{}[]",:\\\0\n\x7f') + text[at + 1 :]
        elif how == 2:
            text = text[:at] + text[at + 1 :]
        else:
            text = "".join(chr(random.randrange(1, 0xD800)) for _ in range(random.randrange(200)))
        return text.encode()

    return _text(random, "syntax", make)


def _types(random: Random) -> Malformed:
    def make() -> bytes:
        request = dict(random.choice(VALID))
        name = random.choice(list(request))
        if random.random() < 0.2:
            del request[name]
        else:
            request[name] = random.choice(WRONG)
        return json.dumps(request).encode()

    return _text(random, "types", make)


def _depth(random: Random) -> Malformed:
    def make() -> bytes:
        depth = random.choice((10, 100, 1_000, 10_000, 60_000))
        opened, closed = random.choice((("[", "]"), ('{"a":', "}")))
        if (len(opened) + 1) * depth > MAX_REQUEST_BYTES // 2:
            depth //= 10
        inner = opened * depth + "1" + closed * depth * random.randrange(2)
        around = random.choice(
            (
                '{"type":"send","id":1,"conversation":"d.a.b","message_id":"m","body":%s}',
                '{"type":"sync","id":1,"cursors":%s}',
                '{"id":%s}',
                "%s",
            )
        )
        return around.replace("%s", inner).encode()

    return _text(random, "depth", make)


def _utf8(random: Random) -> Malformed:
    bad = random.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\x80"))
    payload = b'{"type":"login","id":1,"user":"' + b"x" * random.randrange(300) + bad + b'","password":"x"}'
    if random.random() < 0.3:
        cut = random.randrange(1, len(payload))
        return Malformed("utf8", frame(random, payload[:cut], TEXT) + frame(random, payload[cut:], 0x80), closes=True)
    return Malformed("utf8", frame(random, payload), closes=True)


def _sizes(random: Random) -> Malformed:
    how = random.randrange(10)
    if how == 0:
        return Malformed(
            "sizes", frame(random, b'"' + b"x" * (MAX_REQUEST_BYTES + random.randrange(9_999))), closes=True
        )
    if how <= 3:  # a length that only is announced
        size = random.choice((2 * MAX_REQUEST_BYTES + 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1))
        return Malformed(
            "sizes", struct.pack("!BBQ", 0x81, 0xFF, size) + b"mask" + b"x" * random.randrange(99), closes=True
        )

    def make() -> bytes:
        request = dict(random.choice(VALID))
        name = random.choice([name for name in request if name != "id"])
        size = random.choice((300, 20_000, 200_000))
        request[name] = "x" * size if name != "body" else {"text": ["x"] * (size // 8)}
        if random.random() < 0.3:
            request["id"] = 10 ** random.randrange(20, 4_000)
        return json.dumps(request).encode() if len(request) > 1 else b""

    if how == 4:
        digits = "1" + "0" * random.randrange(20, 100_000)  # Python's own int() takes its time over such a one
        return _text(random, "sizes", f'{{"type":"hello","id":{digits},"protocol":1}}'.encode)
    return _text(random, "sizes", lambda: _spoilt(make(), random))


def _spoilt(payload: bytes, random: Random) -> bytes:
    return payload[: -random.randrange(1, 9)]


def _framing(random: Random) -> Malformed:
    body = b'{"type":"ping","id":1}'
    wires = (
        frame(random, body, masked=False),
        frame(random, body, 0x81 | random.choice((0x10, 0x20, 0x40, 0x70))),
        frame(random, body, 0x80 | random.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15))),
        frame(random, body, 0x82),  # binary
        frame(random, body, random.choice((0x00, 0x80))),  # the middle of nothing
        frame(random, body[:5], TEXT) + frame(random, body[5:]),  # a message within a message
        frame(random, os.urandom(1), random.choice((0x08, 0x09, 0x0A))),  # a control frame in fragments
        frame(random, b"x" * random.randrange(126, 999), 0x89),  # a control frame that is too large
        frame(random, b"x", random.choice((0x99, 0xAA, 0xC9))),  # reserved bits in a control frame
        frame(random, b"x", 0x88),  # half a close code
        frame(random, struct.pack("!H", random.choice((0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535))), 0x88),
        frame(random, b"\x03\xe8\xff\xfe", 0x88),  # a reason that is no UTF-8
    )
    return Malformed("framing", random.choice(wires), closes=True)
