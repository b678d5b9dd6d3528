"""Themes are complete and readable: tokens in every theme, contrast computed from them, nothing but tokens in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "ui"
THEMES = sorted(path.parent.name for path in (UI / "themes").glob("*/theme.json"))
TOKEN = re.compile(r"^\s*(--[\w-]+):\s*([^;]+);", re.MULTILINE)

TEXT = 4.5
"""WCAG 2.2 AA, success criterion 1.4.3: text."""
MARK = 3.0
"""WCAG 2.2 AA, success criterion 1.4.11: parts of controls, and marks that carry meaning."""

# What stands on what.
PAIRS: list[tuple[str, str, float]] = [
    *[("text", ground, TEXT) for ground in ("page", "roster", "surface", "field", "hover", "selected", "info-soft")],
    *[("text-muted", ground, TEXT) for ground in ("page", "roster", "surface", "field", "hover", "selected")],
    *[("accent-text", ground, TEXT) for ground in ("page", "roster", "surface", "hover", "selected")],
    *[("error", ground, TEXT) for ground in ("page", "roster", "surface", "hover", "selected", "error-soft")],
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("on-badge", "badge", TEXT),
    ("on-warning-soft", "warning-soft", TEXT),
    *[(f"{on}bubble-{who}{more}", f"bubble-{who}", TEXT)
      for who in ("mine", "theirs") for on, more in (("on-", ""), ("", "-muted"), ("", "-link"))],
    ("error", "bubble-mine", MARK),
    ("accent-text", "bubble-mine", MARK),
    *[(f"on-hue-{number}", f"hue-{number}", TEXT) for number in range(8)],
    *[(state, ground, MARK if state != "away" else 2.4)
      for state in ("online", "away", "busy", "offline") for ground in ("roster", "surface")],
    *[("focus", ground, MARK) for ground in ("page", "roster", "surface")],
]  # fmt: skip


def tokens(theme: str) -> dict[str, str]:
    return dict(TOKEN.findall((UI / "themes" / theme / "theme.css").read_text("utf-8")))


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_contrast(theme: str) -> None:
    colors = tokens(theme)
    weak = [
        f"{on} on {ground}: {contrast(colors[f'--color-{on}'], colors[f'--color-{ground}']):.2f} < {least}"
        for on, ground, least in PAIRS
        if contrast(colors[f"--color-{on}"], colors[f"--color-{ground}"]) < least
    ]
    assert weak == []


def test_every_theme_sets_the_same_tokens() -> None:
    assert len(THEMES) >= 2
    for theme in THEMES:
        assert tokens(theme).keys() == tokens("light").keys(), theme


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_sets_tokens_and_nothing_else(theme: str) -> None:
    source = (UI / "themes" / theme / "theme.css").read_text("utf-8")
    body = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    match = re.fullmatch(r"\s*:root \{(.*)\}\s*", body, re.DOTALL)
    assert match
    rest = TOKEN.sub("", match[1]).split()
    assert rest == ["color-scheme:", f"{json.loads((UI / 'themes' / theme / 'theme.json').read_text())['appearance']};"]


def test_every_token_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    sheets = [path for path in UI.rglob("*.css") if "vendor" not in path.parts]
    used = {name for path in sheets for name in re.findall(r"var\((--[\w-]+)", path.read_text("utf-8"))}
    scripts = "\n".join(path.read_text("utf-8") for path in (UI / "components").glob("*.js"))
    used |= set(re.findall(r"'(--[\w-]+)'", scripts))
    set_in_sheets = {
        name
        for path in sheets
        if path.name not in ("tokens.css", "theme.css")
        for name, _ in TOKEN.findall(path.read_text("utf-8"))
    }
    known = tokens("light").keys() | dict(TOKEN.findall((UI / "styles" / "tokens.css").read_text("utf-8"))).keys()
    assert used - known - set_in_sheets == set()
    assert known - used == set()


def test_every_token_is_documented() -> None:
    document = (UI.parent / "docs" / "theming.md").read_text("utf-8")
    named = set(re.findall(r"`(--[\w-]+)`", document))
    known = tokens("light").keys() | dict(TOKEN.findall((UI / "styles" / "tokens.css").read_text("utf-8"))).keys()
    assert named == known


def test_sheets_use_tokens_for_colours() -> None:
    """A colour written into a component's sheet is one that a theme cannot reach."""
    found = {
        f"{path.name}: {color}"
        for path in [*(UI / "components").glob("*.css"), *(UI / "styles").glob("*.css")]
        for color in re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)|hsla?\([^)]*\)", path.read_text("utf-8"))
    }
    assert found == set()


def test_sheets_use_tokens_for_type_and_corners() -> None:
    """Sizes of type, weights and radii come from the scales, so that they change in one place."""
    found = {
        f"{path.name}: {line.strip()}"
        for path in [*(UI / "components").glob("*.css"), *(UI / "styles").glob("*.css")]
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"\s+(font-size|font-weight|border-radius|border-(start|end)-\w+-radius): ", line)
        and not re.search(r"var\(--|inherit", line)
    }
    assert found == set()


def test_styles_by_class_and_scripts_by_data() -> None:
    for path in (UI / "components").glob("*.css"):
        for selector in re.findall(r"^([^@{}/*][^{}]*)\{", path.read_text("utf-8"), re.MULTILINE):
            assert "#" not in selector, (path.name, selector)
            assert not re.search(r"\[data-(?!field)", selector), (path.name, selector)
    for path in [*(UI / "components").glob("*.js"), *UI.glob("*.js")]:
        for query in re.findall(r"(?:querySelector(?:All)?|closest|matches)\(\s*['`]([^'`]+)", path.read_text("utf-8")):
            assert not query.startswith((".", "#")), (path.name, query)


def test_no_inline_style_handler_or_storage() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|sessionStorage"
        r"|indexedDB|unsafeHTML|style=\"|\son\w+=\""
    )
    for path in [*UI.glob("*.js"), *UI.glob("*.html"), *(UI / "components").glob("*.js")]:
        lines = path.read_text("utf-8").splitlines()
        code = [line for line in lines if not line.lstrip().startswith("//")]
        found = [line.strip() for line in code if forbidden.search(line)]
        if path.name == "patterns.js":
            found = [line for line in found if "onerror" not in line]  # the hostile text itself
        assert found == [], path.name
