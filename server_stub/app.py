"""Wires the server together, and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

import structlog

from protocol.errors import CloseCode, ErrorCode
from protocol.messages import DirectoryChanged
from server_stub.accounts import Accounts
from server_stub.actor import Supervisor
from server_stub.bus.local import LocalBus
from server_stub.config import Config
from server_stub.directory import DirectoryBook
from server_stub.errors import StartError, StorageError
from server_stub.framing import frame
from server_stub.front_desk import FrontDesk
from server_stub.gateway import Gateway
from server_stub.post_office import PostOffice
from server_stub.services import Services
from server_stub.storage.base import Storage
from server_stub.storage.sqlite import SqliteStorage
from server_stub.turn import Turn

log = structlog.get_logger()

CLOSE_SECONDS: Final = 3
"""For the clients to take leave when the server stops."""

DATABASE: Final = "oschat.db"


class App:
    """One running server."""

    def __init__(self, config: Config, storage: Storage) -> None:
        self.url = ""
        self.directory = DirectoryBook()
        self.storage = storage
        self.bus = LocalBus()
        turn = Turn(asyncio.get_running_loop())
        supervisor = Supervisor(turn)
        self.office = PostOffice(Services(storage, self.bus, self.directory, supervisor))
        self.accounts = Accounts(storage, self.directory, self.refresh, config.session_days)
        self.desk = FrontDesk(self.accounts, self.office, config.organisation)
        self.gateway = Gateway(turn, config.login_seconds, lambda: storage.healthy)
        turn.steps = (supervisor.run, storage.submit, self.gateway.flush)
        self._config = config
        self._refreshing: set[asyncio.Task[None]] = set()
        self._stopping = False
        storage.on_delivered = turn.run
        storage.on_outside_change = self._outside_change

    async def start(self) -> str:
        """Open the port; returns the URL. Raises StartError and StorageError."""
        tls = tls_context(self._config)
        await self.refresh()
        host, port = self._config.address
        try:
            port = await self.gateway.listen(host, port, tls, self.desk)
        except (OSError, OverflowError, ValueError) as error:  # ValueError: a host that cannot be a name
            raise StartError(
                f"Cannot listen on {self._config.listen}: {error}. Choose another address or port with --listen, "
                "or stop the program that has it."
            ) from None
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # what to connect to, not to bind
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"{'wss' if tls else 'ws'}://{shown}:{port}"
        return self.url

    async def stop(self) -> None:
        """Stop accepting, finish what was accepted, tell the clients to come back later, and let go of everything."""
        self._stopping = True  # what others change now, the next start reads
        self.gateway.stop_accepting()
        await self.storage.drain()
        await self.gateway.close(CloseCode.SERVICE_RESTART, CLOSE_SECONDS)
        await self.storage.close()
        self.accounts.close()

    async def refresh(self) -> None:
        """Take in what has changed in the directory, and tell everyone. Raises StorageError."""
        rows = await self.storage.directory(self.directory.version)
        if not rows.people and not rows.departments:
            return
        changed = self.directory.apply(rows)
        disabled = {person.id for person in changed if person.disabled}
        if disabled:
            self.office.sessions_ended()
            self.office.end_users(disabled, ErrorCode.ACCOUNT_DISABLED)
        self.bus.broadcast(frame(DirectoryChanged()))

    def _outside_change(self) -> None:
        if self._stopping:
            return
        task = asyncio.get_running_loop().create_task(self._look_outside())
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _look_outside(self) -> None:
        """Another process has changed the database: take in the directory, and close what is no longer allowed."""
        try:
            self.office.sessions_ended()
            await self.refresh()
            ended = await self.storage.ended_sessions(sorted(self.office.sessions()))
            self.office.end_sessions(ended, ErrorCode.SESSION_EXPIRED)
        except StorageError as error:
            if not self._stopping:  # then it has been closed
                log.error("server.refresh_failed", reason=str(error))


def tls_context(config: Config) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the configured certificate, or None. Raises StartError."""
    if not config.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for setting, name in (("tls_cert", config.tls_cert), ("tls_key", config.tls_key)):
        try:
            Path(name).read_bytes()
        except (OSError, ValueError) as error:
            raise StartError(f"The file of {setting}, {name!r}, cannot be read: {_why(error)}.") from None
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key, _no_passphrase)
    except (ssl.SSLError, OSError) as error:
        raise StartError(
            f"{config.tls_cert} and {config.tls_key} are not a certificate and its private key in PEM: {error}."
        ) from None
    return context


def _no_passphrase() -> str:
    """Instead of OpenSSL's question, which nobody is there to answer."""
    raise StartError("The file of tls_key is encrypted: give the private key without a passphrase.")


def _why(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


class DataDirectory:
    """The server's own directory, held by one server at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / DATABASE

    def prepare(self) -> None:
        """Create the directory where it is missing. Raises StartError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:
            raise self._not_writable(error) from None

    def hold(self) -> None:
        """Keep other servers away until this process ends. Raises StartError."""
        try:
            self._lock = (self.path / "server.lock").open("a")
        except OSError as error:
            raise self._not_writable(error) from None
        if not _try_lock(self._lock):
            raise StartError(f"Another server already runs on the data directory {self.path}. Stop it first.")

    def _not_writable(self, error: OSError | ValueError) -> StartError:
        return StartError(
            f"The data directory {str(self.path)!r} cannot be written: {_why(error)}. "
            "Choose another one with --data, or give this user the right to write there."
        )


def _try_lock(file: IO[str]) -> bool:
    """Lock a file for as long as this process has it open; False where another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # exists on Windows only

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # exists everywhere else only

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


async def serve(config: Config) -> None:
    """Run the server until SIGTERM or SIGINT. Raises StartError and StorageError while it starts."""
    data = DataDirectory(Path(config.data))
    data.prepare()
    data.hold()
    storage = SqliteStorage(data.database)
    app = App(config, storage)
    stopped = asyncio.Event()
    _on_signals(stopped.set)
    try:
        url = await app.start()
    except BaseException:
        await storage.close()
        raise
    _collect_seldom()
    log.info("server.listening", url=url, people=len(app.directory.people))
    sys.stdout.write(json.dumps({"event": "listening", "url": url}) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    log.info("server.stopping")
    await app.stop()
    log.info("server.stopped")


def _collect_seldom() -> None:
    """Look for cycles less often: messages under way are many objects without one, and each look goes over them all."""
    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(20_000, 20, 20)


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(name, stop)
