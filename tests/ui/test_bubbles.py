"""How a message stands in its bubble, and a docked conversation in a narrow window."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Show, python_of


def receive(page: Page, text: str) -> float:
    """The height of the text's block once the message is there."""
    page.evaluate(f"text => {python_of(page)}.receive(text)", text)
    block = page.locator("[data-key] [data-text]").last
    expect(block).to_have_text(text, use_inner_text=True)
    height: float = block.evaluate("node => node.closest('p').getBoundingClientRect().height")
    return height


def test_a_time_on_a_line_of_its_own_leaves_no_empty_line(show: Show) -> None:
    page = show("conversation", size=(720, 640))
    line = receive(page, "one line")
    two = receive(page, "one line\ntwo lines")
    assert two == pytest.approx(2 * line, abs=1)
    heights = {receive(page, "w" * length) for length in range(30, 60)}
    alone = [height for height in heights if line < height < two]
    assert len(alone) == 1, heights  # somewhere the line is full and the time goes below it, on a lower line
    assert alone[0] - line < line * 0.7


def test_white_space_within_a_message_is_kept(show: Show) -> None:
    page = show("conversation", size=(720, 640))
    receive(page, "first\n\n\tindented  twice")
    words = page.locator("[data-key] [data-text]").last
    assert words.evaluate("node => node.textContent") == "first\n\n\tindented  twice"


@pytest.mark.parametrize(
    ("text", "large"),
    [
        *((text, True) for text in ("👍", "😂😂😂", "❤️", "👨‍👩‍👧", "🇨🇳", "👋🏽 🎉", "1️⃣")),
        *((text, False) for text in ("👍👍👍👍", "好👍", "1", "123", "#", "ok", "©", "👍" * 5000)),
    ],
)
def test_few_emoji_alone_are_shown_larger(show: Show, text: str, large: bool) -> None:
    page = show("conversation")
    assert page.evaluate("async text => (await import('./format.js')).onlyEmoji(text)", text) is large


def test_a_docked_conversation_in_a_narrow_window_always_has_a_way_back(show: Show) -> None:
    page = show("docked", size=(500, 640))
    page.get_by_role("button", name="Back to the list").click()
    page.evaluate(f"{python_of(page)}.fail.get_conversation = {{ code: 'no_such_conversation' }}")
    page.locator("[data-index='1']").click()
    expect(page.get_by_text("This conversation could not be opened")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator("[data-search]")).to_be_visible()


def test_a_docked_conversation_tells_of_the_link_where_the_roster_is_out_of_sight(show: Show) -> None:
    page = show("docked", size=(500, 640))
    expect(page.get_by_role("button", name="Back to the list")).to_be_visible()
    link = "{ state: 'waiting', retry_at: Date.now() + 60_000, error: null }"
    page.evaluate(f"{python_of(page)}.change({{ link: {link} }})")
    told = page.locator("[data-link=waiting]").filter(visible=True)
    expect(told).to_have_count(1)
    page.set_viewport_size({"width": 1200, "height": 640})
    expect(told).to_have_count(1)
