"""Every frame of the wire contract as a type. What the types say is what is validated, documented and published.

Sections: parts (records inside frames), bodies (what an event carries), requests (client to server, each with an
`id` and answered exactly once), answers (`re` names the request), pushes (server to client, unasked). The contract
stays in one file, so that it can be read as one.

Decoding ignores fields that it does not know (a newer side may send them) and is strict on those that it knows.
Times are integers: milliseconds since 1970-01-01 UTC by the server's clock.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from protocol.limits import (
    MAX_PAGE_ENTRIES,
    MAX_PAGE_EVENTS,
    MAX_STATUS_CHARACTERS,
    MAX_SYNC_CURSORS,
    MAX_TEXT_CHARACTERS,
)

# ---------------------------------------------------------------- fields

UserId = Annotated[str, Meta(pattern="^[a-z0-9]{1,32}$", description="A person's id: opaque, stable, never reused.")]
ConversationId = Annotated[
    str,
    Meta(
        pattern=r"^[dg]\.[a-z0-9.]{1,80}$",
        description="`d.A.B` for the conversation of two people, A and B being their user ids in byte order.",
    ),
]
MessageId = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9_-]{8,64}$",
        description="Made by the client, unique for its user, at random (a UUID will do). A retry repeats it.",
    ),
]
Seq = Annotated[int, Meta(ge=0, description="An event's number in its conversation: 1, 2, 3 … without a gap.")]
Time = Annotated[int, Meta(ge=0, description="Milliseconds since 1970-01-01 UTC, by the server's clock.")]
RequestId = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Chosen by the client; the answer repeats it as `re`.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
# The lengths of texts that people type are checked where they are used, so that the error can say "too long".
MessageText = Annotated[
    str,
    Meta(
        description=f"Plain text, 1 to {MAX_TEXT_CHARACTERS} code points, not only white space.",
        extra_json_schema={"minLength": 1, "maxLength": MAX_TEXT_CHARACTERS},
    ),
]
StatusText = Annotated[
    str,
    Meta(
        description=f"What the person wrote about being there, up to {MAX_STATUS_CHARACTERS} code points.",
        extra_json_schema={"maxLength": MAX_STATUS_CHARACTERS},
    ),
]

ChosenState = Literal["online", "away", "busy", "invisible"]
ShownState = Literal["online", "away", "busy", "offline"]

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _tag(name: str) -> str:
    """`GetHistory` is `get_history` on the wire."""
    return _CAPITAL.sub("_", name).lower()


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record inside a frame."""


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=_tag):
    """A frame from client to server. It is answered exactly once, by a frame whose `re` is this `id`."""

    id: RequestId


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=_tag):
    """A frame from server to client that answers the request `re`."""

    re: RequestId


class Push(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=_tag):
    """A frame from server to client that nobody asked for."""


# ---------------------------------------------------------------- parts


class Person(Part, frozen=True, kw_only=True):
    """Somebody in the directory. A person is never removed, only disabled: history keeps its names."""

    id: UserId
    login: Name
    """The name to log in with, as the administrator wrote it."""
    name: Name
    departments: list[str] = []
    """Ids of departments, the main one first."""
    title: str = ""
    email: str = ""
    phone: str = ""
    order: int = 0
    """The place among the people of a department: smaller first, then by name."""
    disabled: bool = False


class Department(Part, frozen=True, kw_only=True):
    """A node of the organisation's tree. `parent` is empty at the top."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Name
    parent: str = ""
    order: int = 0
    """The place among its siblings: smaller first, then by name."""
    removed: bool = False


class PresenceEntry(Part, frozen=True, kw_only=True):
    """How one person is there, all devices added up: busy before online before away; any invisible device hides all."""

    user: UserId
    state: ShownState
    text: StatusText = ""


class Event(Part, frozen=True, kw_only=True):
    """One numbered change in a conversation. A client keeps its place although it does not know the `kind`."""

    conversation: ConversationId
    seq: Seq
    at: Time
    sender: UserId
    kind: Annotated[str, Meta(pattern="^[a-z_]{1,32}$")]
    message_id: MessageId | UnsetType = UNSET
    """The sender's id of the message that this event brings or is about; not on every kind."""
    body: Raw
    """An object; its shape belongs to the kind."""


class ConversationState(Part, frozen=True, kw_only=True):
    """One conversation as a sync page gives it: where it stands, and what came after the client's cursor."""

    id: ConversationId
    members: list[UserId]
    last_seq: Seq
    """0: nothing was ever said."""
    read: dict[UserId, Seq] = {}
    """How far each member has read; who is missing has read nothing."""
    unread: int = 0
    """Messages of others after one's own read position, counted up to 1,000."""
    events: list[Event] = []
    """In order, ending with `last_seq`: what came after the cursor, or the newest page where that would be too much."""


