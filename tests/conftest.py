"""What holds for every test: no unexpected warning, no skipping, a deadline, and nothing of the person's own touched.

- `logs` (tests/support/logs.py): `logs.expect(pattern)` where a warning is what the test is about.
- `@pytest.mark.deadline(seconds)`: a test gets 60 s unless it says otherwise.
- The keyring of whoever runs the tests is out of reach; the test of a real Secret Service starts its own and removes
  PYTHON_KEYRING_BACKEND from the environment of the programs that shall use it.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Generator, Iterator
from types import FrameType
from typing import Any

import pytest

from tests.support.logs import GuardHandler, LogGuard, guard

DEADLINE_SECONDS = 60

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
if sys.platform == "linux" and os.geteuid() == 0:
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"  # Chromium refuses to start as root otherwise


class DeadlineError(BaseException):
    """A test took too long. Not an Exception, so that the code under test does not handle it."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deadline(seconds): how long the test may take, 60 s without this mark")
    logging.getLogger().addHandler(GuardHandler(guard))
    config.stash[_stderr_key] = os.dup(2)  # the real one: while tests run, pytest captures descriptor 2


def pytest_unconfigure(config: pytest.Config) -> None:
    os.close(config.stash[_stderr_key])


_stderr_key = pytest.StashKey[int]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    mark = item.get_closest_marker("deadline")
    seconds = float(mark.args[0]) if mark else DEADLINE_SECONDS
    # The alarm fails the test; should even that not get through, the process ends with every thread's stack.
    faulthandler.dump_traceback_later(seconds + 15, exit=True, file=item.config.stash[_stderr_key])
    if sys.platform != "win32":

        def too_long(_signal: int, _frame: FrameType | None) -> None:
            faulthandler.dump_traceback(file=item.config.stash[_stderr_key])
            raise DeadlineError(f"{item.nodeid} took longer than {seconds:.0f} s")

        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return (yield)
    finally:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    report: pytest.TestReport = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: what is not tried is not known. Make it run, or delete it."
    return report


@pytest.fixture(autouse=True)
def logs() -> Iterator[LogGuard]:
    """The guard over log lines; see tests/support/logs.py."""
    guard.begin()
    yield guard
    complaints = guard.complaints()
    if complaints:
        pytest.fail("Log lines at level warning and above:\n" + "\n".join(complaints), pytrace=False)
