"""A real Secret Service for tests: a session bus and GNOME's keyring in processes of their own, with their own HOME."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from jeepney import MatchRule, message_bus  # type: ignore[import-untyped]  # it has no types
from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]  # it has no types

NAME: Final = "org.freedesktop.secrets"
START_SECONDS: Final = 20
STOP_SECONDS: Final = 10

# Without folders of services: a keyring that has gone must not be started again by the bus.
_BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={runtime}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class SecretService:
    """The bus runs from the start; `unlock` and `lock` start the keyring in either state, `stop_keyring` takes it away.

    `environment` is for the programs that shall use it.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_RUNTIME_DIR": str(runtime),
            # Without a display, a prompt for a password cannot appear and is dismissed.
            "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
        }
        for name in ("PYTHON_KEYRING_BACKEND", "GNOME_KEYRING_CONTROL"):
            self.environment.pop(name, None)
        config = home / "bus.conf"
        config.write_text(_BUS.format(runtime=runtime), "utf-8")
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            text=True,
        )
        assert self._bus.stdout is not None
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._bus.stdout.readline().strip()
        self._keyring: subprocess.Popen[str] | None = None

    def unlock(self, password: str = "correct horse") -> None:
        """Start the keyring, its login collection unlocked (created at the first time)."""
        self._start(["--unlock"], password)

    def lock(self) -> None:
        """Start the keyring with its login collection locked."""
        self._start([], "")

    def stop_keyring(self) -> None:
        """End the keyring's process; the bus stays."""
        if self._keyring is not None:
            self._keyring.kill()
            self._keyring.communicate(timeout=STOP_SECONDS)
            self._keyring = None

    def close(self) -> None:
        """End both."""
        self.stop_keyring()
        self._bus.terminate()
        self._bus.communicate(timeout=STOP_SECONDS)

    def _start(self, options: list[str], password: str) -> None:
        self.stop_keyring()
        self._keyring = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            text=True,
        )
        assert self._keyring.stdin is not None
        self._keyring.stdin.write(password)
        self._keyring.stdin.close()
        self._keyring.stdin = None
        self._wait_for_owner()

    def _wait_for_owner(self) -> None:
        """The keyring is ready when it owns its name on the bus."""
        with open_dbus_connection(self.environment["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            bus = Proxy(message_bus, connection)
            rule = MatchRule(type="signal", member="NameOwnerChanged", path=message_bus.object_path)
            rule.add_arg_condition(0, NAME)
            bus.AddMatch(rule)
            with connection.filter(rule) as signals:
                if not bus.NameHasOwner(NAME)[0]:
                    connection.recv_until_filtered(signals, timeout=START_SECONDS)
