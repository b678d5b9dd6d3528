"""Any sequence of coming, going, saying and reading: snapshot + events = fresh snapshot, nothing lost or doubled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support.server import Frame, ServerProcess, WireClient, conversation

LOGINS = ("ann", "bob", "cid")
PASSWORD = "correct horse"


class Replica:
    """One device's copy of its user's conversations, as a client keeps it: across connections."""

    def __init__(self, server: ServerProcess, user: str, token: str) -> None:
        self.server = server
        self.user = user
        self.token = token
        self.client: WireClient | None = None
        self.conversations: dict[str, Frame] = {}
        self.outbox: dict[str, tuple[str, str]] = {}
        """By message id: conversation and text of what is not acknowledged."""
        self.synced = False

    def connect(self) -> None:
        """Come back, catch up, send again what was not acknowledged."""
        if self.client is not None:
            return
        self.client = self.server.resume(self.token)
        self.catch_up()
        for message_id, (name, text) in list(self.outbox.items()):
            answer = self.client.say(name, text, message_id)
            self.sent(answer)

    def disconnect(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    def catch_up(self) -> None:
        """Sync from the cursors, and fill holes from the history."""
        assert self.client is not None
        cursors = {name: state["last_seq"] for name, state in self.conversations.items()}
        page = ""
        while True:
            answer = self.client.request("sync", cursors=cursors, page=page)
            for state in answer["conversations"]:
                self.take(state)
            page = answer.get("next", "")
            if not page:
                break

    def take(self, state: Frame) -> None:
        assert self.client is not None
        mine = self.conversations.setdefault(state["id"], {"last_seq": 0, "events": [], "members": state["members"]})
        events = state.get("events", [])
        while events[0]["seq"] > mine["last_seq"] + 1:
            older = self.client.request("get_history", conversation=state["id"], before=events[0]["seq"], limit=7)
            events = older["events"] + events
        for event in events:
            self.apply(event)
        assert mine["last_seq"] == state["last_seq"]
        assert self.read(state["id"]) == state.get("read", {})
        assert self.unread(state["id"]) == state.get("unread", 0)

    def apply(self, event: Frame) -> None:
        """An event in its place; one that was there before changes nothing, and a gap may not be."""
        state = self.conversations.setdefault(event["conversation"], {"last_seq": 0, "events": [], "members": None})
        if event["seq"] <= state["last_seq"]:
            assert state["events"][event["seq"] - 1] == event
            return
        assert event["seq"] == state["last_seq"] + 1
        state["last_seq"] = event["seq"]
        state["events"].append(event)

    def sent(self, answer: Frame) -> None:
        """An acknowledgement stands for the event."""
        assert answer["type"] == "sent", answer
        self.pushed()
        _, text = self.outbox.pop(answer["message_id"])
        event = {key: answer[key] for key in ("conversation", "seq", "at", "message_id")}
        self.apply({**event, "sender": self.user, "kind": "message", "body": {"text": text}})

    def pushed(self) -> None:
        """Apply what has been pushed so far."""
        assert self.client is not None
        while self.client.pushes:
            push = self.client.pushes.popleft()
            if push["type"] == "new_event":
                self.apply(push["event"])

    def settle(self) -> None:
        """Everything that the others were told has been told to this device, too, before its pong."""
        if self.client is not None:
            assert self.client.request("ping")["type"] == "pong"
            self.pushed()

    def read(self, name: str) -> dict[str, int]:
        """How far each one has read, by the events."""
        positions: dict[str, int] = {}
        for event in self.conversations[name]["events"]:
            if event["kind"] == "read":
                positions[event["sender"]] = event["body"]["seq"]
        return positions

    def unread(self, name: str) -> int:
        position = self.read(name).get(self.user, 0)
        events = self.conversations[name]["events"][position:]
        return sum(1 for event in events if event["kind"] == "message" and event["sender"] != self.user)


def machine(server: ServerProcess, tokens: dict[str, str]) -> type[RuleBasedStateMachine]:
    """The state machine on one server; what earlier runs left there is part of the snapshots."""
    users = list(tokens)
    devices = st.integers(0, 2 * len(users) - 1)

    class Colleagues(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.replicas = [Replica(server, user, tokens[user]) for user in users for _ in range(2)]
            for replica in self.replicas[::2]:
                replica.connect()

        def there(self, device: int) -> Replica:
            replica = self.replicas[device]
            replica.connect()
            return replica

        @rule(device=devices)
        def connects(self, device: int) -> None:
            self.there(device)

        @rule(device=devices)
        def disconnects(self, device: int) -> None:
            self.replicas[device].disconnect()

        @rule(device=devices, peer=st.sampled_from(users), text=st.sampled_from(["hello", "你好", "\x00\U0001f600"]))
        def says(self, device: int, peer: str, text: str) -> None:
            replica = self.there(device)
            message_id = uuid.uuid4().hex
            assert replica.client is not None
            answer = replica.client.say(conversation(replica.user, peer), text, message_id)
            if peer == replica.user:
                assert answer["code"] == "no_such_conversation"
            else:
                replica.outbox[message_id] = (conversation(replica.user, peer), text)
                replica.sent(answer)

        @rule(device=devices, peer=st.sampled_from(users), count=st.integers(1, 5), again=st.booleans())
        def says_and_is_cut_off(self, device: int, peer: str, count: int, again: bool) -> None:
            replica = self.there(device)
            if peer == replica.user:
                return
            for number in range(count):
                message_id = uuid.uuid4().hex
                replica.outbox[message_id] = (conversation(replica.user, peer), f"cut off {number}")
                assert replica.client is not None
                for _ in range(1 + again):
                    replica.client.send(
                        "send",
                        conversation=conversation(replica.user, peer),
                        message_id=message_id,
                        body={"text": f"cut off {number}"},
                    )
            replica.disconnect()

        @rule(device=devices, peer=st.sampled_from(users), back=st.integers(-3, 3))
        def reads(self, device: int, peer: str, back: int) -> None:
            replica = self.there(device)
            if peer == replica.user:
                return
            replica.settle()
            name = conversation(replica.user, peer)
            last = replica.conversations.get(name, {"last_seq": 0})["last_seq"]
            assert replica.client is not None
            answer = replica.client.request("mark_read", conversation=name, seq=max(0, last - back))
            assert answer["type"] == "ok"

        @invariant()
        def every_copy_is_whole(self) -> None:
            for replica in self.replicas:
                replica.settle()

        def teardown(self) -> None:
            for replica in self.replicas:
                replica.connect()
                assert replica.outbox == {}
            for replica in self.replicas:
                replica.settle()
                fresh = Replica(server, replica.user, replica.token)
                fresh.connect()
                fresh.disconnect()
                for state in (*fresh.conversations.values(), *replica.conversations.values()):
                    state.pop("members")
                assert replica.conversations == fresh.conversations
                replica.disconnect()

    return Colleagues


@pytest.fixture
def tokens(server: ServerProcess) -> Iterator[dict[str, str]]:
    found: dict[str, str] = {}
    for login in LOGINS:
        server.add_user(login, PASSWORD)
        with server.login(login, PASSWORD) as client:
            found[client.user] = client.token
    yield found
    assert server.stop() == 0


@pytest.mark.deadline(120)
def test_any_sequence_ends_with_the_same_for_everyone(server: ServerProcess, tokens: dict[str, str]) -> None:
    options: Any = settings(
        max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine(server, tokens), settings=options)
