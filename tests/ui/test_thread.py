"""The page's thin thread: log in, find a colleague, open a conversation, send and receive."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.ui.conftest import Show, calls, python_of


def test_log_in_shows_the_roster(show: Show) -> None:
    page = show("login-wide", size=(860, 680))
    page.get_by_label("User name").fill("linxy")
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("tab", name="Recent")).to_be_visible()
    assert calls(page, "log_in") == [
        {"server": "chat.example.com", "user": "linxy", "password": "secret", "remember": True}
    ]


def test_a_person_in_the_tree_opens_a_conversation(show: Show) -> None:
    page = show("organisation")
    page.locator("[data-department]", has_text="研发中心").click()
    page.locator("[data-department]", has_text="客户端组").click()
    person = page.locator("[data-person]").first
    person.click()
    assert calls(page, "open_conversation") == [{"peer": person.get_attribute("data-person")}]


def test_send_and_receive(show: Show) -> None:
    page = show("conversation", size=(720, 640))
    composer = page.get_by_role("textbox")
    composer.fill("Hello 你好")
    composer.press("Enter")
    mine = page.locator("[data-key].is-mine").last
    expect(mine.locator("[data-text]")).to_have_text("Hello 你好")
    expect(mine).to_have_attribute("data-state", "sent")
    expect(composer).to_have_value("")
    expect(composer).to_be_focused()
    page.evaluate(f"{python_of(page)}.receive('Hi!')")
    expect(page.locator("[data-key].is-theirs [data-text]").last).to_have_text("Hi!")
    expect(page.get_by_role("log")).to_contain_text("Hi!")
    expect(page.locator("[data-key]").last).to_be_in_viewport()
