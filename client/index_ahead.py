"""Builds a large company's search index in a thread, so that the first letter of a search does not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from client.session.directory import DirectoryBook, IndexJob


class IndexAhead:
    """One build at a time. `spawn` runs a coroutine on the engine's loop."""

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._spawn = spawn
        self._busy = False

    def consider(self, directory: DirectoryBook) -> None:
        """The directory changed: begin a build where one is worth it."""
        job = None if self._busy else directory.index_job()
        if job is not None:
            self._busy = True
            self._spawn(self._work(directory, job))

    async def _work(self, directory: DirectoryBook, job: IndexJob) -> None:
        try:
            directory.adopt_index(await asyncio.to_thread(job.build), job)
        finally:
            self._busy = False
