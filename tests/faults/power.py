"""Power loss: the database cut back to any moment between two syncs opens clean, with everything acknowledged in it.

Every write, truncation and sync of the server's database and log is recorded, with the acknowledgements between them.
For each of many syncs three disks are made of the recording, as the power may have left them just before that sync was
complete: nothing that was not synced is there; a part of it is, the last write torn; any of it is, in any order.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal

import apsw

from protocol.codec import encode_body
from protocol.messages import Department, Event, MessageBody, Person, direct_conversation
from server_stub.errors import StorageError
from server_stub.storage import migrations
from server_stub.storage.base import Draft, Duplicate, Page
from server_stub.storage.sqlite import SqliteStorage

SECTOR_BYTES: Final = 512
RECORDED: Final = "oschat-recorded"
CHECKPOINT_PAGES: Final = 40
"""Instead of the server's own number, so that a short recording holds many checkpoints."""

Loss = Literal["all", "torn", "any"]
LOSSES: Final[tuple[Loss, ...]] = ("all", "torn", "any")


@dataclass(frozen=True)
class Written:
    """Bytes at a place of a file; `data` None: the file was cut to `offset` bytes."""

    file: str
    offset: int
    data: bytes | None


@dataclass(frozen=True)
class Synced:
    """All that was written to this file before is on the disk."""

    file: str


@dataclass(frozen=True)
class Acknowledged:
    """The storage has promised this message under this number."""

    message_id: str
    seq: int


Record = Written | Synced | Acknowledged


class Recorder(apsw.VFS):
    """The system's own file access, with everything that is written remembered in order."""

    def __init__(self) -> None:
        super().__init__(RECORDED, "unix", makedefault=True)
        self.records: list[Record] = []
        self._lock = threading.Lock()

    def note(self, record: Record) -> None:
        """From any thread."""
        with self._lock:
            self.records.append(record)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """See apsw.VFS."""
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """See apsw.VFS. Without `syncdir`, the file may be there again after a power loss."""
        super().xDelete(filename, syncdir)
        name = Path(filename).name
        self.note(Written(name, 0, None))
        if syncdir:
            self.note(Synced(name))


