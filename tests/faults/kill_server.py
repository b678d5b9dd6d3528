"""kill -9 of the server under load: nothing acknowledged is lost, nothing is shown twice or out of order.

Two people write to each other over the bare wire as fast as a window of 20 allows, and go on with what was not
acknowledged after each restart. A real client of one of them is there through all of it and shows the conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import websocket

from bench import company
from client.bridge_api import MessageChanged
from protocol.messages import direct_conversation
from tests.client.desk import Desk, MemoryVault, desk
from tests.faults.history import whole_history
from tests.faults.pairs import shown_problems, until
from tests.faults.stage import Stage, stage
from tests.support.server import ServerProcess, WireClient

WINDOW: Final = 20
LEAST_RATE: Final = 200
"""Acknowledged messages a second, without which it is no load."""

CATCH_UP_SECONDS: Final = 60.0


class Sender(threading.Thread):
    """Sends numbered messages until the link breaks; begins with what is not acknowledged."""

    def __init__(self, client: WireClient, between: str, waiting: list[str], last: int) -> None:
        super().__init__()
        self.client = client
        self.between = between
        self.waiting = waiting
        self.retried = frozenset(waiting)
        self.last = last
        self.acknowledged: dict[str, int] = {}
        self.seen = 0
        self.right = False

    def run(self) -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            sent: dict[int, str] = {}
            for message_id in list(self.waiting):
                sent[self._send(message_id)] = message_id
            while True:
                while len(sent) < WINDOW:
                    self.last += 1
                    message_id = f"{self.client.user}-{self.last:08}"
                    self.waiting.append(message_id)
                    sent[self._send(message_id)] = message_id
                self._in_order(self.client.read())
                for request_id, answer in list(self.client.answers.items()):
                    del self.client.answers[request_id]
                    assert answer["type"] == "sent", answer
                    message_id = sent.pop(request_id)
                    self.waiting.remove(message_id)
                    self.acknowledged[message_id] = answer["seq"]
                self.client.pushes.clear()
        self.right = True

    def _in_order(self, frame: dict[str, object]) -> None:
        """Acknowledgements and events come in the order of their numbers; a retry's may be older than this link."""
        event = frame.get("event")
        seq = event["seq"] if isinstance(event, dict) else frame.get("seq", 0)
        assert isinstance(seq, int)
        retry = frame.get("message_id") in self.retried
        if seq and (not retry or seq == self.seen + 1):
            assert self.seen in {0, seq - 1}, (self.seen, frame)
            self.seen = seq

    def _send(self, message_id: str) -> int:
        return self.client.send(
            "send", conversation=self.between, message_id=message_id, body={"text": f"text of {message_id}"}
        )


class Load:
    """Both senders over all lives of the server. Blocking: runs in a thread."""

    def __init__(self, server: ServerProcess, ids: list[str]) -> None:
        self.acknowledged: dict[str, int] = {}
        self.wrong = 0
        """Senders that ended by a failed assertion: an answer or an event was not in its order."""
        self.seconds = 0.0
        self._server = server
        self._between = direct_conversation(ids[0], ids[1])
        self._tokens: dict[str, str] = {}
        self._waiting: dict[str, list[str]] = {user: [] for user in ids}
        self._last = dict.fromkeys(ids, 0)
        for number, user in enumerate(ids, start=1):
            with server.login(f"person{number}", company.PASSWORD) as client:
                self._tokens[user] = client.token

    def life(self, least: int, most: int) -> None:
        """Load until a random moment, kill -9, start again."""
        senders = [
            Sender(self._server.resume(token), self._between, self._waiting[user], self._last[user])
            for user, token in self._tokens.items()
        ]
        started = time.monotonic()
        for sender in senders:
            sender.start()
        enough = random.randint(least, most)
        while all(sender.is_alive() for sender in senders) and len(senders[0].acknowledged) < enough:
            senders[0].join(random.uniform(0.0001, 0.002))
        self._server.kill9()
        self.seconds += time.monotonic() - started
        for sender in senders:
            sender.join(20)
            sender.client.close()
            self.wrong += not sender.right
            self.acknowledged |= sender.acknowledged
            self._last[sender.client.user] = sender.last
        self._server.restart()

    def stored(self) -> list[str]:
        """The ids of the conversation's messages, in order. Fails on a gap."""
        user, token = next(iter(self._tokens.items()))
        with self._server.resume(token) as client:
            assert client.user == user
            events = whole_history(client, self._between)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {event["message_id"]: event["seq"] for event in events}.items() >= self.acknowledged.items()
        return [event["message_id"] for event in events]


async def kill_servers(stage: Stage, kills: int, most: int) -> dict[str, int]:
    """The result; a real client watches."""
    server, ids, folder = stage.server, stage.ids, stage.folder
    load = await asyncio.to_thread(Load, server, ids)
    async with desk(folder / "watcher", MemoryVault()) as watcher:
        await watcher.log_in(server.url, "person2", company.PASSWORD)
        await watcher.open("person1", 2)
        for _ in range(kills):
            await asyncio.to_thread(load.life, 20, most)
        stored = await asyncio.to_thread(load.stored)
        between = direct_conversation(ids[0], ids[1])
        assert await until(watcher, lambda: _cursor(watcher, between) >= len(stored), CATCH_UP_SECONDS)
        lines = watcher.all(MessageChanged, 2)
        shown = [line.message.seq for line in lines if line.message.seq]
        doubled = len(stored) - len(set(stored)) + len(shown_problems(watcher)) + len(shown) - len(set(shown))
    of_each = [[id for id in stored if id.startswith(f"{user}-")] for user in ids]
    out_of_order = load.wrong + sum(a >= b for mine in of_each for a, b in pairwise(mine))
    return {
        "kills": kills,
        "acknowledged": len(load.acknowledged),
        "messages_per_second": round(len(load.acknowledged) / load.seconds),
        "lost": len(load.acknowledged.keys() - set(stored)),
        "doubled": doubled,
        "out_of_order": out_of_order + sum(a > b for a, b in pairwise(shown)),
        "shown_by_a_client": len(shown),
    }


def _cursor(one: Desk, conversation: str) -> int:
    found = one.engine._session.talk.conversations.get(conversation)
    return found.cursor if found is not None else 0


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    kills, most = (3, 200) if short else (100, 600)
    with stage(2) as set_up:
        result = asyncio.run(kill_servers(set_up, kills, most))
    bad = result["lost"] or result["doubled"] or result["out_of_order"] or result["messages_per_second"] < LEAST_RATE
    yield {"point": "server_kill_9", "passed": not bad, **result}
