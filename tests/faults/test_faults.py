"""Each point of `dev.py faults` in small."""

from __future__ import annotations

import importlib

import pytest

from tests.faults.__main__ import NAMES
from tests.support.logs import LogGuard


@pytest.mark.parametrize("name", NAMES)
def test_in_small(name: str, logs: LogGuard) -> None:
    results = list(importlib.import_module(f"tests.faults.{name}").run(short=True))
    assert results
    for result in results:
        assert result["passed"], result