class _File(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._recorder = recorder
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        """See apsw.VFSFile."""
        super().xWrite(data, offset)
        self._recorder.note(Written(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        """See apsw.VFSFile."""
        super().xTruncate(newsize)
        self._recorder.note(Written(self._name, newsize, None))

    def xSync(self, flags: int) -> None:
        """See apsw.VFSFile."""
        super().xSync(flags)
        self._recorder.note(Synced(self._name))


ANN, BOB = "ann", "bob"
BETWEEN: Final = direct_conversation(ANN, BOB)


async def record(folder: Path, syncs: int, random: Random) -> list[Record]:
    """A storage at work until so many syncs are recorded."""
    recorder = Recorder()
    before = migrations.CHECKPOINT_PAGES
    vars(migrations)["CHECKPOINT_PAGES"] = CHECKPOINT_PAGES
    try:
        storage = SqliteStorage(folder / "oschat.db")
        people = [Person(id=user, login=user, name=user) for user in (ANN, BOB)]
        await storage.save_directory(people, [Department(id="all", name="Everybody")], {})
        number = 0
        while sum(isinstance(record, Synced) for record in recorder.records) < syncs:
            for _ in range(random.randint(1, 8)):
                number += 1
                body = bytes(encode_body(MessageBody(text="x" * random.randint(1, 3_000))))
                sender = random.choice((ANN, BOB))
                draft = Draft(BETWEEN, (ANN, BOB), sender, "message", body, f"message-{number:06}")
                storage.append(draft, lambda draft, outcome: _acknowledge(recorder, draft, outcome))
            storage.submit()
            if random.random() < 0.7:
                await storage.drain()
        await storage.drain()
        await storage.close()
    finally:
        vars(migrations)["CHECKPOINT_PAGES"] = before
        recorder.unregister()
    return recorder.records


def _acknowledge(recorder: Recorder, draft: Draft, outcome: Event | Duplicate | StorageError) -> None:
    assert isinstance(outcome, Event), outcome
    recorder.note(Acknowledged(str(draft.message_id), outcome.seq))


class Disk:
    """One file: what is surely on the disk, and what was written since."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._since: list[Written] = []

    def write(self, written: Written) -> None:
        """It may be on the disk, or not."""
        self._since.append(written)

    def sync(self) -> None:
        """Now it is."""
        for written in self._since:
            _apply(self._content, written)
        self._since.clear()

    def after(self, loss: Loss, random: Random) -> bytes:
        """What is left of it when the power fails now."""
        left = bytearray(self._content)
        if loss == "torn" and self._since:
            whole = random.randrange(len(self._since))
            for written in self._since[:whole]:
                _apply(left, written)
            _apply(left, _torn(self._since[whole], random))
        elif loss == "any":
            for written in self._since:
                if random.random() < 0.5:
                    _apply(left, written if random.random() < 0.5 else _torn(written, random))
        return bytes(left)


def _apply(content: bytearray, written: Written) -> None:
    if written.data is None:
        del content[written.offset :]
        return
    end = written.offset + len(written.data)
    content.extend(bytes(max(0, end - len(content))))
    content[written.offset : end] = written.data


def _torn(written: Written, random: Random) -> Written:
    """Only some sectors of it."""
    if written.data is None:
        return written
    return Written(written.file, written.offset, written.data[: SECTOR_BYTES * random.randint(0, 8)])


async def check(folder: Path, acknowledged: dict[str, int]) -> list[str]:
    """Open what is left as the server does: what is wrong with it."""
    storage = SqliteStorage(folder / "oschat.db")
    found: dict[str, int] = {}
    try:
        last = 1
        while len(found) < last:
            last, events = await storage.history(BETWEEN, Page(limit=1_000, max_bytes=1 << 30, after=len(found)))
            if [event.seq for event in events] != list(range(len(found) + 1, len(found) + len(events) + 1)):
                return ["the numbers have a gap"]
            found |= {str(event.message_id): event.seq for event in events}
            if not events:
                break
    finally:
        await storage.close()
    connection = apsw.Connection(str(folder / "oschat.db"))
    try:
        state = connection.pragma("integrity_check")
    finally:
        connection.close()
    missing = acknowledged.items() - found.items()
    problems = [] if state == "ok" else [f"damaged: {state}"]
    return [*problems, f"{len(missing)} acknowledged messages are missing"] if missing else problems


def cut(records: list[Record], points: int, random: Random, folder: Path) -> Iterator[tuple[int, Loss, list[str]]]:
    """Lose the power just before so many of the recorded syncs; what was wrong each time."""
    syncs = [place for place, record in enumerate(records) if isinstance(record, Synced)]
    chosen = set(random.sample(syncs, points))
    disks: dict[str, Disk] = {}
    acknowledged: dict[str, int] = {}
    for place, record in enumerate(records):
        if place in chosen:
            for loss in LOSSES:
                left = folder / f"{place}-{loss}"
                left.mkdir()
                for name, disk in disks.items():
                    if content := disk.after(loss, random):
                        (left / name).write_bytes(content)
                yield len(acknowledged), loss, asyncio.run(check(left, acknowledged))
        match record:
            case Written(file=file):
                disks.setdefault(file, Disk()).write(record)
            case Synced(file=file):
                disks.setdefault(file, Disk()).sync()
            case Acknowledged(message_id=message_id, seq=seq):
                acknowledged[message_id] = seq


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    seed = time.time_ns() % 1_000_000
    random = Random(seed)
    points = 20 if short else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recorded").mkdir()
        records = asyncio.run(record(folder / "recorded", points + points // 4, random))
        results = list(cut(records, points, random, folder))
    problems = [f"after {held} acknowledged, {loss} lost: {text}" for held, loss, texts in results for text in texts]
    yield {
        "point": "power_loss",
        "passed": not problems,
        "sync_points": points,
        "disks_opened": len(results),
        "acknowledged": sum(isinstance(record, Acknowledged) for record in records),
        "checkpoints": sum(isinstance(record, Synced) and record.file == "oschat.db" for record in records),
        "problems": problems,
        "seed": seed,
    }
