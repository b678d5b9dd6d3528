"""The vault over a real Secret Service: kept, locked, vanished, changed; and without any: memory, never a file."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring

from client.vault import SERVICE, KeyringVault
from tests.support.desktop import ROOT
from tests.support.logs import LogGuard
from tests.support.secret_service import SecretService

SECRET = "a secret: 中文"


class Vault:
    """A vault in a process of its own."""

    def __init__(self, environment: dict[str, str], profile: str = "p1", seconds: float = 20) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.vault_program", profile, str(seconds)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self._process.stderr or []))
        self._reader.start()

    def ask(self, *call: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(10)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._process.stdout.close()
        self._process.stderr.close()
        assert SECRET not in "".join(self.log)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SecretService]:
    service = SecretService(tmp_path / "home")
    yield service
    service.close()


@pytest.fixture
def vaults() -> Iterator[list[Vault]]:
    vaults: list[Vault] = []
    yield vaults
    for vault in vaults:
        vault.close()


def start(vaults: list[Vault], service: SecretService, profile: str = "p1", seconds: float = 20) -> Vault:
    vaults.append(Vault(service.environment, profile, seconds))
    return vaults[-1]


def files_with(folder: Path, secret: bytes) -> Sequence[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_a_secret_outlives_the_program(service: SecretService, vaults: list[Vault], tmp_path: Path) -> None:
    service.unlock()
    first = start(vaults, service)
    assert first.ask("get", "token") is None
    assert first.ask("persistent") is True
    assert first.ask("set", "token", SECRET) is True
    second, other_profile = start(vaults, service), start(vaults, service, "p2")
    assert second.ask("get", "token") == SECRET
    assert other_profile.ask("get", "token") is None
    second.ask("delete", "token")
    second.ask("delete", "token")
    assert first.ask("get", "token") is None
    assert first.ask("persistent") is True
    assert not files_with(tmp_path, SECRET.encode())


def test_a_locked_keyring_is_one_without_it(service: SecretService, vaults: list[Vault], tmp_path: Path) -> None:
    service.unlock()
    start(vaults, service).ask("set", "token", SECRET)
    service.lock()
    vault = start(vaults, service)
    assert vault.ask("get", "token") is None
    assert vault.ask("persistent") is False
    assert vault.ask("set", "token", "new") is False
    assert vault.ask("get", "token") == "new"
    assert not files_with(tmp_path, SECRET.encode())
    service.unlock()
    assert start(vaults, service).ask("get", "token") == SECRET


def test_a_keyring_that_vanishes_costs_only_this_run(service: SecretService, vaults: list[Vault]) -> None:
    service.unlock()
    vault = start(vaults, service)
    assert vault.ask("set", "token", SECRET) is True
    service.stop_keyring()
    assert vault.ask("get", "token") is None
    assert vault.ask("set", "token", "new") is False
    assert vault.ask("get", "token") == "new"
    vault.ask("delete", "token")
    assert vault.ask("get", "token") is None
    assert vault.ask("persistent") is False


def test_a_keyring_with_another_password_locks_nobody_out(service: SecretService, vaults: list[Vault]) -> None:
    service.unlock()
    start(vaults, service).ask("set", "token", SECRET)
    service.unlock("another password")
    vault = start(vaults, service)
    assert vault.ask("get", "token") is None
    assert vault.ask("set", "token", "new") is False
    assert vault.ask("get", "token") == "new"


def test_without_a_bus_there_is_memory(vaults: list[Vault], tmp_path: Path, service: SecretService) -> None:
    environment = {**service.environment, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"}
    vaults.append(Vault(environment))
    vault = vaults[-1]
    assert vault.ask("get", "token") is None
    assert vault.ask("persistent") is False
    assert vault.ask("set", "token", SECRET) is False
    assert vault.ask("get", "token") == SECRET
    assert not files_with(tmp_path, SECRET.encode())


# ---------------------------------------------------------------- back ends that misbehave


class Fake(KeyringBackend):
    """A back end whose behaviour each test chooses."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's own
        self.kept: dict[tuple[str, str], str] = {}
        self.fails: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.asked = 0

    def _step(self) -> None:
        self.asked += 1
        self.gate.wait()
        if self.fails is not None:
            raise self.fails

    def get_password(self, service: str, username: str) -> str | None:
        self._step()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._step()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._step()
        del self.kept[service, username]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    backend = Fake()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    yield backend
    backend.gate.set()


def test_what_is_kept_is_named_after_us_and_not_readable_as_such(fake: Fake) -> None:
    vault = KeyringVault("p1")
    assert vault.set("token", b"\x00\xff") is True
    assert fake.kept == {(SERVICE, "p1:token"): "AP8="}
    assert vault.get("token") == b"\x00\xff"


def test_what_is_not_ours_is_no_secret(fake: Fake, logs: LogGuard) -> None:
    logs.expect("secret not readable")
    fake.kept[SERVICE, "p1:token"] = "not base64 !"
    assert KeyringVault("p1").get("token") is None


@pytest.mark.parametrize("backend", [FailKeyring, NullKeyring])
def test_a_back_end_that_keeps_nothing_is_none(backend: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", backend)
    vault = KeyringVault("p1")
    assert vault.set("token", b"x") is False
    assert vault.get("token") == b"x"
    assert vault.persistent is False


def test_a_back_end_in_plain_text_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class PlainText(Fake):
        """As keyrings.alt would offer."""

    PlainText.__module__ = "keyrings.alt.file"
    backend = PlainText()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    vault = KeyringVault("p1")
    assert vault.set("token", b"x") is False
    assert not backend.kept and backend.asked == 0


def test_a_back_end_that_forgets_at_once_is_found_out(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake, "set_password", lambda *_: None)
    vault = KeyringVault("p1")
    assert vault.set("token", b"x") is False
    assert vault.persistent is False
    assert vault.get("token") == b"x"


def test_a_failure_of_any_kind_is_memory(fake: Fake, logs: LogGuard) -> None:
    logs.expect("keyring failed")
    vault = KeyringVault("p1")
    fake.fails = OSError("anything")
    assert vault.set("token", b"x") is False
    assert vault.get("token") == b"x"
    fake.fails = None
    assert vault.set("token", b"y") is True
    assert vault.persistent is True
    assert vault.get("token") == b"y"


def test_a_prompt_that_nobody_answers_holds_up_one_call_for_its_time(fake: Fake, logs: LogGuard) -> None:
    logs.expect("keyring failed")
    vault = KeyringVault("p1", answer_seconds=0.2)
    fake.gate.clear()
    assert vault.get("token") is None
    asked = fake.asked
    assert vault.set("token", b"x") is False
    assert fake.asked == asked, "the second call did not wait as well"
    fake.gate.set()
    assert vault.get("token") == b"x"


def test_closing_frees_whoever_waits(fake: Fake, logs: LogGuard) -> None:
    logs.expect("keyring failed")
    vault = KeyringVault("p1")
    fake.gate.clear()
    answers: list[bytes | None] = []
    waiting = threading.Thread(target=lambda: answers.append(vault.get("token")))
    waiting.start()
    while fake.asked == 0:
        waiting.join(0.01)
    vault.close()
    waiting.join(10)
    assert answers == [None]
    assert vault.set("token", b"x") is False
