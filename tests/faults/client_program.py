"""A client without windows, as a process that can be killed and stopped.

Its arguments: PROFILE URL LOGIN PEER. Each line of its input is a text to send to PEER. It tells on its output, one
JSON array a line: `["ready"]`; `["accepted", text]` when a text is in the outbox on the disk; `["shown", text, seq]`
for each message that its page is told, 0 for one without a number; `["link", state]` when that changes. The keyring is
a plain file: it outlives the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Final

from bench.company import PASSWORD
from client import bridge_api as api
from tests.client.desk import Desk, MemoryVault, desk

WINDOW: Final = 2


class FileVault(MemoryVault):
    """Keeps its secrets in a file, replaced as a whole."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        if file.exists():
            self.secrets = {name: bytes.fromhex(value) for name, value in json.loads(file.read_text()).items()}

    def set(self, name: str, secret: bytes) -> bool:
        super().set(name, secret)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({name: value.hex() for name, value in self.secrets.items()}))
        fresh.replace(self._file)
        return True


def tell(*what: object) -> None:
    """In one write, so that a line is there whole or not at all."""
    os.write(1, json.dumps(what).encode() + b"\n")


async def main(profile: Path, url: str, login: str, peer: str) -> None:
    """Until its input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await asyncio.to_thread(profile.mkdir, parents=True, exist_ok=True)
    async with desk(profile, FileVault(profile / "vault.json"), url, login) as one:
        if not one.engine._ready:
            await one.log_in(url, login, PASSWORD)
        view = await one.open(peer, WINDOW)
        for message in view.messages:
            tell("shown", message.text, message.seq)
        tell("ready")
        telling = loop.create_task(_tell_news(one))
        while line := await lines.readline():
            text = line.decode().rstrip("\n")
            await one.send(view.id, text, WINDOW)
            tell("accepted", text)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell_news(one: Desk) -> None:
    state, told = "", 0
    while True:
        now = one.app().link.state
        if now != state:
            state = now
            tell("link", state)
        for to, event in one.events[told:]:
            if isinstance(event, api.MessageChanged) and (to is None or WINDOW in to):
                tell("shown", event.message.text, event.message.seq)
        told = len(one.events)
        await one.next_news()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:5]))
