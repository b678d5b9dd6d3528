"""The demo's short conversation: typed into the real windows of two clients, with a picture of each window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, Playwright, expect

from protocol.messages import direct_conversation
from tests.support.desktop import Desktop, Windows

WAIT_MS = 20_000

CONVERSATION = (
    ("emma", "Good morning! Is the build for Hamburg ready?"),
    ("lin", "早上好！Yes: built, tested and signed an hour ago."),
    ("emma", "Wonderful. And if their network fails for five minutes?"),
    ("lin", "什么都不会丢。Everything waits on disk and goes out once, in order. 👍"),
    ("emma", "Then I will tell James. 谢谢，林月！"),
)


class Actor(NamedTuple):
    """One of the two: their client, its windows, and who they are."""

    name: str
    user: str
    client: Desktop
    windows: Windows


class Camera:
    """Takes pictures into a folder, numbered in the order in which they were taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: list[Path] = []

    def take(self, page: Page, name: str) -> None:
        """A picture of this window's page."""
        path = self.folder / f"{len(self.taken) + 1:02d}-{name}.png"
        page.screenshot(path=path, animations="disabled")
        self.taken.append(path)


def log_in(one: Actor, password: str, camera: Camera) -> None:
    """Type the password into the log-in page; the rest was given when the program was started."""
    page = one.windows.page("main")
    field = page.locator('[data-field="password"]')
    expect(field).to_be_visible(timeout=WAIT_MS)
    camera.take(page, f"{one.name}-log-in")
    field.fill(password)
    field.press("Enter")
    expect(page.locator("[data-search]")).to_be_visible(timeout=WAIT_MS)
    note = page.locator("[data-note]")  # it says that there is no keyring, which is so on purpose
    note.get_by_role("button").click(timeout=WAIT_MS)


def talk(emma: Actor, lin: Actor, camera: Camera) -> None:
    """Emma finds Lin Yue and opens a window; they talk; each window is photographed."""
    conversation = direct_conversation(emma.user, lin.user)
    main = emma.windows.page("main")
    main.locator("[data-search]").fill("林月")
    row = main.locator(f'[data-person="{lin.user}"]')
    expect(row).to_be_visible(timeout=WAIT_MS)
    camera.take(main, "emma-search")
    row.click()
    pages = {"emma": emma.windows.page(conversation)}
    print("  Emma searched for 林月 and opened a window for her.", flush=True)
    for number, (who, text) in enumerate(CONVERSATION):
        other = "lin" if who == "emma" else "emma"
        page = pages[who]
        box = page.locator("[data-input]")
        box.fill(text)
        sent = time.perf_counter()
        box.press("Enter")
        if other not in pages:
            pages[other] = _answer_the_call(lin, conversation, camera)
        expect(pages[other].locator("[data-text]").filter(has_text=text)).to_be_visible(timeout=WAIT_MS)
        took = f" (seen {1000 * (time.perf_counter() - sent):.0f} ms after Enter)" if number else ""
        print(f"  {'Emma' if who == 'emma' else '林月'}: {text}{took}", flush=True)
    last = pages["emma"].locator('[data-state="read"]').filter(has_text=CONVERSATION[-1][1])
    expect(last).to_be_visible(timeout=WAIT_MS)
    print("  Emma's last message is marked as read.", flush=True)
    main.locator("[data-search]").fill("")
    for one in (emma, lin):
        camera.take(pages[one.name], f"{one.name}-conversation")
        roster = one.windows.page("main")
        expect(roster.locator(f'[data-conversation="{conversation}"]')).to_be_visible(timeout=WAIT_MS)
        camera.take(roster, f"{one.name}-roster")
        roster.locator('[data-tab="organisation"]').click()
        for department in ("Engineering", "Client", "Desktop"):
            roster.locator("[data-department]").filter(has_text=department).first.click(timeout=WAIT_MS)
        expect(roster.locator(f'[data-person="{lin.user}"]')).to_be_visible(timeout=WAIT_MS)
        camera.take(roster, f"{one.name}-organisation")


def _answer_the_call(lin: Actor, conversation: str, camera: Camera) -> Page:
    """Lin Yue sees that somebody wrote, and opens the window."""
    roster = lin.windows.page("main")
    row = roster.locator(f'[data-conversation="{conversation}"]')
    expect(row.locator("[data-unread]")).to_be_visible(timeout=WAIT_MS)
    camera.take(roster, "lin-unread")
    row.click()
    return lin.windows.page(conversation)


def connect(playwright: Playwright, client: Desktop) -> Windows:
    """Reach the windows of a client that was started with a debugging port."""
    client.wait("page connected", window="main")  # a page that still loads can let the connection hang
    address = f"http://127.0.0.1:{client.debugging_port}"
    return Windows(playwright.chromium.connect_over_cdp(address, no_defaults=True))
