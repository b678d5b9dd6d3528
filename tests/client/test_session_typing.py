"""Typing notices and read marks: thinned out on the way out, forgotten on the way in."""

from __future__ import annotations

from client.session.presence import PresenceBook
from client.session.reading import INTERVAL_SECONDS, ReadMarks
from client.session.typing import FORGET_SECONDS, REPEAT_SECONDS, TypingBook
from protocol.messages import PresenceEntry


def test_own_typing_is_told_every_four_seconds_at_most() -> None:
    book = TypingBook()
    told = [tenth / 10 for tenth in range(100) if book.own("c", True, tenth / 10)]
    assert told == [0.0, REPEAT_SECONDS, 2 * REPEAT_SECONDS]
    assert book.own("c", False, 10.0)
    assert not book.own("c", False, 10.0)
    assert book.own("c", True, 10.1)


def test_a_peer_who_is_not_heard_of_has_stopped() -> None:
    book = TypingBook()
    assert book.peer("c", True, 0.0)
    assert not book.peer("c", True, 3.0)
    assert book.deadline() == 3.0 + FORGET_SECONDS
    assert book.expire(FORGET_SECONDS) == []
    assert book.is_typing("c")
    assert book.expire(3.0 + FORGET_SECONDS) == ["c"]
    assert not book.is_typing("c")
    assert not book.peer("c", False, 10.0)
    book.peer("c", True, 10.0)
    assert book.clear() == ["c"]


def test_read_marks_go_out_once_a_second() -> None:
    marks = ReadMarks(["c"])
    assert marks.ready(0.0) == ["c"]
    marks.add("c")
    assert marks.ready(0.5) == []
    assert marks.deadline() == INTERVAL_SECONDS
    assert marks.ready(INTERVAL_SECONDS) == ["c"]
    marks.link_lost(["c", "d"])
    assert marks.ready(INTERVAL_SECONDS) == ["c", "d"]


def test_presence_tells_who_changed() -> None:
    book = PresenceBook([PresenceEntry(user="a", state="online")])
    assert book.update([PresenceEntry(user="a", state="online"), PresenceEntry(user="b", state="offline")]) == set()
    assert book.update([PresenceEntry(user="a", state="busy", text="in a meeting")]) == {"a"}
    assert book.of("a") == ("busy", "in a meeting")
    assert book.update([PresenceEntry(user="a", state="offline")]) == {"a"}
    assert book.users() == set()
