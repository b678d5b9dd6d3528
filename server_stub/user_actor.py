"""The actor of one user who is online: owns the user's sockets, authorises each request, stores, acknowledges.

A message's way: `receive` → `_send` (authorise, append) → the storage → `_stored` (acknowledge, fan out by the bus) →
`receive` of each member's actor, which writes the frame to its sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from msgspec import UNSET, Struct

from protocol.codec import encode, error_frame
from protocol.errors import CloseCode, ErrorCode, ProtocolError
from protocol.limits import MAX_PAGE_EVENTS, MAX_STATUS_CHARACTERS, MAX_TEXT_CHARACTERS
from protocol.messages import (
    AnyAnswer,
    AnyRequest,
    ConversationOpened,
    ConversationState,
    Error,
    Event,
    GetDirectory,
    GetHistory,
    GetPresence,
    History,
    Logout,
    MarkRead,
    NewEvent,
    Ok,
    OpenConversation,
    PeerOpened,
    Person,
    Ping,
    Pong,
    PresenceList,
    Send,
    Sent,
    SetPresence,
    SetTyping,
    Sync,
    Synced,
    Typing,
    direct_conversation,
    direct_members,
)
from server_stub.accounts import now_ms
from server_stub.actor import Actor
from server_stub.bus.base import Deliver, EndSessions
from server_stub.errors import StorageError
from server_stub.framing import frame, text_frame
from server_stub.services import Device, Office, Services
from server_stub.storage.base import Draft, Duplicate, Page, ReadMark

PAGE_BYTES: Final = 512 * 1024
"""An answer with pages grows to about this size; the rest is for the next page."""

MAX_APPENDING: Final = 2_000
"""Messages and read marks of one user that may wait for the disk, so that nobody fills the storage's queue alone."""

MAX_UNDER_WAY: Final = 64
"""Reads that one user may have under way; more are refused as server_busy."""


class Reply(Struct):
    """An answer that keeps its place among the events in the mailbox."""

    device: Device
    data: bytes


class Crash(Exception):
    """Some work outside the mailbox failed; as a message, it makes its actor crash."""


