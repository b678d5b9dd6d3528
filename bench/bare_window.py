"""The least that a window can cost: pywebview with one line of text. What bench/start.py compares us with."""

from __future__ import annotations

import sys

import webview


def main() -> None:
    """Show the window until the process is ended; the argument is the port for Chromium's DevTools."""
    webview.settings["REMOTE_DEBUGGING_PORT"] = int(sys.argv[1])
    webview.create_window("Bare", html="<!DOCTYPE html><p data-ready>Hello</p>", width=360, height=720)
    webview.start(gui="qt" if sys.platform == "linux" else None)


if __name__ == "__main__":
    main()
