"""A script for the pure session: an input, and what must come out. Time is a number that the script moves."""

from __future__ import annotations

from typing import TypeVar

from client.session import effects as fx
from client.session.session import Account, Session
from protocol.codec import encode, encode_body
from protocol.messages import (
    AnyAnswer,
    AnyPush,
    ConversationState,
    Event,
    Hello,
    LoggedIn,
    Login,
    MessageBody,
    Person,
    ReadBody,
    Request,
    Resume,
    Sync,
    Synced,
    Welcome,
)

URL = "ws://server/"
ME = Person(id="a", login="anna", name="Anna")
TALK = "d.a.b"
RequestType = TypeVar("RequestType", bound=Request)
EffectType = TypeVar("EffectType")


def said(seq: int, text: str = "", sender: str = "b", conversation: str = TALK, key: str = "") -> Event:
    """The event of a message."""
    return Event(
        conversation=conversation, seq=seq, at=1_000 * seq, sender=sender, kind="message",
        message_id=key or f"message-{seq:04d}", body=encode_body(MessageBody(text=text or f"text {seq}")),
    )  # fmt: skip


def read(seq: int, upto: int, sender: str = "b") -> Event:
    """The event of a read position."""
    body = encode_body(ReadBody(seq=upto))
    return Event(conversation=TALK, seq=seq, at=1_000 * seq, sender=sender, kind="read", body=body)


def state(*events: Event, last: int = 0, unread: int = 0, read: dict[str, int] | None = None) -> ConversationState:
    """A conversation as the server tells of it."""
    last = last or (events[-1].seq if events else 0)
    return ConversationState(
        id=TALK, members=["a", "b"], last_seq=last, unread=unread, read=read or {}, events=list(events)
    )


def outgoing(number: int, conversation: str = TALK) -> fx.Outgoing:
    """A message for the outbox."""
    return fx.Outgoing(
        key=f"outgoing-{number:03d}", conversation=conversation, position=number, at=number, text=f"out {number}"
    )  # fmt: skip


def of(kind: type[EffectType], effects: list[fx.Effect]) -> list[EffectType]:
    """The effects of a kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def requests(effects: list[fx.Effect]) -> list[Request]:
    """What goes out."""
    return [effect.request for effect in of(fx.SendFrame, effects)]


def request(kind: type[RequestType], effects: list[fx.Effect]) -> RequestType:
    """The one request of this kind that goes out."""
    (found,) = [r for r in requests(effects) if isinstance(r, kind)]
    return found


class Playbook:
    """A session, and the time."""

    def __init__(self, random: float = 0.0) -> None:
        self.session = Session(lambda: random, "test")
        self.now = 0.0

    @property
    def wall(self) -> int:
        return round(self.now * 1000)

    def frame(self, frame: AnyAnswer | AnyPush) -> list[fx.Effect]:
        """The server says this."""
        return self.session.frame(self.session.link.attempt, encode(frame), self.now, self.wall)

    def open(self) -> list[fx.Effect]:
        """The socket opens, and the server welcomes: the log-in goes out."""
        hello = request(Hello, self.session.link_opened(self.session.link.attempt, self.now))
        return self.frame(Welcome(re=hello.id, protocol=1, server="s", max_request_bytes=1, max_text_characters=1))

    def close(self, code: int = 1006) -> list[fx.Effect]:
        """The socket closes."""
        return self.session.link_closed(self.session.link.attempt, code, None, self.now)

    def tick(self, now: float) -> list[fx.Effect]:
        """Time passes, without a sleep: the session is woken whenever it wants to be."""
        effects: list[fx.Effect] = []
        told = -1.0
        while (due := self.session.deadline()) is not None and told < due < now:
            told, self.now = due, max(self.now, due)
            effects += self.session.tick(self.now, self.wall)
        self.now = now
        return [*effects, *self.session.tick(now, self.wall)]

    def logged_in(self, login: Login | Resume, token: str | None = "token") -> list[fx.Effect]:
        """The server accepts the log-in."""
        answer = LoggedIn(re=login.id, user=ME, session="s", expires=1, now=1)
        if token is not None:
            answer = LoggedIn(re=login.id, user=ME, session="s", expires=1, now=1, token=token)
        return self.frame(answer)

    def online(self, account: Account | None = None, *states: ConversationState) -> list[fx.Effect]:
        """An account that resumes, and has caught up: what came out of the last answer of sync."""
        self.session.load(account or Account(me=ME))
        self.session.resume(URL, "token", self.now)
        return self.resume(*states)

    def resume(self, *states: ConversationState) -> list[fx.Effect]:
        """An attempt that was begun comes through, and catches up."""
        login = request(Resume, self.open())
        sync = request(Sync, self.logged_in(login))
        return self.frame(Synced(re=sync.id, conversations=list(states)))
