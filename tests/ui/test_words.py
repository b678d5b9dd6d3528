"""Every text is there in both languages, every id that is used exists, and every error and setting has its words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from client.config import SETTINGS
from protocol.errors import ErrorCode

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "ui" / "locales"
LANGUAGES = ("en", "zh-CN")
MESSAGE = re.compile(r"^([a-zA-Z][\w-]*) =", re.MULTILINE)
PLACEABLE = re.compile(r"\{ ?\$(\w+)")

# Ids made from data; what they are made from is checked below, or is these few words.
FAMILIES = {
    "error-": None,
    "notice-": None,
    "setting-": None,
    "settings-section-": None,
    "presence-": ("online", "away", "busy", "offline", "invisible"),
    "tab-": ("recents", "organisation"),
    "login-": ("server", "user", "password"),
    "emoji-group-": (
        "smileys", "people", "nature", "food", "travel", "activities", "objects", "symbols", "flags",
    ),
}  # fmt: skip

# Errors that end the program before there is a page.
NEVER_IN_THE_PAGE = {
    "already_running",
    "bad_command_line",
    "bad_profile",
    "bad_server",
    "no_display",
    "no_loopback",
    "root",
}


def messages(language: str) -> dict[str, str]:
    """Every message's id and its source."""
    found: dict[str, str] = {}
    for path in sorted((LOCALES / language).glob("*.ftl")):
        text = path.read_text("utf-8")
        starts = list(MESSAGE.finditer(text))
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            assert start[1] not in found, f"{start[1]} twice in {language}"
            found[start[1]] = text[start.start() : following.start() if following else len(text)]
    return found


def client_codes() -> set[str]:
    """The codes of every error that the client raises, from its source."""
    codes = set()
    for path in (ROOT / "client").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name not in ("ClientError", "LinkError", "StoreError", "BridgeError", "UsageError", "ErrorView"):
                continue
            first = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            codes |= {one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return codes


def used_ids() -> set[str]:
    """Every id that the page's source names."""
    used = set()
    for path in [*(ROOT / "ui").glob("*.js"), *(ROOT / "ui" / "components").glob("*.js")]:
        text = path.read_text("utf-8")
        used |= set(re.findall(r"\bt\('([\w-]+)'", text))
        used |= set(re.findall(r"'(card-[\w-]+)'", text))
    return used


def test_both_languages_have_the_same_messages() -> None:
    english, chinese = messages("en"), messages("zh-CN")
    assert english.keys() == chinese.keys()
    for name, source in english.items():
        assert set(PLACEABLE.findall(source)) == set(PLACEABLE.findall(chinese[name])), name


def test_both_languages_have_the_same_files_and_the_page_loads_them() -> None:
    files = [{path.stem for path in (LOCALES / language).glob("*.ftl")} for language in LANGUAGES]
    listed = re.search(r"FILES = \[([^\]]*)\]", (ROOT / "ui" / "i18n.js").read_text("utf-8"))
    assert listed
    assert files[0] == files[1] == set(re.findall(r"'(\w+)'", listed[1]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_id_that_is_used_exists(language: str) -> None:
    known = messages(language)
    wanted = used_ids() | {
        prefix + name for prefix, names in FAMILIES.items() for name in (names or ()) if prefix != "login-" or name
    }
    assert wanted - known.keys() == set()


def test_every_message_is_used() -> None:
    dynamic = tuple(prefix for prefix, names in FAMILIES.items() if names is None)
    spoken = used_ids() | {prefix + name for prefix, names in FAMILIES.items() for name in (names or ())}
    assert {name for name in messages("en") if not name.startswith(dynamic)} - spoken == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_its_words(language: str) -> None:
    codes = ({code.value for code in ErrorCode} | client_codes()) - NEVER_IN_THE_PAGE
    assert {code for code in codes if f"error-{code}" not in messages(language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_its_words(language: str) -> None:
    wanted = {f"setting-{one.name}" for one in SETTINGS}
    wanted |= {f"setting-{one.name}-{choice}" for one in SETTINGS for choice in one.choices}
    wanted |= {f"settings-section-{one.section}" for one in SETTINGS}
    assert wanted - messages(language).keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_has_its_words(language: str) -> None:
    source = "\n".join((ROOT / "client" / name).read_text("utf-8") for name in ("account.py", "engine.py"))
    notices = set(re.findall(r"notice = [^\n]*", source))
    names = {word for line in notices for word in re.findall(r'"([a-z]+-[a-z-]+)"', line)}
    assert names
    assert {name for name in names if f"notice-{name}" not in messages(language)} == set()
