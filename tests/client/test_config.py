"""Settings: the registry, the file with its wrong lines, changes; and the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from client.command_line import parse
from client.config import FILE_NAME, SETTINGS, Setting, Settings
from client.errors import BridgeError, ClientError, UsageError


def write(folder: Path, text: str) -> None:
    (folder / FILE_NAME).write_text(text, "utf-8")


def test_defaults_and_the_view(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    assert not settings.problems
    view = settings.view().settings
    assert [row.name for row in view] == [setting.name for setting in SETTINGS]
    assert all(row.value == row.default and not row.locked for row in view)
    assert len({row.name for row in view}) == len(view)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_has_a_default_that_it_accepts(setting: Setting) -> None:
    assert setting.wrong(setting.default) is None
    assert setting.name.isidentifier() and setting.section


def test_a_change_is_kept_and_comments_stay(tmp_path: Path) -> None:
    write(tmp_path, '# mine\nappearance = "dark"  # at night\nlanguage = "en"\n')
    settings = Settings(tmp_path)
    assert settings.get("appearance") == "dark"
    settings.change("language", "zh-CN")
    settings.change("send_typing", False)
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert text.startswith('# mine\nappearance = "dark"  # at night\n')
    again = Settings(tmp_path)
    assert (again.get("language"), again.get("send_typing"), again.get("appearance")) == ("zh-CN", False, "dark")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('appearance = "blue"', "line 2: appearance must be one of system, light, dark"),
        ("appearance = 5", "line 2: appearance must be one of"),
        ("send_typing = 1", "line 2: send_typing must be true or false"),
        ('colour = "red"', "line 2: colour is not a setting"),
        ("language is en", "line 2: 'language is en' is not of the form"),
    ],
)
def test_a_wrong_line_is_named_and_its_default_used(tmp_path: Path, line: str, why: str) -> None:
    write(tmp_path, f'language = "en"\n{line}\nsend_typing = false\n')
    settings = Settings(tmp_path)
    assert len(settings.problems) == 1
    assert why in settings.problems[0]
    assert settings.get("appearance") == "system"
    assert settings.get("language") == "en"
    assert settings.get("send_typing") is False or "send_typing" in line


def test_a_file_that_is_no_text_is_put_aside_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe\x00")
    settings = Settings(tmp_path)
    assert "not UTF-8" in settings.problems[0]
    settings.change("language", "en")
    assert Settings(tmp_path).get("language") == "en"
    assert (tmp_path / "settings.toml.unreadable").read_bytes() == b"\xff\xfe\x00"


def test_changes_are_checked(tmp_path: Path) -> None:
    settings = Settings(tmp_path, locked={"appearance": "dark"})
    assert settings.get("appearance") == "dark"
    for name, value, code in (
        ("nothing", 1, "no_such_setting"),
        ("language", "fr", "bad_setting"),
        ("send_typing", "yes", "bad_setting"),
        ("appearance", "light", "setting_locked"),
    ):
        with pytest.raises(BridgeError) as caught:
            settings.change(name, value)
        assert caught.value.code == code
    assert {row.name for row in settings.view().settings if row.locked} == {"appearance"}
    assert not (tmp_path / FILE_NAME).exists()


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    settings = Settings(folder)
    folder.rmdir()
    with pytest.raises(ClientError) as caught:
        settings.change("language", "en")
    assert caught.value.code == "settings_not_saved"
    assert caught.value.retry
    assert settings.get("language") == "system"


def test_the_kinds_of_setting_check_their_values() -> None:
    number = Setting("n", "s", "number", 3, minimum=1, maximum=5)
    text = Setting("t", "s", "text", "")
    assert [number.wrong(value) is None for value in (1, 5, 0, 6, True, "3", 2.0)] == [True, True, *[False] * 5]
    assert [text.wrong(value) is None for value in ("", "中文", "a\nb", "x" * 1_001, 5)] == [True, True, *[False] * 3]


# ---------------------------------------------------------------- command line


def test_the_command_line(tmp_path: Path) -> None:
    options = parse(["--server", "wss://chat.example.com", "--profile", str(tmp_path), "--user", "ann"])
    assert options.server == "wss://chat.example.com"
    assert options.profile == tmp_path
    assert options.user == "ann"
    assert not options.browser and options.open_browser and not options.dev and options.debugging_port is None
    assert (options.ui / "index.html").name == "index.html"
    assert parse([]).profile.is_absolute()
    browser = parse(["--browser", "--no-open", "--reload"])
    assert browser.browser and browser.reload and not browser.open_browser


@pytest.mark.parametrize(
    "arguments",
    [
        ["--server", "http//x"],
        ["--server", "ftp://chat.example.com"],
        ["--server", "ws://"],
        ["--server", "ws://host:99999"],
        ["--server"],
        ["--nonsense"],
        ["--prof", "/tmp"],
        ["extra"],
        ["--remote-debugging-port", "many"],
    ],
)
def test_a_wrong_command_line_is_one_clear_error(arguments: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    assert caught.value.text.endswith(".")
    assert "\n" not in caught.value.text


@pytest.mark.parametrize("arguments", [["--remote-debugging-port", "9222"], ["--dev"], ["--ui", "/tmp"]])
def test_a_release_cannot_be_debugged(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(UsageError):
        parse(arguments)
