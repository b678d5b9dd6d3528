"""The contract between the page and Python, in one file: what the page may call, what it gets, what it is told.

The page opens one WebSocket to the client's loopback server and sends calls, in order:

    {"id": 7, "method": "send_message", "args": {"conversation": "d.a.b", "text": "Hello"}}

They are begun in that order, and each gets one answer as soon as it is known (a page of history that the server is
asked for holds up nothing behind it): {"id": 7, "result": {…}} or {"id": 7, "error": {"code", "text", "retry"}}.
A result and the events around it come in the order in which they became true. Unasked, Python sends
{"event": "message_changed", "data": {…}}. The page draws snapshots (results) and applies events; it keeps no truth of
its own. A class derived from Call is a method: its fields are the arguments, `result` is what it returns. A class
derived from BridgeEvent is an event. docs/bridge.md is generated from this file. Times are integers: milliseconds
since 1970-01-01 UTC.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from protocol.limits import MAX_PAGE_EVENTS
from protocol.messages import ChosenState, ConversationId, MessageId, Seq, ShownState, UserId

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def snake(name: str) -> str:
    """`SendMessage` is `send_message` on the bridge."""
    return _CAPITAL.sub("_", name).lower()


class View(Struct, frozen=True, kw_only=True):
    """A record that the page draws. Every field is always present."""


class Call(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A method that the page may call; its fields are the arguments."""

    result: ClassVar[type[Struct]]


class BridgeEvent(Struct, frozen=True, kw_only=True):
    """Something that Python tells the page unasked."""


class Nothing(View, frozen=True, kw_only=True):
    """The result of a method that has nothing to tell."""


# ---------------------------------------------------------------- views

Language = Literal["system", "en", "zh-CN"]
Appearance = Literal["system", "light", "dark"]


class ErrorView(View, frozen=True, kw_only=True):
    """What went wrong: the page shows its translation of `code` (Fluent id `error-<code>`), else `text`."""

    code: str
    text: str
    retry: bool
    retry_after: int | None = None
    """Seconds."""


class LinkView(View, frozen=True, kw_only=True):
    """How the link to the server stands. `retry_at` is when the next attempt is made, in state waiting."""

    state: Literal["idle", "connecting", "online", "waiting"]
    retry_at: int | None = None
    error: ErrorView | None = None


class PersonView(View, frozen=True, kw_only=True):
    """Somebody, as lists and headers show them."""

    id: UserId
    name: str
    login: str
    title: str
    department: str
    """The path of the main department, e.g. `Sales / North`."""
    email: str
    phone: str
    disabled: bool
    presence: ShownState
    status_text: str


class AppView(View, frozen=True, kw_only=True):
    """What every window must know."""

    phase: Literal["login", "ready"]
    """login: nobody is logged in here. ready: somebody is, even where the link is down."""
    link: LinkView
    me: PersonView | None
    chosen_state: ChosenState
    status_text: str
    organisation: str
    server: str
    """The address as the person gave it; what the log-in page shows first."""
    login: str
    """The last log-in name."""
    remember: bool
    server_locked: bool
    """The address came from the command line or a policy and cannot be edited."""
    remember_possible: bool
    """Whether this system has a keyring; without one the log-in lasts for this run only."""
    notice: str
    """A Fluent id without its prefix `notice-`, for what the person should know (e.g. `key-lost`), or empty."""
    unread: int
    conversations_in: Literal["windows", "docked"]
    language: Language
    appearance: Appearance
    version: str


class WindowView(View, frozen=True, kw_only=True):
    """Which window this page is."""

    kind: Literal["main", "conversation"]
    conversation: str
    """Empty in the main window."""


class StartView(View, frozen=True, kw_only=True):
    """All that a page needs for its first picture."""

    window: WindowView
    app: AppView
    native: bool
    """Whether windows are ours (a desktop window host) or tabs of an ordinary browser."""


class RecentView(View, frozen=True, kw_only=True):
    """A row of the recent conversations."""

    conversation: ConversationId
    peer: PersonView
    preview: str
    """The start of the last message, one line; of the draft where `draft` is true."""
    draft: bool
    mine: bool
    """Whether the previewed message is one's own."""
    at: int
    unread: int
    typing: bool
    wants_to_talk: bool
    """The peer opened the conversation and has not written yet."""
    failed: bool
    """A message of this conversation could not be sent."""


class RecentsView(View, frozen=True, kw_only=True):
    """A slice of the recent conversations, newest first."""

    rows: list[RecentView]
    total: int


class TreeRow(View, frozen=True, kw_only=True):
    """A visible row of the department tree: a department, or a person under an expanded one."""

    kind: Literal["department", "person"]
    id: str
    depth: int
    name: str
    expanded: bool = False
    online: int = 0
    """Of a department: how many of its people, at any depth, are there."""
    people: int = 0
    """Of a department: how many people it has, at any depth."""
    person: PersonView | None = None


