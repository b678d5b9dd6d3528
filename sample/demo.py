"""`dev.py demo`: a real server with the sample company, and two people who talk in desktop windows.

With a display, the windows stay until they are closed. Without one (or with --headless) the two hold a short
conversation on a virtual screen, and pictures of every window are written to demo-out/. Everything that was started
is ended by its own process id. The person's own keyring is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import websocket
from playwright.sync_api import sync_playwright

from protocol.messages import direct_conversation
from sample import company, history, talk
from sample.colleagues import Colleagues
from sample.screen import VirtualScreen
from tests.support.desktop import ROOT, Desktop, Program

PASSWORD = "farhill-demo"  # noqa: S105  # of people who do not exist, on a server of this machine alone
PEOPLE = (("emma", "emma.clarke", "en", "light"), ("lin", "lin.yue", "zh-CN", "dark"))
WAIT_SECONDS = 30.0


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description="A server with a sample company, and two clients.")
    parser.add_argument("--headless", action="store_true", help="use a virtual screen although there is a display")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the server's data there, for the next time too")
    parser.add_argument("--out", type=Path, metavar="DIR", default=ROOT / "demo-out", help="where pictures go")
    given = parser.parse_args(arguments)
    display = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with tempfile.TemporaryDirectory(prefix="oschat-demo-") as folder, contextlib.ExitStack() as stack:
            data = (given.data or Path(folder) / "server").absolute()
            server = stack.enter_context(_server(data))
            url = str(server.wait("server.listening")["url"])
            print(f"The server listens at {url}; its data is in {data}", flush=True)
            stack.enter_context(Colleagues(url, PASSWORD))
            if display and not given.headless:
                _open_for_a_person(stack, Path(folder), url)
            else:
                listing = _run_server_command("user", "list", "--data", str(data)).splitlines()
                ids = {cells[0]: cells[3] for cells in (line.split("\t") for line in listing)}
                _show_on_a_virtual_screen(stack, Path(folder), url, ids, given.out.absolute())
    except Exception as error:  # whatever it was, a person gets the reason and no traceback
        print(f"The demo failed: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 0 if display and not given.headless else 130  # a person ends it like this; a script was interrupted
    return 0


def _terminated(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _server(data: Path) -> Iterator[Program]:
    """The server on its database, which is filled first where it is new."""
    started = time.monotonic()
    if not (data / "oschat.db").exists():
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "company.csv"
            company.write_csv(file, PASSWORD)
            _run_server_command("org", "import", str(file), "--data", str(data))
        count = history.fill(data / "oschat.db")
        print(
            f"Filled the database: {len(company.people())} people, {len(company.departments())} departments, "
            f"{count} messages ({time.monotonic() - started:.1f} s)",
            flush=True,
        )
    command = [sys.executable, "-m", "server_stub", "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    with Program([*command, "--organisation", company.ORGANISATION]) as server:
        yield server


def _run_server_command(*arguments: str) -> str:
    """What the server's command line prints."""
    command = [sys.executable, "-m", "server_stub", *arguments]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    if answer.returncode != 0:
        raise DemoError(f"`{' '.join(arguments)}` failed: {answer.stderr.strip()}")
    return answer.stdout


