"""The guards of conftest.py themselves: an unexpected warning, a skip and an endless test each fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CASES = """
import logging
import threading

import pytest

def test_surprise():
    logging.getLogger("client.engine").warning("lost %s", 3)

def test_expected(logs):
    logs.expect("missed")
    logging.getLogger().warning("missed")

def test_absent(logs):
    logs.expect("found")

def test_of_a_process(logs):
    logs.line("server", '{"event": "disk full", "level": "error"}')
    logs.line("server", '{"event": "listening", "level": "info"}')

def test_skipped():
    pytest.SKIP("no")

@pytest.mark.deadline(0.3)
def test_endless():
    threading.Event().wait(30)
""".replace("SKIP", "skip")


def test_what_must_fail_fails(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(CASES, encoding="utf-8")
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-p", "no:xvfb", "--color=no", "-rA"]
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    text = answer.stdout + answer.stderr
    assert "not expected: client.engine: WARNING: lost 3" in text
    assert "expected, but not logged: found" in text
    assert 'not expected: server: {"event": "disk full"' in text
    assert "not expected: root: WARNING: missed" not in text
    assert "what is not tried is not known" in text
    assert "took longer than 0 s" in text
    assert "2 failed, 4 passed, 3 errors" in text
