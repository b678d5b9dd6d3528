"""Every measurement works, in its short form, and prints one line of JSON for each figure."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.__main__ import NAMES
from tests.house.sources import ROOT

FIGURES = {
    "server": [
        "start_ms",
        "login_cpu_ms",
        "login_by_token_cpu_ms",
        "cpu_us_window_20",
        "messages_a_second_window_20",
        "cpu_us_one_at_a_time",
        "messages_a_second_one_at_a_time",
        "ping_pong_cpu_us",
        "latency_p50_ms",
        "latency_p99_ms",
        "idle_connection_kib_to_20",
        "idle_connection_kib_to_50",
        "cpu_us_window_20_among_many",
        "cpu_us_one_at_a_time_among_many",
        "start_ms_after_many_stored",
        "cpu_us_window_20_after_many_stored",
        "messages_a_second_window_20_after_many_stored",
        "cpu_us_one_at_a_time_after_many_stored",
        "messages_a_second_one_at_a_time_after_many_stored",
        "load_average",
    ],
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
    assert all(figure.get("value", figure.get("median")) >= 0 for figure in figures)


def test_an_unknown_measurement_is_told() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bench", "sped"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "there is no measurement sped; there are server, latency, start" in answer.stderr
