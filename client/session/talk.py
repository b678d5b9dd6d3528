"""Talking: what a person says, reads and types, and what comes from the peers; conversations and outbox together.

Effects for the store come before those for pages, and what was applied leaves the outbox in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from client.session.conversations import Conversations, Gap
from client.session.effects import (
    AppDirty,
    Conversation,
    ConversationDirty,
    DropOutgoing,
    Effect,
    EventsApplied,
    Failure,
    Outgoing,
    OutgoingChanged,
    OutgoingRemoved,
    RecentsDirty,
    SaveEvents,
    SaveOutgoing,
    SendFrame,
)
from client.session.outbox import Outbox
from client.session.reading import ReadMarks
from client.session.requests import Requests
from client.session.typing import TypingBook
from protocol.codec import encode_body
from protocol.errors import CloseCode, ErrorCode
from protocol.limits import MAX_PAGE_EVENTS
from protocol.messages import (
    ConversationState,
    Error,
    Event,
    GetHistory,
    History,
    MarkRead,
    MessageBody,
    PeerOpened,
    Send,
    Sent,
    SetTyping,
    Typing,
)

NOT_THE_MESSAGE: Final = frozenset({ErrorCode.NOT_LOGGED_IN, ErrorCode.HELLO_REQUIRED, ErrorCode.SESSION_EXPIRED})
"""Errors that say nothing about the message: it waits for the next log-in."""


class Talk:
    """Of one account. `requests` numbers what is asked."""

    def __init__(
        self, requests: Requests, me: str, conversations: Iterable[Conversation], outgoing: Iterable[Outgoing]
    ) -> None:
        self._requests = requests
        self.me = me
        self.conversations = Conversations(me, conversations)
        self.outbox = Outbox(outgoing)
        self.typing = TypingBook()
        self._reads = ReadMarks(c.id for c in self.conversations.untold())

    # ------------------------------------------------------------ inputs of the person

    def send(self, message: Outgoing, now: float) -> list[Effect]:
        """The message is in the store's outbox already, and the draft empty there: show it."""
        conversation = self.conversations.get(message.conversation)
        emptied = self.conversations.put(replace(conversation, draft="")) if conversation else []
        self.outbox.put(message)
        self.typing.own(message.conversation, False, now)
        return [*emptied, OutgoingChanged(message), RecentsDirty()]

    def retry(self, key: str, wall: int) -> list[Effect]:
        """Try a failed message again, after what waits already."""
        message = self.outbox.get(key)
        if message is None or message.failure is None:
            return []
        again = replace(message, failure=None, position=self.outbox.next_position(), at=wall)
        self.outbox.put(again)
        return [SaveOutgoing(again), OutgoingChanged(again), RecentsDirty()]

    def discard(self, key: str) -> list[Effect]:
        """Give up a failed message."""
        message = self.outbox.get(key)
        if message is None or message.failure is None:
            return []
        self.outbox.remove(key)
        return [DropOutgoing(key), OutgoingRemoved(message.conversation, key), RecentsDirty()]

    def mark_read(self, conversation: str, seq: int) -> list[Effect]:
        """The person has seen the conversation up to `seq`."""
        effects = self.conversations.mark_read(conversation, seq)
        if effects:
            self._reads.add(conversation)
            effects.append(AppDirty())
        return effects

    def set_typing(self, conversation: str, on: bool, now: float) -> list[Effect]:
        """The person types, or has stopped, while there is a link."""
        if not self.typing.own(conversation, on, now):
            return []
        return [SendFrame(self._requests.asked(SetTyping(id=0, conversation=conversation, on=on)))]

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

    def recounted(self, conversation: str, unread: int) -> list[Effect]:
        """The store has counted what is unread."""
        effects = self.conversations.recounted(conversation, unread)
        return [*effects, AppDirty()] if effects else []

    def discounted(self, conversation: str, read: int) -> list[Effect]:
        """The store has counted what was read here and the server did not know of."""
        effects = self.conversations.discounted(conversation, read)
        return [*effects, AppDirty()] if effects else []

    # ------------------------------------------------------------ what comes from the server

    def event(self, event: Event, now: float) -> list[Effect]:
        """A new event was pushed."""
        effects, gap = self.conversations.event(event)
        if event.sender != self.me and self.typing.peer(event.conversation, False, now):
            effects.append(ConversationDirty(event.conversation))
        return self._settled(effects, gap)

    def state(self, state: ConversationState) -> list[Effect]:
        """A conversation as sync or opening gave it."""
        return self._settled(self.conversations.state(state), None)

    def synced(self, state: ConversationState, cursor: int) -> list[Effect]:
        """A conversation as sync gave it; an end below the `cursor` that was sent means that the numbers changed."""
        if state.last_seq < cursor:
            return self._settled(self.conversations.renumbered(state), None)
        return self.state(state)

    def history(self, request: GetHistory, answer: History) -> list[Effect]:
        """A gap is filled, or its next part."""
        effects, gap = self.conversations.history(answer, newest=not isinstance(request.after, int))
        return self._settled(effects, gap)

    def sent(self, answer: Sent) -> list[Effect]:
        """A message is on the server's disk: this stands for its event."""
        message = self.outbox.get(answer.message_id)
        if message is None or message.conversation != answer.conversation:
            return []  # its event came before, with the history
        event = Event(
            conversation=answer.conversation,
            seq=answer.seq,
            at=answer.at,
            sender=self.me,
            kind="message",
            message_id=answer.message_id,
            body=encode_body(MessageBody(text=message.text)),
        )
        effects, gap = self.conversations.event(event)
        if not effects:  # it lies in a hole below the cursor, or behind a gap that is being filled
            effects = [SaveEvents((event,)), EventsApplied(event.conversation, (event,))]
        return self._settled(effects, gap)

    def marked(self, request: MarkRead) -> list[Effect]:
        """The server knows the read position, or will never take it."""
        conversation = self.conversations.get(request.conversation)
        if conversation is None or conversation.read_told >= request.seq:
            return []
        return self.conversations.put(replace(conversation, read_told=request.seq))

    def refused(self, request: Send, answer: Error, now: float) -> list[Effect]:
        """A message was not taken: for good, or for now."""
        failure = Failure(answer.code, answer.text, answer.retry or answer.code in NOT_THE_MESSAGE)
        retry_after = answer.retry_after if isinstance(answer.retry_after, int) else None
        return _failed(self.outbox.refused(request.message_id, failure, retry_after, now))

    def gap_refused(self, request: GetHistory) -> None:
        """The next event of the conversation asks again."""
        self.conversations.forget_gap(request.conversation)

    def peer_types(self, push: Typing, now: float) -> list[Effect]:
        """Somebody types, or has stopped."""
        conversation = self.conversations.get(push.conversation)
        if conversation is None or push.user != conversation.peer:
            return []
        if not self.typing.peer(push.conversation, push.on, now):
            return []
        return [ConversationDirty(push.conversation), RecentsDirty()]

    def peer_opened(self, push: PeerOpened, wall: int) -> list[Effect]:
        """Somebody wants to talk."""
        conversation = self.conversations.get(push.conversation)
        if conversation is None or push.user != conversation.peer:
            return []
        wants = replace(conversation, wants_to_talk=True, at=max(wall, conversation.at))
        return [*self.conversations.put(wants), RecentsDirty()]

    # ------------------------------------------------------------ time and link

    def tick(self, now: float) -> list[Effect]:
        """Time passed: who is not known to type any more."""
        gone = self.typing.expire(now)
        return [effect for id in gone for effect in (ConversationDirty(id), RecentsDirty())]

    def flush(self, now: float) -> list[Effect]:
        """Messages and read marks whose turn it is, once catching up is complete."""
        if not self._requests.synced:
            return []
        effects: list[Effect] = []
        for message in self.outbox.ready(now):
            self.outbox.sending(message)
            body = MessageBody(text=message.text)
            send = Send(id=0, conversation=message.conversation, message_id=message.key, body=body)
            effects.append(SendFrame(self._requests.asked(send)))
        for id in self._reads.ready(now):
            conversation = self.conversations.get(id)
            if conversation is not None and conversation.read_mine > conversation.read_told:
                mark = MarkRead(id=0, conversation=id, seq=conversation.read_mine)
                effects.append(SendFrame(self._requests.asked(mark)))
        return effects

    def deadline(self, live: bool) -> float | None:
        """When tick or flush want to be called next."""
        times = [self.typing.deadline()]
        if live and self._requests.synced:
            times += [self.outbox.deadline(), self._reads.deadline()]
        return min((time for time in times if time is not None), default=None)

    def too_large(self, code: int) -> list[Effect]:
        """With close code 1009 the server refused the size of what was under way: it must not go out again."""
        if code != CloseCode.TOO_LARGE:
            return []
        failure = Failure("frame_too_large", "The server does not take a message of this size.")
        failed = [self.outbox.refused(key, failure, None, 0.0) for key in self.outbox.under_way()]
        return [effect for message in failed for effect in _failed(message)]

    def link_lost(self) -> list[Effect]:
        """What was under way goes out again after the next log-in; nobody is known to type."""
        self.outbox.link_lost()
        self.conversations.link_lost()
        self._reads.link_lost(c.id for c in self.conversations.untold())
        return [effect for id in self.typing.clear() for effect in (ConversationDirty(id), RecentsDirty())]

    def _settled(self, effects: list[Effect], gap: Gap | None) -> list[Effect]:
        """What was applied leaves the outbox; a gap is asked for."""
        settled = list(effects)
        for effect in effects:
            if isinstance(effect, EventsApplied):
                for event in effect.events:
                    if event.sender == self.me and isinstance(event.message_id, str):
                        removed = self.outbox.remove(event.message_id)
                        settled += [DropOutgoing(removed.key)] if removed else []
        if effects:
            settled.append(AppDirty())
        if gap is not None and gap.after is None:
            settled.append(SendFrame(self._requests.asked(GetHistory(id=0, conversation=gap.conversation))))
        elif gap is not None and gap.after is not None:
            ask = GetHistory(id=0, conversation=gap.conversation, after=gap.after, limit=MAX_PAGE_EVENTS)
            settled.append(SendFrame(self._requests.asked(ask)))
        return settled


def _failed(message: Outgoing | None) -> list[Effect]:
    return [] if message is None else [SaveOutgoing(message), OutgoingChanged(message), RecentsDirty()]
