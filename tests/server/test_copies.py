"""Backups of a running server, and what comes back from them."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import apsw

from tests.support.server import ROOT, ServerProcess, conversation


def test_a_backup_of_a_busy_server_has_every_message_acknowledged_before(server: ServerProcess, tmp_path: Path) -> None:
    ann, bob = server.add_user("ann", "correct horse"), server.add_user("bob", "correct horse")
    talk, file = conversation(ann, bob), tmp_path / "backup.db"
    before, stop = [0], threading.Event()

    def talk_on() -> None:
        with server.login("ann", "correct horse") as client:
            while not stop.is_set():
                before[0] = client.say(talk, "still talking")["seq"]
                under_way.set()

    under_way = threading.Event()
    talking = threading.Thread(target=talk_on)
    talking.start()
    assert under_way.wait(20)
    acknowledged = before[0]
    told = server.command("backup", str(file)).stdout
    stop.set()
    talking.join(20)
    assert str(file) in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    server.stop()
    assert server.command("restore", str(file)).stdout.count("kept as") == 1
    server.restart()
    with server.login("bob", "correct horse") as client:
        page = client.request("get_history", conversation=talk, limit=200)
        assert page["last_seq"] >= acknowledged
        assert page["last_seq"] - len(page["events"]) + 1 == page["events"][0]["seq"]
    assert [path.name for path in server.data.glob("*.kept-*.db")] == ["oschat.kept-1.db"]


def test_a_restored_directory_is_fetched_anew(server: ServerProcess, tmp_path: Path) -> None:
    server.add_user("ann", "correct horse")
    server.command("backup", str(tmp_path / "backup.db"))
    server.add_user("bob", "correct horse")
    with server.login("ann", "correct horse") as client:
        cursor = client.request("get_directory")["cursor"]
    server.stop()
    server.command("restore", str(tmp_path / "backup.db"))
    server.restart()
    with server.login("ann", "correct horse") as client:
        entries = client.request("get_directory", after=cursor)
        assert [person["login"] for person in entries["people"]] == ["ann"]


def test_what_cannot_be_backed_up_or_restored_is_said(server: ServerProcess, tmp_path: Path) -> None:
    def refused(*arguments: str, data: Path = server.data) -> str:
        command = [sys.executable, "-m", "server_stub", *arguments, "--data", str(data)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 2
        (line,) = result.stderr.splitlines()
        return line

    good = tmp_path / "good.db"
    server.command("backup", str(good))
    assert "already" in refused("backup", str(good))
    assert "no database" in refused("backup", str(tmp_path / "new.db"), data=tmp_path / "nothing")
    assert "Another server already runs" in refused("restore", str(good))
    server.stop()
    server.command("backup", str(tmp_path / "stopped.db"))
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"not a database" * 1_000)
    before = (server.data / "oschat.db").read_bytes()
    assert "cannot be copied" in refused("restore", str(noise))
    assert "nothing was restored" in refused("restore", str(tmp_path / "absent.db"))
    empty = tmp_path / "empty.db"
    apsw.Connection(str(empty)).execute("CREATE TABLE other (x)")
    assert "no database of Oschat" in refused("restore", str(empty))
    newer = apsw.Connection(str(good))
    newer.pragma("user_version", 999)
    newer.close()
    assert "newer version" in refused("restore", str(good))
    assert (server.data / "oschat.db").read_bytes() == before
    assert {path.name for path in server.data.glob("oschat*")} <= {"oschat.db", "oschat.db-wal", "oschat.db-shm"}