# ---------------------------------------------------------------- bodies


class MessageBody(Part, frozen=True, kw_only=True):
    """What somebody said. Kind `message`."""

    text: MessageText


class ReadBody(Part, frozen=True, kw_only=True):
    """The sender has read up to and including `seq`. Kind `read`."""

    seq: Seq


# ---------------------------------------------------------------- requests


class Hello(Request, frozen=True, kw_only=True):
    """First request of a connection: which protocol versions the client speaks, and which program it is."""

    protocol: Annotated[int, Meta(ge=1)]
    """The newest version that the client speaks."""
    oldest: Annotated[int, Meta(ge=1)] = 1
    """The oldest version that the client speaks."""
    client: Annotated[str, Meta(max_length=100)] = ""
    """Name and version of the program, for the server's log."""


class Login(Request, frozen=True, kw_only=True):
    """Log in with a password. Answered by logged_in with a token, which resumes the session later."""

    user: Annotated[str, Meta(max_length=200)]
    """The log-in name; capitals and the width of letters do not matter."""
    password: Annotated[str, Meta(max_length=1_000)]
    device: Annotated[str, Meta(max_length=100)] = ""
    """A name for this device, which the person will recognise."""


class Resume(Request, frozen=True, kw_only=True):
    """Log in with the token of an earlier log-in."""

    token: Annotated[str, Meta(max_length=200)]


class Logout(Request, frozen=True, kw_only=True):
    """End this session, or with `everywhere` all of this person's sessions. The server answers, then closes."""

    everywhere: bool = False


class Ping(Request, frozen=True, kw_only=True):
    """Ask whether the link is alive."""


class GetDirectory(Request, frozen=True, kw_only=True):
    """The departments and people that changed after `after`, a cursor of an earlier answer; empty for all of them."""

    after: Annotated[str, Meta(max_length=100)] = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_ENTRIES)] = MAX_PAGE_ENTRIES


class GetPresence(Request, frozen=True, kw_only=True):
    """Everyone who is not offline."""


class SetPresence(Request, frozen=True, kw_only=True):
    """How this device wants its person to appear. It holds while the connection lasts."""

    state: ChosenState
    text: StatusText = ""


class OpenConversation(Request, frozen=True, kw_only=True):
    """Begin or go on talking with `peer`. The peer's devices are told that somebody wants to talk."""

    peer: UserId
    """From the directory."""


class Send(Request, frozen=True, kw_only=True):
    """Say something. Answered by sent once it is on the server's disk. A repeated message_id is harmless."""

    conversation: ConversationId
    message_id: MessageId
    body: MessageBody


class MarkRead(Request, frozen=True, kw_only=True):
    """The person has read the conversation up to and including `seq`. Going back is ignored."""

    conversation: ConversationId
    seq: Seq


class SetTyping(Request, frozen=True, kw_only=True):
    """The person types now (repeat every 4 s), or has stopped. The peer's devices are told; nothing is stored."""

    conversation: ConversationId
    on: bool = True


class GetHistory(Request, frozen=True, kw_only=True):
    """A page of a conversation: the newest events under `before`, or the oldest over `after`.

    Without either, the newest of all; with both, the newest between them.
    """

    conversation: ConversationId
    before: Seq | UnsetType = UNSET
    after: Seq | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_EVENTS)] = 50


class Sync(Request, frozen=True, kw_only=True):
    """Catch up: every conversation of this person that has moved past its cursor, page by page."""

    cursors: Annotated[dict[ConversationId, Seq], Meta(max_length=MAX_SYNC_CURSORS)] = {}
    """For each conversation that the client has, the seq of the last event that it has."""
    page: Annotated[str, Meta(max_length=100)] = ""
    """`next` of the answer before, with the same cursors; empty for the first page."""


# ---------------------------------------------------------------- answers


class Welcome(Answer, frozen=True, kw_only=True):
    """Answers hello: the protocol version that both will use, and what this server allows."""

    protocol: int
    server: str
    """Name and version of the server program, for a log or an about box."""
    organisation: str = ""
    """The company's name, for the log-in page."""
    max_request_bytes: int
    max_text_characters: int
    """Code points of a message."""


class LoggedIn(Answer, frozen=True, kw_only=True):
    """Answers login and resume. Pushes begin after this frame."""

    user: Person
    session: str
    """The session's public id; it does not log in."""
    token: str | UnsetType = UNSET
    """256 bits at random, to be kept secret. When present, it replaces the token that the client has."""
    expires: Time
    """When the session ends unless it is used before, in milliseconds like `now`."""
    now: Time


class Ok(Answer, frozen=True, kw_only=True):
    """Answers a request that has nothing to tell but that it was done."""


