"""Set-up steps: done once for their inputs, quiet when they succeed, clear when they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import steps
from devtools.steps import Failure, Log, Step, perform

MakeStep = Callable[[Callable[[Log], object]], Step]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stamps and logs of this test alone."""
    monkeypatch.setattr(steps, "STATE", tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def make(tmp_path: Path) -> MakeStep:
    """A step with one input file and one output file."""
    (tmp_path / "input").write_text("1")
    return lambda action: Step("one", "One", lambda: [tmp_path / "input"], [tmp_path / "output"], action)


def test_a_step_is_done_once_for_its_inputs(tmp_path: Path, make: MakeStep, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[int] = []

    def action(log: Log) -> None:
        done.append(1)
        (tmp_path / "output").touch()

    step = make(action)
    perform([step])
    assert "[1/1] One: done in" in capsys.readouterr().out
    perform([step])
    assert len(done) == 1
    assert capsys.readouterr().out == ""

    (tmp_path / "input").write_text("2")
    perform([step])
    assert len(done) == 2, "a changed input needs the step again"

    (tmp_path / "output").unlink()
    perform([step])
    assert len(done) == 3, "a lost output needs the step again"


def test_a_failed_command_shows_the_end_of_its_output(
    state: Path, make: MakeStep, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "import sys; [print('line', n) for n in range(100)]; sys.exit(7)"
    step = make(lambda log: log.run([sys.executable, "-c", program]))
    with pytest.raises(Failure) as raised:
        perform([step])
    text = str(raised.value)
    assert "One failed (exit code 7)" in text
    assert "line 99" in text
    assert "line 12\n" not in text
    assert str(state / "one.log") in text
    assert "line 12\n" in (state / "one.log").read_text()
    assert "line" not in capsys.readouterr().out
    assert not (state / "one.stamp").exists(), "what failed is tried again"


def test_a_program_that_is_not_there(make: MakeStep) -> None:
    with pytest.raises(Failure, match="cannot run no-such-program"):
        perform([make(lambda log: log.run(["no-such-program"]))])


def test_a_command_can_be_given_text(make: MakeStep) -> None:
    answers: list[str] = []
    copy = "import sys; print(sys.stdin.read().upper())"
    perform([make(lambda log: answers.append(log.run([sys.executable, "-c", copy], text="setuptools")))])
    assert [answer.strip() for answer in answers] == ["SETUPTOOLS"]
