"""Structured logs: one JSON object a line, in the profile's log file and, for developers, on stderr.

Never a message's text, never a secret: callers name what happened and give ids, counts and codes. The page's address
holds a secret, which is taken out of whatever goes to the file; on stderr, with the developer flag, it stays.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 1_000_000
"""A log file of this size is renamed to client.log.1, and so on up to LOG_FILES."""

LOG_FILES: Final = 3

_logger: Final = logging.getLogger("oschat")

Field = str | int | float | bool | None


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event, and the fields; each of `hidden` is left out of it."""

    def __init__(self, hidden: Sequence[str] = ()) -> None:
        super().__init__()
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = time.gmtime(record.created)
        line: dict[str, object] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.name != _logger.name:
            line["logger"] = record.name
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False)
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return text


def log(event: str, level: int = logging.INFO, **fields: Field) -> None:
    """Log what happened. `event` is a constant phrase that tests and tools can wait for."""
    _logger.log(level, event, extra={"fields": fields})


def log_failure(event: str, **fields: Field) -> None:
    """Log the exception that is being handled, with its traceback: for the log only, never for a person."""
    _logger.error(event, exc_info=True, extra={"fields": fields})


def set_up(folder: Path, *, to_stderr: bool, hidden: Sequence[str] = ()) -> None:
    """Log into `folder`/client.log, without the secrets `hidden`; where asked, all of it to stderr. Raises OSError."""
    # A log that cannot be written (a full disk) must not end in tracebacks on a person's terminal.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    file = RotatingFileHandler(folder / "client.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    file.setFormatter(JsonLines(hidden))
    root.addHandler(file)
    if to_stderr:
        stderr = logging.StreamHandler(sys.stderr)
        stderr.setFormatter(JsonLines())
        root.addHandler(stderr)
    # pywebview sets up a handler of its own on stderr unless it finds one.
    logging.getLogger("pywebview").addHandler(logging.NullHandler())
    logging.getLogger("picows").setLevel(logging.WARNING)
    logging.captureWarnings(True)


def tell(text: str) -> None:
    """One line to the person at the terminal, on stderr."""
    sys.stderr.write(f"oschat: {text}\n")
    sys.stderr.flush()
