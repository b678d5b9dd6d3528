"""A client process (client_program.py) as a test sees it: started, written to, killed, stopped and continued."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from tests.support.server import ROOT

DEADLINE_SECONDS: Final = 30.0


class ClientProcess:
    """One life. `told` is what it has said so far."""

    def __init__(self, profile: Path, url: str, login: str, peer: str) -> None:
        self.told: list[list[Any]] = []
        self._arguments = [str(profile), url, login, peer]
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]
        self._news = asyncio.Event()

    async def start(self) -> Self:
        """Until it is ready for texts."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.client_program", *self._arguments, cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        await self.until(lambda: ["ready"] in self.told)
        return self

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.told.append(json.loads(line))
            self._news.set()
        self._news.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for its words. Fails after the deadline, and when the process ends before."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                assert not self._reading.done(), f"the client ended: {self.told[-3:]}"
                self._news.clear()
                await self._news.wait()

    def write(self, *texts: str) -> None:
        """Have it send these."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{text}\n" for text in texts).encode())

    def accepted(self) -> set[str]:
        """What it has promised to send."""
        return {words[1] for words in self.told if words[0] == "accepted"}

    def shown(self) -> dict[str, set[int]]:
        """For each text the numbers under which it was shown; 0 while it had none."""
        found: dict[str, set[int]] = {}
        for words in self.told:
            if words[0] == "shown":
                found.setdefault(words[1], set()).add(words[2])
        return found

    def stop(self) -> None:
        """As the lid of a laptop does."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Awake again."""
        self._process.send_signal(signal.SIGCONT)

    async def kill9(self) -> None:
        """At once, and wait until it is gone and all its words are here."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading
