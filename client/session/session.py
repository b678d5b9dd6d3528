"""The session: composes link, handshake, conversations, outbox, directory and typing; frames in, effects out.

The order of things is that of docs/protocol.md. An account is *loaded* when its store was read, and *live* while the
log-in stands and catching up has begun. Pushes before that are dropped: syncing brings what they told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from client.errors import ClientError, LinkError
from client.session.conversations import Conversations, Gap
from client.session.directory import DirectoryBook
from client.session.effects import (
    AppDirty,
    Authenticated,
    CloseLink,
    Conversation,
    ConversationDirty,
    DirectoryDirty,
    DropOutgoing,
    Effect,
    EventsApplied,
    Failure,
    LoginFailed,
    Outgoing,
    OutgoingChanged,
    OutgoingRemoved,
    RecentsDirty,
    Replied,
    SaveDirectory,
    SaveEvents,
    SaveMeta,
    SaveOutgoing,
    SendFrame,
    SessionOver,
)
from client.session.handshake import Handshake, Password, Token, client_error, reconnect_error
from client.session.link import Link
from client.session.outbox import Outbox
from client.session.reading import ReadMarks
from client.session.requests import Requests
from client.session.typing import TypingBook
from protocol.codec import decode_server_frame, encode_body
from protocol.errors import CloseCode, ErrorCode, FrameError
from protocol.messages import (
    AnyAnswer,
    AnyPush,
    ChosenState,
    ConversationOpened,
    ConversationState,
    Department,
    Directory,
    DirectoryChanged,
    Error,
    Event,
    GetDirectory,
    GetHistory,
    GetPresence,
    History,
    LoggedIn,
    MarkRead,
    MessageBody,
    NewEvent,
    OpenConversation,
    PeerOpened,
    Person,
    Ping,
    Presence,
    PresenceList,
    Push,
    Request,
    Send,
    Sent,
    SetPresence,
    SetTyping,
    Sync,
    Synced,
    Typing,
    Welcome,
)

DIRECTORY_DELAY_SECONDS = 2.0
"""After directory_changed, at most: a whole company does not ask in the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the store holds of an account when it is opened."""

    me: Person
    conversations: Iterable[Conversation] = ()
    outgoing: Iterable[Outgoing] = ()
    departments: Iterable[Department] = ()
    people: Iterable[Person] = ()
    directory_cursor: str = ""
    chosen: ChosenState = "online"
    status_text: str = ""


class Session:
    """Methods are inputs and return effects. Attributes are read by the views, and by nobody written."""

    def __init__(self, random: Callable[[], float], program: str, device: str = "") -> None:
        self._random = random
        self.link = Link(random)
        self.organisation = ""
        self._handshake = Handshake(program, device)
        self._requests = Requests()
        self._live = False
        self._loaded = False
        self._directory_due: float | None = None
        self._put(Account(me=Person(id="nobody", login="nobody", name="nobody")))

    # ------------------------------------------------------------ account

    def load(self, account: Account) -> None:
        """The account's store was opened."""
        self._put(account)
        self._loaded = True

    def unload(self) -> list[Effect]:
        """Nobody is logged in here any more. The link is closed, and the token forgotten."""
        self._loaded = False
        effects = [*self._lost(), *self.link.stop(self.link.error)]
        self._handshake.forget()
        self._put(Account(me=Person(id="nobody", login="nobody", name="nobody")))
        return effects

    def _put(self, account: Account) -> None:
        self.me = account.me
        self.chosen: ChosenState = account.chosen
        self.status_text = account.status_text
        self.conversations = Conversations(account.me.id, account.conversations)
        self.outbox = Outbox(account.outgoing)
        self.directory = DirectoryBook(account.departments, account.people, account.directory_cursor)
        self.typing = TypingBook()
        self._reads = ReadMarks(c.id for c in self.conversations.untold())

    @property
    def live(self) -> bool:
        """Whether requests can be sent."""
        return self._live

    # ------------------------------------------------------------ link inputs

    def log_in(self, url: str, user: str, password: str, now: float) -> list[Effect]:
        """A person logs in and waits for the outcome: Authenticated or LoginFailed."""
        self._handshake.use(Password(user, password))
        return [*self._lost(), *self.link.begin(url, now), AppDirty()]

    def resume(self, url: str, token: str, now: float) -> list[Effect]:
        """Log in with the token that was kept, as often as it takes."""
        self._handshake.use(Token(token))
        return [*self._lost(), *self.link.begin(url, now), AppDirty()]

    def reconnect(self, now: float) -> list[Effect]:
        """Do not wait for the next attempt."""
        if self.link.state == "idle" and self._handshake.can_resume:
            return [*self.link.begin(self.link.url, now), AppDirty()]
        return [*self.link.retry(now), AppDirty()]

    def link_opened(self, attempt: int, now: float) -> list[Effect]:
        """The socket is open."""
        if not self.link.opened(attempt, now):
            return []
        return [self._ask(self._handshake.hello())]

    def link_closed(self, attempt: int, code: int, error: ClientError | None, now: float) -> list[Effect]:
        """The socket closed, or could not be opened."""
        was = self.link.state
        if not self.link.closed(attempt, code, error, now):
            return []
        too_large = self._drop_oversized(code)
        if self._handshake.interactive:
            return self._fail_login(error or reconnect_error(code))
        effects = [*too_large, *self._lost(), AppDirty()]
        if code == CloseCode.SESSION_ENDED:
            ended = ClientError("session_expired", "This log-in has ended. Log in again with your password.")
            return [*effects, *self.link.stop(ended), SessionOver(ended)]
        if code == CloseCode.UPDATE_REQUIRED:
            return [*effects, *self.link.stop(reconnect_error(code))]
        if was != "online":  # not only a hiccup: who is there is not known any more
            effects.append(DirectoryDirty(self.directory.presence_replace(())))
        return effects

    def frame(self, attempt: int, data: bytes, now: float, wall: int) -> list[Effect]:
        """A frame arrived."""
        if attempt != self.link.attempt or self.link.state not in ("handshake", "online"):
            return []
        self.link.heard(now)
        try:
            frame = decode_server_frame(data)
        except FrameError:
            wrong = LinkError("not_an_oschat_server", "What answers at this address does not speak Oschat's protocol.")
            return self._refuse(wrong, now)
        if frame is None:
            return []
        if isinstance(frame, Push):
            return self._push(frame, now, wall) if self._live else []
        if isinstance(frame, Error) and not isinstance(frame.re, int):
            return []  # about a frame of ours that could not be read; its request fails with the link
        return self._answer(frame, now)

    def tick(self, now: float, wall: int) -> list[Effect]:
        """Time passed."""
        effects, ping = self.link.tick(now, wall)
        if effects:
            lost = self._lost()
            if self._handshake.interactive:
                assert self.link.error is not None or self.link.state == "connecting"
                return self._fail_login(self.link.error) if self.link.error else [*lost, *effects]
            return [*lost, *effects, AppDirty()]
        if ping:
            effects.append(self._ask(Ping(id=0)))
        for conversation in self.typing.expire(now):
            effects += [ConversationDirty(conversation), RecentsDirty()]
        if self._live:
            if self._directory_due is not None and self._directory_due <= now:
                self._directory_due = None
                effects.append(self._ask(GetDirectory(id=0, after=self.directory.cursor)))
            effects += self._flush(now)
        return effects

    def deadline(self) -> float | None:
        """When tick wants to be called next."""
        times = [self.link.deadline(), self.typing.deadline()]
        if self._live:
            times += [self._directory_due, self.outbox.deadline(), self._reads.deadline()]
        return min((time for time in times if time is not None), default=None)

    # ------------------------------------------------------------ inputs of the person

    def send(self, message: Outgoing, now: float) -> list[Effect]:
        """The message is in the store's outbox: show it, and let it go out in its turn."""
        self.outbox.put(message)
        self.typing.own(message.conversation, False, now)
        return [OutgoingChanged(message), RecentsDirty(), *self._flush(now)]

    def retry(self, key: str, wall: int, now: float) -> list[Effect]:
        """Try a failed message again, after what waits already."""
        message = self.outbox.get(key)
        if message is None or message.failure is None:
            return []
        again = replace(message, failure=None, position=self.outbox.next_position(), at=wall)
        self.outbox.put(again)
        return [SaveOutgoing(again), OutgoingChanged(again), RecentsDirty(), *self._flush(now)]

    def discard(self, key: str) -> list[Effect]:
        """Give up a failed message."""
        message = self.outbox.get(key)
        if message is None or message.failure is None:
            return []
        self.outbox.remove(key)
        return [DropOutgoing(key), OutgoingRemoved(message.conversation, key), RecentsDirty()]

    def open_conversation(self, peer: str) -> list[Effect]:
        """Tell the peer that somebody wants to talk, and fetch the newest events."""
        return [self._ask(OpenConversation(id=0, peer=peer))] if self._live else []

    def mark_read(self, conversation: str, seq: int, now: float) -> list[Effect]:
        """The person has seen the conversation up to `seq`."""
        effects = self.conversations.mark_read(conversation, seq)
        if effects:
            self._reads.add(conversation)
            effects += [AppDirty(), *self._flush(now)]
        return effects

    def recounted(self, conversation: str, unread: int) -> list[Effect]:
        """The store has counted what is unread."""
        effects = self.conversations.recounted(conversation, unread)
        return [*effects, AppDirty()] if effects else []

    def set_typing(self, conversation: str, on: bool, now: float) -> list[Effect]:
        """The person types, or has stopped."""
        if not self._live or not self.typing.own(conversation, on, now):
            return []
        return [self._ask(SetTyping(id=0, conversation=conversation, on=on))]

    def choose_presence(self, state: ChosenState, text: str) -> list[Effect]:
        """How the person wants to appear, from now on."""
        self.chosen, self.status_text = state, text
        effects: list[Effect] = [SaveMeta("chosen_state", state), SaveMeta("status_text", text), AppDirty()]
        if self._live:
            effects.append(self._ask(SetPresence(id=0, state=state, text=text)))
        return effects

    def save_draft(self, conversation_id: str, text: str) -> list[Effect]:
        """Keep what is in the composer."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None or conversation.draft == text:
            return []
        return [*self.conversations.put(replace(conversation, draft=text)), RecentsDirty()]

    def seen(self, conversation_id: str) -> list[Effect]:
        """The conversation is shown: that the peer wants to talk is known now."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None or not conversation.wants_to_talk:
            return []
        return [*self.conversations.put(replace(conversation, wants_to_talk=False)), RecentsDirty()]

    def ask(self, request: Request, ticket: int) -> list[Effect]:
        """Send a request for the engine; its outcome comes as Replied."""
        if not self._live:
            return [Replied(ticket, LinkError("offline", "There is no link to the server now.", retry=True))]
        return [self._ask(request, ticket)]

    # ------------------------------------------------------------ answers and pushes

    def catch_up(self, now: float) -> list[Effect]:
        """After the log-in, when the account is loaded."""
        self._live = True
        return [
            self._ask(SetPresence(id=0, state=self.chosen, text=self.status_text)),
            self._ask(Sync(id=0, cursors=self.conversations.cursors())),
            self._ask(GetDirectory(id=0, after=self.directory.cursor)),
            self._ask(GetPresence(id=0)),
            AppDirty(),
        ]

    def _answer(self, answer: AnyAnswer, now: float) -> list[Effect]:
        assert isinstance(answer.re, int)
        request, ticket = self._requests.answered(answer.re)
        if request is None:
            return []
        if ticket is not None:
            outcome = client_error(answer) if isinstance(answer, Error) else answer
            return [Replied(ticket, outcome)]
        if isinstance(answer, Error):
            return self._error(request, answer, now)
        match answer, request:
            case Welcome(), _:
                self.organisation = answer.organisation
                return [self._ask(self._handshake.log_in()), AppDirty()]
            case LoggedIn(), _:
                return self._logged_in(answer, now)
            case Synced(), Sync():
                effects = [e for state in answer.conversations for e in self._state(state)]
                if answer.next:
                    return [*effects, self._ask(replace_page(request, answer.next))]
                self._requests.synced = True
                return [*effects, AppDirty(), *self._flush(now)]
            case Directory(), GetDirectory():
                changed = self.directory.apply(answer.departments, answer.people, answer.cursor)
                page = SaveDirectory(tuple(answer.departments), tuple(answer.people), answer.cursor)
                effects = [page, DirectoryDirty(changed)]
                me = self.directory.person(self.me.id)
                if me is not None and me != self.me:
                    self.me = me
                    effects.append(AppDirty())
                if answer.more:
                    effects.append(self._ask(GetDirectory(id=0, after=answer.cursor)))
                return effects
            case PresenceList(), _:
                return [DirectoryDirty(self.directory.presence_replace(answer.people))]
            case ConversationOpened(), _:
                return self._state(answer.conversation)
            case History(), GetHistory():
                effects, gap = self.conversations.history(answer, newest=not isinstance(request.after, int))
                return self._settled(effects, gap)
            case Sent(), Send():
                return [*self._sent(answer), *self._flush(now)]
            case _, MarkRead():
                conversation = self.conversations.get(request.conversation)
                if conversation is not None and conversation.read_told < request.seq:
                    return self.conversations.put(replace(conversation, read_told=request.seq))
        return []

    def _error(self, request: Request, answer: Error, now: float) -> list[Effect]:
        error = client_error(answer)
        match request:
            case Send():
                failure = Failure(answer.code, answer.text, answer.retry or answer.code in NOT_THE_MESSAGE)
                failed = self.outbox.refused(request.message_id, failure, error.retry_after, now)
                return [*_failed(failed), *self._flush(now)]
            case GetDirectory() if request.after and not answer.retry:
                return [self._ask(GetDirectory(id=0))]
            case Sync():
                return self._refuse(error, now)
            case _ if not self._handshake.concerns(request):
                return []
        if self._handshake.interactive:
            return self._fail_login(error)
        if answer.retry:
            return self._refuse(error, now)
        effects = [*self._lost(), *self.link.stop(error), AppDirty()]
        return effects if answer.code == ErrorCode.UPDATE_REQUIRED else [*effects, SessionOver(error)]

    def _logged_in(self, answer: LoggedIn, now: float) -> list[Effect]:
        token = answer.token if isinstance(answer.token, str) else None
        if token is None and self._handshake.interactive:
            return self._refuse(
                LinkError("not_an_oschat_server", "The server accepted the log-in without a token."), now
            )
        self._handshake.succeeded(token)
        self.link.online(now)
        effects: list[Effect] = [Authenticated(answer.user, token), AppDirty()]
        return [*effects, *self.catch_up(now)] if self._loaded else effects

    def _push(self, push: AnyPush, now: float, wall: int) -> list[Effect]:
        match push:
            case NewEvent(event=event):
                effects, gap = self.conversations.event(event)
                if event.sender != self.me.id and self.typing.peer(event.conversation, False, now):
                    effects.append(ConversationDirty(event.conversation))
                return self._settled(effects, gap)
            case Presence(people=people):
                return [DirectoryDirty(self.directory.presence_update(people))]
            case Typing():
                if push.user != self.me.id and self.typing.peer(push.conversation, push.on, now):
                    return [ConversationDirty(push.conversation), RecentsDirty()]
            case PeerOpened():
                conversation = self.conversations.get(push.conversation)
                if conversation is not None and push.user == conversation.peer:
                    wants = replace(conversation, wants_to_talk=True, at=max(wall, conversation.at))
                    return [*self.conversations.put(wants), RecentsDirty()]
            case DirectoryChanged():
                if self._directory_due is None:
                    self._directory_due = now + self._random() * DIRECTORY_DELAY_SECONDS
        return []

    def _state(self, state: ConversationState) -> list[Effect]:
        return self._settled(self.conversations.state(state), None)

    def _sent(self, answer: Sent) -> list[Effect]:
        message = self.outbox.get(answer.message_id)
        if message is None or message.conversation != answer.conversation:
            return []  # its event came before, with the history
        event = Event(
            conversation=answer.conversation, seq=answer.seq, at=answer.at, sender=self.me.id, kind="message",
            message_id=answer.message_id, body=encode_body(MessageBody(text=message.text)),
        )  # fmt: skip
        effects, gap = self.conversations.event(event)
        if not effects and gap is None:  # it lies in a hole below the cursor, or behind a gap that was asked for
            effects = [SaveEvents((event,)), EventsApplied(event.conversation, (event,))]
        return self._settled(effects, gap)

    def _settled(self, effects: list[Effect], gap: Gap | None) -> list[Effect]:
        """What was applied leaves the outbox, in the same transaction; a gap is asked for."""
        settled = list(effects)
        for effect in effects:
            if isinstance(effect, EventsApplied):
                for event in effect.events:
                    if event.sender == self.me.id and isinstance(event.message_id, str):
                        removed = self.outbox.remove(event.message_id)
                        settled += [DropOutgoing(removed.key)] if removed else []
        if gap is not None and gap.after is None:
            settled.append(self._ask(GetHistory(id=0, conversation=gap.conversation)))
        elif gap is not None and gap.after is not None:
            settled.append(self._ask(GetHistory(id=0, conversation=gap.conversation, after=gap.after, limit=200)))
        return settled if not effects else [*settled, AppDirty()]

    # ------------------------------------------------------------ going out

    def _flush(self, now: float) -> list[Effect]:
        """Messages and read marks whose turn it is."""
        if not self._live or not self._requests.synced:
            return []
        effects: list[Effect] = []
        for message in self.outbox.ready(now):
            self.outbox.sending(message)
            body = MessageBody(text=message.text)
            send = Send(id=0, conversation=message.conversation, message_id=message.key, body=body)
            effects.append(self._ask(send))
        for conversation_id in self._reads.ready(now):
            conversation = self.conversations.get(conversation_id)
            if conversation is not None and conversation.read_mine > conversation.read_told:
                effects.append(self._ask(MarkRead(id=0, conversation=conversation_id, seq=conversation.read_mine)))
        return effects

    def _ask(self, request: Request, ticket: int | None = None) -> Effect:
        return SendFrame(self._requests.asked(request, ticket))

    def _lost(self) -> list[Effect]:
        """The link is gone: what was asked for gets no answer."""
        self._live = False
        self._directory_due = None
        self.outbox.link_lost()
        self.conversations.link_lost()
        self._reads.link_lost(c.id for c in self.conversations.untold())
        gone = LinkError("offline", "The link to the server was lost. Try again when it is back.", retry=True)
        effects: list[Effect] = [Replied(ticket, gone) for ticket in self._requests.link_lost()]
        for conversation in self.typing.clear():
            effects += [ConversationDirty(conversation), RecentsDirty()]
        return effects

    def _refuse(self, error: ClientError, now: float) -> list[Effect]:
        if self._handshake.interactive:
            return self._fail_login(error)
        return [*self._lost(), *self.link.refused(error, now), AppDirty()]

    def _fail_login(self, error: ClientError) -> list[Effect]:
        self._handshake.forget()
        self.link.stop(error)
        return [*self._lost(), CloseLink(), LoginFailed(error), AppDirty()]

    def _drop_oversized(self, code: int) -> list[Effect]:
        if code != CloseCode.TOO_LARGE:
            return []
        effects: list[Effect] = []
        failure = Failure("frame_too_large", "The server does not take a message of this size.")
        for key in self.outbox.under_way():
            effects += _failed(self.outbox.refused(key, failure, None, 0.0))
        return effects


NOT_THE_MESSAGE = frozenset({ErrorCode.NOT_LOGGED_IN, ErrorCode.HELLO_REQUIRED, ErrorCode.SESSION_EXPIRED})
"""Errors that say nothing about the message: it waits for the next log-in."""


def replace_page(request: Sync, page: str) -> Sync:
    """The same question for the next page."""
    return Sync(id=0, cursors=request.cursors, page=page)


def _failed(message: Outgoing | None) -> list[Effect]:
    return [] if message is None else [SaveOutgoing(message), OutgoingChanged(message), RecentsDirty()]
