"""The composer: Enter and input methods, lines, drafts, limits, emoji."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Show, called, calls, python_of

SIZE = (720, 640)


@pytest.fixture
def page(show: Show) -> Page:
    return show("conversation", size=SIZE)


def compose(page: Page, text: str) -> None:
    """Show `text` as an input method's unconfirmed text, in the real engine."""
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def confirm(page: Page, text: str) -> None:
    """End the composition with `text`."""
    page.context.new_cdp_session(page).send("Input.insertText", {"text": text})


def sent(page: Page) -> list[str]:
    return [call["text"] for call in calls(page, "send_message")]


def test_enter_that_confirms_a_candidate_does_not_send(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.focus()
    compose(page, "nihao")
    page.context.new_cdp_session(page).send(
        "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    )
    assert sent(page) == []
    confirm(page, "你好")
    expect(composer).to_have_value("你好")
    composer.press("Enter")
    assert sent(page) == ["你好"]


@pytest.mark.parametrize("key", [{"isComposing": True}, {"keyCode": 229}])
def test_a_key_that_belongs_to_the_input_method_does_not_send(page: Page, key: dict[str, object]) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("ni")
    composer.evaluate(
        "(node, key) => node.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, ...key}))", key
    )
    assert sent(page) == []


def test_webkit_s_enter_right_after_the_composition_does_not_send(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("你好")
    composer.evaluate(
        """node => {
          node.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '你好' }));
          node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
        }"""
    )
    assert sent(page) == []
    composer.press("Enter")
    assert sent(page) == ["你好"]


def test_shift_enter_breaks_the_line_and_the_composer_grows(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.focus()
    low = composer.bounding_box()
    for line in "abc":
        page.keyboard.type(line)
        page.keyboard.press("Shift+Enter")
    high = composer.bounding_box()
    assert low and high and high["height"] > low["height"] + 30
    for _ in range(40):
        page.keyboard.press("Shift+Enter")
    most = composer.bounding_box()
    assert most and most["height"] <= 221
    assert sent(page) == []
    composer.press("Enter")
    assert sent(page) == ["a\nb\nc"]
    expect(composer).to_have_value("")


def test_white_space_alone_is_not_sent(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("  \n ")
    composer.press("Enter")
    assert sent(page) == []


def test_a_draft_is_saved_as_one_pauses_and_gone_once_sent(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("half a thought")
    called(page, "save_draft")
    assert calls(page, "save_draft")[-1] == {"conversation": "d.me.u1", "text": "half a thought"}
    composer.press("Enter")
    assert calls(page, "save_draft")[-1]["text"] == ""


def test_a_draft_is_saved_at_once_when_the_focus_leaves(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("half a thought")
    composer.blur()
    assert calls(page, "save_draft")[-1]["text"] == "half a thought"


def test_a_draft_comes_back(show: Show) -> None:
    page = show("conversation-draft", size=SIZE)
    expect(page.get_by_role("textbox")).to_have_value("没写完的话")


def test_the_limit_is_told_and_kept(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.fill("字" * 10_001)
    expect(page.locator(".composer-count")).to_have_text("10,001 / 10,000")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    composer.press("Enter")
    assert sent(page) == []
    composer.fill("😀" * 10_000)  # Code points count, not UTF-16 units.
    composer.press("Enter")
    assert len(sent(page)) == 1


def test_a_message_that_python_refuses_comes_back(page: Page) -> None:
    page.evaluate(f"{python_of(page)}.fail.send_message = {{ code: 'disk_full' }}")
    composer = page.get_by_role("textbox")
    composer.fill("precious")
    composer.press("Enter")
    expect(page.locator('[data-error="disk_full"]')).to_be_visible()
    expect(composer).to_have_value("precious")


def test_typing_is_told_thinned_and_ended(page: Page) -> None:
    composer = page.get_by_role("textbox")
    composer.press_sequentially("hello")
    assert calls(page, "set_typing") == [{"conversation": "d.me.u1", "on": True}]
    composer.fill("")
    assert calls(page, "set_typing")[-1]["on"] is False


@pytest.mark.parametrize(("word", "emoji"), [("rocket", "🚀"), ("火箭", "🚀"), ("thumbs up", "👍"), ("huo jian", "🚀")])
def test_emoji_are_found_in_both_languages(page: Page, word: str, emoji: str) -> None:
    composer = page.get_by_role("textbox", name="Message to")
    composer.fill("ab")
    composer.press("ArrowLeft")
    page.get_by_role("button", name="Emoji").click()
    search = page.get_by_role("textbox", name="Search emoji")
    expect(search).to_be_focused()
    search.fill(word)
    expect(page.locator("[data-emoji]").first).to_be_visible()
    page.locator(f'[data-emoji^="{emoji}"]').first.click()
    expect(composer).to_have_value(re.compile(f"^a{emoji}.?b$"))
    expect(composer).to_be_focused()


def test_emoji_by_keyboard_alone(page: Page) -> None:
    page.get_by_role("button", name="Emoji").press("Enter")
    page.get_by_role("textbox", name="Search emoji").fill("party popper")
    expect(page.locator("[data-emoji]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("🎉")
    page.get_by_role("button", name="Emoji").press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("oc-emoji-picker")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message to")).to_be_focused()


def test_nothing_can_be_written_to_a_disabled_account(show: Show) -> None:
    page = show("conversation-disabled", size=SIZE)
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_text("This account is disabled")).to_be_visible()