class UserActor(Actor):
    """One user's devices, and what they ask for."""

    def __init__(self, user: str, services: Services, office: Office) -> None:
        super().__init__()
        self.user = user
        self._services = services
        self._office = office
        self._devices: dict[int, Device] = {}
        self._appending = 0
        self._under_way: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"UserActor({self.user})"

    # ---------------------------------------------------------------- devices

    def attach(self, device: Device) -> None:
        """A device has come."""
        self._devices[device.key] = device

    def detach(self, device: Device) -> bool:
        """A device has gone; True while there are others."""
        self._devices.pop(device.key, None)
        return bool(self._devices)

    def may_skip(self, message: object) -> bool:
        """Whether this is for every device but the only one: the commonest message, which saves the mailbox's way."""
        return type(message) is Deliver and len(self._devices) == 1 and message.except_device in self._devices

    def request(self, device: Device, request: AnyRequest) -> None:
        """A device asks for something; the answer comes later."""
        self._services.supervisor.tell(self, (device, request))

    # ---------------------------------------------------------------- as an actor

    def receive(self, message: object) -> None:
        """See Actor.receive."""
        if type(message) is Deliver:
            for device in tuple(self._devices.values()):  # one that is too slow leaves at once
                if device.key != message.except_device:
                    device.send(message.data)
        elif type(message) is tuple:
            device, request = message
            handler = _HANDLERS.get(type(request))
            try:
                if handler is None:
                    raise ProtocolError(ErrorCode.ALREADY_LOGGED_IN)
                handler(self, device, request)
            except ProtocolError as error:
                self._answer(device, _refusal(request.id, error))
            except StorageError:  # StorageBusy, or it has been closed
                self._answer(device, _refusal(request.id, ProtocolError(ErrorCode.SERVER_BUSY, retry_after=1)))
        elif type(message) is Reply:
            message.device.send(message.data)
        elif isinstance(message, EndSessions):
            for device in tuple(self._devices.values()):
                if device.key != message.except_device and (
                    message.sessions is None or device.session in message.sessions
                ):
                    device.close(CloseCode.SESSION_ENDED, message.code)
        elif isinstance(message, Crash):
            raise message

    def overflowed(self) -> None:
        """See Actor.overflowed: the clients come back and catch up."""
        self._close_all(CloseCode.RESYNC)

    def crashed(self) -> None:
        """See Actor.crashed."""
        self._office.forget(self)
        self._close_all(CloseCode.INTERNAL)

    def _close_all(self, code: CloseCode) -> None:
        for device in tuple(self._devices.values()):
            device.close(code)

    # ---------------------------------------------------------------- answers

    def _answer(self, device: Device, answer: AnyAnswer) -> None:
        device.send(frame(answer))

    def _tell(self, device: Device, answer: AnyAnswer) -> None:
        """Answer when what is in the mailbox has been handled."""
        self._services.supervisor.tell(self, Reply(device, frame(answer)))

    def _later(self, device: Device, request_id: int, work: Coroutine[Any, Any, AnyAnswer | None]) -> None:
        """Do what takes time as a task, and answer with its result."""
        if len(self._under_way) >= MAX_UNDER_WAY:
            work.close()
            raise ProtocolError(ErrorCode.SERVER_BUSY, retry_after=1)

        async def run() -> None:
            try:
                answer = await work
                if answer is not None:
                    self._answer(device, answer)
            except ProtocolError as error:
                self._answer(device, _refusal(request_id, error))
            except StorageError:
                self._answer(device, _refusal(request_id, ProtocolError(ErrorCode.STORAGE_FAILED)))
            except Exception as error:  # it is this actor's crash
                self._services.supervisor.tell(self, Crash(repr(error)).with_traceback(error.__traceback__))

        task = asyncio.get_running_loop().create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    # ---------------------------------------------------------------- conversations

    def _members(self, conversation: str) -> tuple[str, str]:
        """Both members, of whom this user is one. Raises ProtocolError; a stranger learns nothing from it."""
        members = direct_members(conversation)
        if members is None or self.user not in members:
            raise ProtocolError(ErrorCode.NO_SUCH_CONVERSATION)
        return members

    def _peer(self, members: tuple[str, str]) -> Person:
        peer = self._services.directory.people.get(members[0] if members[1] == self.user else members[1])
        if peer is None:
            raise ProtocolError(ErrorCode.NO_SUCH_USER)
        return peer

    def _send(self, device: Device, request: Send) -> None:
        members = self._members(request.conversation)
        if self._peer(members).disabled:
            raise ProtocolError(ErrorCode.USER_DISABLED)
        text = request.body.text
        if len(text) > MAX_TEXT_CHARACTERS:
            raise ProtocolError(
                ErrorCode.TEXT_TOO_LONG, details={"limit": MAX_TEXT_CHARACTERS, "characters": len(text)}
            )
        if not text or text.isspace():
            raise ProtocolError(ErrorCode.EMPTY_MESSAGE)
        draft = Draft(
            request.conversation,
            members,
            self.user,
            "message",
            encode(request.body),
            request.message_id,
            (device, request.id),
        )
        self._count_appending()
        self._services.storage.append(draft, self._stored)
        self._appending += 1

    def _count_appending(self) -> None:
        if self._appending >= MAX_APPENDING:
            raise ProtocolError(ErrorCode.SERVER_BUSY, retry_after=1)

    def _stored(self, draft: Draft, outcome: Event | Duplicate | StorageError) -> None:
        """The storage is done with a message: acknowledge it, then tell everyone else.

        Both go by mailboxes, and from here rather than from `receive`: so each socket sees a conversation's numbers in
        the order in which they were given out, its own acknowledgements among them.
        """
        self._appending -= 1
        device, request_id = draft.context
        if isinstance(outcome, StorageError):
            self._tell(device, _refusal(request_id, ProtocolError(ErrorCode.STORAGE_FAILED)))
        elif outcome.conversation != draft.conversation:
            self._tell(device, _refusal(request_id, ProtocolError(ErrorCode.MESSAGE_ID_REUSED)))
        else:
            sent = Sent(
                re=request_id,
                conversation=draft.conversation,
                message_id=draft.message_id or "",
                seq=outcome.seq,
                at=outcome.at,
            )
            self._tell(device, sent)
            if isinstance(outcome, Event):
                self._services.bus.send(draft.members, Deliver(frame(NewEvent(event=outcome)), device.key))

    def _mark_read(self, device: Device, request: MarkRead) -> None:
        self._members(request.conversation)
        mark = ReadMark(request.conversation, self.user, request.seq, (device, request.id))
        self._count_appending()
        self._services.storage.mark_read(mark, self._marked)
        self._appending += 1

    def _marked(self, mark: ReadMark, outcome: Event | StorageError | None) -> None:
        """The storage is done with a read mark: this device, too, gets the event, so that its cursor has no gap."""
        self._appending -= 1
        device, request_id = mark.context
        if isinstance(outcome, StorageError):
            self._tell(device, _refusal(request_id, ProtocolError(ErrorCode.STORAGE_FAILED)))
            return
        self._tell(device, Ok(re=request_id))
        if outcome is not None:
            self._services.bus.send(self._members(mark.conversation), Deliver(frame(NewEvent(event=outcome))))

    def _open_conversation(self, device: Device, request: OpenConversation) -> None:
        if request.peer == self.user:
            raise ProtocolError(ErrorCode.SELF_CONVERSATION)
        if request.peer not in self._services.directory.people:
            raise ProtocolError(ErrorCode.NO_SUCH_USER)
        self._later(device, request.id, self._opened(request))

    async def _opened(self, request: OpenConversation) -> ConversationOpened:
        name = direct_conversation(self.user, request.peer)
        state = await self._services.storage.conversation(name, self.user, Page(MAX_PAGE_EVENTS, PAGE_BYTES))
        told = Deliver(frame(PeerOpened(conversation=name, user=self.user)))
        self._services.bus.send([request.peer], told)
        if state is None:
            state = ConversationState(id=name, members=sorted((self.user, request.peer)), last_seq=0)
        return ConversationOpened(re=request.id, conversation=state)

    def _set_typing(self, device: Device, request: SetTyping) -> None:
        peer = self._peer(self._members(request.conversation))
        typing = Typing(conversation=request.conversation, user=self.user, on=request.on)
        self._services.bus.send([peer.id], Deliver(frame(typing)))
        self._answer(device, Ok(re=request.id))

    def _get_history(self, device: Device, request: GetHistory) -> None:
        self._members(request.conversation)
        self._later(device, request.id, self._history(request))

    async def _history(self, request: GetHistory) -> History:
        page = Page(
            request.limit,
            PAGE_BYTES,
            None if request.before is UNSET else request.before,
            None if request.after is UNSET else request.after,
        )
        last_seq, events = await self._services.storage.history(request.conversation, page)
        return History(re=request.id, conversation=request.conversation, last_seq=last_seq, events=events)

    def _sync(self, device: Device, request: Sync) -> None:
        self._later(device, request.id, self._synced(request))

    async def _synced(self, request: Sync) -> Synced:
        states, following = await self._services.storage.changed_conversations(
            self.user, request.cursors, request.page, PAGE_BYTES
        )
        return Synced(re=request.id, conversations=states, next=following)

    # ---------------------------------------------------------------- the rest

    def _ping(self, device: Device, request: Ping) -> None:
        self._answer(device, Pong(re=request.id, now=now_ms()))

    def _get_directory(self, device: Device, request: GetDirectory) -> None:
        self._answer(device, self._services.directory.page(request.id, request.after, request.limit, PAGE_BYTES))

    def _get_presence(self, device: Device, request: GetPresence) -> None:
        empty = encode(PresenceList(re=request.id, people=[]))  # the list is its last field, and encoded already
        device.send(text_frame(empty.removesuffix(b"[]}") + self._office.everyone() + b"}"))

    def _set_presence(self, device: Device, request: SetPresence) -> None:
        if len(request.text) > MAX_STATUS_CHARACTERS:
            raise ProtocolError(
                ErrorCode.TEXT_TOO_LONG, details={"limit": MAX_STATUS_CHARACTERS, "characters": len(request.text)}
            )
        self._office.set_presence(self.user, device.key, request.state, request.text)
        self._answer(device, Ok(re=request.id))

    def _logout(self, device: Device, request: Logout) -> None:
        self._later(device, request.id, self._logged_out(device, request))

    async def _logged_out(self, device: Device, request: Logout) -> None:
        session = None if request.everywhere else device.session
        await self._services.storage.revoke_sessions(self.user, session)
        self._office.sessions_ended()
        self._answer(device, Ok(re=request.id))
        device.close(CloseCode.NORMAL)
        sessions = None if session is None else frozenset([session])
        self._services.bus.send([self.user], EndSessions(sessions, ErrorCode.SESSION_EXPIRED, device.key))


def _refusal(request_id: int, error: ProtocolError) -> Error:
    error.request_id = request_id
    return error_frame(error)


_HANDLERS: Final[dict[type, Callable[[UserActor, Device, Any], None]]] = {
    Send: UserActor._send,
    MarkRead: UserActor._mark_read,
    SetTyping: UserActor._set_typing,
    Ping: UserActor._ping,
    Sync: UserActor._sync,
    GetHistory: UserActor._get_history,
    OpenConversation: UserActor._open_conversation,
    GetDirectory: UserActor._get_directory,
    GetPresence: UserActor._get_presence,
    SetPresence: UserActor._set_presence,
    Logout: UserActor._logout,
}
"""Once for all actors: a table in each would be a tenth of what an idle connection takes."""
