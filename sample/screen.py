"""A screen that nobody sees: Xvfb with a small window manager, for the demo where there is no display."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

SIZE = "1920x800x24"  # 24 bits: Qt crashes on fewer
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class VirtualScreen:
    """Runs as long as the `with` block. `environment` is what programs need to open their windows there."""

    def __init__(self) -> None:
        """Start it. Raises RuntimeError where it does not come up."""
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"]
        self._manager: subprocess.Popen[bytes] | None = None
        try:
            self._server = subprocess.Popen(
                command, pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except FileNotFoundError:
            os.close(reading)
            os.close(writing)
            raise RuntimeError("Xvfb is not installed. `python3 dev.py demo` installs it.") from None
        os.close(writing)
        with os.fdopen(reading) as pipe:
            # The number comes when the screen is ready; the pipe ends without one when Xvfb ends.
            ready, _, _ = select.select([pipe], [], [], START_SECONDS)
            number = pipe.readline().strip() if ready else ""
        if not number:
            self._server.kill()
            _, told = self._server.communicate()
            raise RuntimeError(f"Xvfb does not start: {told.decode(errors='replace').strip()[-500:]}")
        self.environment = {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": ""}
        self._manager = subprocess.Popen(
            ["openbox", "--sm-disable"],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def picture(self, path: Path) -> None:
        """The whole screen as a PNG. Raises CalledProcessError."""
        program = "import sys; from PySide6.QtGui import QGuiApplication as App; app = App([]); "
        program += "sys.exit(not app.primaryScreen().grabWindow(0).save(sys.argv[1]))"
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )

    def stop(self) -> None:
        """End both, by their own ids."""
        for process in (self._manager, self._server):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if self._server.stderr is not None:
            self._server.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