class TreeView(View, frozen=True, kw_only=True):
    """A slice of the department tree, flattened as it is shown."""

    rows: list[TreeRow]
    total: int


class SearchView(View, frozen=True, kw_only=True):
    """People (and departments, with their path as `name`) that match what was typed, best first."""

    rows: list[TreeRow]
    total: int


class MessageView(View, frozen=True, kw_only=True):
    """A message as a conversation shows it. `key` identifies it from the echo on, whatever its state."""

    key: MessageId
    seq: Seq
    """0 until the server has numbered it."""
    at: int
    sender: UserId
    mine: bool
    text: str
    state: Literal["waiting", "sent", "read", "failed", "received", "unsupported"]
    """unsupported: a kind that this version does not know."""
    error: ErrorView | None = None


class ConversationView(View, frozen=True, kw_only=True):
    """Everything that a conversation's window shows at first. Messages are in order, unsent ones last."""

    id: ConversationId
    peer: PersonView
    messages: list[MessageView]
    has_older: bool
    first_unread: Seq
    """Where the unread marker stands: seq of the first unread message when the window was opened; 0: none."""
    last_seq: Seq
    draft: str
    typing: bool


class OlderView(View, frozen=True, kw_only=True):
    """A page of history above what is shown. `error` where the server could not be asked."""

    messages: list[MessageView]
    has_older: bool
    error: ErrorView | None = None


class SendView(View, frozen=True, kw_only=True):
    """The key of the message that was taken into the outbox."""

    key: MessageId


class OpenView(View, frozen=True, kw_only=True):
    """The conversation that was opened, and where: the page docks it, or it has its own window.

    `url` is where an ordinary browser finds it (relative); a native window host has opened it already.
    """

    conversation: ConversationId
    place: Literal["window", "docked"]
    url: str


class SettingView(View, frozen=True, kw_only=True):
    """A setting as the settings page draws it; its label is the Fluent id `setting-<name>`."""

    name: str
    section: str
    kind: Literal["choice", "switch", "text", "number"]
    value: str | bool | int
    default: str | bool | int
    choices: list[str]
    """Each one's label is the Fluent id `setting-<name>-<choice>`."""
    minimum: int | None
    maximum: int | None
    locked: bool


class SettingsView(View, frozen=True, kw_only=True):
    """Every setting, in order."""

    settings: list[SettingView]


# ---------------------------------------------------------------- calls

Offset = Annotated[int, Meta(ge=0, le=10_000_000)]
Limit = Annotated[int, Meta(ge=1, le=500)]
PageLimit = Annotated[int, Meta(ge=1, le=MAX_PAGE_EVENTS)]
DepartmentId = Annotated[str, Meta(max_length=64)]


class Start(Call, frozen=True, kw_only=True):
    """The first call of a page."""

    result = StartView


class LogIn(Call, frozen=True, kw_only=True):
    """Log in. Answered when it has succeeded or failed; the phase follows by event."""

    server: Annotated[str, Meta(max_length=500)]
    user: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=1_000)]
    remember: bool
    result = Nothing


class LogOut(Call, frozen=True, kw_only=True):
    """End the session and go back to the log-in page. What is unsent stays in the encrypted store."""

    result = Nothing


class ReconnectNow(Call, frozen=True, kw_only=True):
    """Do not wait for the next attempt."""

    result = Nothing


class ChoosePresence(Call, frozen=True, kw_only=True):
    """One's own state and status text, kept for the next start."""

    state: ChosenState
    text: Annotated[str, Meta(max_length=140)]
    result = Nothing


class GetRecents(Call, frozen=True, kw_only=True):
    """A slice of the recent conversations; ask again at the event recents_changed."""

    offset: Offset
    limit: Limit
    result = RecentsView


class GetTree(Call, frozen=True, kw_only=True):
    """A slice of the tree with these departments expanded; ask again at the event directory_changed."""

    expanded: Annotated[list[DepartmentId], Meta(max_length=5_000)]
    offset: Offset
    limit: Limit
    result = TreeView


class Search(Call, frozen=True, kw_only=True):
    """Find people and departments by any words of name, login, title or department, in any order."""

    query: Annotated[str, Meta(max_length=200)]
    offset: Offset
    limit: Limit
    result = SearchView


class GetPerson(Call, frozen=True, kw_only=True):
    """One person."""

    id: UserId
    result = PersonView


class OpenConversation(Call, frozen=True, kw_only=True):
    """Open the conversation with `peer`, in its own window or docked, or bring it to the front."""

    peer: UserId
    result = OpenView


class GetConversation(Call, frozen=True, kw_only=True):
    """The snapshot of one conversation; from then on its events come to this page."""

    conversation: ConversationId
    result = ConversationView


class CloseConversation(Call, frozen=True, kw_only=True):
    """The page no longer shows the conversation; its events need not come here."""

    conversation: ConversationId
    result = Nothing


