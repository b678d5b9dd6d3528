"""Every measurement works, in its short form, and prints one line of JSON for each figure."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.__main__ import NAMES
from tests.house.sources import ROOT

FIGURES = {
    "server_cpu": ["server_cpu_us_per_message", "server_cpu_us_per_message"],
    "latency": ["enter_to_peer_page_ms"],
    "start": ["start_to_roster", "memory_pss"],
}


@pytest.mark.deadline(150)
@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_prints_its_figures(name: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bench", name, "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert answer.returncode == 0, answer.stderr
    figures = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [figure["name"] for figure in figures] == FIGURES[name]
    assert all(figure.get("value", figure.get("median")) > 0 for figure in figures)


def test_an_unknown_measurement_is_told() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bench", "sped"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "there is no measurement sped; there are server_cpu, latency, start" in answer.stderr
