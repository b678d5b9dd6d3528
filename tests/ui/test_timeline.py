"""The timeline: its place never jumps, its DOM stays small, unread and read are told truly."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Show, called, calls, python_of

SIZE = (720, 640)
MOST_NODES = 5_000


def scroller(page: Page) -> str:
    return "document.querySelector('oc-timeline [data-scroller]')"


def bottom_gap(page: Page) -> float:
    gap: float = page.evaluate(f"(s => s.scrollHeight - s.scrollTop - s.clientHeight)({scroller(page)})")
    return gap


def frame(page: Page) -> None:
    """Two frames later everything has been laid out and painted."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_it_opens_at_the_end(show: Show) -> None:
    page = show("conversation-long", size=SIZE, history=400)
    expect(page.locator("[data-key]").last).to_be_in_viewport()
    frame(page)
    assert bottom_gap(page) < 2


@pytest.mark.deadline(120)
def test_10_000_messages_scroll_without_a_jump_and_with_few_nodes(show: Show) -> None:
    """Scroll to the very first message; in each frame, the row in view moves exactly as far as was scrolled."""
    page = show("conversation-long", size=SIZE, history=10_000)
    expect(page.locator("[data-key]").last).to_be_in_viewport()
    result = page.evaluate(
        f"""async () => {{
          const scroller = {scroller(page)};
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const top = (key) => {{
            const row = scroller.querySelector(`[data-key="${{key}}"]`);
            return row ? row.getBoundingClientRect().top : null;
          }};
          let worst = 0, nodes = 0, steps = 0, lost = 0;
          const first = () => scroller.querySelector('[data-key="m-00000001"]');
          while (!(first() && scroller.scrollTop < 2) && steps < 4000) {{
            const box = scroller.getBoundingClientRect();
            const rows = [...scroller.querySelectorAll('[data-key]')];
            const row = rows.find((one) => one.getBoundingClientRect().top > box.top + 40);
            const key = row.dataset.key;
            const before = row.getBoundingClientRect().top;
            const wanted = Math.min(1400, scroller.scrollTop);
            scroller.scrollTop -= wanted;
            await frame();
            await new Promise((done) => setTimeout(done));
            const after = top(key);
            if (after === null) lost += 1;
            else worst = Math.max(worst, Math.abs(after - before - wanted));
            nodes = Math.max(nodes, document.querySelectorAll('oc-timeline *').length);
            steps += 1;
          }}
          return {{ worst, nodes, steps, lost, done: Boolean(first()) }};
        }}"""
    )
    assert result["done"], result
    assert result["lost"] == 0, result
    assert result["worst"] <= 1.5, result
    assert result["nodes"] <= MOST_NODES, result


def test_what_arrives_while_one_reads_above_does_not_move_the_view(show: Show) -> None:
    page = show("conversation-long", size=SIZE, history=400)
    page.evaluate(f"{scroller(page)}.scrollTop -= 1500")
    frame(page)
    jump = page.get_by_role("button", name="To the newest messages")
    expect(jump).to_be_visible()
    key, before = page.evaluate(
        f"""(() => {{ const row = [...{scroller(page)}.querySelectorAll('[data-key]')]
          .find(one => one.getBoundingClientRect().top > 150);
          return [row.dataset.key, row.getBoundingClientRect().top]; }})()"""
    )
    page.evaluate(f"for (let n = 0; n < 300; n += 1) {python_of(page)}.receive(`burst ${{n}}`)")
    frame(page)
    after = page.evaluate(f"document.querySelector('[data-key=\"{key}\"]').getBoundingClientRect().top")
    assert abs(after - before) <= 1
    expect(jump).to_contain_text("99+")
    jump.click()
    expect(page.locator("[data-text]", has_text="burst 299")).to_be_in_viewport()
    expect(jump).to_have_count(0)


def test_the_end_stays_in_view_when_the_window_or_the_composer_changes(show: Show) -> None:
    page = show("conversation-long", size=SIZE, history=100)
    page.set_viewport_size({"width": 420, "height": 500})
    frame(page)
    assert bottom_gap(page) < 2
    page.get_by_role("textbox").fill("a\nb\nc\nd\ne\nf")
    frame(page)
    assert bottom_gap(page) < 2


def test_the_unread_marker_stands_before_the_first_unread(show: Show) -> None:
    page = show("conversation-unread", size=SIZE)
    marker = page.locator("[data-unread-marker]")
    expect(marker).to_have_count(1)
    following = marker.evaluate("node => node.nextElementSibling.dataset.key")
    assert following == "m-00000005"
    page.get_by_role("textbox").fill("answer")
    page.get_by_role("textbox").press("Enter")
    expect(marker).to_have_count(0)


def test_read_is_told_only_where_somebody_can_have_seen_it(show: Show) -> None:
    page = show("conversation-long", size=SIZE, history=400)
    page.evaluate(f"{scroller(page)}.scrollTop -= 2000")
    frame(page)
    page.evaluate(f"{python_of(page)}.receive('unseen')")
    frame(page)
    assert calls(page, "mark_read") == []
    expect(page).to_have_title("(1) 陈思远")
    page.get_by_role("button", name="To the newest messages").click()
    expect(page.locator("[data-text]", has_text="unseen")).to_be_in_viewport()
    called(page, "mark_read")
    assert calls(page, "mark_read") == [{"conversation": "d.me.u1", "seq": 401}]
    expect(page).to_have_title("陈思远")


