"""Two colleagues at their desks: real desktop clients in real windows, driven as a person would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from sample.screen import VirtualScreen
from tests.support.desktop import Desktop, Windows
from tests.support.logs import LogGuard
from tests.support.secret_service import SecretService
from tests.support.server import ServerProcess

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Employee:
    """Who sits at a desk."""

    login: str
    password: str
    name: str
    id: str = ""


@dataclass
class Office:
    """A server, a screen with a window manager (without one no window gets the focus), and the log guard."""

    server: ServerProcess
    screen: VirtualScreen
    logs: LogGuard
    profiles: Path

    def hire(self, login: str, name: str) -> Employee:
        """Give somebody an account."""
        employee = Employee(login, f"password of {login}", name)
        employee.id = self.server.add_user(login, employee.password, name)
        return employee

    def desk(self, employee: Employee, *arguments: str, environment: Mapping[str, str] | None = None) -> Desktop:
        """Start somebody's desktop client, with the profile of the last time."""
        return Desktop(
            self.profiles / employee.login,
            *("--server", self.server.url, *arguments),
            environment={**self.screen.environment, **(environment or {})},
            take_line=self.logs.line,
        )


def secrets(keyring: SecretService) -> dict[str, str]:
    """The environment in which a program finds the keyring."""
    return {
        "DBUS_SESSION_BUS_ADDRESS": keyring.environment["DBUS_SESSION_BUS_ADDRESS"],
        "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
    }


def log_in(windows: Windows, employee: Employee, *, remember: bool = False) -> Page:
    """Log in through the page; the main window's page."""
    page = windows.page("main")
    page.locator("[data-field=user]").fill(employee.login)
    page.locator("[data-field=password]").fill(employee.password)
    if remember:
        page.locator("[data-field=remember]").check()
    page.keyboard.press("Enter")
    expect(page.locator("[data-tab]").first).to_be_visible()
    return page


def open_talk(windows: Windows, peer: Employee, conversation: str) -> Page:
    """Find the peer by typing, open the conversation's own window."""
    main = windows.page("main")
    main.locator("[data-search]").fill(peer.name)
    expect(main.get_by_text(peer.name).first).to_be_visible()
    main.keyboard.press("Enter")
    page = windows.page(conversation)
    expect(page.locator("[data-composer] [data-input]")).to_be_visible()
    return page


def say(page: Page, text: str) -> None:
    """Type a message and press Enter."""
    page.locator("[data-composer] [data-input]").click()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def message(page: Page, text: str) -> Locator:
    """The message with this text, wherever the window shows it."""
    return page.locator("[data-key]").filter(has_text=text)


def texts(page: Page) -> list[str]:
    """The texts of all messages that the window shows, in order."""
    return [text.strip() for text in page.locator("[data-key] [data-text]").all_inner_texts()]
