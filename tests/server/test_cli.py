"""The command line, as real processes: what it does, and one clear line for each thing that it cannot do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.client.link_faults import Authority
from tests.support.logs import LogGuard
from tests.support.server import ROOT, ServerProcess, conversation


@pytest.fixture
def idle(tmp_path: Path) -> ServerProcess:
    """A server that has not been started: its commands work all the same."""
    return ServerProcess(tmp_path / "server")


def refused(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that the command says."""
    assert result.returncode == code, result
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    return line


def test_users_are_added_listed_and_disabled(idle: ServerProcess) -> None:
    arguments = ("user", "add", "Ann", "--name", "Ann Example", "--password-stdin")
    ann = idle.command(*arguments, stdin="correct horse\n").stdout.strip()
    with idle.start().login("ann", "correct horse") as client:
        assert client.user == ann
    assert idle.stop() == 0
    assert idle.command("user", "list").stdout == f"Ann\tAnn Example\tactive\t{ann}\n"
    idle.command("user", "disable", "ANN")
    assert "\tdisabled\t" in idle.command("user", "list").stdout
    idle.command("user", "enable", "ann")
    assert "\tactive\t" in idle.command("user", "list").stdout


def test_user_commands_say_what_is_wrong(idle: ServerProcess) -> None:
    idle.add_user("ann", "correct horse")
    again = idle.command("user", "add", "ANN", "--password-stdin", stdin="correct horse\n", check=False)
    assert "already a user 'ANN'" in refused(again, 1)
    short = idle.command("user", "add", "bob", "--password-stdin", stdin="short\n", check=False)
    assert "8 to 1,000 characters" in refused(short, 1)
    spaces = idle.command("user", "add", "b ob", "--password-stdin", stdin="correct horse\n", check=False)
    assert "no spaces" in refused(spaces, 1)
    wide = idle.command("user", "add", "ａｎｎ", "--password-stdin", stdin="correct horse\n", check=False)
    assert "already a user" in refused(wide, 1)
    blank = idle.command("user", "add", "bob", "--name", "\udcff", "--password-stdin", check=False)
    assert "control characters" in refused(blank, 1)
    command = [sys.executable, "-m", "server_stub", "user", "add", "bob", "--password-stdin", "--data", str(idle.data)]
    binary = subprocess.run(command, cwd=ROOT, input=b"\xff\xfe345678\n", capture_output=True, check=False)
    assert binary.returncode == 1
    assert binary.stderr == b"The password on standard input is not UTF-8.\n"
    assert "no user 'bob'" in refused(idle.command("user", "disable", "bob", check=False), 1)
    assert "--password-stdin" in refused(idle.command("user", "passwd", "ann", check=False), 1)


def test_the_organisation_comes_and_goes(idle: ServerProcess, tmp_path: Path) -> None:
    rows = [f"u{number},User {number},A/B{number % 3},initial password {number}" for number in range(60)]
    file = tmp_path / "org.csv"
    file.write_text("\n".join(("login,name,department,password", *rows)), "utf-8")
    began = time.monotonic()
    assert idle.command("org", "import", str(file)).stdout == "60 people and 4 departments imported.\n"
    assert time.monotonic() - began < 10  # about 1.5 s; the machine may be busy
    exported = tmp_path / "out.json"
    exported.write_text(idle.command("org", "export", "--format", "json").stdout, "utf-8")
    assert "password" not in exported.read_text("utf-8")
    other = ServerProcess(tmp_path / "other")
    other.command("org", "import", str(exported))
    assert other.command("org", "export").stdout == idle.command("org", "export").stdout
    idle.start()
    with idle.login("u7", "initial password 7") as client:
        assert client.user
    assert idle.stop() == 0


