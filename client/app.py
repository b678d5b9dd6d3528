"""The program: wires the parts, and runs them in their threads.

    main thread      the windows (pywebview, or the wait for a browser)
    engine thread    one asyncio loop: the engine, the bridge, the loopback server
    link thread      the WebSocket to the server (client/connection.py)

The socket of the page is bound first, so the window can be made at once, and its requests wait in the system's queue
while the engine's thread loads the server. The engine itself loads while Chromium starts its processes.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from client.address import Address
from client.browser_windows import BrowserWindows
from client.command_line import Options
from client.config import Settings
from client.desktop.display import check_display
from client.desktop.guard import Guard
from client.desktop.links import open_link
from client.errors import ClientError, UsageError
from client.instance import Instance
from client.log import log, log_failure, set_up, tell
from client.placement import Placements
from client.ports import EnginePort, PagePort, SettingsPort, WindowPort
from client.profile import open_profile
from client.windows import Host, NativeWindows

if TYPE_CHECKING:
    from client.bridge import Bridge

STOP_SECONDS: Final = 10.0
"""So long the engine may take to keep what must be kept."""

USER_THEMES: Final = "themes"
"""The folder in the profile for the user's own themes."""


class Core(Protocol):
    """The engine with the parts around it (client/core.py)."""

    async def start(self) -> EnginePort:
        """Wire and start it. Raises ClientError."""

    async def stop(self) -> None:
        """End whatever has begun."""


MakeCore = Callable[[Options, str, SettingsPort, WindowPort, PagePort], Core]
"""Options, profile id, settings, windows, pages."""


def real_core(options: Options, profile_id: str, settings: SettingsPort, windows: WindowPort, pages: PagePort) -> Core:
    """The core of client/core.py."""
    from client.core import ClientCore  # noqa: PLC0415  # on the engine's thread, while the other loads the windows

    return ClientCore(options, profile_id, settings, windows, pages)


def run(options: Options, make_core: MakeCore) -> int:
    """Run the program to its end; the exit code. Raises UsageError where it cannot start."""
    profile_id = open_profile(options.profile)
    instance = Instance(options.profile)
    if not instance.claim():
        if instance.knock():
            return 0
        raise UsageError(
            "already_running",
            f"Oschat runs with the profile {options.profile} and does not answer. Wait, or end it and try again.",
        )
    try:
        return _run(options, profile_id, instance, make_core)
    finally:
        instance.release()


def _run(options: Options, profile_id: str, instance: Instance, make_core: MakeCore) -> int:
    try:
        address = Address()
    except OSError as error:
        raise UsageError("no_loopback", f"No port of 127.0.0.1 can be opened: {error.strerror}.") from error
    try:
        set_up(options.profile, to_stderr=options.dev, hidden=(address.token, address.knock))
    except OSError as error:
        raise UsageError("bad_profile", f"The log in {options.profile} cannot be written: {error.strerror}.") from error
    settings = Settings(options.profile)
    for problem in settings.problems:
        log("setting ignored", why=problem)
        tell(problem)
    windows = _windows(options, address, settings)
    engine = _EngineThread(
        options, address, windows, lambda pages: make_core(options, profile_id, settings, windows, pages)
    )
    _end_on_signals(windows.quit)
    engine.start()
    instance.announce(address.show_url)
    try:
        windows.run(engine.windows_loaded)
    finally:
        engine.stop()
        log("ended")
    return 0 if engine.failure is None else 1


class Windows(WindowPort, Protocol):
    """A window host: the port for the engine, and what the program needs around it."""

    def run(self, loaded: Callable[[], None]) -> None:
        """Block until the main window is closed, or `quit` is called. `loaded`: all that is slow to load is there."""

    def quit(self) -> None:
        """End `run`, from any thread."""


