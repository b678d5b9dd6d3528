"""Frames to messages: however a message is cut up it is the same, and what breaks the rules has its close code."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.limits import MAX_REQUEST_BYTES
from server_stub.assembler import BINARY, CONTINUATION, TEXT, Assembler, Violation, close_answer


@given(st.text(), st.lists(st.integers(0, 40), max_size=6))
def test_a_message_is_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[begin:end] for begin, end in pairwise(edges)]
    assembler = Assembler()
    for _ in range(2):  # and nothing is left of it for the next one
        results = [
            assembler.take(CONTINUATION if index else TEXT, index == len(parts) - 1, False, part)
            for index, part in enumerate(parts)
        ]
        assert results == [None] * (len(parts) - 1) + [data]


HALF = b"x" * (MAX_REQUEST_BYTES // 2)


@pytest.mark.parametrize(
    ("frames", "code", "reason"),
    [
        ([(TEXT, True, True, b"x")], 1002, ""),
        ([(2, True, False, b"x")], 1003, ""),
        ([(CONTINUATION, True, False, b"x")], 1002, ""),
        ([(TEXT, False, False, b"x"), (TEXT, True, False, b"x")], 1002, ""),
        ([(TEXT, True, False, b"\xff")], 1007, ""),
        ([(TEXT, False, False, b"\xe4"), (CONTINUATION, True, False, b"x")], 1007, ""),
        ([(TEXT, True, False, HALF * 2 + b"x")], 1009, "frame_too_large"),
        ([(TEXT, False, False, HALF), (CONTINUATION, False, False, HALF + b"x")], 1009, "frame_too_large"),
    ],
)
def test_what_breaks_the_rules(frames: list[tuple[int, bool, bool, bytes]], code: int, reason: str) -> None:
    assembler = Assembler()
    for frame in frames[:-1]:
        assert assembler.take(*frame) is None
    with pytest.raises(Violation) as violation:
        assembler.take(*frames[-1])
    assert (violation.value.code, violation.value.reason) == (code, reason)


def test_the_largest_message_is_taken() -> None:
    assert Assembler().take(TEXT, True, False, HALF * 2) == HALF * 2


def test_binary_messages_are_taken_where_that_is_wanted() -> None:
    assembler = Assembler(2, binary=True)
    assert assembler.take(BINARY, True, False, b"\xff\xff") == b"\xff\xff"
    with pytest.raises(Violation, match="1009"):
        assembler.take(BINARY, True, False, b"xxx")


@pytest.mark.parametrize(
    ("payload", "reserved", "code"),
    [
        (b"", False, 1000),
        (b"", True, 1002),
        (b"\x03\xe8bye", False, 1000),
        (b"\x0f\xa0", False, 1000),  # 4000
        (b"\0\0", False, 1002),
        (b"\x03\xee", False, 1002),  # 1006
        (b"\x13\x88", False, 1002),  # 5000
    ],
)
def test_a_close_frame_is_answered(payload: bytes, reserved: bool, code: int) -> None:
    assert close_answer(payload, reserved=reserved) == code
