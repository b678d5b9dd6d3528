"""dev.py itself: its words, its Debian step, and what a second start costs."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dev
from devtools import debian
from devtools.steps import Failure, Log
from tests.house.sources import ROOT


def front_door(*arguments: str, code: int = 0) -> str:
    answer = subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=ROOT.parent,  # it works from anywhere
    )
    assert answer.returncode == code, answer.stderr
    return answer.stdout + answer.stderr


def test_help_names_every_word() -> None:
    text = front_door("--help")
    assert set(re.findall(r"^    (\w+)  ", text, re.MULTILINE)) == set(dev.WORDS)
    assert front_door() == text


def test_an_unknown_word_is_told_and_the_known_ones_are_named() -> None:
    text = front_door("dmeo", code=64)
    assert "does not know the word dmeo" in text
    assert "demo" in text


def test_a_second_start_adds_under_two_seconds() -> None:
    set_up = [sys.executable, "-c", "from devtools.setup import TESTS, set_up; set_up(TESTS)"]
    subprocess.run(set_up, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    started = time.monotonic()
    answer = subprocess.run(set_up, cwd=ROOT, check=True, capture_output=True, text=True)
    assert time.monotonic() - started < 2
    assert answer.stdout == "", "what is fresh says nothing"


@pytest.mark.parametrize(("sudo", "prefix"), [("/usr/bin/sudo", "sudo sh -c"), (None, "su - -c")])
def test_without_rights_one_exact_line_is_printed(
    sudo: str | None, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "_root_prefix", lambda: None)
    monkeypatch.setattr(debian, "_installed", lambda wanted: {"xvfb"})
    monkeypatch.setattr("shutil.which", lambda name: sudo)
    monkeypatch.setattr("devtools.steps.STATE", tmp_path)
    log = Log("debian", "[1/4] Debian packages")
    try:
        with pytest.raises(Failure) as raised:
            debian._install(["libegl1", "xvfb", "zz"], log)
    finally:
        log.close()
    assert raised.value.code == 2
    lines = str(raised.value).splitlines()
    assert f"{prefix} 'apt-get update && apt-get install -y --no-install-recommends libegl1 zz'" in lines


def test_every_word_of_the_readme_exists() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for word in re.findall(r"dev\.py (\w+)", (ROOT / name).read_text(encoding="utf-8")):
            assert word in dev.WORDS, f"{name} speaks of `dev.py {word}`"
