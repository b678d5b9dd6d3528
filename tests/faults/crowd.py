"""A whole company comes back after the server's restart: in time, spread, and only once.

Each of the crowd is the client's own session (client/session) on a bare socket, so that it decides as the program does
when to come back; the log-in and the catching up are those of the program as well. What somebody's presence is, which
comes to everyone from everyone, is read but not decoded: one process plays thousands of machines here.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import company
from client.engine import wall_clock
from client.session import effects as fx
from client.session.session import Account, Session
from protocol.codec import encode
from protocol.messages import Person
from tests.faults.stage import stage
from tests.support.server import ServerProcess

BACK_SECONDS: Final = 60.0
GIVE_UP_SECONDS: Final = 180.0
GATHER_SECONDS: Final = 60.0
"""In which the crowd comes in at first, evenly, where it is a large one."""

QUIET_SECONDS: Final = 20.0
"""So long after everyone is back, nobody may be lost again."""


class Line(WSListener):
    """One socket of one attempt."""

    def __init__(self, member: Member, attempt: int) -> None:
        self._member = member
        self._attempt = attempt
        self._code = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The socket is open."""
        self._member.opened(self._attempt, transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Something came."""
        if frame.msg_type == WSMsgType.TEXT:
            self._member.frame(self._attempt, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self._code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self._member.closed(self._attempt, self._code)


class Member:
    """One of the crowd."""

    def __init__(self, crowd: Crowd, number: int, cursor: str) -> None:
        self._crowd = crowd
        self._number = number
        self._loop = asyncio.get_running_loop()
        self._session = Session(random.random, "crowd")
        self._session.load(Account(me=Person(id=f"u{number}", login="", name=""), directory_cursor=cursor))
        self._transport: WSTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.there = False
        """Logged in and caught up."""

    def begin(self, url: str) -> None:
        """Come in with the token."""
        self._perform(self._session.resume(url, company.token(self._number), self._loop.time()))

    def end(self) -> None:
        """Leave."""
        self._perform(self._session.unload())
        if self._timer is not None:
            self._timer.cancel()

    def opened(self, attempt: int, transport: WSTransport) -> None:
        """The socket is open, perhaps too late."""
        if attempt != self._session.link.attempt or self._session.link.state != "connecting":
            transport.disconnect()
            return
        self._transport = transport
        self._perform(self._session.link_opened(attempt, self._loop.time()))

    def frame(self, attempt: int, data: bytes) -> None:
        """A frame came."""
        now = self._loop.time()
        if data.startswith(b'{"type":"presence'):
            self._session.link.heard(now)
        else:
            self._perform(self._session.frame(attempt, data, now, wall_clock()))
            self._look()

    def closed(self, attempt: int, code: int) -> None:
        """The socket is gone, or could not be had."""
        self._perform(self._session.link_closed(attempt, code, None, self._loop.time()))
        self._look()

    def _look(self) -> None:
        there = self._session.link.state == "online" and self._session._requests.synced
        if there != self.there:
            self.there = there
            self._crowd.moved(there)

    def _perform(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case fx.OpenLink(attempt=attempt, url=url):
                    self._drop()
                    self._crowd.spawn(self._connect(attempt, url))
                case fx.CloseLink():
                    self._drop()
                case fx.SendFrame(request=request) if self._transport is not None:
                    self._transport.send(WSMsgType.TEXT, encode(request))
        deadline = self._session.deadline()
        if deadline is not None and (self._timer is None or self._timer.when() > deadline):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._session.tick(self._loop.time(), wall_clock()))
        self._look()

    def _drop(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.disconnect(graceful=False)

    async def _connect(self, attempt: int, url: str) -> None:
        self._crowd.attempts += 1
        try:
            await ws_connect(lambda: Line(self, attempt), url)
        except (OSError, WSError):
            self.closed(attempt, 0)


class Crowd:
    """All of them, and when they came and went."""

    def __init__(self, count: int, cursor: str) -> None:
        self.members = [Member(self, number, cursor) for number in range(1, count + 1)]
        self.there = 0
        self.attempts = 0
        self.came: list[float] = []
        """When somebody was there, by the loop's clock."""
        self.went = 0
        self._moved = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Awaitable[None]) -> None:
        """Do it beside everything else."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def moved(self, there: bool) -> None:
        """Somebody is there, or is gone."""
        self.there += 1 if there else -1
        if there:
            self.came.append(self._loop.time())
        else:
            self.went += 1
        self._moved.set()

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait for somebody to come or go until it holds, but no longer."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return holds()
        return True

    async def all_there(self) -> None:
        """Fails after the deadline."""
        everyone = len(self.members)
        assert await self.until(lambda: self.there == everyone, GIVE_UP_SECONDS), f"{self.there} of {everyone}"

    async def end(self) -> None:
        """Everybody leaves."""
        for member in self.members:
            member.end()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def gather(crowd: Crowd, url: str, seconds: float) -> None:
    """Everybody comes in, evenly over so many seconds."""
    loop = asyncio.get_running_loop()
    for place, member in enumerate(crowd.members):
        loop.call_later(seconds * place / len(crowd.members), member.begin, url)
    await crowd.all_there()


async def restart(crowd: Crowd, server: ServerProcess, how: str, away: float, quiet: float) -> dict[str, object]:
    """The server goes and comes again: how everyone came back."""
    loop = asyncio.get_running_loop()
    crowd.attempts = 0
    await asyncio.to_thread(server.kill9 if how == "killed" else server.stop)
    await crowd.until(lambda: crowd.there == 0, GIVE_UP_SECONDS)
    await crowd.until(lambda: False, away)
    crowd.came, crowd.went = [], 0
    await asyncio.to_thread(server.restart)
    listening = loop.time()
    await crowd.all_there()
    last = crowd.came[-1] - listening
    await crowd.until(lambda: False, quiet)
    each_second = Counter(int(moment - listening) for moment in crowd.came)
    return {
        "how": how,
        "away_seconds": away,
        "all_back_seconds": round(last, 1),
        "half_back_seconds": round(sorted(crowd.came)[len(crowd.members) // 2] - listening, 1),
        "back_in_each_second": [each_second[second] for second in range(int(last) + 1)],
        "attempts_each": round(crowd.attempts / len(crowd.members), 1),
        "lost_again": crowd.went,
    }


async def try_restarts(
    server: ServerProcess, count: int, restarts: list[tuple[str, float]], quiet: float
) -> list[dict[str, object]]:
    """One crowd through some restarts."""
    crowd = Crowd(count, await asyncio.to_thread(directory_cursor, server))
    try:
        await gather(crowd, server.url, min(GATHER_SECONDS, count / 100))
        return [await restart(crowd, server, how, away, quiet) for how, away in restarts]
    finally:
        await crowd.end()


def directory_cursor(server: ServerProcess) -> str:
    """Of somebody who knows the whole directory, as a client that was there yesterday does."""
    with server.resume(company.token(1)) as client:
        cursor, more = "", True
        while more:
            page = client.request("get_directory", after=cursor)
            cursor, more = str(page["cursor"]), bool(page.get("more"))
    return cursor


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    count = 150 if short else 5_000
    restarts = [("killed", 0.0)] if short else [("killed", 0.0), ("stopped", 0.0), ("killed", 30.0)]
    started = time.monotonic()
    with stage(count, sessions=True) as set_up:
        results = asyncio.run(try_restarts(set_up.server, count, restarts, 0.5 if short else QUIET_SECONDS))
    slowest = max(float(str(result["all_back_seconds"])) for result in results)
    yield {
        "point": "restart_with_a_crowd",
        "passed": slowest <= BACK_SECONDS and not any(result["lost_again"] for result in results),
        "clients": count,
        "restarts": results,
        "seconds": round(time.monotonic() - started),
    }
