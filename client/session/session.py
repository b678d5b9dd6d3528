"""The session: composes link, handshake, talk, directory and presence; frames in, effects out.

The order of things is that of docs/protocol.md. An account is *loaded* when its store was read, and *live* while the
log-in stands and catching up has begun. Pushes before that are dropped: syncing brings what they told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from client.errors import ClientError, LinkError
from client.session.directory import DirectoryBook
from client.session.effects import (
    AppDirty,
    Authenticated,
    CloseLink,
    Conversation,
    DirectoryDirty,
    Effect,
    LoginFailed,
    Outgoing,
    Replied,
    SaveDirectory,
    SaveMeta,
    SendFrame,
    SessionOver,
)
from client.session.handshake import Handshake, Password, Token, client_error, reconnect_error
from client.session.link import Link
from client.session.requests import Requests
from client.session.talk import Talk
from protocol.codec import decode_server_frame
from protocol.errors import CloseCode, ErrorCode, FrameError
from protocol.messages import (
    AnyAnswer,
    AnyPush,
    ChosenState,
    ConversationOpened,
    Department,
    Directory,
    DirectoryChanged,
    Error,
    GetDirectory,
    GetHistory,
    GetPresence,
    History,
    LoggedIn,
    MarkRead,
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
    Sync,
    Synced,
    Typing,
    Welcome,
)

DIRECTORY_DELAY_SECONDS: Final = 2.0
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


NOBODY: Final = Account(me=Person(id="nobody", login="nobody", name="nobody"))


class Session:
    """Methods are inputs and return effects. Attributes are read by the views, and written by nobody else."""

    def __init__(self, random: Callable[[], float], program: str, device: str = "") -> None:
        self._random = random
        self.link = Link(random)
        self.organisation = ""
        self.live = False
        self._loaded = False
        self._handshake = Handshake(program, device)
        self._requests = Requests()
        self._directory_due: float | None = None
        self._put(NOBODY)

    # ------------------------------------------------------------ account

    def load(self, account: Account) -> None:
        """The account's store was opened."""
        self._put(account)
        self._loaded = True

    def unload(self) -> list[Effect]:
        """Nobody is logged in here any more. The link is closed, and the token forgotten."""
        effects = [*self._lost(), *self.link.stop(self.link.error)]
        self._loaded = False
        self._handshake.forget()
        self._put(NOBODY)
        return effects

    def _put(self, account: Account) -> None:
        self.me = account.me
        self.chosen: ChosenState = account.chosen
        self.status_text = account.status_text
        self.directory = DirectoryBook(account.departments, account.people, account.directory_cursor)
        self.talk = Talk(self._requests, account.me.id, account.conversations, account.outgoing)

    # ------------------------------------------------------------ link

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
        return [self._ask(self._handshake.hello())] if self.link.opened(attempt, now) else []

    def link_closed(self, attempt: int, code: int, error: ClientError | None, now: float) -> list[Effect]:
        """The socket closed, or could not be opened."""
        was = self.link.state
        if not self.link.closed(attempt, code, error, now):
            return []
        if self._handshake.interactive:
            return self._fail_login(error or reconnect_error(code))
        effects = [*self.talk.too_large(code), *self._lost(), AppDirty()]
        if code == CloseCode.SESSION_ENDED:
            ended = ClientError("session_expired", "This log-in has ended. Log in again with your password.")
            return [*effects, *self.link.stop(ended), SessionOver(ended)]
        if code == CloseCode.UPDATE_REQUIRED:
            return [*effects, *self.link.stop(reconnect_error(code))]
        if was != "online":  # not only a hiccup: who is there is not known any more
            effects.append(DirectoryDirty(self.directory.presence_replace(())))
        return effects

    def tick(self, now: float, wall: int) -> list[Effect]:
        """Time passed."""
        effects, ping = self.link.tick(now, wall)
        if effects:
            if self._handshake.interactive and self.link.error is not None:
                return self._fail_login(self.link.error)
            return [*self._lost(), *effects, AppDirty()]
        if ping:
            effects.append(self._ask(Ping(id=0)))
        effects += self.talk.tick(now)
        if self.live and self._directory_due is not None and self._directory_due <= now:
            self._directory_due = None
            effects.append(self._ask(GetDirectory(id=0, after=self.directory.cursor)))
        return [*effects, *self._flush(now)]

    def deadline(self) -> float | None:
        """When tick wants to be called next."""
        times = [self.link.deadline(), self.talk.deadline(self.live), self._directory_due]
        return min((time for time in times if time is not None), default=None)

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
            return []  # a type of a newer server
        if isinstance(frame, Push):
            return [*self._push(frame, now, wall), *self._flush(now)] if self.live else []
        if isinstance(frame, Error) and not isinstance(frame.re, int):
            return []  # about a frame of ours that could not be read; its request fails with the link
        return [*self._answer(frame, now), *self._flush(now)]

    # ------------------------------------------------------------ inputs of the person

    def send(self, message: Outgoing, now: float) -> list[Effect]:
        """The message is in the store's outbox: show it, and let it go out in its turn."""
        return [*self.talk.send(message, now), *self._flush(now)]

    def retry(self, key: str, now: float, wall: int) -> list[Effect]:
        """Try a failed message again."""
        return [*self.talk.retry(key, wall), *self._flush(now)]

    def mark_read(self, conversation: str, seq: int, now: float) -> list[Effect]:
        """The person has seen the conversation up to `seq`."""
        return [*self.talk.mark_read(conversation, seq), *self._flush(now)]

    def set_typing(self, conversation: str, on: bool, now: float) -> list[Effect]:
        """The person types, or has stopped."""
        return self.talk.set_typing(conversation, on, now) if self.live else []

    def open_conversation(self, peer: str) -> list[Effect]:
        """Tell the peer that somebody wants to talk, and fetch the newest events."""
        return [self._ask(OpenConversation(id=0, peer=peer))] if self.live else []

    def choose_presence(self, state: ChosenState, text: str) -> list[Effect]:
        """How the person wants to appear, from now on and after each log-in."""
        self.chosen, self.status_text = state, text
        effects: list[Effect] = [SaveMeta("chosen_state", state), SaveMeta("status_text", text), AppDirty()]
        return [*effects, self._ask(SetPresence(id=0, state=state, text=text))] if self.live else effects

    def ask(self, request: Request, ticket: int) -> list[Effect]:
        """Send a request for the engine; its outcome comes as Replied."""
        if not self.live:
            return [Replied(ticket, LinkError("offline", "There is no link to the server now.", retry=True))]
        return [self._ask(request, ticket)]

    # ------------------------------------------------------------ answers and pushes

    def catch_up(self) -> list[Effect]:
        """After the log-in, when the account is loaded."""
        self.live = True
        return [
            self._ask(SetPresence(id=0, state=self.chosen, text=self.status_text)),
            self._ask(Sync(id=0, cursors=self.talk.conversations.cursors())),
            self._ask(GetDirectory(id=0, after=self.directory.cursor)),
            self._ask(GetPresence(id=0)),
            AppDirty(),
        ]

    def _answer(self, answer: AnyAnswer, now: float) -> list[Effect]:
        assert isinstance(answer.re, int)
        request, ticket = self._requests.answered(answer.re)
        if ticket is not None:
            return [Replied(ticket, client_error(answer) if isinstance(answer, Error) else answer)]
        match answer, request:
            case Error(), _:
                return self._error(request, answer, now)
            case Welcome(), _ if self._handshake.concerns(request):
                self.organisation = answer.organisation
                return [self._ask(self._handshake.log_in()), AppDirty()]
            case LoggedIn(), _ if self._handshake.concerns(request):
                return self._logged_in(answer, now)
            case Synced(), Sync():
                effects = [
                    effect
                    for state in answer.conversations
                    for effect in self.talk.synced(state, request.cursors.get(state.id, 0))
                ]
                if answer.next:
                    return [*effects, self._ask(Sync(id=0, cursors=request.cursors, page=answer.next))]
                self._requests.synced = True
                return [*effects, AppDirty()]
            case Directory(), GetDirectory():
                return self._directory_page(answer)
            case PresenceList(), _:
                return [DirectoryDirty(self.directory.presence_replace(answer.people))]
            case ConversationOpened(), _:
                return self.talk.state(answer.conversation)
            case History(), GetHistory():
                return self.talk.history(request, answer)
            case Sent(), Send():
                return self.talk.sent(answer)
            case _, MarkRead():
                return self.talk.marked(request)
        return []

    def _error(self, request: Request | None, answer: Error, now: float) -> list[Effect]:
        error = client_error(answer)
        match request:
            case Send():
                return self.talk.refused(request, answer, now)
            case GetHistory():
                self.talk.gap_refused(request)
            case MarkRead() if not answer.retry:
                return self.talk.marked(request)
            case GetDirectory() if request.after and not answer.retry:
                return [self._ask(GetDirectory(id=0))]  # a cursor that the server does not know any more
            case Sync():
                return self._refuse(error, now)
        if not self._handshake.concerns(request):
            return []
        if answer.retry or self._handshake.interactive:
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
        return [*effects, *self.catch_up()] if self._loaded else effects

    def _directory_page(self, answer: Directory) -> list[Effect]:
        changed = self.directory.apply(answer.departments, answer.people, answer.cursor)
        page = SaveDirectory(tuple(answer.departments), tuple(answer.people), answer.cursor)
        effects: list[Effect] = [page]
        if changed or answer.departments:
            effects.append(DirectoryDirty(changed))
        me = self.directory.person(self.me.id)
        if me is not None and me != self.me:
            self.me = me
            effects.append(AppDirty())
        return [*effects, self._ask(GetDirectory(id=0, after=answer.cursor))] if answer.more else effects

    def _push(self, push: AnyPush, now: float, wall: int) -> list[Effect]:
        match push:
            case NewEvent(event=event):
                return self.talk.event(event, now)
            case Presence(people=people):
                return [DirectoryDirty(self.directory.presence_update(people))]
            case Typing():
                return self.talk.peer_types(push, now)
            case PeerOpened():
                return self.talk.peer_opened(push, wall)
            case DirectoryChanged() if self._directory_due is None:
                self._directory_due = now + self._random() * DIRECTORY_DELAY_SECONDS
        return []

    # ------------------------------------------------------------ helpers

    def _flush(self, now: float) -> list[Effect]:
        return self.talk.flush(now) if self.live else []

    def _ask(self, request: Request, ticket: int | None = None) -> Effect:
        return SendFrame(self._requests.asked(request, ticket))

    def _lost(self) -> list[Effect]:
        """The link is gone: what was asked for gets no answer."""
        self.live = False
        self._directory_due = None
        gone = LinkError("offline", "The link to the server was lost. Try again when it is back.", retry=True)
        replies = [Replied(ticket, gone) for ticket in self._requests.link_lost()]
        return [*replies, *self.talk.link_lost()]

    def _refuse(self, error: ClientError, now: float) -> list[Effect]:
        if self._handshake.interactive:
            return self._fail_login(error)
        return [*self._lost(), *self.link.refused(error, now), AppDirty()]

    def _fail_login(self, error: ClientError) -> list[Effect]:
        self._handshake.forget()
        self.link.stop(error)
        return [*self._lost(), CloseLink(), LoginFailed(error), AppDirty()]
