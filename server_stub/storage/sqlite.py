"""SQLite as the embedded storage: one writer thread that commits in groups, two reader threads beside it.

The event loop gathers what one turn appends and hands it over as one list; the writer takes all the lists that wait,
commits them as one transaction and hands all the results back with one call. There is no timer: while one commit is
on its way to the disk, the next group gathers by itself.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

import apsw
import structlog

from protocol.messages import ConversationState, Department, Event, Person
from server_stub.errors import StorageBusy, StorageError
from server_stub.storage import events, records
from server_stub.storage.base import Appended, DirectoryRows, Draft, Marked, Page, ReadMark, Session
from server_stub.storage.migrations import connect, open_database

log = structlog.get_logger()

MAX_WAITING: Final = 20_000
"""Events that may wait for the disk; more are refused as StorageBusy, and the sender is asked to come again."""

MAX_GROUP: Final = 2_000
"""Events of one transaction, so that the first of them does not wait for too long."""

POLL_SECONDS: Final = 0.5
"""How often the writer looks whether another process has changed the database."""

P = ParamSpec("P")
T = TypeVar("T")
_Entry = tuple[Draft, Appended] | tuple[ReadMark, Marked]
_Result = tuple[_Entry, "events.Outcome | StorageError"]


class _Job:
    """A change that is not an event: a function of the connection, run in the group's transaction."""

    def __init__(self, work: Callable[[apsw.Connection], object], future: asyncio.Future[object] | None) -> None:
        self.work = work
        self.future = future
        self.result: object = None
        self.error: BaseException | None = None


