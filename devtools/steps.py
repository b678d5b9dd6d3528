"""Set-up steps: each runs once for its inputs, shows its progress, and says clearly what failed.

A step leaves a stamp in `.dev/`: the hash of what went into it. While the hash is the same and the outputs exist,
the step costs milliseconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".dev"
TAIL_LINES = 40


class Failure(Exception):
    """Set-up cannot go on: the text says what happened and what to do. `code` is dev.py's exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Step:
    """One part of the set-up. `inputs` are called when its turn comes, because earlier steps can change them."""

    name: str
    title: str
    inputs: Callable[[], Sequence[bytes | Path]]
    outputs: Sequence[Path]
    action: Callable[[Log], object]


class Log:
    """Runs the commands of one step quietly: everything goes to a file, a line of progress to the person."""

    def __init__(self, name: str, label: str) -> None:
        STATE.mkdir(exist_ok=True)
        self.path = STATE / f"{name}.log"
        self._label = label
        self._started = time.monotonic()
        self._next_sign = self._started + 15
        self._terminal = sys.stdout.isatty()
        self._file = self.path.open("w", encoding="utf-8", errors="replace")

    def run(self, command: Sequence[str | Path], *, env: dict[str, str] | None = None, text: str | None = None) -> str:
        """Run a command in the repository and return its output. Raises Failure with the output's tail."""
        words = [str(word) for word in command]
        self._file.write(f"$ {' '.join(words)}\n")
        try:
            process = subprocess.Popen(
                words,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise Failure(f"{self._label}: cannot run {words[0]}: {error.strerror}") from None
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # bounded by what the command prints
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        output: list[str] = []
        try:
            if text is not None and process.stdin is not None:
                process.stdin.write(text)
                process.stdin.close()
            self._follow(lines, output)
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            reader.join(5)
        if code != 0:
            self.clear()
            tail = "".join(f"    {line}\n" for line in output[-TAIL_LINES:])
            raise Failure(
                f"{self._label} failed (exit code {code}). The end of its output:\n{tail}  All of it: {self.path}"
            )
        return "\n".join(output)

    def _follow(self, lines: queue.SimpleQueue[str | None], output: list[str]) -> None:
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                self._show(output[-1] if output else "")
                continue
            if line is None:
                return
            output.append(line)
            self._file.write(line + "\n")
            self._show(line)

    def _show(self, line: str) -> None:
        now = time.monotonic()
        if self._terminal:
            shown = f"{self._label} ... {now - self._started:4.0f} s  {line.strip()}"
            width = shutil.get_terminal_size().columns - 1
            print("\r" + shown[:width].ljust(width), end="", flush=True)
        elif now >= self._next_sign:  # a log file gets a sign of life now and then
            self._next_sign = now + 15
            print(f"{self._label} ... {now - self._started:.0f} s  {line.strip()[:90]}", flush=True)

    def clear(self) -> None:
        """Wipe the line of progress."""
        if self._terminal:
            print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="", flush=True)

    def done(self) -> None:
        """Say that the step is done, and how long it took."""
        self.clear()
        print(f"{self._label}: done in {time.monotonic() - self._started:.1f} s", flush=True)

    def close(self) -> None:
        """Close the log file."""
        self._file.close()


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    if process.stdout is not None:
        with process.stdout as stream:
            for line in stream:
                lines.put(line.rstrip("\n"))
    lines.put(None)


def perform(steps: Sequence[Step]) -> None:
    """Run the steps that are not fresh. Raises Failure."""
    if all(_fresh(step) for step in steps):
        return
    started = time.monotonic()
    with _only_one():
        for number, step in enumerate(steps, 1):
            if _fresh(step):
                continue
            log = Log(step.name, f"[{number}/{len(steps)}] {step.title}")
            try:
                step.action(log)
                log.done()
            finally:
                log.close()
            _stamp(step).write_text(_digest(step), encoding="ascii")
    print(f"Set-up finished in {time.monotonic() - started:.1f} s", flush=True)


def _stamp(step: Step) -> Path:
    return STATE / f"{step.name}.stamp"


def _fresh(step: Step) -> bool:
    try:
        stamped = _stamp(step).read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return all(path.exists() for path in step.outputs) and stamped == _digest(step)


def _digest(step: Step) -> str:
    total = hashlib.sha256()
    for item in step.inputs():
        data = item if isinstance(item, bytes) else item.read_bytes() if item.is_file() else b"absent"
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Wait while another dev.py sets up the same checkout; the system drops the lock when its holder ends."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after 10 s
                    break
                except OSError:
                    print("Another dev.py is setting up; waiting for it.", flush=True)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another dev.py is setting up; waiting for it.", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
