"""Presence: what several devices add up to, and what others are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import ChosenState, PresenceEntry, ShownState
from server_stub.presence import PresenceBoard


@pytest.mark.parametrize(
    ("devices", "shown"),
    [
        ((), "offline"),
        (("online",), "online"),
        (("away",), "away"),
        (("away", "online"), "online"),
        (("online", "busy", "away"), "busy"),
        (("online", "invisible"), "offline"),
        (("invisible", "busy"), "offline"),
    ],
)
def test_devices_add_up(devices: tuple[ChosenState, ...], shown: ShownState) -> None:
    board = PresenceBoard()
    for device, state in enumerate(devices):
        board.put("ann", device, state, "")
    assert board.entry("ann").state == shown
    assert [entry.user for entry in board.everyone()] == (["ann"] if shown != "offline" else [])


def test_the_device_that_spoke_last_gives_the_text() -> None:
    board = PresenceBoard()
    board.put("ann", 1, "online", "at my desk")
    board.put("ann", 2, "away", "on the train")
    assert board.entry("ann").text == "on the train"
    board.put("ann", 1, "busy", "in a meeting")
    assert board.entry("ann") == PresenceEntry(user="ann", state="busy", text="in a meeting")
    board.remove("ann", 1)
    assert board.entry("ann") == PresenceEntry(user="ann", state="away", text="on the train")


def test_what_comes_and_goes_within_one_gathering_is_not_told() -> None:
    board = PresenceBoard()
    assert board.put("ann", 1, "online", "")
    board.take_changes()
    assert board.remove("ann", 1)
    board.put("ann", 2, "online", "")
    assert board.take_changes() == []


def test_an_invisible_person_looks_the_same_as_one_who_is_not_there() -> None:
    board = PresenceBoard()
    assert not board.put("ann", 1, "invisible", "secret")
    assert board.take_changes() == []
    assert board.entry("ann") == PresenceEntry(user="ann", state="offline")
    assert not board.remove("ann", 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.integers(1, 3),
        st.sampled_from(["online", "away", "busy", "invisible", "gone", "tell"]),
        st.sampled_from(["", "tea"]),
    )
)


@given(STEPS)
def test_what_was_told_adds_up_to_what_is(steps: list[tuple[str, int, str, str]]) -> None:
    board = PresenceBoard()
    told: dict[str, PresenceEntry] = {}
    for user, device, state, text in [*steps, ("", 0, "tell", "")]:
        if state == "tell":
            told.update({entry.user: entry for entry in board.take_changes()})
            assert {user: entry for user, entry in told.items() if entry.state != "offline"} == {
                entry.user: entry for entry in board.everyone()
            }
        elif state == "gone":
            board.remove(user, device)
        else:
            board.put(user, device, state, text)  # type: ignore[arg-type]  # the others are handled above


def test_who_changes_back_is_told_to_those_who_saw_the_change_in_a_list() -> None:
    board = PresenceBoard()
    board.put("ann", 1, "online", "")
    board.take_changes()
    board.put("ann", 1, "busy", "")
    assert [entry.state for entry in board.everyone()] == ["busy"]
    board.put("ann", 1, "online", "")
    assert [entry.state for entry in board.take_changes()] == ["online"]
    assert board.take_changes() == []
