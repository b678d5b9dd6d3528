"""What the session asks the engine to do: the link, the store (changes), secrets and pages, each a frozen record.

The engine writes the changes of one input in one transaction first, then performs the rest in order: what goes out
or is shown is already in the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import ClientError
from protocol.messages import AnyAnswer, Department, Event, Person, Request

# ---------------------------------------------------------------- records


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the client knows of one conversation, beside its events."""

    id: str
    peer: str
    """The other person's id; empty for kinds of conversation that this version does not know."""
    cursor: int = 0
    """The seq up to which events were taken; below it there may be holes, filled when one scrolls there."""
    read_mine: int = 0
    read_told: int = 0
    """The own read position that the server is known to have."""
    read_peer: int = 0
    unread: int = 0
    counted: int = 0
    """`unread` covers events up to this seq."""
    last_message: int = 0
    """The seq of the newest message, which `at`, `preview` and `mine` describe."""
    at: int = 0
    preview: str = ""
    mine: bool = False
    wants_to_talk: bool = False
    draft: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was not taken, as the server said it."""

    code: str
    text: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that the server has not acknowledged. `position` orders the outbox."""

    key: str
    conversation: str
    position: int
    at: int
    text: str
    failure: Failure | None = None


# ---------------------------------------------------------------- link


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Connect to `url`."""

    attempt: int
    url: str


@dataclass(frozen=True, slots=True)
class CloseLink:
    """Close the socket, or stop connecting."""


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send a request."""

    request: Request


# ---------------------------------------------------------------- changes of the store


@dataclass(frozen=True, slots=True)
class SaveConversation:
    """Keep the record."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class SaveEvents:
    """Keep the events; one that is there already is left alone."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ForgetEvents:
    """Forget a conversation's events: the server numbers them anew."""

    conversation: str


@dataclass(frozen=True, slots=True)
class SaveOutgoing:
    """Keep the message in the outbox, or replace it."""

    message: Outgoing


@dataclass(frozen=True, slots=True)
class DropOutgoing:
    """The message was acknowledged or given up."""

    key: str


@dataclass(frozen=True, slots=True)
class SaveDirectory:
    """Keep a page of the directory; `cursor` is where the next begins."""

    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class SaveMeta:
    """Keep a small value by its name."""

    name: str
    value: str


Change = SaveConversation | SaveEvents | ForgetEvents | SaveOutgoing | DropOutgoing | SaveDirectory | SaveMeta

# ---------------------------------------------------------------- account


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The server accepted the log-in. The engine loads the account's store, then tells the session."""

    user: Person
    token: str | None
    """A new token, where the server gave one."""


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """The log-in that a person waits for did not succeed."""

    error: ClientError


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The token is of no more use: back to the log-in page."""

    error: ClientError


@dataclass(frozen=True, slots=True)
class Replied:
    """The outcome of a request that the engine asked for by `ticket`."""

    ticket: int
    outcome: AnyAnswer | ClientError


# ---------------------------------------------------------------- pages


@dataclass(frozen=True, slots=True)
class AppDirty:
    """Link, own presence or organisation changed."""


@dataclass(frozen=True, slots=True)
class RecentsDirty:
    """The list of recent conversations changed."""


@dataclass(frozen=True, slots=True)
class DirectoryDirty:
    """People, departments or presence changed; `people` are those whose presence or record did."""

    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConversationDirty:
    """Typing or read positions changed."""

    conversation: str


@dataclass(frozen=True, slots=True)
class EventsApplied:
    """New events, in order and without a gap to what was shown before unless `hole`."""

    conversation: str
    events: tuple[Event, ...]
    hole: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingChanged:
    """A message of the outbox was added or changed its state."""

    message: Outgoing


@dataclass(frozen=True, slots=True)
class OutgoingRemoved:
    """A failed message was given up."""

    conversation: str
    key: str


@dataclass(frozen=True, slots=True)
class RecountUnread:
    """Count the messages of others after seq `after`, the own read position, and tell the session."""

    conversation: str
    after: int


@dataclass(frozen=True, slots=True)
class DiscountRead:
    """Count the messages of others after seq `after` up to `until`, which the server counted, and tell the session."""

    conversation: str
    after: int
    until: int


Effect = (
    OpenLink | CloseLink | SendFrame | Change | Authenticated | LoginFailed | SessionOver | Replied | AppDirty
    | RecentsDirty | DirectoryDirty | ConversationDirty | EventsApplied | OutgoingChanged | OutgoingRemoved
    | RecountUnread | DiscountRead
)  # fmt: skip
