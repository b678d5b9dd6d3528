"""The Autobahn suite's WebSocket cases, run by kosoku against our gateway as an echo (echo_program.py).

Without the cases 12 and 13: those are about compression, which the protocol does not use.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Final

from kosoku import FailureError, run_fuzzingclient

from tests.support.server import ROOT

COMPRESSION: Final = ("12.*", "13.*")
LARGE: Final = ("9.*",)
"""Messages of up to 16 MiB, and thousands in a row: for the full form."""

KNOWN: Final = frozenset({"7.1.2"})
"""Two close frames in one segment: picows reads ahead, and answers the second one's breach with 1002 instead of the
first one with 1000. The socket ends as it should."""

DEADLINE_SECONDS: Final = 600.0
AT_ONCE: Final = 4


async def try_cases(exclude: tuple[str, ...]) -> dict[str, object]:
    """Every case but these."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.echo_program", cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            port = int(await server.stdout.readline())
            try:
                results = await run_fuzzingclient(f"ws://127.0.0.1:{port}", None, list(exclude), AT_ONCE)
            except FailureError as failure:
                results = failure.results
        alive = server.returncode is None
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()
    failed = {
        one.case_id: f"{one.behavior.value}, close {one.behavior_close.value}" for one in results if not one.passed
    }
    return {"passed": alive and bool(results) and failed.keys() <= KNOWN, "cases": len(results), "failed": failed}


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The point's result."""
    yield {"point": "websocket_cases", **asyncio.run(try_cases((*COMPRESSION, *LARGE) if short else COMPRESSION))}
