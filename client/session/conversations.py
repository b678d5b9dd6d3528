"""Each conversation's place: cursors, gaps, read positions, unread counts and the preview of the last message.

The rules are those of docs/protocol.md, "Conversations, events and cursors".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from client.session.effects import (
    Conversation,
    ConversationDirty,
    DiscountRead,
    Effect,
    EventsApplied,
    ForgetEvents,
    RecentsDirty,
    RecountUnread,
    SaveConversation,
    SaveEvents,
)
from protocol.codec import decode_body
from protocol.limits import MAX_SYNC_CURSORS
from protocol.messages import (
    ConversationState,
    Event,
    History,
    MessageBody,
    ReadBody,
    direct_conversation,
    direct_members,
)

PREVIEW_CHARACTERS: Final = 120
LONGEST_GAP: Final = 2_000
"""A gap of more events than this is left as a hole, which is filled when somebody scrolls there."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Events are missing: ask for those after `after`, or for the newest where it is None."""

    conversation: str
    after: int | None


def preview(text: str) -> str:
    """The start of a message in one line."""
    return " ".join(text[: PREVIEW_CHARACTERS * 4].split())[:PREVIEW_CHARACTERS]


class Conversations:
    """Every conversation of `me`. Methods return effects, and the gaps to ask for, if any."""

    def __init__(self, me: str, conversations: Iterable[Conversation] = ()) -> None:
        self.me = me
        self._items = {c.id: c for c in conversations}
        self._asked: dict[str, int] = {}
        """Gaps that were asked for, and the cursor at that time."""

    def get(self, conversation: str) -> Conversation | None:
        """The record; one without anything for an id that is new; None for an id that is none of ours."""
        found = self._items.get(conversation)
        if found is not None:
            return found
        members = direct_members(conversation)
        if members is None:
            return Conversation(id=conversation, peer="") if conversation.startswith("g.") else None
        if self.me not in members:
            return None
        return Conversation(id=conversation, peer=members[0] if members[1] == self.me else members[1])

    def all(self) -> list[Conversation]:
        """Every record."""
        return list(self._items.values())

    def put(self, conversation: Conversation) -> list[Effect]:
        """Replace the record."""
        self._items[conversation.id] = conversation
        return [SaveConversation(conversation)]

    def cursors(self) -> dict[str, int]:
        """For sync. The ones that moved last where there are too many: the others come again and are ignored."""
        moved = [c for c in self._items.values() if c.cursor]
        if len(moved) > MAX_SYNC_CURSORS:
            moved = sorted(moved, key=lambda c: c.at, reverse=True)[:MAX_SYNC_CURSORS]
        return {c.id: c.cursor for c in moved}

    def unread(self) -> int:
        """All conversations together."""
        return sum(c.unread for c in self._items.values() if c.peer)

    def link_lost(self) -> None:
        """Gaps that were asked for get no answer any more; syncing closes them."""
        self._asked.clear()

    def forget_gap(self, conversation: str) -> None:
        """A gap was not filled: the next event asks again."""
        self._asked.pop(conversation, None)

    def with_any(self, peers: frozenset[str]) -> bool:
        """Whether there is a conversation with one of them."""
        if len(peers) > len(self._items):
            return any(c.peer in peers for c in self._items.values())
        return any(peer != self.me and direct_conversation(self.me, peer) in self._items for peer in peers)

    # ------------------------------------------------------------ events

    def event(self, event: Event) -> tuple[list[Effect], Gap | None]:
        """One event that was pushed, or that an acknowledgement stands for."""
        conversation = self.get(event.conversation)
        if conversation is None or event.seq <= conversation.cursor:
            return [], None
        if event.seq > conversation.cursor + 1:
            return [], self._gap(conversation, event.seq)
        return self._apply(conversation, [event], hole=False), None

    def history(self, history: History, newest: bool) -> tuple[list[Effect], Gap | None]:
        """The answer to a gap. `newest`: it was asked for without `after`, and may begin beyond the cursor."""
        self._asked.pop(history.conversation, None)
        conversation = self.get(history.conversation)
        if conversation is None:
            return [], None
        fresh = [event for event in history.events if event.seq > conversation.cursor]
        hole = bool(fresh) and fresh[0].seq != conversation.cursor + 1
        if not fresh or (hole and not newest):
            return [], None
        effects = self._apply(conversation, fresh, hole=hole)
        cursor = fresh[-1].seq
        more = cursor < history.last_seq and not newest
        return effects, self._gap(self._items[conversation.id], history.last_seq) if more else None

    def state(self, state: ConversationState) -> list[Effect]:
        """A conversation as sync or opening gave it; events beyond the cursor are taken as the newest page."""
        conversation = self.get(state.id)
        if conversation is None:
            return []
        conversation = replace(
            conversation,
            read_mine=max(conversation.read_mine, state.read.get(self.me, 0)),
            read_told=max(conversation.read_told, state.read.get(self.me, 0)),
            read_peer=max(conversation.read_peer, state.read.get(conversation.peer, 0)),
        )
        fresh = [event for event in state.events if event.seq > conversation.cursor]
        hole = bool(fresh) and fresh[0].seq != conversation.cursor + 1
        discount: list[Effect] = []
        if state.last_seq >= conversation.cursor:
            # The server counted with its own idea of what was read; what was read here meanwhile is told to it soon.
            told = state.read.get(self.me, 0)
            ahead = conversation.read_mine > told
            if hole or not ahead:  # what lies in a hole cannot be counted here
                conversation = replace(conversation, unread=state.unread, counted=state.last_seq)
                if ahead:
                    discount.append(DiscountRead(state.id, told, conversation.read_mine))
        changed = conversation != self._items.get(state.id)
        if fresh:
            return [*self._apply(conversation, fresh, hole=hole), *discount, ConversationDirty(state.id)]
        if not changed or (not conversation.cursor and state.last_seq == 0 and state.id not in self._items):
            return []
        return [*self.put(conversation), ConversationDirty(state.id), RecentsDirty()]

    def renumbered(self, state: ConversationState) -> list[Effect]:
        """The server was restored from a backup and stands under our cursor: what it has now is what counts."""
        old = self.get(state.id)
        if old is None:
            return []
        fresh = Conversation(id=old.id, peer=old.peer, at=old.at, draft=old.draft)
        self._asked.pop(state.id, None)
        effects: list[Effect] = [ForgetEvents(state.id), *self.put(fresh), *self.state(state)]
        return [*effects, EventsApplied(state.id, (), True), RecentsDirty()]

    def _gap(self, conversation: Conversation, seq: int) -> Gap | None:
        if self._asked.get(conversation.id) == conversation.cursor:
            return None  # asked already; the answer brings this event too
        self._asked[conversation.id] = conversation.cursor
        if conversation.cursor == 0 or seq - conversation.cursor > LONGEST_GAP:
            return Gap(conversation.id, None)
        return Gap(conversation.id, conversation.cursor)

    def _apply(self, conversation: Conversation, events: list[Event], *, hole: bool) -> list[Effect]:
        recount = dirty = False
        for event in events:
            conversation = replace(conversation, cursor=event.seq)
            mine = event.sender == self.me
            match decode_body(event):
                case MessageBody(text=text):
                    unread = not mine and event.seq > max(conversation.counted, conversation.read_mine)
                    conversation = replace(
                        conversation,
                        last_message=event.seq,
                        at=max(event.at, conversation.at),
                        preview=preview(text),
                        mine=mine,
                        wants_to_talk=conversation.wants_to_talk and mine,
                        unread=conversation.unread + unread,
                    )
                case ReadBody(seq=seq) if mine:
                    if seq > conversation.read_mine:
                        conversation, again = self._read(replace(conversation, read_told=seq), seq)
                        recount = recount or again
                    dirty = True
                case ReadBody(seq=seq) if event.sender == conversation.peer:
                    conversation = replace(conversation, read_peer=max(conversation.read_peer, seq))
                    dirty = True
                case _:
                    pass
            conversation = replace(conversation, counted=max(conversation.counted, event.seq))
        effects: list[Effect] = [SaveEvents(tuple(events)), *self.put(conversation)]
        effects.append(EventsApplied(conversation.id, tuple(events), hole))
        if recount:
            effects.append(RecountUnread(conversation.id, conversation.read_mine))
        if dirty:
            effects.append(ConversationDirty(conversation.id))
        return [*effects, RecentsDirty()]

    # ------------------------------------------------------------ reading

    def mark_read(self, conversation_id: str, seq: int) -> list[Effect]:
        """The person has seen everything up to `seq`; nothing where that is no news."""
        conversation = self.get(conversation_id)
        if conversation is None or min(seq, conversation.cursor) <= conversation.read_mine:
            return []
        conversation, recount = self._read(conversation, min(seq, conversation.cursor))
        effects: list[Effect] = [*self.put(conversation), RecentsDirty()]
        return [*effects, RecountUnread(conversation_id, conversation.read_mine)] if recount else effects

    def discounted(self, conversation_id: str, read: int) -> list[Effect]:
        """The store has counted messages that the server holds for unread, and that were read here."""
        return self.recounted(conversation_id, max(0, self._items[conversation_id].unread - read))

    def recounted(self, conversation_id: str, unread: int) -> list[Effect]:
        """The store has counted."""
        conversation = self._items.get(conversation_id)
        if conversation is None or conversation.unread == unread:
            return []
        return [*self.put(replace(conversation, unread=unread)), RecentsDirty()]

    def untold(self) -> list[Conversation]:
        """Conversations whose own read position the server may not know."""
        return [c for c in self._items.values() if c.read_mine > c.read_told]

    def _read(self, conversation: Conversation, seq: int) -> tuple[Conversation, bool]:
        """The own read position moved; whether the unread messages must be counted again."""
        conversation = replace(conversation, read_mine=max(seq, conversation.read_mine))
        if seq >= conversation.last_message or not conversation.unread:
            return replace(conversation, unread=0), False
        return conversation, True
