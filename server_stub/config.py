"""The server's settings: defaults, then a TOML file, then environment variables, then flags; the later wins.

A setting is one field of Config: its name is the TOML key, OSCHAT_ and its name in capitals the variable, and its name
with dashes the flag.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from protocol.limits import HELLO_TIMEOUT_SECONDS
from server_stub.errors import ConfigError
from server_stub.log import LEVELS

PREFIX: Final = "OSCHAT_"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All the settings."""

    data: Annotated[str, Meta(min_length=1, description="The directory for the database.")] = "oschat-data"
    listen: Annotated[str, Meta(description="HOST:PORT to listen on; port 0 takes any that is free.")] = (
        "127.0.0.1:7400"
    )
    organisation: Annotated[str, Meta(max_length=200, description="The company's name, shown when logging in.")] = ""
    tls_cert: Annotated[str, Meta(description="PEM file with the certificate and its chain.")] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the certificate's private key.")] = ""
    log_level: Annotated[str, Meta(description=f"What is logged from: {', '.join(LEVELS)}.")] = "info"
    session_days: Annotated[int, Meta(ge=1, le=3_650, description="Days until an unused log-in ends.")] = 30
    login_seconds: Annotated[int, Meta(ge=1, le=600, description="Seconds that a connection has to log in.")] = (
        HELLO_TIMEOUT_SECONDS
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, port = _split_address(self.listen)
        return host, port


def load_config(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str]) -> Config:
    """All the sources together. Raises ConfigError, which names the place, the setting and what is allowed."""
    values: dict[str, object] = {}
    for setting, (value, place) in _sources(file, environment, flags).items():
        values[setting] = _checked(setting, value, place)
    config = Config(**values)  # type: ignore[arg-type]  # each value has been checked against its field
    if bool(config.tls_cert) != bool(config.tls_key):
        missing = "tls_key" if config.tls_cert else "tls_cert"
        raise ConfigError(f"Setting {missing} is missing: TLS needs both tls_cert and tls_key.")
    return config


def _sources(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str]
) -> dict[str, tuple[object, str]]:
    """For each setting that is given, the value of the strongest source and where that is."""
    found: dict[str, tuple[object, str]] = {}
    if file is not None:
        text = _read(file)
        for key, value in _parse(file, text).items():
            found[key] = (value, f"{file}, line {_line(text, key)}")
    for name in Config.__struct_fields__:
        variable = PREFIX + name.upper()
        if variable in environment:
            found[name] = (environment[variable], f"Environment variable {variable}")
        if name in flags:
            found[name] = (flags[name], f"Flag --{name.replace('_', '-')}")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"The configuration file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The configuration file {file} is not UTF-8 text. Save it as UTF-8.") from None


def _parse(file: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = f"at line {text.count(chr(10)) + 1}, at the end"
        raise ConfigError(f"{file} is not valid TOML: {str(error).replace('at end of document', last)}.") from None


def _line(text: str, key: str) -> int:
    """The line on which a key of the file is set, from 1."""
    pattern = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[\].=]""")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if pattern.match(line)), 1)


def _checked(setting: str, value: object, place: str) -> object:
    field = next((field for field in msgspec.structs.fields(Config) if field.name == setting), None)
    if field is None:
        raise ConfigError(f"{place}: there is no setting {setting!r}. Allowed: {', '.join(Config.__struct_fields__)}.")
    try:
        # Variables and flags are text, which may stand for a number; the file's own values have their types.
        result: object = msgspec.convert(value, field.type, strict=not place.startswith(("Env", "Flag")))
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {setting} is wrong: {_why(error)}. {_help(field.type)}") from None
    if setting == "log_level" and result not in LEVELS:
        raise ConfigError(f"{place}: log_level is wrong: {value!r}. Allowed: {', '.join(LEVELS)}.")
    if setting == "listen":
        try:
            _split_address(str(result))
        except ValueError:
            raise ConfigError(
                f"{place}: listen is wrong: {value!r}. Allowed: HOST:PORT, with a port from 0 to 65535; "
                "an IPv6 host in brackets."
            ) from None
    return result


def _why(error: msgspec.ValidationError) -> str:
    return str(error).replace("`str`", "text").replace("`int`", "a whole number").lower()


def _help(annotation: object) -> str:
    """The setting's description, from its field."""
    return str(annotation.__metadata__[0].description)  # type: ignore[attr-defined]  # every field is Annotated


def _split_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(text)
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError(text)
    return host, int(port)
