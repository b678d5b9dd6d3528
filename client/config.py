"""What a person can set (the registry, and the file settings.toml in the profile), and the command line.

A setting is one line in SETTINGS: name, section, kind, default, choices or range. The settings page draws its row
from there; its words are the Fluent ids `setting-<name>` and `setting-<name>-<choice>`.

settings.toml holds one `name = value` a line (TOML), with comments where the person likes them. A wrong line is told
once, with its number and key, and its default holds for this run: a typing mistake must not keep anybody from their
messages. A change rewrites only the line of its setting.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from client.bridge_api import SettingsView, SettingView
from client.errors import BridgeError, ClientError
from client.files import write_atomically
from client.proxy import wrong_address

Value = str | bool | int

FILE_NAME: Final = "settings.toml"
MAX_TEXT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the registry."""

    name: str
    section: str
    kind: Literal["choice", "switch", "text", "number"]
    default: Value
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    check: Callable[[str], str | None] = lambda _: None
    """For a text: why it is wrong, or None."""

    def wrong(self, value: object) -> str | None:
        """Why `value` cannot be this setting's, or None where it can."""
        match self.kind:
            case "switch":
                return None if isinstance(value, bool) else "must be true or false"
            case "choice":
                return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
            case "text":
                ok = isinstance(value, str) and len(value) <= MAX_TEXT and (not value or value.isprintable())
                return self.check(str(value)) if ok else f"must be a text of one line, at most {MAX_TEXT} characters"
            case "number":
                low, high = self.minimum, self.maximum
                ok = type(value) is int and (low is None or value >= low) and (high is None or value <= high)
                return None if ok else f"must be a whole number from {low} to {high}"


SETTINGS: Final = (
    Setting("language", "general", "choice", "system", choices=("system", "en", "zh-CN")),
    Setting("appearance", "general", "choice", "system", choices=("system", "light", "dark")),
    Setting("conversations_in", "general", "choice", "windows", choices=("windows", "docked")),
    Setting("send_typing", "privacy", "switch", True),
    Setting("proxy", "network", "choice", "system", choices=("system", "none", "manual")),
    Setting("proxy_address", "network", "text", "", check=wrong_address),
    Setting("ca_file", "network", "text", ""),
    Setting("pinned_key", "network", "text", ""),
    Setting("client_certificate", "network", "text", ""),
)  # fmt: skip


class Settings:
    """The settings of one profile (a SettingsPort). Owned by the engine's loop once it runs.

    `locked` gives values that hold whatever the file says (a policy); they cannot be changed. `problems` tells of
    each line of the file that was wrong, for a person.
    """

    def __init__(self, folder: Path, *, locked: Mapping[str, Value] | None = None) -> None:
        self._path = folder / FILE_NAME
        self._locked = dict(locked or {})
        self._values: dict[str, Value] = {setting.name: setting.default for setting in SETTINGS}
        self.problems: list[str] = []
        self._read()
        self._values.update(self._locked)

    def get(self, name: str) -> Value:
        """The value now. Raises KeyError for a name that is not in the registry: a mistake in our code."""
        return self._values[name]

    def view(self) -> SettingsView:
        """Every setting with its definition, in order."""
        return SettingsView(
            settings=[
                SettingView(
                    name=setting.name,
                    section=setting.section,
                    kind=setting.kind,
                    value=self._values[setting.name],
                    default=setting.default,
                    choices=list(setting.choices),
                    minimum=setting.minimum,
                    maximum=setting.maximum,
                    locked=setting.name in self._locked,
                )
                for setting in SETTINGS
            ]
        )

    def change(self, name: str, value: Value) -> None:
        """Check and keep a value. Raises BridgeError for a wrong name or value, ClientError where it cannot be kept."""
        setting = _BY_NAME.get(name)
        if setting is None:
            raise BridgeError("no_such_setting", f"There is no setting {name[:64]!r}.")
        if name in self._locked:
            raise BridgeError("setting_locked", "This setting is set by your administrator and cannot be changed.")
        wrong = setting.wrong(value)
        if wrong is not None:
            raise BridgeError("bad_setting", f"{name} {wrong}.")
        try:
            self._write(name, value)
        except OSError as error:
            raise ClientError(
                "settings_not_saved", f"The setting could not be saved: {error.strerror}.", retry=True
            ) from error
        self._values[name] = value

    def _read(self) -> None:
        for number, line in enumerate(self._lines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            where = f"{FILE_NAME}, line {number}"
            try:
                entry = tomllib.loads(line)
            except tomllib.TOMLDecodeError:
                self.problems.append(f"{where}: {line.strip()[:60]!r} is not of the form: name = value. It is ignored.")
                continue
            for name, value in entry.items():
                setting = _BY_NAME.get(name)
                wrong = "is not a setting" if setting is None else setting.wrong(value)
                if wrong is not None:
                    rest = "It is ignored." if setting is None else "The default is used."
                    self.problems.append(f"{where}: {name} {wrong}. {rest}")
                else:
                    self._values[name] = value

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.problems.append(f"{self._path} cannot be read: {reason}. The defaults are used.")
            return []

    def _write(self, name: str, value: Value) -> None:
        """Replace the setting's line, or add it; the others stay as they are. Raises OSError."""
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        except UnicodeDecodeError:
            # What cannot be understood is put aside, not overwritten.
            self._path.replace(self._path.with_suffix(".toml.unreadable"))
            lines = []
        new = f"{name} = {_toml(value)}"
        kept = [line for line in lines if line.partition("=")[0].strip().strip("\"'") != name]
        write_atomically(self._path, "\n".join([*kept, new, ""]).encode())


_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