class Pong(Answer, frozen=True, kw_only=True):
    """Answers ping."""

    now: Time


class Directory(Answer, frozen=True, kw_only=True):
    """Answers get_directory. An entry given twice: the later one counts."""

    departments: list[Department]
    people: list[Person]
    cursor: str
    """To be kept, and sent as `after` the next time."""
    more: bool = False


class PresenceList(Answer, frozen=True, kw_only=True):
    """Answers get_presence. Who is not listed is offline."""

    people: list[PresenceEntry]


class ConversationOpened(Answer, frozen=True, kw_only=True):
    """Answers open_conversation; `events` holds the newest page."""

    conversation: ConversationState


class Sent(Answer, frozen=True, kw_only=True):
    """Answers send: stored under this number. The sending connection gets no event for it; this is it."""

    conversation: ConversationId
    message_id: MessageId
    seq: Seq
    at: Time


class History(Answer, frozen=True, kw_only=True):
    """Answers get_history, in order of seq."""

    conversation: ConversationId
    last_seq: Seq
    events: list[Event]


class Synced(Answer, frozen=True, kw_only=True):
    """Answers sync."""

    conversations: list[ConversationState]
    next: str = ""
    """Empty or absent: that was the last page."""


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="error"):
    """A request failed, or (without `re`) a frame could not be understood at all."""

    re: RequestId | UnsetType = UNSET
    code: str
    """Stable; the list is in this document."""
    text: str
    """What happened and what to do, in English, for a person."""
    retry: bool = False
    """Whether the same request can succeed later."""
    retry_after: int | UnsetType = UNSET
    """Seconds to wait before that."""
    details: dict[str, str | int] = {}


# ---------------------------------------------------------------- pushes


class NewEvent(Push, frozen=True, kw_only=True):
    """Something happened in one of this person's conversations."""

    event: Event


class Presence(Push, frozen=True, kw_only=True):
    """People whose presence changed, gathered over a short while."""

    people: list[PresenceEntry]


class Typing(Push, frozen=True, kw_only=True):
    """Somebody types, or has stopped. A client forgets it after 6 s, and when their message arrives."""

    conversation: ConversationId
    user: UserId
    on: bool = True


class PeerOpened(Push, frozen=True, kw_only=True):
    """Somebody has opened a conversation with this person."""

    conversation: ConversationId
    user: UserId


class DirectoryChanged(Push, frozen=True, kw_only=True):
    """The directory has changed: ask get_directory for what is new, after a short random delay."""


BODIES: Final[dict[str, type[Part]]] = {"message": MessageBody, "read": ReadBody}
"""The kinds of event, and the shape of each one's body."""

REQUESTS: Final = (
    Hello, Login, Resume, Logout, Ping, GetDirectory, GetPresence, SetPresence, OpenConversation,
    Send, MarkRead, SetTyping, GetHistory, Sync,
)  # fmt: skip
ANSWERS: Final = (
    Welcome,
    LoggedIn,
    Ok,
    Pong,
    Directory,
    PresenceList,
    ConversationOpened,
    Sent,
    History,
    Synced,
    Error,
)
PUSHES: Final = (NewEvent, Presence, Typing, PeerOpened, DirectoryChanged)

AnyRequest = (
    Hello | Login | Resume | Logout | Ping | GetDirectory | GetPresence | SetPresence | OpenConversation
    | Send | MarkRead | SetTyping | GetHistory | Sync
)  # fmt: skip
AnyAnswer = (
    Welcome | LoggedIn | Ok | Pong | Directory | PresenceList | ConversationOpened | Sent | History | Synced | Error
)
AnyPush = NewEvent | Presence | Typing | PeerOpened | DirectoryChanged
ServerFrame = AnyAnswer | AnyPush

ANSWERED_BY: Final[dict[type[Request], type[Answer]]] = {
    Hello: Welcome, Login: LoggedIn, Resume: LoggedIn, Logout: Ok, Ping: Pong, GetDirectory: Directory,
    GetPresence: PresenceList, SetPresence: Ok, OpenConversation: ConversationOpened, Send: Sent, MarkRead: Ok,
    SetTyping: Ok, GetHistory: History, Sync: Synced,
}  # fmt: skip
"""Which answer each request gets, where it does not fail."""


def direct_conversation(one: str, other: str) -> str:
    """The id of the conversation of two people, the same from either side."""
    first, second = sorted((one, other))
    return f"d.{first}.{second}"


def direct_members(conversation: str) -> tuple[str, str] | None:
    """The two user ids of a direct conversation's id, or None where it is not one in its canonical form."""
    parts = conversation.split(".")
    if len(parts) != 3 or parts[0] != "d" or not parts[1] or parts[1] >= parts[2]:
        return None
    return parts[1], parts[2]
