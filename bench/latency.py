"""From the Enter key in one person's window to the message in the other's: two real desktop clients, one server.

Both times are taken inside the pages (keydown there, the node's insertion here) by the machine's one clock, so the
measurement adds nothing. One message at a time.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import company, desktop
from protocol.messages import direct_conversation
from tests.support.desktop import Windows
from tests.support.server import ServerProcess

# The addresses of these variables are ours alone: they live in the page for this measurement.
NOTE_ENTER = """() => {
  window.benchEnter = [];
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') window.benchEnter.push(performance.timeOrigin + performance.now());
  }, true);
}"""
NOTE_ARRIVAL = """() => {
  window.benchArrived = new Map();
  new MutationObserver(() => {
    const now = performance.timeOrigin + performance.now();
    for (const node of document.querySelectorAll('[data-text]')) {
      const text = node.textContent.trim();
      if (text.startsWith('bench ') && !window.benchArrived.has(text)) window.benchArrived.set(text, now);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def run(*, short: bool) -> Iterator[dict[str, object]]:
    """The median and the 99th percentile."""
    count = 10 if short else 300
    with tempfile.TemporaryDirectory() as name, desktop.screen() as environment:
        folder = Path(name)
        ids = company.make(folder / "server", 2)
        server = ServerProcess(folder / "server", "--log-level", "warning").start()
        try:
            with (
                sync_playwright() as playwright,
                desktop.clients(playwright, folder, server.url, ["person1", "person2"], environment) as windows,
            ):
                times = _measure(windows, ids, count)
        finally:
            server.stop()
    yield {
        "name": "enter_to_peer_page_ms",
        "messages": count,
        "median": round(statistics.median(times), 1),
        "p99": round(sorted(times)[max(0, -(-99 * count // 100) - 1)], 1),
        "largest": round(max(times), 1),
    }


def _measure(windows: list[Windows], ids: list[str], count: int) -> list[float]:
    sender, receiver = (
        _conversation(window, ids[1 - index], direct_conversation(*ids)) for index, window in enumerate(windows)
    )
    sender.evaluate(NOTE_ENTER)
    receiver.evaluate(NOTE_ARRIVAL)
    box = sender.locator("[data-input]")
    for number in range(count):
        text = f"bench {number:05d}"
        box.fill(text)
        box.press("Enter")
        receiver.wait_for_function("(text) => window.benchArrived.has(text)", arg=text, timeout=desktop.WAIT_MS)
    pressed: list[float] = sender.evaluate("() => window.benchEnter")
    arrived: list[float] = receiver.evaluate("() => [...window.benchArrived.values()]")
    assert len(pressed) == len(arrived) == count
    return [there - here for here, there in zip(pressed, arrived, strict=True)]


def _conversation(windows: Windows, peer: str, conversation: str) -> Page:
    """Search for the peer, and open the conversation's window."""
    main = windows.page("main")
    main.locator("[data-search]").fill("Person")
    main.locator(f'[data-person="{peer}"]').click(timeout=desktop.WAIT_MS)
    page = windows.page(conversation)
    page.locator("[data-input]").wait_for(timeout=desktop.WAIT_MS)
    return page
