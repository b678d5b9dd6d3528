"""The caret rests when nobody types: a window that is only open costs nothing."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.ui.conftest import Show

STYLE = "() => getComputedStyle(document.querySelector('[data-field=user]')).caretAnimation"


def test_the_caret_stands_still_after_ten_seconds_and_blinks_again_with_a_key(show: Show) -> None:
    page = show("login")
    page.clock.install()
    page.evaluate("async () => (await import('./caret.js')).restCaret()")
    root = page.locator("html")
    page.locator("[data-field=user]").press("a")
    page.clock.run_for(9_000)
    expect(root).not_to_have_class(re.compile("resting"))
    page.clock.run_for(1_500)
    expect(root).to_have_class(re.compile("resting"))
    if page.evaluate("CSS.supports('caret-animation', 'manual')"):
        assert page.evaluate(STYLE) == "manual"
    page.locator("[data-field=user]").press("b")
    expect(root).not_to_have_class(re.compile("resting"))
