"""An office for end-to-end tests: a real server, a virtual screen with a window manager, Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from sample.screen import VirtualScreen
from tests.e2e.people import Office
from tests.support.logs import LogGuard
from tests.support.secret_service import SecretService
from tests.support.server import ServerProcess, server

__all__ = ["server"]


@pytest.fixture(scope="module")  # not longer: while it runs, this thread has a running event loop
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def screen() -> Iterator[VirtualScreen]:
    with VirtualScreen() as screen:
        yield screen


@pytest.fixture
def office(server: ServerProcess, screen: VirtualScreen, logs: LogGuard, tmp_path: Path) -> Office:
    return Office(server, screen, logs, tmp_path)


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[SecretService]:
    service = SecretService(tmp_path / "keyring")
    service.unlock()
    yield service
    service.close()
