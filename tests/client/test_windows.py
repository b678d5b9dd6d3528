"""The native windows on a virtual screen with a window manager: one for each conversation, and where they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.desktop.qt_page import BACKGROUND
from client.placement import (
    CONVERSATION_SIZE,
    FILE_NAME,
    MAIN_SIZE,
    MAX_REMEMBERED,
    MIN_SIZE,
    Area,
    Placement,
    Placements,
    clamp,
)
from tests.support.desktop import ROOT, Desktop
from tests.support.devtools import DevTools
from tests.support.logs import LogGuard
from tests.support.small_page import write_page
from tests.support.x11 import Screen, Shown, window_manager


@pytest.fixture(scope="module", autouse=True)
def manager() -> Iterator[None]:
    with window_manager():
        yield


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


def start(tmp_path: Path, logs: LogGuard) -> Desktop:
    client = Desktop(
        tmp_path / "profile",
        "--ui",
        str(write_page(tmp_path / "ui")),
        module="tests.support.small_client",
        take_line=logs.line,
    )
    client.wait("page connected", window="main")
    return client


@pytest.fixture
def client(tmp_path: Path, logs: LogGuard) -> Iterator[Desktop]:
    with start(tmp_path, logs) as client:
        yield client


def open_conversation(client: Desktop, peer: str) -> None:
    page = DevTools(client.debugging_port, "main")
    page.until("globalThis.call && document.getElementById('ready').textContent === 'main'")
    page.call("call", "open_conversation", {"peer": peer})
    page.close()


def top(windows: list[Shown]) -> str:
    return [window.title for window in windows if window.visible][-1]


def test_a_conversation_opens_once_and_then_comes_to_the_front(client: Desktop, screen: Screen) -> None:
    open_conversation(client, "zoe")
    client.wait("page connected", window="d.me.zoe")
    screen.window("Talk with zoe")
    open_conversation(client, "bob")
    screen.wait(lambda windows: top(windows) == "Talk with bob")
    open_conversation(client, "zoe")
    client.wait("window in front", window="d.me.zoe")
    windows = screen.wait(lambda windows: top(windows) == "Talk with zoe")
    assert [window.title for window in windows].count("Talk with zoe") == 1
    page = DevTools(client.debugging_port, "d.me.zoe")
    page.until("document.hasFocus()")
    page.close()


def test_a_minimized_window_comes_back(client: Desktop, screen: Screen) -> None:
    open_conversation(client, "zoe")
    screen.minimize(screen.window("Talk with zoe"))
    screen.wait(lambda windows: not any(each.title == "Talk with zoe" and each.visible for each in windows))
    open_conversation(client, "zoe")
    screen.wait(lambda windows: top(windows) == "Talk with zoe")


def test_a_closed_conversation_opens_afresh(client: Desktop, screen: Screen) -> None:
    open_conversation(client, "zoe")
    screen.close_window(screen.window("Talk with zoe"))
    client.wait("window closed", window="d.me.zoe")
    before = len(client.lines)
    open_conversation(client, "zoe")
    client.wait("page connected", after=before, window="d.me.zoe")
    screen.window("Talk with zoe")


def test_the_page_sets_the_title(client: Desktop, screen: Screen) -> None:
    page = DevTools(client.debugging_port, "main")
    page.until("document.getElementById('ready').textContent === 'main'")
    page.call("call", "set_title", {"title": "(3) Oschat 中文 🙂"})
    screen.window("(3) Oschat 中文 🙂")
    page.close()


def test_logging_out_closes_the_conversations(client: Desktop, screen: Screen) -> None:
    for peer in ("zoe", "bob"):
        open_conversation(client, peer)
        screen.window(f"Talk with {peer}")
    page = DevTools(client.debugging_port, "main")
    page.call("call", "log_out")
    page.close()
    screen.wait(lambda windows: {window.title for window in windows if window.visible} == {"Oschat"})


def test_windows_that_come_and_go_harm_nobody(client: Desktop) -> None:
    """What is left of a closed window must be destroyed on the GUI thread; elsewhere Chromium aborts the program."""
    page = DevTools(client.debugging_port, "main")
    page.until("globalThis.call && document.getElementById('ready').textContent === 'main'")
    for number in range(12):
        before = len(client.lines)
        page.call("call", "open_conversation", {"peer": "zoe"})
        # Some are closed while they still load.
        client.wait("window shown" if number % 2 else "page connected", after=before, window="d.me.zoe")
        page.call("call", "log_out")
        client.wait("window closed", after=before, window="d.me.zoe")
    assert page.call("call", "start")["result"]["window"]["kind"] == "main"
    page.close()


def test_closing_the_main_window_ends_the_program(client: Desktop, screen: Screen) -> None:
    open_conversation(client, "zoe")
    screen.window("Talk with zoe")
    screen.close_window(screen.window("Oschat"))
    assert client.ended() == 0
    client.wait("core stopped")
    client.wait("ended")
    assert not [line for line in client.told() if not line.startswith("DevTools listening")]


def test_places_and_sizes_are_remembered(tmp_path: Path, screen: Screen, logs: LogGuard) -> None:
    with start(tmp_path, logs) as client:
        open_conversation(client, "zoe")
        talk = screen.window("Talk with zoe")
        assert (talk.width, talk.height) == CONVERSATION_SIZE
        screen.place(screen.window("Oschat"), x=200, y=100, width=400, height=500)
        screen.place(talk, x=300, y=150, width=610, height=440)
        client.wait("window placed", window="main", width=400)
        client.wait("window placed", window="d.me.zoe", width=610)
    with start(tmp_path, logs) as client:
        main = screen.window("Oschat")
        open_conversation(client, "zoe")
        again = screen.window("Talk with zoe")
        assert (main.width, main.height, again.width, again.height) == (400, 500, 610, 440)
        for window, x, y in ((main, 200, 100), (again, 300, 150)):
            # Within the frame that the window manager adds.
            assert abs(window.x - x) <= 12 and abs(window.y - y) <= 40, window


def test_a_window_that_would_be_off_the_screen_is_brought_back(tmp_path: Path, screen: Screen, logs: LogGuard) -> None:
    (tmp_path / "profile").mkdir()
    off = {"main": {"width": 9_000, "height": 9_000, "x": 30_000, "y": -5_000}}
    (tmp_path / "profile" / FILE_NAME).write_text(json.dumps(off))
    with start(tmp_path, logs):
        main = screen.window("Oschat")
    assert 0 <= main.x < 1_000 and 0 <= main.y < 700
    assert main.width < 9_000 and main.height < 9_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_window_begins_in_the_colour_of_its_page(theme: str) -> None:
    text = (ROOT / "ui" / "themes" / theme / "theme.css").read_text("utf-8")
    assert f"--color-page: {BACKGROUND[theme]};" in text


# ---------------------------------------------------------------- placement, without a screen

LEFT = Area(x=0, y=0, width=1_920, height=1_040)
RIGHT = Area(x=1_920, y=-200, width=1_280, height=1_024)


@pytest.mark.parametrize(
    "place",
    [
        Placement(width=400, height=500, x=0, y=0),
        Placement(width=400, height=500, x=2_000, y=-200, maximized=True),
        Placement(width=400, height=500, x=-300, y=500),
        Placement(width=400, height=500, x=1_840, y=960),
    ],
)
def test_a_place_that_can_be_caught_stays(place: Placement) -> None:
    assert clamp(place, [LEFT, RIGHT]) == place


@pytest.mark.parametrize(("x", "y"), [(-330, 0), (0, -100), (0, 1_000), (3_150, 0), (9_999, 9_999), (None, 5)])
def test_a_place_that_cannot_be_caught_is_the_systems_choice(x: int | None, y: int) -> None:
    assert clamp(Placement(width=400, height=500, x=x, y=y), [LEFT, RIGHT]) == Placement(width=400, height=500)


def test_sizes_fit_the_screen() -> None:
    assert clamp(Placement(width=1, height=1, x=0, y=0), [LEFT]) == Placement(
        width=MIN_SIZE[0], height=MIN_SIZE[1], x=0, y=0
    )
    big = clamp(Placement(width=9_000, height=9_000, x=1_920, y=-200), [LEFT, RIGHT])
    assert (big.width, big.height) == (RIGHT.width, RIGHT.height)
    assert clamp(Placement(width=400, height=500, x=1, y=1), []) == Placement(width=400, height=500)


def test_placements_are_kept_and_bounded(tmp_path: Path) -> None:
    placements = Placements(tmp_path)
    assert (placements.get("main").width, placements.get("main").height) == MAIN_SIZE
    main = Placement(width=400, height=500, x=1, y=2)
    placements.remember("main", main)
    for number in range(MAX_REMEMBERED + 5):
        placements.remember(f"d.a.b{number}", Placement(width=500, height=600, x=number, y=0))
    again = Placements(tmp_path)
    assert again.get("main") == main
    assert again.get(f"d.a.b{MAX_REMEMBERED + 4}").x == MAX_REMEMBERED + 4
    assert again.get("d.a.b0").x is None
    assert len(json.loads((tmp_path / FILE_NAME).read_text())) == MAX_REMEMBERED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"main": {"width": "wide"}}'])
def test_a_broken_file_costs_only_the_memory(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    assert Placements(tmp_path).get("main").x is None


def test_a_disk_that_refuses_costs_only_the_memory(tmp_path: Path) -> None:
    placements = Placements(tmp_path / "missing")
    placements.remember("main", Placement(width=400, height=500))
    assert placements.get("main").width == 400
