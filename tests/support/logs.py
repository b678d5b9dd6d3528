"""What our programs log while a test runs: a warning that the test did not expect fails it.

Whoever starts a process in a test reads its output and hands each line to `guard.line`.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import Final

_BAD_LEVELS: Final = frozenset({"warning", "warn", "error", "critical", "exception", "fatal"})
_PLAIN: Final = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b.*\b(client|server_stub|protocol)\b|^Traceback \(most recent")


class LogGuard:
    """Collects lines at level warning and above, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bad: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._allowed: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """A line at level warning or above that matches must come before the test ends."""
        self._expected.append(re.compile(pattern))

    def allow(self, pattern: str) -> None:
        """Such a line may come: it depends on timing. Say in the test what it depends on."""
        self._allowed.append(re.compile(pattern))

    def line(self, source: str, text: str) -> None:
        """Take a line of a process: one JSON object with a `level`, or plain text."""
        try:
            record = json.loads(text)
        except ValueError:
            record = None
        if isinstance(record, dict):
            bad = str(record.get("level", "")).lower() in _BAD_LEVELS
        else:
            bad = _PLAIN.search(text) is not None
        if bad:
            self.add(f"{source}: {text.rstrip()}")

    def add(self, line: str) -> None:
        """Take a line that is known to be at level warning or above."""
        with self._lock:
            self._bad.append(line)

    def begin(self) -> None:
        """A test begins: what the one before it expected counts no more."""
        self._expected.clear()
        self._allowed.clear()

    def complaints(self) -> list[str]:
        """What was logged and not expected, or expected and not logged, since the last call."""
        with self._lock:
            lines, self._bad = self._bad, []
        known = [*self._expected, *self._allowed]
        surprising = [f"not expected: {line}" for line in lines if not any(p.search(line) for p in known)]
        absent = [f"expected, but not logged: {p.pattern}" for p in self._expected if not any(map(p.search, lines))]
        return surprising + absent


class GuardHandler(logging.Handler):
    """Hands this process's own records to the guard."""

    def __init__(self, guard: LogGuard) -> None:
        super().__init__(logging.WARNING)
        self._guard = guard

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        self._guard.add(f"{record.name}: {record.levelname}: {record.getMessage()}")


guard: Final = LogGuard()
