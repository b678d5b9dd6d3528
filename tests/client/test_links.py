"""Links go to the system's browser, and only those that can do no harm."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from client.desktop.links import may_open, open_link


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?b=c#d",
        "http://localhost:8000",
        "HTTPS://EXAMPLE.COM/",
        "https://例子.中国/路径",
        "mailto:ann@example.com?subject=hi",
    ],
)
def test_links_that_are_opened(url: str) -> None:
    assert may_open(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "http:",
        "https:///path",
        "http://[::1",
        "mailto:",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "smb://host/share",
        "vbscript:x",
        "oschat://x",
        "--version",
        " https://example.com",
        "https://example.com\n--flag",
        "https://exa mple.com",
        "https://example.com/\x00",
    ],
)
def test_links_that_are_not(url: str) -> None:
    assert not may_open(url)


def test_the_system_is_handed_the_link_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an xdg-open of our own, which writes its arguments down, on the path."""
    os.mkfifo(tmp_path / "pipe")
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$#" "$@" > "{tmp_path}/pipe"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    url = "https://example.com/?q=a;b&c=$(id)'\""
    open_link("file:///etc/passwd")
    open_link(url)
    assert (tmp_path / "pipe").read_text() == f"1|{url}|"
    for thread in threading.enumerate():
        if thread.name == "link":
            thread.join(10)
