"""The page with the real program behind it: a real server, two real clients in browser mode, two real pages."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.desktop import Desktop
from tests.support.logs import guard
from tests.support.server import ServerProcess, server

__all__ = ["server"]

PASSWORD = "correct horse battery"


class Desk(NamedTuple):
    """One person's client and its page."""

    client: Desktop
    page: Page


class Desks:
    """Opens clients in browser mode, each with a profile and a page of its own."""

    def __init__(self, stack: ExitStack, browser: Browser, folder: Path, server: ServerProcess) -> None:
        self.stack = stack
        self.browser = browser
        self.folder = folder
        self.server = server
        self.complaints: list[str] = []

    def open(self, name: str) -> Desk:
        client = self.stack.enter_context(
            Desktop(self.folder / name, "--server", self.server.url, browser=True, take_line=guard.line)
        )
        context = self.browser.new_context(viewport={"width": 960, "height": 640}, locale="en")
        context.set_default_timeout(15_000)
        self.stack.callback(context.close)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.goto(client.url)
        return Desk(client, page)

    def log_in(self, name: str) -> Desk:
        desk = self.open(name)
        desk.page.get_by_label("User name").fill(name)
        desk.page.get_by_label("Password", exact=True).fill(PASSWORD)
        desk.page.get_by_role("button", name="Log in").click()
        expect(desk.page.get_by_role("tab", name="Organisation")).to_be_visible()
        return desk


@pytest.fixture
def desks(browser: Browser, server: ServerProcess, tmp_path: Path) -> Iterator[Desks]:
    """Two people at a server, and their desks."""
    # In a thread of its own: Playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(server.add_user, "ann", PASSWORD, "Ann Lee").result()
        thread.submit(server.add_user, "bo", PASSWORD, "薄云").result()
    with ExitStack() as stack:
        desks = Desks(stack, browser, tmp_path, server)
        yield desks
    assert desks.complaints == []


def talk_to(page: Page, name: str) -> None:
    """Find somebody in the tree and open the conversation."""
    page.get_by_role("tab", name="Organisation").click()
    page.locator("[data-person]", has_text=name).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message to").fill(text)
    page.get_by_role("textbox", name="Message to").press("Enter")


def test_two_people_talk(desks: Desks) -> None:
    ann, bo = desks.log_in("ann"), desks.log_in("bo")
    talk_to(ann.page, "薄云")
    say(ann.page, "你好 Bo <b>not bold</b>")
    mine = ann.page.locator("[data-key]")
    expect(mine).to_have_attribute("data-state", "sent")

    row = bo.page.locator("[data-conversation]", has_text="Ann Lee")
    expect(row).to_contain_text("你好 Bo")
    expect(row.locator("[data-unread]")).to_have_text("1")
    row.click()
    expect(bo.page.locator("[data-key] [data-text]")).to_have_text("你好 Bo <b>not bold</b>")
    expect(mine).to_have_attribute("data-state", "read")

    bo.page.get_by_role("textbox", name="Message to").press_sequentially("typ")
    expect(ann.page.locator("[data-typing]")).to_be_visible()
    say(bo.page, "Hi Ann")
    expect(ann.page.locator("[data-key] [data-text]").last).to_have_text("Hi Ann")
    expect(ann.page.locator("[data-typing]")).to_have_count(0)


def test_a_wrong_password_is_told_beside_its_field(desks: Desks) -> None:
    page = desks.open("ann").page
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator('.field:has(#login-password) [data-error="bad_credentials"]')).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_focused()


def test_what_is_written_offline_goes_out_when_the_server_is_back(desks: Desks, server: ServerProcess) -> None:
    ann = desks.log_in("ann")
    talk_to(ann.page, "薄云")
    server.stop()
    expect(ann.page.locator('[data-link="waiting"]').first).to_be_visible()
    say(ann.page, "while away")
    expect(ann.page.locator("[data-key]")).to_have_attribute("data-state", "waiting")
    server.restart()
    ann.page.locator("[data-reconnect]").first.click()
    expect(ann.page.locator("[data-key]")).to_have_attribute("data-state", "sent")


def test_a_setting_changes_the_page_at_once(desks: Desks) -> None:
    page = desks.log_in("ann").page
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Language").select_option("zh-CN")
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    page.get_by_label("外观").select_option("dark")
    expect(page.locator('link[data-appearance="dark"]')).to_have_attribute("media", "all")


def test_one_s_own_state_reaches_the_other(desks: Desks) -> None:
    ann, bo = desks.log_in("ann"), desks.log_in("bo")
    ann.page.get_by_role("tab", name="Organisation").click()
    bo.page.locator("[data-menu-button]").click()
    bo.page.get_by_role("textbox", name="What are you up to?").fill("在客户现场")
    bo.page.get_by_role("radio", name="Busy").click()
    row = ann.page.locator("[data-person]", has_text="薄云")
    expect(row).to_contain_text("在客户现场")
    expect(row.locator(".presence-busy")).to_be_visible()