def test_a_window_without_focus_reads_nothing_and_marks_what_is_new(show: Show) -> None:
    page = show("conversation", size=SIZE)
    page.evaluate("document.hasFocus = () => false")
    page.evaluate(f"{python_of(page)}.receive('while away')")
    expect(page.locator("[data-text]", has_text="while away")).to_be_visible()
    expect(page.locator("[data-unread-marker]")).to_have_count(1)
    assert calls(page, "mark_read") == []
    page.evaluate("document.hasFocus = () => true; window.dispatchEvent(new Event('focus'))")
    called(page, "mark_read")


def test_states_of_one_s_own_messages(show: Show) -> None:
    page = show("conversation-states", size=SIZE)
    for state, text in [("waiting", "Waiting to be sent"), ("sent", "Sent"), ("read", "Read"), ("failed", "Not sent")]:
        expect(page.locator(f'[data-state="{state}"]').get_by_role("img")).to_have_attribute("aria-label", text)
    failed = page.locator('[data-state="failed"]')
    expect(failed).to_contain_text("The text is too long")
    failed.get_by_role("button", name="Try again").click()
    assert calls(page, "retry_message") == [{"key": "state-failed"}]
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)


def test_a_receipt_turns_sent_into_read(show: Show) -> None:
    page = show("conversation", size=SIZE)
    page.get_by_role("textbox").fill("seen?")
    page.get_by_role("textbox").press("Enter")
    mine = page.locator("[data-key]").last
    expect(mine).to_have_attribute("data-state", "sent")
    python = python_of(page)
    page.evaluate(
        f"{python}.emit('conversation_changed', {{conversation: 'd.me.u1', peer: {python}.peer, typing: false,"
        " read_by_peer: 9})"
    )
    expect(mine).to_have_attribute("data-state", "read")


def test_events_give_the_same_picture_as_a_fresh_snapshot(show: Show) -> None:
    """Any order of echoes, states and arrivals ends as the snapshot would show it."""
    page = show("conversation", size=SIZE)
    page.evaluate(
        f"""() => {{
          const python = {python_of(page)};
          const tell = (message) => python.emit('message_changed', {{ conversation: 'd.me.u1', message }});
          const base = {{ at: python.now, sender: 'me', mine: true, error: null }};
          tell({{ ...base, key: 'own-aaaa', seq: 0, text: 'first', state: 'waiting' }});
          tell({{ ...base, key: 'own-bbbb', seq: 0, text: 'second', state: 'waiting' }});
          tell({{ ...base, key: 'peer-cccc', seq: 9, text: 'between', state: 'received', mine: false, sender: 'u1' }});
          tell({{ ...base, key: 'own-aaaa', seq: 10, text: 'first', state: 'sent' }});
          tell({{ ...base, key: 'own-aaaa', seq: 10, text: 'first', state: 'read' }});
          tell({{ ...base, key: 'own-bbbb', seq: 11, text: 'second', state: 'sent' }});
          tell({{ ...base, key: 'peer-cccc', seq: 9, text: 'between', state: 'received', mine: false, sender: 'u1' }});
        }}"""
    )
    expect(page.locator("[data-key] [data-text]").last).to_have_text("second")
    assert page.locator("[data-key] [data-text]").all_text_contents()[-3:] == ["between", "first", "second"]
    assert page.locator("[data-key]").count() == 11


def test_older_history_that_cannot_be_had_says_why(show: Show) -> None:
    page = show("conversation-long", size=SIZE, history=400)
    page.evaluate(
        f"{python_of(page)}.answers.get_older = () => ({{messages: [], has_older: true,"
        " error: {code: 'offline', text: '', retry: true}})"
    )
    page.evaluate(f"{scroller(page)}.scrollTop = 0")
    expect(page.locator(".timeline-top")).to_contain_text("There is no connection")
    page.evaluate(f"delete {python_of(page)}.answers.get_older")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('[data-key="m-00000301"]')).to_be_attached()


def test_many_messages_at_once_are_drawn_once_a_frame(show: Show) -> None:
    page = show("conversation-long", size=(560, 640))
    expect(page.locator("[data-key]").last).to_be_in_viewport()
    drawn, milliseconds = page.evaluate(
        f"""async () => {{
          const timeline = document.querySelector('oc-timeline');
          const update = timeline.update;
          let drawn = 0;
          timeline.update = (changed) => {{ drawn += 1; update.call(timeline, changed); }};
          const began = performance.now();
          const frame = window.requestAnimationFrame;
          window.requestAnimationFrame = () => 0; // no frame comes meanwhile
          const channel = new MessageChannel();
          for (let at = 0; at < 300; at += 1) {{
            {python_of(page)}.receive(`flood ${{at}}`);
            await new Promise((resolve) => {{
              channel.port1.onmessage = resolve;
              channel.port2.postMessage(0);
            }});
          }}
          window.requestAnimationFrame = frame;
          return [drawn, performance.now() - began];
        }}"""
    )
    assert drawn <= milliseconds / 200 + 1  # without frames, what is new waits so long
    expect(page.locator("[data-text]", has_text="flood 299")).to_be_in_viewport()
