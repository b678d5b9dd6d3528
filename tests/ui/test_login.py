"""The log-in page: each failure beside the field it is about, and what the person should know."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Show, calls, python_of


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("bad_credentials", "password"),
        ("account_disabled", "user"),
        ("name_not_found", "server"),
        ("connection_refused", "server"),
        ("timeout", "server"),
        ("certificate_untrusted", "server"),
        ("certificate_expired", "server"),
        ("tls_wanted", "server"),
        ("not_an_oschat_server", "server"),
        ("bad_address", "server"),
        ("update_required", "server"),
    ],
)
def test_a_failure_is_told_beside_its_field(show: Show, code: str, field: str) -> None:
    page = show("login-wide", size=(860, 680))
    page.evaluate(f"{python_of(page)}.fail.log_in = {{ code: '{code}' }}")
    page.get_by_label("Password", exact=True).fill("secret")
    page.keyboard.press("Enter")
    expect(page.locator(f".field:has(#login-{field}) [data-error='{code}']")).to_be_visible()
    box = page.locator(f"#login-{field}")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description(page.locator("[data-error]").inner_text())
    box.press_sequentially("x")
    expect(page.locator("[data-error]")).to_have_count(0)


def test_a_failure_of_no_field_stands_above(show: Show) -> None:
    page = show("login-too-many")
    note = page.locator(".banner-error[data-error='too_many_attempts']")
    expect(note).to_contain_text("seconds")
    expect(page.get_by_role("button", name="Log in")).to_be_disabled()


def test_an_unknown_code_shows_its_own_text(show: Show) -> None:
    page = show("login-wide", size=(860, 680))
    page.evaluate(f"{python_of(page)}.fail.log_in = {{ code: 'from_the_future', text: 'Feed the cat first.' }}")
    page.get_by_label("Password", exact=True).fill("secret")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Feed the cat first.")).to_be_visible()


@pytest.mark.parametrize("field", ["server", "user", "password"])
def test_an_empty_field_is_named_without_asking_python(show: Show, field: str) -> None:
    page = show("login-wide", size=(860, 680))
    page.get_by_label("Password", exact=True).fill("secret")
    page.locator(f"#login-{field}").fill("")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(f"#login-{field}")).to_be_focused()
    expect(page.locator(f"[data-error='missing_{field}']")).to_be_visible()
    assert calls(page, "log_in") == []


def test_the_password_can_be_looked_at(show: Show) -> None:
    page = show("login")
    page.get_by_role("button", name="Show the password").click()
    expect(page.locator("#login-password")).to_have_attribute("type", "text")


def test_a_locked_server_and_a_missing_keyring(show: Show) -> None:
    page = show("login-locked-no-keyring")
    expect(page.get_by_label("Server")).to_have_attribute("readonly", "")
    expect(page.get_by_label("Stay logged in")).to_be_disabled()
    expect(page.get_by_text("This computer has no key store, so")).to_be_visible()
    expect(page.locator("[data-notice='no-keyring']")).to_be_visible()


def test_why_an_earlier_log_in_ended(show: Show) -> None:
    page = show("login-expired")
    expect(page.locator("[data-error='session_expired']")).to_be_visible()


def test_the_busy_form_cannot_be_sent_twice(show: Show) -> None:
    page = show("login-busy")
    expect(page.get_by_role("button", name="Logging in")).to_be_disabled()
    page.get_by_label("Password", exact=True).press("Enter")
    assert len(calls(page, "log_in")) == 1


def test_the_way_to_the_server_can_be_set_before_logging_in(show: Show) -> None:
    page = show("login-wide", size=(860, 680))
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Settings")).to_have_count(0)
