"""Every pattern: nothing complains, nothing overflows, axe finds nothing serious."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import ROOT, Show

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def patterns() -> list[str]:
    """The names in patterns.js: a test of its own holds that this is all of them."""
    source = Path(ROOT / "ui" / "patterns.js").read_text("utf-8")
    body = source[source.index("const PATTERNS") : source.index("function talkLine")]
    return re.findall(r"^  '?([a-z-]+)'?: \[", body, re.MULTILINE)


def size_of(name: str) -> tuple[int, int]:
    if name.startswith("docked") or name == "login-wide":
        return (960, 680)
    wide = ("conversation", "emoji", "logged-out")
    return (720, 640) if name.startswith(wide) else (320, 640)


def audit(page: Any) -> list[str]:
    """What axe finds of impact serious or critical."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'],"
        " runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


LOOKS = (("en", "light"), ("zh-CN", "dark"))


@pytest.mark.parametrize(("name", "look"), [(name, LOOKS[at % 2]) for at, name in enumerate(patterns())])
def test_a_pattern(show: Show, name: str, look: tuple[str, str]) -> None:
    """In one look each, by turns: test_look.py computes every theme's contrast, test_words.py holds the languages."""
    lang, theme = look
    # axe writes inline styles of its own; the sheet below is shown under the policy.
    page = show(name, size=size_of(name), lang=lang, theme=theme, bypass_csp=True)
    page.evaluate("Promise.all([document.fonts.ready, new Promise(done => requestIdleCallback(done))])")
    expect(page.locator("html")).to_have_attribute("lang", lang)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size_of(name)[0]
    assert audit(page) == [], f"{name} {lang} {theme}"


def test_the_sheet_shows_them_all(show: Show) -> None:
    page = show("recents")
    names = page.evaluate("document.body.dataset.patterns").split()
    assert names == patterns()
    page.goto(page.url.split("?")[0] + "?lang=en&theme=light")
    expect(page.locator("[data-pattern]").nth(20)).to_be_attached()
    page.get_by_role("link", name="dark").click()
    expect(page.locator("link[data-appearance=dark]")).to_have_attribute("media", "all")


@pytest.mark.parametrize("name", ["settings", "emoji", "card", "login", "recents", "conversation"])
def test_at_200_percent_nothing_is_cut_off(show: Show, name: str) -> None:
    """A window 360 pixels wide, at 200 %, is laid out as 180."""
    page = show(name, size=(180, 360))
    page.evaluate("Promise.all([document.fonts.ready, new Promise(done => requestIdleCallback(done))])")
    control = {"settings": "select", "emoji": "[data-emoji]", "card": "[data-talk]"}.get(name)
    if control:
        page.locator(control).first.wait_for()
    cut = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, textarea')]
          .filter((node) => !node.closest('[role=tablist]') && node.getBoundingClientRect().width > 0)
          .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 || (node.parentElement.scrollWidth >
            node.parentElement.clientWidth + 1 && getComputedStyle(node.parentElement).display === 'grid'))
          .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert cut == []
