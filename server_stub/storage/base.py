"""The storage contract: what the server needs kept, and what it may rely on.

Promises of every back end, which tests/contract/ holds it to:
- `append` and `mark_read` call `done` once, on the event loop, in the order in which the events were numbered, and
  only after the event is safe on disk. Each conversation's events are numbered 1, 2, 3 … without a gap.
- A draft whose (sender, message_id) was stored before is not stored again: `done` gets a Duplicate with the original.
- A failure keeps nothing of what failed, is told as a StorageError, and does not stop later requests.
- Reads see everything whose `done` has been called.
- No two people have log-in names of the same `login_key`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from protocol.messages import ConversationState, Department, Event, Person
from server_stub.errors import StorageError


def login_key(login: str) -> str:
    """What makes a log-in name: not capitals, nor which of Unicode's ways to write a letter an input method takes.

    Full-width letters and letters with separate accents count as the ordinary ones (UAX #15, NFKC).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).casefold()).strip()


class Draft(Struct):
    """An event to be stored. `context` is the caller's own and comes back untouched."""

    conversation: str
    members: tuple[str, ...]
    """Who is in a direct conversation; it comes to be with its first event."""
    sender: str
    kind: str
    body: bytes
    """JSON, as the event carries it."""
    message_id: str | None = None
    """The id of the message that this event brings."""
    context: Any = None


class ReadMark(Struct):
    """`user` has read up to `seq`."""

    conversation: str
    user: str
    seq: int
    context: Any = None


class Page(Struct):
    """Which events: those just under `before`, or just over `after`; neither: the newest."""

    limit: int
    max_bytes: int
    """Fewer than `limit` where they would take more than about this much in a frame; but one at least."""
    before: int | None = None
    after: int | None = None


class Duplicate(Struct):
    """The message had been stored before, there."""

    conversation: str
    seq: int
    at: int


class Session(Struct, kw_only=True):
    """A log-in that lasts. Times are milliseconds since 1970-01-01 UTC."""

    id: str
    user: str
    token_hash: bytes
    """SHA-256 of the token; the token itself is kept nowhere."""
    device: str
    created: int
    used: int
    expires: int
    revoked: bool = False


class DirectoryRows(Struct):
    """Directory entries with the version that last changed each, and the newest version of all."""

    epoch: str
    """Made with the database: a cursor of another database's directory is worth nothing here."""
    version: int
    people: list[tuple[int, Person]]
    departments: list[tuple[int, Department]]


Appended = Callable[[Draft, Event | Duplicate | StorageError], None]
Marked = Callable[[ReadMark, Event | StorageError | None], None]


class Storage(Protocol):
    """What every back end offers. Coroutines raise StorageError; nothing here blocks the event loop."""

    on_outside_change: Callable[[], None]
    """Called when somebody else (the command line) changed people, accounts or sessions."""

    on_delivered: Callable[[], None]
    """Called when the results of a group have been told, so that what they cause goes out without waiting."""

    healthy: bool
    """Whether the last write succeeded."""

    # events

    def append(self, draft: Draft, done: Appended) -> None:
        """Number and store an event. Raises StorageBusy when too much is waiting."""

    def mark_read(self, mark: ReadMark, done: Marked) -> None:
        """Store a `read` event if the position moves over a message of somebody else, no further than the last event.

        `done` gets None where it does not. Raises StorageBusy when too much is waiting.
        """

    def submit(self) -> None:
        """Begin to write what has gathered since the last call."""

    async def drain(self) -> None:
        """Return when all that was appended before has been answered."""

    async def history(self, conversation: str, page: Page) -> tuple[int, list[Event]]:
        """The last seq, and the events of this page in order."""

    async def conversation(self, conversation: str, user: str, page: Page) -> ConversationState | None:
        """The conversation as `user` sees it, with its newest events; None where nothing was ever stored in it."""

    async def changed_conversations(
        self, user: str, cursors: Mapping[str, int], page: str, max_bytes: int
    ) -> tuple[list[ConversationState], str]:
        """A page of this user's conversations that do not stand at their cursors, and the next page's name or "".

        A cursor beyond the end was given out before an older backup was restored; its client must start anew.
        """

    # directory

    async def directory(self, after: int) -> DirectoryRows:
        """The entries that changed after this version; 0 for all."""

    async def save_directory(
        self, people: Sequence[Person], departments: Sequence[Department], passwords: Mapping[str, str]
    ) -> int:
        """Insert or replace entries in one transaction, which is one version; returns it.

        `passwords` holds argon2 hashes by user id, kept only for accounts that have none yet. The sessions of people
        who are disabled are revoked. Raises StorageError where a log-in name is taken.
        """

    # accounts and sessions

    async def password_hash(self, user: str) -> str | None:
        """The argon2 hash, or None where this user has no password."""

    async def set_password(self, user: str, password_hash: str, replaces: str | None = None) -> bool:
        """Keep a new hash and revoke the user's sessions; with `replaces`, swap that very hash and revoke nothing."""

    async def add_session(self, session: Session, password_hash: str) -> bool:
        """Keep a session; False, and nothing kept, where the user's hash is no longer this one."""

    async def session(self, token_hash: bytes) -> Session | None:
        """The session of this token, revoked or not."""

    async def extend_session(self, session: str, used: int, expires: int) -> None:
        """The session was used again."""

    async def revoke_sessions(self, user: str, session: str | None = None) -> None:
        """End one session of this user, or all."""

    async def ended_sessions(self, sessions: Sequence[str]) -> set[str]:
        """Those of these session ids that no longer let anybody in."""

    async def close(self) -> None:
        """Finish what is being written, then let go of the database."""