class SqliteStorage:
    """The Storage contract on one SQLite file. Made and used on the event loop."""

    def __init__(self, path: Path) -> None:
        """Open the database, creating it where there is none. Raises StorageError."""
        self.on_outside_change: Callable[[], None] = lambda: None
        self.on_delivered: Callable[[], None] = lambda: None
        self.healthy = True
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._connection = open_database(path)
        self._events = events.EventWriter(self._connection)
        self._gathered: list[_Entry] = []
        self._waiting = 0
        self._closed = False
        self._drained: list[asyncio.Future[None]] = []
        # Bounded by MAX_WAITING for events; jobs come from requests that each wait for their answer.
        self._queue: queue.SimpleQueue[list[_Entry] | _Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="storage-reader")
        self._reader = threading.local()
        self._writer = threading.Thread(target=self._write_groups, name="storage-writer", daemon=True)
        self._writer.start()

    # ---------------------------------------------------------------- events, on the loop

    def append(self, draft: Draft, done: Appended) -> None:
        """See Storage.append."""
        self._gather((draft, done))

    def mark_read(self, mark: ReadMark, done: Marked) -> None:
        """See Storage.mark_read."""
        self._gather((mark, done))

    def _gather(self, entry: _Entry) -> None:
        self._check_open()
        if self._waiting >= MAX_WAITING:
            raise StorageBusy("Too many events wait for the disk.")
        self._waiting += 1
        self._gathered.append(entry)

    def submit(self) -> None:
        """See Storage.submit."""
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    async def drain(self) -> None:
        """See Storage.drain."""
        self.submit()
        if self._waiting:
            future = self._loop.create_future()
            self._drained.append(future)
            await future

    def _deliver(self, results: list[_Result], jobs: list[_Job]) -> None:
        """Back on the loop: tell everyone."""
        self._waiting -= len(results)
        for (item, done), outcome in results:
            try:
                done(item, outcome)  # type: ignore[arg-type]  # an entry pairs an item with its own kind of callback
            except Exception:  # one caller's failure must not keep the others from their answers
                log.exception("storage.callback_failed")
        for job in jobs:
            if job.future is None or job.future.done():
                continue  # nobody waits for it
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
        self.on_delivered()
        if not self._waiting:
            for future in self._drained:
                if not future.done():  # nobody waits for it any more
                    future.set_result(None)
            self._drained.clear()

    # ---------------------------------------------------------------- the writer's thread

    def _write_groups(self) -> None:
        version = self._data_version(0)
        next_look = time.monotonic() + POLL_SECONDS
        running = True
        while running:
            entries, jobs, running = self._next_group()
            if entries or jobs:
                results = self._commit(entries, jobs)
                self._loop.call_soon_threadsafe(self._deliver, results, jobs)
            elif not self.healthy:
                self._commit([], [_Job(_probe, None)])  # does the disk take something again?
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + POLL_SECONDS
                # It stays the same for this connection's own commits, and changes with everybody else's.
                if version != (version := self._data_version(version)):
                    self._loop.call_soon_threadsafe(self._outside_change)

    def _data_version(self, before: int) -> int:
        """SQLite's count of other processes' changes; `before` where the disk does not tell."""
        try:
            return int(self._connection.pragma("data_version"))
        except apsw.Error as error:
            log.error("storage.look_failed", reason=str(error))
            return before

    def _outside_change(self) -> None:
        self.on_outside_change()

    def _next_group(self) -> tuple[list[_Entry], list[_Job], bool]:
        """All that waits, up to MAX_GROUP; nothing after POLL_SECONDS without work; False at the end."""
        entries: list[_Entry] = []
        jobs: list[_Job] = []
        try:
            item = self._queue.get(timeout=POLL_SECONDS)
            while item is not None:
                if isinstance(item, _Job):
                    jobs.append(item)
                else:
                    entries.extend(item)
                if len(entries) + len(jobs) >= MAX_GROUP:
                    break
                item = self._queue.get_nowait()
            return entries, jobs, item is not None
        except queue.Empty:
            return entries, jobs, True

    def _commit(self, entries: list[_Entry], jobs: list[_Job]) -> list[_Result]:
        items = [entry[0] for entry in entries]
        try:
            try:
                outcomes = self._transaction(items, jobs, careful=False)
            except apsw.ConstraintError:
                outcomes = self._transaction(items, jobs, careful=True)
        except Exception as error:  # most often apsw.Error; whatever it is, the writer goes on, and everyone is told
            if self.healthy:  # once, not for every try until the disk takes something again
                self.healthy = False
                log.error("storage.write_failed", reason=repr(error), events=len(entries), jobs=len(jobs))
            failure = StorageError(f"The database cannot be written: {error}")
            for job in jobs:
                job.error = failure
            return [(entry, failure) for entry in entries]
        if not self.healthy:
            self.healthy = True
            log.info("storage.write_recovered")
        return list(zip(entries, outcomes, strict=True))

    def _transaction(self, items: Sequence[events.Item], jobs: list[_Job], *, careful: bool) -> list[events.Outcome]:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = self._events.apply(items, careful=careful)
            for job in jobs:
                _run_job(connection, job)
            connection.execute("COMMIT")
        except BaseException:
            self._events.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    # ---------------------------------------------------------------- everything else

    def run_on_writer(self, work: Callable[[apsw.Connection], object]) -> asyncio.Future[object]:
        """Run a function on the writer's connection, within a group's transaction."""
        self._check_open()
        future: asyncio.Future[object] = self._loop.create_future()
        self._queue.put(_Job(work, future))
        return future

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError("The database has been closed.")

    async def _write(self, work: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = self.run_on_writer(lambda connection: work(connection, *args, **kwargs))
        return cast(T, await future)

    async def _read(self, work: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check_open()

        def run() -> T:
            try:
                connection: apsw.Connection | None = getattr(self._reader, "connection", None)
                if connection is None:
                    connection = self._reader.connection = connect(self._path, apsw.SQLITE_OPEN_READONLY)
                return work(connection, *args, **kwargs)
            except apsw.Error as error:
                log.error("storage.read_failed", reason=str(error))
                raise StorageError(f"The database cannot be read: {error}") from error

        return await self._loop.run_in_executor(self._readers, run)

    async def history(self, conversation: str, page: Page) -> tuple[int, list[Event]]:
        """See Storage.history."""
        return await self._read(events.history, conversation, page)

    async def conversation(self, conversation: str, user: str, page: Page) -> ConversationState | None:
        """See Storage.conversation."""
        return await self._read(events.conversation, conversation, user, page)

    async def changed_conversations(
        self, user: str, cursors: Mapping[str, int], page: str, max_bytes: int
    ) -> tuple[list[ConversationState], str]:
        """See Storage.changed_conversations."""
        return await self._read(events.changed_conversations, user, cursors, page, max_bytes)

    async def directory(self, after: int) -> DirectoryRows:
        """See Storage.directory."""
        return await self._read(records.directory, after)

    async def save_directory(
        self, people: Sequence[Person], departments: Sequence[Department], passwords: Mapping[str, str]
    ) -> int:
        """See Storage.save_directory."""
        return await self._write(records.save_directory, people, departments, passwords)

    async def password_hash(self, user: str) -> str | None:
        """See Storage.password_hash."""
        return await self._read(records.password_hash, user)

    async def set_password(self, user: str, password_hash: str, replaces: str | None = None) -> bool:
        """See Storage.set_password."""
        return await self._write(records.set_password, user, password_hash, replaces)

    async def add_session(self, session: Session, password_hash: str) -> bool:
        """See Storage.add_session."""
        return await self._write(records.add_session, session, password_hash)

    async def session(self, token_hash: bytes) -> Session | None:
        """See Storage.session."""
        return await self._read(records.session, token_hash)

    async def extend_session(self, session: str, used: int, expires: int) -> None:
        """See Storage.extend_session."""
        await self._write(records.extend_session, session, used, expires)

    async def revoke_sessions(self, user: str, session: str | None = None) -> None:
        """See Storage.revoke_sessions."""
        await self._write(records.revoke_sessions, user, session)

    async def ended_sessions(self, sessions: Sequence[str]) -> set[str]:
        """See Storage.ended_sessions."""
        return await self._read(records.ended_sessions, sessions)

    async def close(self) -> None:
        """See Storage.close."""
        self._closed = True
        await self.drain()
        self._queue.put(None)
        await self._loop.run_in_executor(self._readers, self._writer.join)
        self._readers.shutdown()
        self._connection.close()


def _run_job(connection: apsw.Connection, job: _Job) -> None:
    """Run a job in a savepoint: one that cannot be done undoes itself alone. Raises apsw.Error where the disk fails."""
    job.error = None
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except Exception as error:
        if isinstance(error, apsw.Error) and not isinstance(error, apsw.ConstraintError):
            raise
        job.error = error if isinstance(error, StorageError) else StorageError(f"The change cannot be made: {error}")
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _probe(connection: apsw.Connection) -> None:
    connection.execute("UPDATE meta SET value = value WHERE name = 'directory_version'")
