"""Real proxies of Debian as processes of their own on loopback: tinyproxy (HTTP CONNECT) and microsocks (SOCKS5)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEADLINE = 20.0


@contextmanager
def tinyproxy(folder: Path, *, login: tuple[str, str] | None = None, only_port: int = 0) -> Iterator[int]:
    """An HTTP proxy, for everybody or for one login, to every port or to one; gives its port."""
    port = _free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 20"]
    lines += [f"BasicAuth {login[0]} {login[1]}"] if login else []
    lines += [f"ConnectPort {only_port}"] if only_port else []
    config = folder / "tinyproxy.conf"
    config.write_text("\n".join([*lines, ""]))
    with _running(["tinyproxy", "-d", "-c", str(config)], port):
        yield port


@contextmanager
def microsocks(*, login: tuple[str, str] | None = None) -> Iterator[int]:
    """A SOCKS5 proxy, for everybody or for one login; gives its port."""
    port = _free_port()
    secret = ["-u", login[0], "-P", login[1]] if login else []
    with _running(["microsocks", "-i", "127.0.0.1", "-p", str(port), *secret], port):
        yield port


def _free_port() -> int:
    """These programs cannot choose a port themselves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    assert shutil.which(command[0]), f"{command[0]} is missing; dev.py test installs it"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Neither program tells when it listens, so it is asked."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        assert process.poll() is None, f"{process.args!r} ended"
        with socket.socket() as asked:
            asked.settimeout(DEADLINE)
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise TimeoutError
