"""The servers that are measured, each as a process of its own on loopback with its data in a temporary directory.

The peers are Debian's packages with their message archives on, configured here; nothing of the system's own services
is touched. Where they are started by root, they run as the user that their package made.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from bench import company, xmpp
from bench.load import LoadClient
from bench.wire import WireClient
from protocol.messages import direct_conversation
from server_stub.app import DATABASE
from tests.support.desktop import free_port
from tests.support.server import ServerProcess

START_SECONDS: Final = 60.0
ITERATIONS: Final = 10_000
"""Of PBKDF2 for the stored password: prosody's own number."""

_SALT: Final = b"one salt for all"


class Server(ABC):
    """A server with people 1, 2, 3 … of whom 1 and 2 talk, 3 and 4, and so on."""

    name: str
    program: str
    """What must be installed for it."""

    def __init__(self, folder: Path, people: int) -> None:
        """Make its data. The folder is its own."""
        self.folder = folder
        self.people = people
        self.port = 0
        self.start_seconds = 0.0

    @property
    @abstractmethod
    def pid(self) -> int:
        """Of the running process."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it takes connections."""

    @abstractmethod
    def client(self, number: int, *, by_token: bool = True) -> LoadClient:
        """A load client of this person. Only Oschat has tokens."""

    @abstractmethod
    def stop(self) -> None:
        """End it by its own pid."""

    @abstractmethod
    def archived(self) -> int:
        """How many messages it has on disk, each as often as it is there; asked when it has stopped."""


def partner(number: int) -> int:
    """With whom this person talks."""
    return number + 1 if number % 2 else number - 1


class Oschat(Server):
    """Ours: every message in SQLite, synchronous=FULL."""

    name = "oschat"
    program = sys.executable

    def __init__(self, folder: Path, people: int) -> None:
        super().__init__(folder, people)
        self.ids = company.make(folder / "data", people, sessions=True)
        self._process = ServerProcess(folder / "data", "--log-level", "warning")

    @property
    def pid(self) -> int:
        """See Server."""
        return self._process.pid

    def start(self) -> None:
        """See Server."""
        begun = time.perf_counter()
        self._process.start()
        self.start_seconds = time.perf_counter() - begun
        self.port = self._process.port

    def client(self, number: int, *, by_token: bool = True) -> LoadClient:
        """See Server."""
        talk = direct_conversation(self.ids[number - 1], self.ids[partner(number) - 1])
        return WireClient(number, talk, by_token=by_token)

    def stop(self) -> None:
        """See Server."""
        self._process.stop()

    def archived(self) -> int:
        """See Server."""
        return _rows(self.folder / "data" / DATABASE, "events")


