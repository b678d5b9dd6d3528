"""Others' texts stay texts, links are what they say, and the policy holds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Show, calls, python_of

SIZE = (720, 640)

PAYLOADS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "<svg onload=window.ran=1>",
    "<a href='javascript:window.ran=1'>x</a>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "\"><b onmouseover='window.ran=1'>",
    "${window.ran = 1}",
    "{{constructor.constructor('window.ran=1')()}}",
    "<!-- --><style>*{display:none}</style>",
    "</p></div><h1>out</h1>",
    "\u0000<b>\u202ertl\u202c</b>",
    "<template><script>window.ran=1</script></template>",
    "&lt;b&gt;&#x3c;script&#x3e;",
    "<?lit$123$?> <!--?lit$123$-->",
]


def test_hostile_messages_are_shown_as_typed(show: Show) -> None:
    page = show("conversation", size=SIZE)
    before = page.evaluate("document.querySelectorAll('script, style, iframe, img, link, base, object').length")
    for payload in PAYLOADS:
        page.evaluate(f"text => {python_of(page)}.receive(text)", payload)
        shown = page.locator("[data-key] [data-text]").last
        expect(shown).to_have_text(payload.replace("\u202e", "\ufffd"), use_inner_text=False)
        assert shown.evaluate("node => [...node.querySelectorAll('*')].map(one => one.localName)") == []
    after = page.evaluate("document.querySelectorAll('script, style, iframe, img, link, base, object').length")
    assert (before, page.evaluate("window.ran")) == (after, None)
    assert calls(page, "report_problem") == []


def test_hostile_names_titles_and_status_texts_are_texts_everywhere(show: Show) -> None:
    for pattern, size in [("conversation-hostile", SIZE), ("recents-hostile", (320, 640))]:
        page = show(pattern, size=size)
        expect(page.get_by_text("<b>Evil</b>").first).to_be_visible()
        assert page.evaluate("document.querySelectorAll('b, script:not([src]), img[src=x]').length") == 0
        # The override is made visible instead of turning the name around.
        assert "\u202e" not in page.evaluate("document.body.innerText")
        assert "\ufffd" in page.evaluate("document.body.innerText")


@pytest.mark.parametrize("word", ["A" * 5_000, "长" * 5_000, "a" + "\u0301" * 3_000, "\u0628" * 4_000])
def test_endless_words_break_no_layout(show: Show, word: str) -> None:
    page = show("conversation", size=SIZE)
    page.evaluate(
        f"""word => {{
          const python = {python_of(page)};
          python.receive(word);
          const peer = {{ ...python.peer, name: word, title: word, status_text: word }};
          python.emit('conversation_changed', {{ conversation: 'd.me.u1', peer, typing: false, read_by_peer: 0 }});
        }}""",
        word,
    )
    expect(page.locator("[data-key]").last).to_be_visible()
    wide = page.evaluate(
        "[...document.querySelectorAll('oc-app *')].filter(n => n.getBoundingClientRect().right > innerWidth + 1)"
        ".filter(n => !n.closest('.conversation-head, .visually-hidden')).map(n => n.className)"
    )
    assert wide == []
    assert page.evaluate("document.scrollingElement.scrollWidth") == SIZE[0]
    expect(page.get_by_role("textbox")).to_be_in_viewport()


LINKS = [
    ("see https://example.com/a?b=c#d.", ["https://example.com/a?b=c#d"]),
    ("http://a.example, (https://b.example/x_(y))", ["http://a.example", "https://b.example/x_(y)"]),
    ("请看https://example.com/页面", ["https://example.com/"]),
    ("https://example.com好的，谢谢", ["https://example.com"]),
    ("HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A"]),
    ("mailto:a.b@example.com?subject=x", ["mailto:a.b@example.com?subject=x"]),
    ("http://[::1]:8080/x", ["http://[::1]:8080/x"]),
    ("http://localhost:80/", ["http://localhost:80/"]),
    ("https://google.com@evil.example/", ["https://google.com"]),
    ("http://例子.公司/x", ["http://例子.公司/x"]),
    ("javascript:alert(1) data:text/html,x vbscript:x file:///etc/passwd ftp://a.example blob:x about:blank", []),
    ("ms-msdt:/id x smb://a tel:123 oschat://x view-source:x", []),
    ("xhttp://a.example http:// https:///x http://%zz", []),
    ("https://a.example/\u202egnp.exe", ["https://a.example/"]),
]


@pytest.mark.parametrize(("text", "links"), LINKS)
def test_links(show: Show, text: str, links: list[str]) -> None:
    page = show("conversation", size=SIZE)
    page.evaluate(f"text => {python_of(page)}.receive(text)", text)
    message = page.locator("[data-key] [data-text]").last
    expect(message).to_contain_text(text[:6].strip())
    assert message.locator("a > bdi:first-child").all_text_contents() == links
    for number, link in enumerate(links):
        message.locator("a").nth(number).click()
        url = calls(page, "open_link")[-1]["url"]
        assert url.split(":")[0] in ("http", "https", "mailto")
        assert url.lower().startswith(link.lower().split("/")[0])
    assert len(page.context.pages) == 1
    assert "patterns.html" in page.url


def test_a_host_that_looks_like_another_is_told(show: Show) -> None:
    page = show("conversation", size=SIZE)
    page.evaluate(f"{python_of(page)}.receive('http://аpple.com/login')")
    link = page.locator("[data-key] a").last
    expect(link).to_contain_text("(xn--pple-43d.com)")
    link.click()
    assert calls(page, "open_link") == [{"url": "http://xn--pple-43d.com/login"}]


def policy_page(browser: Browser, ui_url: str) -> Page:
    page = browser.new_page()
    page.goto(f"{ui_url}patterns.html?only=recents&lang=en")
    page.wait_for_selector("[data-conversation]")
    return page


def test_markup_that_is_not_ours_is_refused_and_the_host_s_style_is_harmless(browser: Browser, ui_url: str) -> None:
    page = policy_page(browser, ui_url)
    refused = page.evaluate(
        """() => {
          const results = [];
          for (const markup of ['<b>x</b>', '<img src=x onerror=1>', 'body {color: red}']) {
            try { document.createElement('div').innerHTML = markup; results.push('taken'); }
            catch (error) { results.push(error.name); }
          }
          const style = document.createElement('style');
          style.innerHTML = 'body {-webkit-user-select: none; -khtml-user-select: none; -ms-user-select: none; '
            + 'user-select: none; cursor: default;}';
          results.push(style.textContent);
          return results;
        }"""
    )
    assert refused == ["TypeError", "TypeError", "TypeError", ""]
    page.close()


def test_faults_in_the_page_reach_python_s_log(browser: Browser, ui_url: str) -> None:
    page = policy_page(browser, ui_url)
    reports = page.evaluate(
        """async () => {
          const { reportTo } = await import('./trusted.js');
          const reports = [];
          reportTo((text) => reports.push(text));
          setTimeout(() => { throw new Error('a fault on purpose'); });
          Promise.reject({ code: 'on_purpose' });
          const picture = new Image();
          picture.src = 'http://192.0.2.1/x.png';
          await new Promise((done) => document.addEventListener('securitypolicyviolation', done, { once: true }));
          await new Promise((done) => setTimeout(done, 50));
          return reports;
        }"""
    )
    assert any("a fault on purpose" in text for text in reports)
    assert any("on_purpose" in text and "rejection" in text for text in reports)
    assert any("img-src" in text and "192.0.2.1" in text for text in reports)
    page.close()