def _environment() -> dict[str, str]:
    """For the clients: no keyring (they live for this run only), and as root, Chromium without its sandbox."""
    added = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    if sys.platform == "linux" and os.geteuid() == 0:
        added["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"
    return added


def _profile(folder: Path, name: str, settings: dict[str, str], places: dict[str, tuple[int, int, int, int]]) -> Path:
    """A profile with these settings, whose windows stand at (x, y, width, height)."""
    profile = folder / name
    profile.mkdir()
    frames = {window: dict(zip(("x", "y", "width", "height"), place, strict=True)) for window, place in places.items()}
    (profile / "windows.json").write_text(json.dumps(frames), encoding="utf-8")
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    (profile / "settings.toml").write_text("".join(lines), encoding="utf-8")
    return profile


def _open_for_a_person(stack: contextlib.ExitStack, folder: Path, url: str) -> None:
    """Two clients, logged in; until both main windows are closed."""
    clients: list[Program] = []
    for index, (name, login, language, _) in enumerate(PEOPLE):
        profile = _profile(folder, name, {"language": language}, {"main": (60 + 400 * index, 60, 360, 720)})
        command = [sys.executable, "-m", "client", "--server", url, "--profile", str(profile), "--user", login, "--dev"]
        clients.append(stack.enter_context(Program(command, environment=_environment())))
    for client, (_, login, _, _) in zip(clients, PEOPLE, strict=True):
        client.wait("engine ready")
        _log_in_over_the_bridge(str(client.wait("ui ready")["url"]), url, login)
    print(f"Emma Clarke and 林月 are logged in. Everybody's password is {PASSWORD}", flush=True)
    print("Close both main windows, or press Ctrl+C, to end the demo.", flush=True)
    for client in clients:
        client.process.wait()


def _log_in_over_the_bridge(page: str, server: str, login: str) -> None:
    """Do what the log-in page does, so that nobody has to type."""
    address = urlsplit(page)
    bridge = websocket.create_connection(
        address._replace(scheme="ws", path=address.path.replace("index.html", "bridge")).geturl(),
        origin=f"http://{address.netloc}",
        timeout=WAIT_SECONDS,
        http_no_proxy=["127.0.0.1"],
    )
    try:
        call = {"server": server, "user": login, "password": PASSWORD, "remember": False}
        bridge.send(json.dumps({"id": 1, "method": "log_in", "args": call}))
        while True:
            answer = json.loads(bridge.recv())
            if "error" in answer:
                raise DemoError(f"{login} cannot log in: {answer['error']['text']}")
            if answer.get("id") == 1:
                return
    finally:
        bridge.close()


def _show_on_a_virtual_screen(
    stack: contextlib.ExitStack, folder: Path, url: str, ids: Mapping[str, str], out: Path
) -> None:
    """The conversation, and the pictures; `ids` gives user ids by log-in name."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.png"):
        old.unlink()
    started = time.monotonic()
    screen = stack.enter_context(VirtualScreen())
    print(f"There is no display: a virtual screen runs at {screen.environment['DISPLAY']}", flush=True)
    conversation = direct_conversation(*(ids[login] for _, login, _, _ in PEOPLE))
    places = {
        "emma": {"main": (8, 30, 360, 720), conversation: (382, 30, 560, 720)},
        "lin": {conversation: (956, 30, 560, 720), "main": (1530, 30, 360, 720)},
    }
    clients = [
        stack.enter_context(
            Desktop(
                _profile(folder, name, {"language": language, "appearance": appearance}, places[name]),
                *("--server", url, "--user", login),
                environment={**screen.environment, **_environment()},
            )
        )
        for name, login, language, appearance in PEOPLE
    ]
    camera = talk.Camera(out)
    try:
        _play(clients, ids, camera, started)
        screen.picture(out / "screen.png")
    except BaseException:
        for client, (name, _, _, _) in zip(clients, PEOPLE, strict=True):
            (out / f"{name}.log").write_text(client.tail() + "\n", encoding="utf-8")
        print(f"What the two clients logged is in {out}", file=sys.stderr)
        raise
    print(f"Pictures of every window ({time.monotonic() - started:.1f} s):", flush=True)
    for path in (out / "screen.png", *camera.taken):
        print(f"  {path}", flush=True)


def _play(clients: Sequence[Desktop], ids: Mapping[str, str], camera: talk.Camera, started: float) -> None:
    with sync_playwright() as playwright:
        emma, lin = (
            talk.Actor(name, ids[login], client, talk.connect(playwright, client))
            for client, (name, login, _, _) in zip(clients, PEOPLE, strict=True)
        )
        print(f"Two desktop clients are open ({time.monotonic() - started:.1f} s)", flush=True)
        for one in (emma, lin):
            talk.log_in(one, PASSWORD, camera)
        print("Emma Clarke and 林月 have logged in.", flush=True)
        talk.talk(emma, lin, camera)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
