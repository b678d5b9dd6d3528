"""The program as a whole: how it starts, what it says where it cannot, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import __version__
from client.config import FILE_NAME as SETTINGS_FILE
from client.instance import FILE_NAME as INSTANCE_FILE
from tests.support.desktop import ROOT, Desktop, Program
from tests.support.devtools import DevTools
from tests.support.logs import LogGuard
from tests.support.small_page import write_page

SMALL = "tests.support.small_client"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def ui(tmp_path: Path) -> Path:
    return write_page(tmp_path / "ui")


def run(*arguments: str, environment: Mapping[str, str] | None = None, module: str = SMALL) -> tuple[int, str, str]:
    """Run to the end; exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def browser(profile: Path, ui: Path, logs: LogGuard) -> Iterator[Desktop]:
    """The program without windows."""
    with Desktop(profile, "--ui", str(ui), module=SMALL, browser=True, take_line=logs.line) as client:
        yield client


def get(url: str) -> int:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", f"{address.path}?{address.query}")
    status = connection.getresponse().status
    connection.close()
    return status


# ---------------------------------------------------------------- start and end


def test_in_a_browser_it_prints_the_address_and_ends_on_a_signal(browser: Desktop, profile: Path) -> None:
    assert get(browser.url) == 200
    browser.wait("engine ready")
    browser.process.send_signal(signal.SIGINT)
    assert browser.ended() == 0
    assert browser.output == [browser.url]
    assert browser.told() == []
    browser.wait("core stopped")
    assert not (profile / INSTANCE_FILE).exists()
    with pytest.raises(OSError):
        get(browser.url)


def test_the_profile_is_for_its_owner_alone(browser: Desktop, profile: Path) -> None:
    browser.wait("engine ready")
    assert profile.stat().st_mode & 0o077 == 0
    for name in ("profile.json", INSTANCE_FILE):
        assert (profile / name).stat().st_mode & 0o077 == 0
    text = (profile / INSTANCE_FILE).read_text()
    assert browser.url.split("/")[3] not in text, "a second start may knock, but never open the page"


def test_saving_a_file_of_the_page_reloads_it(profile: Path, ui: Path, logs: LogGuard) -> None:
    with Desktop(profile, "--ui", str(ui), "--reload", module=SMALL, take_line=logs.line) as client:
        client.wait("page connected")
        page = DevTools(client.debugging_port, "main")
        page.until("document.getElementById('ready').textContent === 'main'")
        (ui / "page.css").write_text("body { background: rgb(9, 9, 9); }", "utf-8")
        client.wait("page files changed")
        page.until("events.includes('reload_page')")
        page.close()


def test_the_real_program_shows_the_real_page(profile: Path, logs: LogGuard) -> None:
    with Desktop(profile, "--server", "ws://127.0.0.1:9", "--user", "ann", take_line=logs.line) as client:
        client.wait("engine ready")
        client.wait("page connected", window="main")
        page = DevTools(client.debugging_port, "main")
        page.until("document.querySelector('input[type=password]')")
        page.close()
    assert client.process.returncode == 0


def test_a_crashed_page_starts_afresh(profile: Path, ui: Path, logs: LogGuard) -> None:
    with Desktop(profile, "--ui", str(ui), module=SMALL, take_line=logs.line) as client:
        client.wait("page connected")
        before = len(client.lines)
        page = DevTools(client.debugging_port, "main")
        page.crash()
        client.wait("page process ended", after=before)
        client.wait("page connected", after=before)


# ---------------------------------------------------------------- a second start


def test_a_second_start_brings_the_first_to_the_front(profile: Path, ui: Path, logs: LogGuard) -> None:
    with Desktop(profile, "--ui", str(ui), module=SMALL, take_line=logs.line) as client:
        client.wait("window shown", window="main")
        before = len(client.lines)
        assert run("--profile", str(profile)) == (0, "", "")
        client.wait("window in front", after=before, window="main")


def test_after_a_kill_the_next_start_works(profile: Path, ui: Path, logs: LogGuard) -> None:
    arguments = (profile, "--ui", str(ui))
    first = Desktop(*arguments, module=SMALL, browser=True, take_line=logs.line)
    first.wait("engine ready")
    first.kill()
    assert (profile / INSTANCE_FILE).exists()
    with Desktop(*arguments, module=SMALL, browser=True, take_line=logs.line) as second:
        assert get(second.url) == 200


def test_a_first_that_hangs_is_told(browser: Desktop, profile: Path) -> None:
    browser.wait("engine ready")
    browser.process.send_signal(signal.SIGSTOP)
    code, _, said = run("--profile", str(profile))
    browser.process.send_signal(signal.SIGCONT)
    assert code == 2
    assert said.startswith("oschat: Oschat runs with the profile ")
    assert "does not answer" in said


