"""The outbox: order, one at a time for each conversation, retries, and what survives a lost link."""

from __future__ import annotations

from client.session.effects import Failure, Outgoing
from client.session.outbox import RETRY_SECONDS, Outbox

FOR_NOW = Failure("server_busy", "Busy.", retry=True)
FOR_GOOD = Failure("text_too_long", "Too long.")


def message(number: int, conversation: str = "d.a.b") -> Outgoing:
    return Outgoing(key=f"key-{number:04d}", conversation=conversation, position=number, at=number, text=str(number))


def keys(messages: list[Outgoing]) -> list[str]:
    return [m.key for m in messages]


def test_one_message_of_a_conversation_is_under_way_at_a_time() -> None:
    outbox = Outbox([message(2), message(1), message(3, "d.a.c")])
    first = outbox.ready(0.0)
    assert keys(first) == ["key-0001", "key-0003"]
    for m in first:
        outbox.sending(m)
    assert outbox.ready(0.0) == []
    assert outbox.remove("key-0001") == message(1)
    assert keys(outbox.ready(0.0)) == ["key-0002"]
    assert outbox.remove("key-0001") is None


def test_an_error_that_can_pass_keeps_the_place_and_waits_longer_each_time() -> None:
    outbox = Outbox([message(1), message(2)])
    now = 0.0
    for wait in (*RETRY_SECONDS, RETRY_SECONDS[-1]):
        (first,) = outbox.ready(now)
        assert first.key == "key-0001"
        outbox.sending(first)
        assert outbox.refused("key-0001", FOR_NOW, None, now) is None
        assert outbox.ready(now) == []
        assert outbox.deadline() == now + wait
        now += wait
    (first,) = outbox.ready(now)
    outbox.sending(first)
    assert outbox.refused("key-0001", FOR_NOW, 60.0, now) is None
    assert outbox.deadline() == now + 60.0


def test_an_error_for_good_lets_the_next_one_go() -> None:
    outbox = Outbox([message(1), message(2)])
    outbox.sending(message(1))
    failed = outbox.refused("key-0001", FOR_GOOD, None, 0.0)
    assert failed is not None
    assert failed.failure == FOR_GOOD
    assert keys(outbox.ready(0.0)) == ["key-0002"]
    assert outbox.get("key-0001") == failed


def test_a_lost_link_sends_all_of_it_again_in_order() -> None:
    outbox = Outbox([message(1), message(2)])
    outbox.sending(message(1))
    outbox.refused("key-0001", FOR_NOW, None, 0.0)
    outbox.link_lost()
    assert keys(outbox.ready(0.0)) == ["key-0001"]
    assert keys(outbox.of("d.a.b")) == ["key-0001", "key-0002"]
    assert outbox.next_position() == 3


def test_a_message_that_is_put_again_goes_to_the_end() -> None:
    outbox = Outbox([message(1), message(2)])
    outbox.put(Outgoing(key="key-0001", conversation="d.a.b", position=3, at=9, text="1"))
    assert keys(outbox.of("d.a.b")) == ["key-0002", "key-0001"]
    assert outbox.conversations() == {"d.a.b"}
