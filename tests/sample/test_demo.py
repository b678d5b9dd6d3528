"""The demo, as a person runs it on a machine without a display."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sample.talk import CONVERSATION
from tests.house.sources import ROOT


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sample.demo", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.deadline(150)
def test_two_people_talk_and_pictures_are_taken(tmp_path: Path) -> None:
    before = {process.pid for process in psutil.process_iter()}
    answer = demo("--headless", "--out", str(tmp_path / "pictures"))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for _, text in CONVERSATION:
        assert text in answer.stdout
    assert "marked as read" in answer.stdout
    pictures = sorted((tmp_path / "pictures").glob("*.png"))
    assert len(pictures) >= 8
    assert all(picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5_000 for picture in pictures)
    left = [
        process.info
        for process in psutil.process_iter(["pid", "cmdline"])
        if process.pid not in before and any("oschat-demo-" in word for word in process.info["cmdline"] or [])
    ]
    assert not left, "the demo ends whatever it started"


def test_a_failure_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = demo("--headless", "--data", str(tmp_path / "file" / "data"))
    assert answer.returncode == 1
    assert answer.stderr.startswith("The demo failed: ")
    assert "Traceback" not in answer.stderr