# ---------------------------------------------------------------- what it says where it cannot


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DISPLAY": "", "WAYLAND_DISPLAY": ""}, "There is no display"),
        ({"DISPLAY": ":4999", "WAYLAND_DISPLAY": ""}, "No window can be opened on the display ':4999'"),
    ],
)
def test_without_a_display_one_line_says_so(profile: Path, environment: dict[str, str], said: str) -> None:
    code, out, err = run("--profile", str(profile), environment={"QT_QPA_PLATFORM": "", **environment})
    assert code in (1, 2)
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("oschat: ") and said in lines[0], err


def test_as_root_without_the_flag_one_line_says_so(profile: Path) -> None:
    if os.geteuid() != 0:
        return  # an ordinary user has nothing to be told; the sandbox is on
    code, _, err = run("--profile", str(profile), environment={"QTWEBENGINE_CHROMIUM_FLAGS": ""})
    assert code == 2
    assert err.startswith("oschat: It does not run as root") and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--server", "ftp://x"], ["--profile", "/proc/none"]])
def test_a_wrong_start_is_one_line(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("oschat: ")


def test_a_profile_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("--profile", str(tmp_path / "file"))
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be used" in err and "--profile" in err


def test_a_wrong_setting_is_named_and_the_program_goes_on(profile: Path, ui: Path, logs: LogGuard) -> None:
    profile.mkdir()
    (profile / SETTINGS_FILE).write_text('language = "en"\nappearance = "blue"\n')
    with Desktop(profile, "--ui", str(ui), module=SMALL, browser=True, take_line=logs.line) as client:
        client.wait("engine ready")
    assert client.told() == [
        f"oschat: {SETTINGS_FILE}, line 2: appearance must be one of system, light, dark. The default is used."
    ]


def test_help_is_for_people() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "--server" in out and "--remote-debugging-port" not in out


@pytest.mark.parametrize(("failure", "code"), [("client", "store_newer"), ("other", "internal")])
def test_an_engine_that_cannot_start_is_told_in_the_page_too(
    profile: Path, ui: Path, logs: LogGuard, failure: str, code: str
) -> None:
    logs.allow("engine not started")
    client = Desktop(
        profile,
        "--ui",
        str(ui),
        module=SMALL,
        environment={"SMALL_CLIENT_FAILS": failure},
        take_line=logs.line,
    )
    client.wait("page connected")
    page = DevTools(client.debugging_port, "main")
    page.until(f"document.getElementById('ready').textContent === '{code}'")
    page.close()
    assert client.stop() == 1
    said = [line for line in client.told() if line.startswith("oschat: ")]
    assert len(said) == 1 and "Traceback" not in "".join(client.told())
    client.wait("core stopped")


def test_an_engine_that_hangs_at_its_start_does_not_hold_the_end(profile: Path, ui: Path, logs: LogGuard) -> None:
    with Desktop(
        profile,
        "--ui",
        str(ui),
        module=SMALL,
        browser=True,
        environment={"SMALL_CLIENT_FAILS": "hangs"},
        take_line=logs.line,
    ) as client:
        assert get(client.url) == 200
    assert client.process.returncode == 0
    client.wait("core stopped")


# ---------------------------------------------------------------- a release


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == __version__


def test_a_program_reads_its_log_line_by_line(browser: Desktop, profile: Path) -> None:
    browser.wait("engine ready")
    lines = [json.loads(line) for line in (profile / "client.log").read_text("utf-8").splitlines()]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    assert "ui ready" in [line["event"] for line in lines]


def test_the_address_is_on_loopback_only(browser: Desktop) -> None:
    port = urlsplit(browser.url).port
    assert port is not None
    for family, other in ((socket.AF_INET, socket.gethostbyname(socket.gethostname())), (socket.AF_INET6, "::1")):
        if other.startswith("127."):
            continue
        with socket.socket(family) as attempt:
            attempt.settimeout(5)
            assert attempt.connect_ex((other, port)) != 0


def test_programs_can_be_followed() -> None:
    """The driver itself: lines and plain text are told apart, and what is absent fails with the output."""
    script = (
        "import sys; print('out'); print('{\"event\": \"hello\"}', file=sys.stderr); print('plain', file=sys.stderr)"
    )
    program = Program([sys.executable, "-c", script])
    assert program.wait("hello") == {"event": "hello"}
    assert program.ended() == 0
    assert (program.output, program.told()) == (["out"], ["plain"])
    with pytest.raises(AssertionError, match="plain"):
        program.wait("never", seconds=1)
