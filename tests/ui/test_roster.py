"""The main window: tree, search, recents, own status, link, settings; by mouse and by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.ui.conftest import Show, called, calls, python_of


def organisation(show: Show, **query: object) -> Page:
    page = show("organisation", **query)
    expect(page.locator("[data-department]").first).to_be_visible()
    return page


def active(page: Page) -> str:
    """The label of the row that a screen reader is told of."""
    label: str = page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        "?.textContent.replace(/\\s+/g, ' ').replace(/ , /g, ', ').trim() ?? ''"
    )
    return label


def test_the_tree_by_keyboard_alone(show: Show) -> None:
    page = organisation(show)
    page.get_by_role("tree").focus()
    assert active(page).startswith("云杉科技 Spruce")
    page.keyboard.press("ArrowDown")
    assert active(page).startswith("研发中心, 13 of 18")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-department]", has_text="平台组")).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert active(page).startswith("平台组")
    page.keyboard.press("ArrowLeft")
    assert active(page).startswith("研发中心")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-department]", has_text="平台组")).to_have_count(0)
    page.keyboard.press("End")
    assert active(page).startswith("Finance")
    page.keyboard.press("Home")
    assert active(page).startswith("云杉")
    page.keyboard.press("f")
    assert active(page).startswith("Finance")
    page.keyboard.press("Enter")
    expect(page.locator("[data-person]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    called(page, "open_conversation")


def test_the_tree_says_its_structure(show: Show) -> None:
    page = organisation(show)
    row = page.get_by_role("treeitem", name="云杉科技 Spruce")
    expect(row).to_have_attribute("aria-level", "1")
    expect(row).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("treeitem", name="研发中心")).to_have_attribute("aria-expanded", "false")


def test_100_000_people_need_few_nodes(show: Show) -> None:
    page = organisation(show, people=100_000)
    page.get_by_role("tree").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem", name="Finance 167")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("[data-person]").first).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator(".is-active[data-person]")).to_be_in_viewport()
    assert page.evaluate("document.querySelectorAll('*').length") < 1_500
    limits = [call["limit"] for call in calls(page, "get_tree")]
    assert max(limits) <= 500
    assert len(limits) < 20


def test_presence_that_changes_shows_and_the_place_stays(show: Show) -> None:
    page = organisation(show)
    page.locator("[data-department]", has_text="Finance").click()
    row = page.locator("[data-person]").first
    name = row.locator(".person-name").inner_text()
    page.evaluate(
        f"""name => {{
          const python = {python_of(page)};
          for (const one of python.company.all) if (one.name === name) one.presence = 'busy';
          python.emit('directory_changed');
        }}""",
        name,
    )
    expect(row.locator(".presence-busy")).to_be_visible()


def test_half_typed_pinyin_is_not_searched(show: Show) -> None:
    page = show("recents")
    search = page.get_by_role("textbox", name="Search")
    search.focus()
    session = page.context.new_cdp_session(page)
    for part in ("g", "go", "gong"):
        session.send("Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)})
    assert calls(page, "search") == []
    session.send("Input.insertText", {"text": "工"})
    called(page, "search")
    assert [call["query"] for call in calls(page, "search")] == ["工"]


def test_search_finds_opens_and_ends(show: Show) -> None:
    page = show("recents")
    page.keyboard.press("Control+k")
    search = page.get_by_role("textbox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.type("设计师")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    called(page, "open_conversation")
    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    expect(page.get_by_role("tab", name="Recent")).to_be_visible()
    page.keyboard.type("设计师")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox", name="Search results")).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_be_focused()
    expect(search).to_have_value("")


def test_a_found_department_shows_its_people(show: Show) -> None:
    page = show("recents")
    page.get_by_role("textbox", name="Search").fill("finance")
    page.locator("[data-department]").click()
    expect(page.get_by_role("textbox", name="Search")).to_have_value("Finance")
    expect(page.locator("[data-person]").first).to_be_visible()


def test_answers_to_an_older_search_are_not_shown(show: Show) -> None:
    """A slow answer to what was typed first must not replace the later one."""
    page = show("recents")
    page.evaluate(
        f"""() => {{
          const python = {python_of(page)};
          python.answers.search = async (args) => {{
            if (args.query === 'a') await new Promise((done) => {{ window.release = done; }});
            return python._search(args);
          }};
        }}"""
    )
    search = page.get_by_role("textbox", name="Search")
    search.fill("a")
    search.fill("zzz")
    expect(page.get_by_text("Nobody found")).to_be_visible()
    page.evaluate("window.release()")
    page.evaluate("new Promise(done => setTimeout(done))")
    expect(page.get_by_text("Nobody found")).to_be_visible()


def test_recents_show_what_waits(show: Show) -> None:
    page = show("recents")
    rows = page.get_by_role("option")
    expect(rows.nth(1).locator("[data-unread]")).to_have_text("3")
    expect(rows.nth(4).locator("[data-unread]")).to_have_text("99+")
    expect(rows.nth(2)).to_contain_text("typing…")
    expect(rows.nth(3)).to_contain_text("Draft:")
    expect(rows.nth(5)).to_contain_text("Wants to talk to you")
    expect(rows.nth(6)).to_contain_text("a message was not sent")
    expect(page).to_have_title("(131) 云杉科技 – Oschat")


def test_one_s_own_state_and_status_text(show: Show) -> None:
    page = show("recents")
    page.locator("[data-menu-button]").press("Enter")
    expect(page.get_by_role("radio", name="Online")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert calls(page, "choose_presence") == [{"state": "busy", "text": ""}]
    expect(page.locator("[data-menu-button]")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="What are you up to?").fill("专注写代码")
    page.keyboard.press("Enter")
    assert calls(page, "choose_presence")[-1] == {"state": "busy", "text": "专注写代码"}
    expect(page.locator("[data-menu-button]")).to_contain_text("专注写代码")


def test_logging_out_asks_once_more(show: Show) -> None:
    page = show("recents")
    page.locator("[data-menu-button]").click()
    page.locator("[data-log-out]").click()
    assert calls(page, "log_out") == []
    page.locator("[data-log-out]").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()


def test_the_link_s_state_is_shown_and_another_attempt_is_one_click(show: Show) -> None:
    page = show("offline")
    expect(page.locator('[data-link="waiting"]')).to_contain_text("Next attempt in")
    page.get_by_role("button", name="Try now").click()
    assert len(calls(page, "reconnect_now")) == 1
    page.evaluate(f"{python_of(page)}.change({{link: {{state: 'online', retry_at: null, error: null}}}})")
    expect(page.locator("[data-link]")).to_have_count(0)


def test_settings_change_at_once_and_the_dialog_keeps_the_focus(show: Show) -> None:
    page = show("settings")
    dialog = page.get_by_role("dialog", name="Settings")
    dialog.get_by_label("Language").select_option("zh-CN")
    expect(page.get_by_role("dialog", name="设置")).to_be_visible()
    page.get_by_label("显示“正在输入”").click()
    assert calls(page, "change_setting") == [
        {"name": "language", "value": "zh-CN"},
        {"name": "send_typing", "value": False},
    ]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_card_tells_who_somebody_is_and_leads_to_them(show: Show) -> None:
    page = organisation(show)
    page.locator("[data-department]", has_text="Finance").click()
    page.get_by_role("tree").focus()
    page.locator("[data-person]").first.hover()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("E-mail")
    dialog.get_by_role("button", name="Send a message").click()
    called(page, "open_conversation")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_docked_conversation_stands_beside_the_list(show: Show) -> None:
    page = show("docked", size=(960, 640))
    expect(page.get_by_role("heading", name="陈思远")).to_be_visible()
    expect(page.get_by_role("option").first).to_be_visible()
    page.get_by_role("option").nth(1).click()
    called(page, "close_conversation")
    page.set_viewport_size({"width": 400, "height": 640})
    expect(page.get_by_role("option").first).to_be_hidden()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.get_by_role("option").first).to_be_visible()


def test_a_click_that_python_refuses_says_why(show: Show) -> None:
    page = show("recents")
    page.evaluate(f"{python_of(page)}.fail.open_conversation = {{ code: 'no_such_user' }}")
    page.get_by_role("option").first.click()
    expect(page.locator("[data-note]")).to_have_text("There is no such person in the directory.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("[data-note]")).to_have_count(0)
