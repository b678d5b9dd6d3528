"""The server beside Debian's prosody and ejabberd with their archives on, under the same load.

A message counts when it is stored, acknowledged to its sender, and delivered. The server runs on the first core and the
load on the last one (where there are two). CPU is user and system time of the server's process, all threads together.
Every server is started afresh in turn, so the ratios of one run hold on a machine where the figures do not.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from bench import company
from bench.load import LoadClient, all_done, cores, pin
from bench.peers import Ejabberd, Oschat, Prosody, Server

PAIRS: Final = 100
WINDOW: Final = 20
TALKERS: Final = 20
"""Pairs in ping-pong."""

CROWDS: Final = (1_000, 5_000)
"""Idle connections."""

LOGINS_AT_ONCE: Final = 20
SETTLE_SECONDS: Final = 3.0
"""After many connections came, before their memory is read."""


class Size(NamedTuple):
    """How much of everything."""

    rounds: int
    pairs: int
    crowds: Sequence[int]
    stored: int
    """Messages that are there before, for the figures of growth."""
    messages: int
    """Of each sender with a window, where the server is ours."""
    peers_messages: int
    """The same, where it is slower by a factor of ten or more."""


FULL: Final = Size(3, PAIRS, CROWDS, 1_000_000, 2_000, 60)
SHORT: Final = Size(1, 10, (20, 50), 2_000, 50, 10)

Figures = dict[str, list[float]]


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """All the figures of each server; the peers only in the full form."""
    size = SHORT if short else FULL
    _raise_file_limit()
    chosen: list[type[Server]] = [Oschat] if short else [Oschat, Prosody, Ejabberd]
    kinds = [kind for kind in chosen if shutil.which(kind.program)]
    with cores() as (ours, theirs):
        results: dict[str, Figures] = {kind.name: defaultdict(list) for kind in kinds}
        for _ in range(size.rounds):
            for kind in kinds:
                _round(kind, size, results[kind.name], ours, theirs)
        yield from _told(results)
        for kind in kinds:
            results = {kind.name: defaultdict(list)}
            _crowd(kind, size, results[kind.name], ours, theirs)
            yield from _told(results)
        results = {Oschat.name: defaultdict(list)}
        _stored(size, results[Oschat.name], ours, theirs)
        yield from _told(results)
    yield {"name": "load_average", "value": round(psutil.getloadavg()[1], 2), "minutes": 5}


def _told(results: dict[str, Figures]) -> Iterator[dict[str, object]]:
    """One line for each figure of each server, the servers side by side."""
    for name in dict.fromkeys(itertools.chain.from_iterable(results.values())):
        for server, figures in results.items():
            if name in figures:
                yield {
                    "name": name,
                    "server": server,
                    "value": round(statistics.median(figures[name]), 3),
                    "rounds": len(figures[name]),
                    "least": round(min(figures[name]), 3),
                    "largest": round(max(figures[name]), 3),
                }


def _round(kind: type[Server], size: Size, figures: Figures, ours: set[int], theirs: set[int]) -> None:
    with _Running(kind, 2 * size.pairs, ours, theirs) as running:
        figures["start_ms"].append(running.server.start_seconds * 1e3)
        asyncio.run(_talk(running, size, figures))


def _crowd(kind: type[Server], size: Size, figures: Figures, ours: set[int], theirs: set[int]) -> None:
    """Memory of idle connections; and of ours, what messages cost among them."""
    with _Running(kind, max(2 * size.pairs, *size.crowds), ours, theirs) as running:
        asyncio.run(_idle(running, size, figures))


def _stored(size: Size, figures: Figures, ours: set[int], theirs: set[int]) -> None:
    """What messages cost where many are stored."""

    def fill(server: Server) -> None:
        assert isinstance(server, Oschat)
        company.fill(server.folder / "data", server.ids, size.stored)

    with _Running(Oschat, 2 * size.pairs, ours, theirs, fill) as running:
        figures["start_ms_after_many_stored"].append(running.server.start_seconds * 1e3)
        asyncio.run(_messages(running, size, figures, "_after_many_stored"))


class _Running:
    """A server of its own in a temporary directory, on its core."""

    def __init__(
        self,
        kind: type[Server],
        people: int,
        ours: set[int],
        theirs: set[int],
        prepare: Callable[[Server], None] = lambda _server: None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.server = kind(Path(self._folder.name) / kind.name, people)
        self.sent = 0
        """Messages that it has acknowledged."""
        self._cores = ours, theirs
        prepare(self.server)

    def __enter__(self) -> _Running:
        ours, theirs = self._cores
        pin(theirs)
        try:
            self.server.start()
        except BaseException:
            self._folder.cleanup()
            raise
        finally:
            pin(ours)
        self.process = psutil.Process(self.server.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        archived = self.server.archived()
        self._folder.cleanup()
        assert archived >= self.sent, f"{self.server.name} has stored {archived} of {self.sent} messages"

    def cpu(self) -> float:
        """User and system time in seconds."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """PSS of it and what it has started, in KiB; where a system does not tell PSS, its private memory."""
        facts = [one.memory_full_info() for one in (self.process, *self.process.children(recursive=True))]
        return sum(getattr(fact, "pss", fact.uss) for fact in facts) / 1024

    async def clients(self, begin: int, end: int, *, by_token: bool = True) -> list[LoadClient]:
        """People with these numbers, logged in, some at a time."""
        clients = [self.server.client(number, by_token=by_token) for number in range(begin, end)]
        for at in range(0, len(clients), LOGINS_AT_ONCE):
            await asyncio.gather(*(client.connect(self.server.port) for client in clients[at : at + LOGINS_AT_ONCE]))
        return clients

    def messages(self, size: Size) -> int:
        """Of each sender."""
        return size.messages if isinstance(self.server, Oschat) else size.peers_messages


async def _talk(running: _Running, size: Size, figures: Figures) -> None:
    await _log_ins(running, size, figures)
    await _messages(running, size, figures, "")
    clients = await running.clients(1, 2 * size.pairs + 1)
    await _ping_pong(running, clients[: 2 * TALKERS], running.messages(size) // 2, figures)
    for client in clients:
        client.close()


async def _log_ins(running: _Running, size: Size, figures: Figures) -> None:
    """From an open socket to one that gets messages; of ours by password and by token."""
    ways = {"login_cpu_ms": False}
    if isinstance(running.server, Oschat):
        ways["login_by_token_cpu_ms"] = True
    for name, by_token in ways.items():
        before = running.cpu()
        clients = await running.clients(1, 2 * size.pairs + 1, by_token=by_token)
        figures[name].append((running.cpu() - before) / len(clients) * 1e3)
        for client in clients:
            client.close()


async def _messages(running: _Running, size: Size, figures: Figures, suffix: str) -> None:
    """CPU of a message, with a window and one at a time, and how many there are in a second."""
    clients = await running.clients(1, 2 * size.pairs + 1)
    count = running.messages(size)
    await _send(running, clients, WINDOW, max(count // 10, WINDOW))  # warm
    for name, window, part in (("window_20", WINDOW, count), ("one_at_a_time", 1, count // 2)):
        before, begun = running.cpu(), time.perf_counter()
        await _send(running, clients, window, part)
        seconds, messages = time.perf_counter() - begun, size.pairs * part
        figures[f"cpu_us_{name}{suffix}"].append((running.cpu() - before) / messages * 1e6)
        figures[f"messages_a_second_{name}{suffix}"].append(messages / seconds)
    for client in clients:
        client.close()


async def _send(running: _Running, clients: Sequence[LoadClient], window: int, count: int) -> None:
    for sender, receiver in zip(clients[::2], clients[1::2], strict=True):
        receiver.begin(0, 0, count)
        sender.begin(count, window, 0)
    await all_done(clients)
    running.sent += len(clients) // 2 * count


async def _ping_pong(running: _Running, clients: Sequence[LoadClient], count: int, figures: Figures) -> None:
    """From a person's write to the arrival at the other's, who then answers."""
    for one, other in zip(clients[::2], clients[1::2], strict=True):
        other.play(one, count, serve=False)
        one.play(other, count, serve=True)
    before = running.cpu()
    await all_done(clients)
    times = sorted(itertools.chain.from_iterable(client.times for client in clients))
    figures["ping_pong_cpu_us"].append((running.cpu() - before) / len(times) * 1e6)
    figures["latency_p50_ms"].append(times[len(times) // 2] * 1e3)
    figures["latency_p99_ms"].append(times[len(times) * 99 // 100] * 1e3)


async def _idle(running: _Running, size: Size, figures: Figures) -> None:
    clients = await running.clients(1, 2 * size.pairs // 10 + 1)  # what the first ones bring into being stays out
    before, there = await _settled(running), len(clients)
    for crowd in size.crowds:
        clients += await running.clients(len(clients) + 1, crowd + 1)
        after = await _settled(running)
        figures[f"idle_connection_kib_to_{crowd}"].append((after - before) / (crowd - there))
        before, there = after, crowd
    if isinstance(running.server, Oschat):
        await _send_among(running, clients[: 2 * size.pairs], size, figures)
    for client in clients:
        client.close()


async def _send_among(running: _Running, clients: Sequence[LoadClient], size: Size, figures: Figures) -> None:
    count = running.messages(size)
    await _send(running, clients, WINDOW, max(count // 10, WINDOW))
    for name, window, part in (("window_20", WINDOW, count), ("one_at_a_time", 1, count // 2)):
        before = running.cpu()
        await _send(running, clients, window, part)
        figures[f"cpu_us_{name}_among_many"].append((running.cpu() - before) / (size.pairs * part) * 1e6)


async def _settled(running: _Running) -> float:
    await asyncio.sleep(SETTLE_SECONDS if running.server.people > 100 else 0.1)
    return running.memory()


def _raise_file_limit() -> None:
    """Five thousand connections need as many files, here and in the server, which inherits this."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # exists everywhere else only

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