def test_a_wrong_organisation_changes_nothing(idle: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "org.csv"
    file.write_text("login,name\nann,Ann\n,Nobody\nbob,\n", "utf-8")
    result = idle.command("org", "import", str(file), check=False)
    assert result.returncode == 1
    first, second, summary = result.stderr.splitlines()
    assert first == "org.csv, line 3: login is empty"
    assert second.startswith("org.csv, line 4: ")
    assert summary == "2 wrong; nothing was imported."
    assert idle.command("user", "list").stdout == ""
    for name, words in (("missing.csv", "cannot be read"), ("org.xlsx", "must end in .csv or .json")):
        result = idle.command("org", "import", str(tmp_path / name), check=False)
        assert result.returncode == 1
        assert words in result.stderr


def test_a_taken_port_is_one_line(server: ServerProcess, tmp_path: Path) -> None:
    other = ServerProcess(tmp_path / "other")
    line = refused(other.command("serve", "--listen", f"127.0.0.1:{server.port}", check=False), 2)
    assert f"Cannot listen on 127.0.0.1:{server.port}" in line
    assert "--listen" in line


def test_two_servers_never_share_a_data_directory(server: ServerProcess) -> None:
    line = refused(server.command("serve", "--listen", "127.0.0.1:0", check=False), 2)
    assert "Another server already runs" in line


def test_a_data_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = ServerProcess(tmp_path / "file" / "data")
    assert "cannot be written" in refused(blocked.command("serve", check=False), 2)
    assert "cannot be written" in refused(blocked.command("user", "list", check=False), 2)


def test_a_lock_that_cannot_be_had_and_a_host_that_is_none_are_one_line(idle: ServerProcess) -> None:
    line = refused(idle.command("serve", "--listen", "a..b:0", check=False), 2)
    assert "Cannot listen on a..b:0" in line
    (idle.data / "server.lock").unlink()
    (idle.data / "server.lock").mkdir()
    assert "cannot be written" in refused(idle.command("serve", "--listen", "127.0.0.1:0", check=False), 2)


def test_a_newer_database_is_one_line(idle: ServerProcess) -> None:
    idle.command("user", "list")
    connection = apsw.Connection(str(idle.data / "oschat.db"))
    connection.pragma("user_version", 1_000)
    connection.close()
    line = refused(idle.command("serve", check=False), 2)
    assert "newer version of Oschat" in line
    assert "Start the newer program" in line


def test_wrong_tls_files_are_one_line(idle: ServerProcess, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    line = refused(idle.command("serve", "--tls-cert", missing, "--tls-key", missing, check=False), 2)
    assert "cannot be read: No such file" in line
    (tmp_path / "text.pem").write_text("no certificate")
    text = str(tmp_path / "text.pem")
    line = refused(idle.command("serve", "--tls-cert", text, "--tls-key", text, check=False), 2)
    assert "not a certificate and its private key in PEM" in line
    pair = Authority(tmp_path).issue("localhost")
    private = serialization.load_pem_private_key(pair.read_bytes(), None)
    (tmp_path / "locked.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a passphrase"),
        )
    )
    (tmp_path / "other.pem").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for key, words in (("locked.pem", "tls_key is encrypted"), ("other.pem", "not a certificate and its private key")):
        files = ("--tls-cert", str(pair), "--tls-key", str(tmp_path / key))
        assert words in refused(idle.command("serve", *files, check=False), 2)


def test_a_wrong_configuration_is_one_line(idle: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "oschat.toml").write_text("\nlisten = 5\n")
    line = refused(idle.command("serve", "--config", str(tmp_path / "oschat.toml"), check=False), 2)
    assert "oschat.toml, line 2: listen is wrong" in line


def test_health(server: ServerProcess) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{server.port}/healthz", timeout=10) as answer:
        assert answer.status == 200
        assert json.load(answer) == {"status": "ok"}
    with pytest.raises(urllib.error.HTTPError, match="404") as refusal:
        opener.open(f"http://127.0.0.1:{server.port}/other", timeout=10)
    refusal.value.close()


def test_sigterm_finishes_what_was_accepted(server: ServerProcess) -> None:
    ann, bob = server.add_user("ann", "correct horse"), server.add_user("bob", "battery staple")
    between = conversation(ann, bob)
    with server.login("ann", "correct horse") as client:
        ids = [
            client.send("send", conversation=between, message_id=f"message-{n:04}", body={"text": str(n)})
            for n in range(200)
        ]
        client.answer(ids[0])
        assert server.stop() == 0
        assert client.closed() == 1012
        acknowledged = {answer["seq"] for answer in client.answers.values() if answer["type"] == "sent"} | {1}
    server.restart()
    with server.login("ann", "correct horse") as client:
        history = client.request("get_history", conversation=between, limit=200)
        assert acknowledged <= {event["seq"] for event in history["events"]}


def test_a_silent_client_does_not_hold_up_the_end(server: ServerProcess) -> None:
    with server.greeted():
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


def test_settings_from_a_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "oschat.toml"
    file.write_text('organisation = "From the file"\nlog_level = "debug"\n', "utf-8")
    process = ServerProcess(tmp_path / "server", "--config", str(file), environment={"OSCHAT_LOG_LEVEL": "info"})
    process.start()
    with process.connect() as client:
        assert client.request("hello", protocol=1)["organisation"] == "From the file"
    assert process.stop() == 0


def test_a_port_of_another_kind_of_program(tmp_path: Path, logs: LogGuard) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = ServerProcess(tmp_path / "other")
        line = refused(other.command("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", check=False), 2)
        assert os.strerror(98).lower() in line.lower()
