"""A hostile page in the real window: what it tries is refused by policy, by the window host, or by both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.desktop import Desktop
from tests.support.devtools import DevTools
from tests.support.logs import guard
from tests.support.small_page import write_page


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """One client for all of these: none of the attempts may leave a trace."""
    folder = tmp_path_factory.mktemp("client")
    flags = {"QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox --use-fake-device-for-media-stream"}
    with Desktop(
        folder / "profile",
        "--ui",
        str(write_page(folder / "ui")),
        module="tests.support.small_client",
        environment=flags,
        take_line=guard.line,
    ) as client:
        client.wait("page connected", window="main")
        yield client


@pytest.fixture(scope="module")
def page(client: Desktop) -> Iterator[DevTools]:
    page = DevTools(client.debugging_port, "main")
    page.until("document.getElementById('ready').textContent === 'main'")
    yield page
    page.close()


def violations(page: DevTools) -> list[str]:
    found: list[str] = page.evaluate("violations.splice(0)")
    return found


def here(page: DevTools) -> bool:
    """Whether the page is still the one that began."""
    return bool(
        page.evaluate(
            "location.pathname.endsWith('/index.html') && document.getElementById('ready').textContent === 'main'"
        )
    )


def test_our_own_files_work(page: DevTools) -> None:
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(1, 2, 3)"


def test_inline_script_does_not_run(page: DevTools) -> None:
    assert page.evaluate("typeof inlineRan") == "undefined"


def test_eval_is_refused(page: DevTools) -> None:
    assert page.call("act", "eval") == "EvalError"
    assert set(violations(page)) <= {"script-src", "require-trusted-types-for"}


def test_markup_from_a_string_is_refused(page: DevTools) -> None:
    assert page.call("act", "html") == "TypeError"
    assert violations(page) == ["require-trusted-types-for"]


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/", "http://127.0.0.1:1/", "https://example.com/", "file:///etc/passwd"]
)
def test_nothing_foreign_is_fetched(page: DevTools, url: str) -> None:
    assert page.call("act", "fetch", url) == "TypeError"
    assert violations(page) == ["connect-src"]


def test_no_foreign_socket_is_opened(page: DevTools) -> None:
    assert page.call("act", "socket", "ws://127.0.0.1:1/") in ("refused", "SecurityError")
    assert violations(page) == ["connect-src"]


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "data:text/html,hello", "index.html"])
def test_no_frame_is_opened(page: DevTools, url: str) -> None:
    assert page.call("act", "frame", url) in ("foreign", "none", "about:blank", "SecurityError")
    assert violations(page) == ["frame-src"]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_microphone_and_camera_are_refused(page: DevTools, kind: str) -> None:
    assert page.call("act", "media", kind) in ("NotAllowedError", "AbortError")


def test_the_window_refuses_microphone_and_camera_by_itself(client: Desktop) -> None:
    """Behind the Permissions-Policy header stands the window host, which pywebview would have grant everything."""
    assert client.wait("permission refused", kind="MediaAudioCapture")
    assert client.wait("flags of pywebview ignored")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/", "https://example.com/", "data:text/html,hello", "file:///etc/passwd"]
)
def test_the_main_frame_stays_at_our_address(page: DevTools, client: Desktop, url: str) -> None:
    before = len(client.lines)
    assert page.call("act", "go", url) == "asked"
    page.call("call", "report_problem", {"text": "still here"})
    client.wait("page problem", after=before, text="still here")
    assert here(page)


def test_a_page_that_empties_itself_comes_back(page: DevTools, client: Desktop) -> None:
    before = len(client.lines)
    page.evaluate("void (location.href = 'about:blank')")
    client.wait("navigation undone", after=before)
    client.wait("page connected", after=before)
    page.until("globalThis.act && document.getElementById('ready').textContent === 'main'")


def test_leaving_is_refused_and_logged(page: DevTools, client: Desktop) -> None:
    before = len(client.lines)
    page.call("act", "go", "http://192.0.2.1/")
    assert client.wait("navigation refused", after=before)["scheme"] == "http"


def test_another_page_of_our_own_port_is_refused(page: DevTools, client: Desktop) -> None:
    """The same origin without the token: not ours."""
    before = len(client.lines)
    page.call("act", "go", "/index.html")
    client.wait("navigation refused", after=before)
    assert here(page)


def test_pywebview_has_no_bridge_in_the_page(page: DevTools) -> None:
    assert page.evaluate("[typeof pywebview, typeof qt, typeof QWebChannel, typeof external?.call]") == [
        "undefined",
        "undefined",
        "undefined",
        "undefined",
    ]


def test_there_is_no_web_storage_to_leave_secrets_in(page: DevTools) -> None:
    assert (
        page.evaluate("(() => { try { localStorage.setItem('a', 'b'); return 'kept' } catch { return 'none' } })()")
        == "none"
    )


def test_the_bridge_refuses_what_is_not_on_its_list(page: DevTools) -> None:
    guard.expect("call refused")
    answer = page.call("call", "engine.__class__", {})
    assert answer["error"]["code"] == "unknown_method"
    answer = page.call("call", "set_title", {"title": {"toString": 1}})
    assert answer["error"]["code"] == "bad_call"


def test_a_link_of_another_kind_is_not_opened(page: DevTools, client: Desktop) -> None:
    before = len(client.lines)
    for url in ("file:///etc/passwd", "javascript:alert(1)", "smb://host/share"):
        page.call("call", "open_link", {"url": url})
    for scheme in ("file", "javascript", "smb"):
        client.wait("link refused", after=before, scheme=scheme)


def test_no_new_window_opens(client: Desktop, page: DevTools) -> None:
    for attempt in ("window.open('http://192.0.2.1/')", "document.getElementById('out').click()"):
        before = len(client.lines)
        page.evaluate(f"void {attempt}")
        client.wait("new window refused", after=before)
    assert here(page)


def test_a_download_does_not_happen(client: Desktop, page: DevTools, tmp_path_factory: pytest.TempPathFactory) -> None:
    page.evaluate("document.getElementById('file').click()")
    page.call("call", "start")
    assert here(page)
    assert not [path for path in client.profile.parent.rglob("page*.css") if path.parent.name != "ui"]


def test_the_log_file_keeps_the_secret_of_the_address(client: Desktop) -> None:
    token = client.url.split("/")[3]
    text = (client.profile / "client.log").read_text("utf-8")
    assert "ui ready" in text
    assert token not in text


def test_the_windows_say_nothing_to_a_person_at_the_terminal(client: Desktop) -> None:
    assert not [line for line in client.told() if not line.startswith("DevTools listening")]
