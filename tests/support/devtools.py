"""A bare DevTools connection to a window, where Playwright's waiting for navigations and new windows is in the way."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import websocket


class DevTools:
    """Evaluates in the page of a window. The protocol: https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, port: int, window: str) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            targets = json.load(answer)
        target = next(each for each in targets if each["url"].endswith(f"window={window}"))
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=20, suppress_origin=True)
        self._last = 0

    def evaluate(self, expression: str) -> Any:
        """The value, awaited where it is a promise. As if a person had just clicked, and under the page's policy."""
        self._last += 1
        parameters = {
            "expression": expression,
            "awaitPromise": True,
            "returnByValue": True,
            "userGesture": True,
            "allowUnsafeEvalBlockedByCSP": False,
        }
        self._socket.send(json.dumps({"id": self._last, "method": "Runtime.evaluate", "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._last:
                break
        result = message["result"]
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def call(self, function: str, *arguments: object) -> Any:
        """The value of a call of a global function of the page."""
        return self.evaluate(f"{function}({', '.join(json.dumps(argument) for argument in arguments)})")

    def until(self, expression: str) -> None:
        """Wait, in the page, until the expression is true."""
        self.evaluate(
            "new Promise((resolve) => { const look = () => "
            f"({expression}) ? resolve() : requestAnimationFrame(look); look(); }})"
        )

    def crash(self) -> None:
        """End the page's process, and with it this connection."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": "Page.crash"}))
        self._socket.close()

    def close(self) -> None:
        """End the connection; the window stays."""
        self._socket.close()