class XmppServer(Server):
    """What both peers have in common."""

    user: str
    """Whom their Debian package runs them as."""

    def __init__(self, folder: Path, people: int) -> None:
        super().__init__(folder, people)
        folder.mkdir()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.configure()
        if os.geteuid() == 0:
            folder.parent.chmod(0o711)
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, self.user)

    @abstractmethod
    def configure(self) -> None:
        """Write its configuration and its accounts."""

    @abstractmethod
    def command(self) -> list[str]:
        """What runs it in the foreground."""

    @property
    def pid(self) -> int:
        """See Server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """See Server. Raises TimeoutError with its log's end."""
        root = os.geteuid() == 0
        begun = time.perf_counter()
        with (self.folder / "output.log").open("wb") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user if root else None,
                group=self.user if root else None,
                extra_groups=[] if root else None,
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() > begun + START_SECONDS:
                self.stop()
                text = (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")
                raise TimeoutError(f"{self.name} did not start:\n{text[-3_000:]}")
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - begun

    def environment(self) -> dict[str, str]:
        """What it reads from the environment."""
        return {}

    def _answers(self) -> bool:
        """Whether somebody could log in now."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as stream:
                stream.sendall(xmpp.STREAM)
                answer = b""
                while b"</stream:features>" not in answer:
                    if not (data := stream.recv(4_096)):
                        return False
                    answer += data
                return True
        except ConnectionError:
            return False

    def client(self, number: int, *, by_token: bool = True) -> LoadClient:
        """See Server."""
        return xmpp.XmppClient(number, partner(number))

    def stop(self) -> None:
        """See Server."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Prosody(XmppServer):
    """prosody with Debian's modules, stream management, and the archive in its own files."""

    name = "prosody"
    program = "prosody"
    user = "prosody"

    def configure(self) -> None:
        """See XmppServer."""
        accounts = self.folder / "data" / xmpp.HOST / "accounts"
        accounts.mkdir(parents=True)
        stored, server = scram_keys()
        account = (
            f'return {{ ["iteration_count"] = {ITERATIONS}; ["salt"] = "{_SALT.decode()}"; '
            f'["stored_key"] = "{stored.hex()}"; ["server_key"] = "{server.hex()}"; }};\n'
        )
        for number in range(1, self.people + 1):
            (accounts / f"u{number}.dat").write_text(account, encoding="ascii")
        (self.folder / "prosody.cfg.lua").write_text(
            PROSODY.format(folder=self.folder, port=self.port, host=xmpp.HOST), encoding="utf-8"
        )

    def command(self) -> list[str]:
        """See XmppServer."""
        return ["prosody", "-F", "--config", str(self.folder / "prosody.cfg.lua")]

    def archived(self) -> int:
        """See Server."""
        lists = (self.folder / "data" / xmpp.HOST / "archive").glob("*.list")
        return sum(path.read_bytes().count(b"item({") for path in lists)


class Ejabberd(XmppServer):
    """ejabberd with stream management, its archive and accounts in SQLite with a write-ahead log."""

    name = "ejabberd"
    program = "/usr/sbin/ejabberdctl"
    user = "ejabberd"

    def configure(self) -> None:
        """See XmppServer."""
        stored, server = (base64.b64encode(key).decode() for key in scram_keys())
        salt = base64.b64encode(_SALT).decode()
        schema = next(Path("/usr/lib").glob("*/ejabberd-*/priv/sql/lite.sql")).read_text(encoding="utf-8")
        database = sqlite3.connect(self.folder / "ejabberd.db")
        database.execute("PRAGMA journal_mode = wal")  # it stays with the file
        database.executescript(schema)
        database.executemany(
            "INSERT INTO users (username, password, serverkey, salt, iterationcount) VALUES (?, ?, ?, ?, ?)",
            [(f"u{number}", stored, server, salt, ITERATIONS) for number in range(1, self.people + 1)],
        )
        database.commit()
        database.close()
        (self.folder / "ejabberd.yml").write_text(
            EJABBERD.format(folder=self.folder, port=self.port, host=xmpp.HOST), encoding="utf-8"
        )

    def environment(self) -> dict[str, str]:
        """See XmppServer."""
        libraries = next(Path("/usr/lib").glob("*/ejabberd-*/ebin")).parent.parent
        return {
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
            "ERL_LIBS": str(libraries),
            "ERL_CRASH_DUMP": str(self.folder / "crash.dump"),
            "ERL_MAX_PORTS": "20000",
        }

    def command(self) -> list[str]:
        """See XmppServer: as ejabberdctl starts it, without a node name, which it does not need alone."""
        spool = json.dumps(str(self.folder / "mnesia"))
        return ["erl", "+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir", spool, "-s", "ejabberd"]

    def archived(self) -> int:
        """See Server."""
        return _rows(self.folder / "ejabberd.db", "archive")


def _rows(database: Path, table: str) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  # our own names
    finally:
        connection.close()


def scram_keys() -> tuple[bytes, bytes]:
    """The stored key and the server key of the password (RFC 5802), for SHA-1."""
    salted = hashlib.pbkdf2_hmac("sha1", xmpp.PASSWORD.encode(), _SALT, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha1")
    return hashlib.sha1(client, usedforsecurity=False).digest(), hmac.digest(salted, b"Server Key", "sha1")


PROSODY: Final = """\
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
network_backend = "epoll"
modules_enabled = {{
    "disco", "roster", "saslauth", "blocklist", "bookmarks", "carbons", "pep", "private", "smacks", "vcard4",
    "vcard_legacy", "csi_simple", "ping", "time", "uptime", "version", "posix", "mam"
}}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
default_archive_policy = true
archive_expires_after = "never"
storage_archive_item_limit = 1000000000
log = {{ warn = "{folder}/prosody.log" }}
VirtualHost "{host}"
"""

EJABBERD: Final = """\
loglevel: warning
hosts: [{host}]
listen:
  - port: {port}
    ip: 127.0.0.1
    module: ejabberd_c2s
    max_stanza_size: 262144
auth_method: sql
auth_password_format: scram
default_db: sql
sql_type: sqlite
sql_database: {folder}/ejabberd.db
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_mam:
    default: always
    assume_mam_usage: true
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_roster: {{versioning: true}}
  mod_stream_mgmt: {{resend_on_timeout: if_offline}}
  mod_time: {{}}
  mod_vcard: {{search: false}}
  mod_version: {{}}
"""