def _windows(options: Options, address: Address, settings: Settings) -> Windows:
    if options.browser:
        return BrowserWindows(address, open_browser=options.open_browser, open_link=open_link)

    def make_host() -> Host:
        check_display()
        if sys.platform == "linux":
            from client.desktop.qt import QtHost as SystemHost  # noqa: PLC0415  # it loads all of Qt
        else:
            from client.desktop.plain import PlainHost as SystemHost  # noqa: PLC0415
        guard = Guard(
            address.prefix,
            language=lambda: str(settings.get("language")),
            appearance=lambda: str(settings.get("appearance")),
        )
        return SystemHost(guard, debugging_port=options.debugging_port)

    return NativeWindows(address, Placements(options.profile), make_host=make_host, open_link=open_link)


def _end_on_signals(end: Callable[[], None]) -> None:
    def handle(number: int, frame: object) -> None:
        log("signal", number=number)
        end()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


class _EngineThread:
    """One asyncio loop in one thread: the engine, the bridge and the loopback server."""

    def __init__(
        self, options: Options, address: Address, windows: WindowPort, make_core: Callable[[PagePort], Core]
    ) -> None:
        self._options = options
        self._address = address
        self._windows = windows
        self._make_core = make_core
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._windows_loaded: asyncio.Event | None = None
        self._core: Core | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self.failure: ClientError | None = None

    def start(self) -> None:
        """Begin, without waiting."""
        self._thread.start()

    def stop(self) -> None:
        """End the engine and wait for it, at most STOP_SECONDS."""
        self._set(lambda: self._ending)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            log("engine does not end")

    def windows_loaded(self) -> None:
        """Go on with the engine: until now it would only have taken the interpreter from the windows."""
        self._set(lambda: self._windows_loaded)

    def _set(self, find: Callable[[], asyncio.Event | None]) -> None:
        """Set an event of the loop, from another thread."""
        if self._begun.wait(STOP_SECONDS) and self._loop is not None and (event := find()) is not None:
            # Where the thread has failed there is no loop any more, and nobody who waits.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(event.set)

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log_failure("engine thread failed")
            self.failure = ClientError("internal", "The program failed.")
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        from client.bridge import Bridge  # noqa: PLC0415  # on this thread, while the other one loads the windows
        from client.static_files import StaticFiles  # noqa: PLC0415
        from client.ui_server import UiServer  # noqa: PLC0415

        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._windows_loaded = asyncio.Event()
        self._begun.set()
        bridge = Bridge()
        files = StaticFiles(self._options.ui, self._options.profile / USER_THEMES)
        server = UiServer(self._address, files, bridge, self._windows.show_main)
        await server.start()
        log("ui ready", url=self._address.page("main"))
        tasks = [asyncio.create_task(self._start_core(bridge, self._windows_loaded))]
        if self._options.reload:
            tasks.append(self._watch(bridge))
        await self._ending.wait()
        if self._core is not None:
            # Also while it still starts, e.g. waits for a person to unlock the keyring.
            await self._core.stop()
        await server.stop()
        for task in tasks:
            task.cancel()

    async def _start_core(self, bridge: Bridge, when: asyncio.Event) -> None:
        await when.wait()
        try:
            self._core = self._make_core(bridge)
            engine = await self._core.start()
        except ClientError as error:
            log("engine not started", code=error.code)
            self._fail(error, bridge)
        except Exception:
            log_failure("engine not started")
            self._fail(ClientError("internal", "The program could not start; client.log says why."), bridge)
        else:
            log("engine ready")
            bridge.open(engine)

    def _fail(self, error: ClientError, bridge: Bridge) -> None:
        """The page shows the reason, and the terminal too."""
        self.failure = error
        tell(error.text)
        bridge.fail(error)

    def _watch(self, bridge: Bridge) -> asyncio.Task[None]:
        from client.bridge_api import ReloadPage  # noqa: PLC0415
        from client.reload import watch  # noqa: PLC0415

        return asyncio.create_task(watch(self._options.ui, lambda: bridge.push(ReloadPage())))
