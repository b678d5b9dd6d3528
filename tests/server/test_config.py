"""Settings: four sources in rising order of force, and one clear error for each kind of mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from server_stub.config import Config, load_config
from server_stub.errors import ConfigError


def write(path: Path, text: str) -> Path:
    file = path / "oschat.toml"
    file.write_text(text, "utf-8")
    return file


def test_defaults() -> None:
    assert load_config(None, {}, {}) == Config()
    assert Config().address == ("127.0.0.1", 7400)


def test_the_later_source_wins(tmp_path: Path) -> None:
    file = write(tmp_path, 'organisation = "file"\ndata = "file"\nlog_level = "error"\nsession_days = 7\n')
    config = load_config(
        file, {"OSCHAT_ORGANISATION": "env", "OSCHAT_DATA": "env", "OTHER": "x"}, {"organisation": "flag"}
    )
    assert (config.organisation, config.data, config.log_level, config.session_days) == ("flag", "env", "error", 7)
    assert load_config(None, {"OSCHAT_SESSION_DAYS": "9"}, {}).session_days == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\n[server]\nlisten = ":1"', ["oschat.toml, line 2", "no setting 'server'", "organisation"]),
        ('data = "x"\nlisen = "x"', ["oschat.toml, line 2", "no setting 'lisen'", "listen"]),
        ("data = 5", ["oschat.toml, line 1", "data is wrong", "expected text"]),
        ("\n\nsession_days = 0", ["oschat.toml, line 3", "session_days is wrong", ">= 1"]),
        ('session_days = "7"', ["oschat.toml, line 1", "session_days is wrong", "expected a whole number"]),
        ("data = ", ["oschat.toml", "not valid TOML", "line 1"]),
        ('log_level = "loud"', ["log_level is wrong", "debug, info, warning, error"]),
        ('listen = "localhost"', ["listen is wrong", "HOST:PORT"]),
        ('listen = "localhost:99999"', ["listen is wrong", "0 to 65535"]),
        ('listen = "::1:80"', ["listen is wrong", "brackets"]),
        ('tls_cert = "a.pem"', ["tls_key is missing", "both"]),
    ],
)
def test_a_wrong_line_is_one_clear_error(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as wrong:
        load_config(write(tmp_path, text), {}, {})
    assert "\n" not in str(wrong.value)
    for word in words:
        assert word in str(wrong.value)


def test_other_sources_are_named_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Environment variable OSCHAT_SESSION_DAYS: session_days is wrong"):
        load_config(None, {"OSCHAT_SESSION_DAYS": "many"}, {})
    with pytest.raises(ConfigError, match="Flag --log-level: log_level is wrong"):
        load_config(None, {}, {"log_level": "loud"})
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "missing.toml", {}, {})
    (tmp_path / "latin.toml").write_bytes(b'organisation = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "latin.toml", {}, {})


@pytest.mark.parametrize(
    ("listen", "address"),
    [("[::1]:80", ("::1", 80)), ("0.0.0.0:0", ("0.0.0.0", 0)), ("chat.example:1", ("chat.example", 1))],
)
def test_addresses(listen: str, address: tuple[str, int]) -> None:
    assert load_config(None, {}, {"listen": listen}).address == address
