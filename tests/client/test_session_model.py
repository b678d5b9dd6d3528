"""Sessions against a model of the server: whatever is sent, lost, repeated and read, nothing is lost or doubled."""

from __future__ import annotations

from collections import deque

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from client.session import effects as fx
from client.session.session import Account, Session
from client.store import Store
from protocol.codec import decode_request, encode, encode_body
from protocol.errors import CloseCode
from protocol.messages import (
    AnyRequest,
    ConversationState,
    Directory,
    Error,
    Event,
    GetDirectory,
    GetHistory,
    GetPresence,
    Hello,
    History,
    LoggedIn,
    MarkRead,
    NewEvent,
    Ok,
    Person,
    Ping,
    Pong,
    PresenceList,
    ReadBody,
    Resume,
    Send,
    Sent,
    Sync,
    Synced,
    Welcome,
)
from tests.client.playbook import TALK, URL

PAGE = 3
"""The model's pages are small, so that gaps and holes happen."""


class Server:
    """One conversation of `a` and `b`, as docs/protocol.md tells it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.read = {"a": 0, "b": 0}
        self.sockets: dict[str, deque[bytes]] = {}
        self.busy = False

    def append(self, event: Event, but: str = "") -> None:
        self.events.append(event)
        for user, queue in self.sockets.items():
            if user != but:
                queue.append(encode(NewEvent(event=event)))

    def answer(self, user: str, request: AnyRequest) -> None:
        queue = self.sockets[user]
        last = len(self.events)
        match request:
            case Hello():
                queue.append(
                    encode(Welcome(re=request.id, protocol=1, server="m", max_request_bytes=1, max_text_characters=1))
                )
            case Resume():
                person = Person(id=user, login=user, name=user)
                queue.append(encode(LoggedIn(re=request.id, user=person, session="s", expires=1, now=1)))
            case Sync():
                after = request.cursors.get(TALK, 0)
                fresh = self.events[after:]
                state = ConversationState(
                    id=TALK, members=["a", "b"], last_seq=last, read=dict(self.read), unread=self.unread(user),
                    events=fresh[-PAGE:],
                )  # fmt: skip
                queue.append(encode(Synced(re=request.id, conversations=[state] if fresh else [])))
            case GetHistory():
                if isinstance(request.after, int):
                    page = self.events[request.after : request.after + PAGE]
                else:
                    page = self.events[-PAGE:]
                queue.append(encode(History(re=request.id, conversation=TALK, last_seq=last, events=page)))
            case Send():
                self.send(user, request)
            case MarkRead():
                queue.append(encode(Ok(re=request.id)))
                if request.seq > self.read[user]:
                    self.read[user] = request.seq
                    body = encode_body(ReadBody(seq=request.seq))
                    self.append(Event(conversation=TALK, seq=last + 1, at=last, sender=user, kind="read", body=body))
            case GetDirectory():
                queue.append(encode(Directory(re=request.id, departments=[], people=[], cursor="c")))
            case GetPresence():
                queue.append(encode(PresenceList(re=request.id, people=[])))
            case Ping():
                queue.append(encode(Pong(re=request.id, now=1)))
            case _:
                queue.append(encode(Ok(re=request.id)))

    def send(self, user: str, request: Send) -> None:
        queue = self.sockets[user]
        known = next((e for e in self.events if e.message_id == request.message_id and e.sender == user), None)
        if known is None and self.busy:
            self.busy = False
            queue.append(encode(Error(re=request.id, code="server_busy", text="Busy.", retry=True)))
            return
        event = known or Event(
            conversation=TALK, seq=len(self.events) + 1, at=len(self.events), sender=user, kind="message",
            message_id=request.message_id, body=encode_body(request.body),
        )  # fmt: skip
        sent = Sent(re=request.id, conversation=TALK, message_id=request.message_id, seq=event.seq, at=event.at)
        queue.append(encode(sent))
        if known is None:
            self.append(event, but=user)

    def unread(self, user: str) -> int:
        return sum(e.kind == "message" and e.sender != user and e.seq > self.read[user] for e in self.events)


class Client:
    """A session with a real store in memory, and the frames that are on their way in both directions."""

    def __init__(self, me: str, server: Server) -> None:
        self.me = me
        self.server = server
        self.store = Store(None, None)
        self.now = 0.0
        self.sent: list[str] = []
        self.outward: deque[bytes] = deque()
        self.start()

    def start(self) -> None:
        """The program starts with what the store holds."""
        self.session = Session(lambda: 0.5, "model")
        self.session.load(
            Account(
                me=Person(id=self.me, login=self.me, name=self.me),
                conversations=self.store.conversations(),
                outgoing=self.store.outgoing(),
                directory_cursor=self.store.meta("directory_cursor"),
            )
        )
        self.perform(self.session.resume(URL, "token", self.now))

    def perform(self, effects: list[fx.Effect]) -> None:
        self.store.write([effect for effect in effects if isinstance(effect, fx.Change)])
        for effect in effects:
            match effect:
                case fx.OpenLink():
                    self.server.sockets.pop(self.me, None)
                    self.outward.clear()
                case fx.CloseLink():
                    self.server.sockets.pop(self.me, None)
                case fx.SendFrame(request=request):
                    self.outward.append(encode(request))
                case fx.RecountUnread(after=after):
                    count, _ = self.store.unread(TALK, self.me, after)
                    self.perform(self.session.talk.recounted(TALK, count))
                case fx.DiscountRead(after=after, until=until):
                    read = self.store.unread(TALK, self.me, after)[0] - self.store.unread(TALK, self.me, until)[0]
                    self.perform(self.session.talk.discounted(TALK, read))

    def connect(self) -> None:
        self.server.sockets[self.me] = deque()
        self.perform(self.session.link_opened(self.session.link.attempt, self.now))

    def lose(self, code: int) -> None:
        """The link breaks; what was on its way is gone."""
        self.server.sockets.pop(self.me, None)
        self.outward.clear()
        self.perform(self.session.link_closed(self.session.link.attempt, code, None, self.now))

    def deliver(self) -> bool:
        """One frame to the server, or one from it."""
        if self.me not in self.server.sockets:
            return False
        if self.outward:
            self.server.answer(self.me, decode_request(self.outward.popleft()))
            return True
        inward = self.server.sockets[self.me]
        if inward:
            data = inward.popleft()
            self.perform(self.session.frame(self.session.link.attempt, data, self.now, 0))
            return True
        return False

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.perform(self.session.tick(self.now, round(self.now * 1000)))

    def say(self) -> None:
        number = len(self.sent)
        self.sent.append(f"{self.me}-message-{number:04d}")
        message = fx.Outgoing(
            key=self.sent[-1], conversation=TALK, position=self.session.talk.outbox.next_position(), at=number,
            text=self.sent[-1],
        )  # fmt: skip
        self.store.write([fx.SaveOutgoing(message)], durable=True)
        self.perform(self.session.send(message, self.now))

    def known(self) -> list[Event]:
        """What the store holds of the conversation."""
        rows = self.store._db.execute("SELECT seq FROM events ORDER BY seq").fetchall()
        return [self.store.run_below(TALK, int(str(seq)), 1)[0] for (seq,) in rows]


class TwoClients(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.server = Server()
        self.clients = [Client("a", self.server), Client("b", self.server)]
        self.connect(0, 30)
        self.connect(1, 30)

    @rule(who=st.integers(0, 1))
    def say(self, who: int) -> None:
        self.clients[who].say()

    @rule(who=st.integers(0, 1), frames=st.sampled_from([3, 8, 12, 14, 30]))
    def connect(self, who: int, frames: int) -> None:
        client = self.clients[who]
        if client.session.link.state == "waiting":
            client.tick(40.0)
        if client.session.link.state == "connecting":
            client.connect()
        self.deliver(who, frames)

    @rule(who=st.integers(0, 1), frames=st.integers(1, 20))
    def deliver(self, who: int, frames: int) -> None:
        for _ in range(frames):
            self.clients[who].deliver()

    @rule(who=st.integers(0, 1), code=st.sampled_from([1006, CloseCode.RESYNC, CloseCode.SERVICE_RESTART]))
    def lose(self, who: int, code: int) -> None:
        self.clients[who].lose(code)

    @rule(who=st.integers(0, 1))
    def kill(self, who: int) -> None:
        """The program dies and starts again with its store."""
        self.server.sockets.pop(self.clients[who].me, None)
        self.clients[who].outward.clear()
        self.clients[who].start()

    @rule(who=st.integers(0, 1))
    def read(self, who: int) -> None:
        client = self.clients[who]
        conversation = client.session.talk.conversations.get(TALK)
        assert conversation is not None
        client.perform(client.session.mark_read(TALK, conversation.cursor, client.now))

    @rule()
    def busy(self) -> None:
        self.server.busy = True

    @rule(who=st.integers(0, 1), seconds=st.sampled_from([0.5, 1.0, 5.0, 30.0]))
    def wait(self, who: int, seconds: float) -> None:
        self.clients[who].tick(seconds)

    @invariant()
    def what_a_client_knows_is_what_the_server_has(self) -> None:
        for client in getattr(self, "clients", []):
            for event in client.known():
                assert event == self.server.events[event.seq - 1]
            conversation = client.session.talk.conversations.get(TALK)
            assert conversation is not None
            assert conversation.cursor <= len(self.server.events)

    def teardown(self) -> None:
        """Everything settles: then both know the same, and each message is there once, in the order it was said."""
        if not hasattr(self, "clients"):
            return
        self.server.busy = False
        for _ in range(60):
            for client in self.clients:
                if client.session.link.state in ("waiting", "connecting") and client.me not in self.server.sockets:
                    client.tick(40.0)
                    if client.session.link.state == "connecting":
                        client.connect()
                else:
                    client.tick(1.1)
            while self.clients[0].deliver() or self.clients[1].deliver():
                continue
        for client in self.clients:
            said = [e.message_id for e in self.server.events if e.sender == client.me and e.kind == "message"]
            assert said == client.sent
            assert client.store.outgoing() == []
            assert client.session.talk.outbox.conversations() == set()
            conversation = client.session.talk.conversations.get(TALK)
            assert conversation is not None
            assert conversation.cursor == len(self.server.events)
            # With a hole in the store, what was read while offline cannot be counted exactly.
            hole = len(client.known()) < len(self.server.events)
            unread = self.server.unread(client.me)
            assert conversation.unread <= unread if hole else conversation.unread == unread
            assert conversation.read_peer == self.server.read[conversation.peer]
            # A fresh start from the store is the same as what grew event by event.
            assert {c.id: c for c in client.store.conversations()}.get(TALK, conversation) == conversation
            messages = [e for e in self.server.events if e.kind == "message"]
            if messages:
                newest = msgspec.json.decode(messages[-1].body)["text"]
                assert (conversation.preview, conversation.last_message) == (newest, messages[-1].seq)
            client.store.close()


TwoClients.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestTwoClients = TwoClients.TestCase