class GetOlder(Call, frozen=True, kw_only=True):
    """The page of messages just before `before`, from the store, else from the server."""

    conversation: ConversationId
    before: Seq
    limit: PageLimit
    result = OlderView


class SendMessage(Call, frozen=True, kw_only=True):
    """Take a message into the outbox. The echo comes by event before this is answered."""

    conversation: ConversationId
    text: Annotated[str, Meta(max_length=10_000)]
    result = SendView


class RetryMessage(Call, frozen=True, kw_only=True):
    """Try a failed message again."""

    key: MessageId
    result = Nothing


class DiscardMessage(Call, frozen=True, kw_only=True):
    """Give up a message that failed."""

    key: MessageId
    result = Nothing


class MarkRead(Call, frozen=True, kw_only=True):
    """The person has seen the conversation up to `seq` (its window is visible and has the focus)."""

    conversation: ConversationId
    seq: Seq
    result = Nothing


class SetTyping(Call, frozen=True, kw_only=True):
    """The person types, or has stopped; Python thins this out before the wire."""

    conversation: ConversationId
    on: bool
    result = Nothing


class SaveDraft(Call, frozen=True, kw_only=True):
    """Keep what is in the composer; empty forgets it."""

    conversation: ConversationId
    text: Annotated[str, Meta(max_length=50_000)]
    result = Nothing


class OpenLink(Call, frozen=True, kw_only=True):
    """Open a link in the system's browser: http, https and mailto only."""

    url: Annotated[str, Meta(max_length=8_000)]
    result = Nothing


class SetTitle(Call, frozen=True, kw_only=True):
    """The title of this page's native window."""

    title: Annotated[str, Meta(max_length=300)]
    result = Nothing


class GetSettings(Call, frozen=True, kw_only=True):
    """Every setting with its definition."""

    result = SettingsView


class ChangeSetting(Call, frozen=True, kw_only=True):
    """Change one setting, everywhere and at once."""

    name: Annotated[str, Meta(max_length=64)]
    value: str | bool | int
    result = Nothing


class ReportProblem(Call, frozen=True, kw_only=True):
    """Something went wrong in the page (an exception, a policy violation): for the log."""

    text: Annotated[str, Meta(max_length=2_000)]
    result = Nothing


CALLS: Final[dict[str, type[Call]]] = {
    snake(call.__name__): call
    for call in (
        Start, LogIn, LogOut, ReconnectNow, ChoosePresence, GetRecents, GetTree, Search, GetPerson, OpenConversation,
        GetConversation, CloseConversation, GetOlder, SendMessage, RetryMessage, DiscardMessage, MarkRead, SetTyping,
        SaveDraft, OpenLink, SetTitle, GetSettings, ChangeSetting, ReportProblem,
    )
}  # fmt: skip
"""The allow-list: whatever is not here is refused and logged."""


# ---------------------------------------------------------------- events


class AppChanged(BridgeEvent, frozen=True, kw_only=True):
    """Anything of AppView changed."""

    app: AppView


class RecentsChanged(BridgeEvent, frozen=True, kw_only=True):
    """The list of recent conversations changed: ask again for the rows that are in view. At most 10 a second."""

    total: int


class DirectoryChanged(BridgeEvent, frozen=True, kw_only=True):
    """People, departments or presence changed: ask again for the rows that are in view. At most 4 a second."""


class MessageChanged(BridgeEvent, frozen=True, kw_only=True):
    """A message came, or changed its state or place. The page replaces the one with the same key, or adds it by seq."""

    conversation: ConversationId
    message: MessageView


class MessageRemoved(BridgeEvent, frozen=True, kw_only=True):
    """A message that failed was given up."""

    conversation: ConversationId
    key: MessageId


class ConversationReset(BridgeEvent, frozen=True, kw_only=True):
    """So much came while away that it is better to ask for the snapshot again."""

    conversation: ConversationId


class ConversationChanged(BridgeEvent, frozen=True, kw_only=True):
    """The peer, their presence, or their typing changed; or another of one's devices has read it."""

    conversation: ConversationId
    peer: PersonView
    typing: bool
    read_by_peer: Seq
    """Messages of one's own up to here are read."""


class SettingsChanged(BridgeEvent, frozen=True, kw_only=True):
    """A setting changed: ask again."""


class ReloadPage(BridgeEvent, frozen=True, kw_only=True):
    """A file of the page was saved (development only)."""


class FocusComposer(BridgeEvent, frozen=True, kw_only=True):
    """The window was brought to the front for its conversation."""

    conversation: ConversationId


EVENTS: Final[dict[str, type[BridgeEvent]]] = {
    snake(event.__name__): event
    for event in (
        AppChanged, RecentsChanged, DirectoryChanged, MessageChanged, MessageRemoved, ConversationReset,
        ConversationChanged, SettingsChanged, ReloadPage, FocusComposer,
    )
}  # fmt: skip
