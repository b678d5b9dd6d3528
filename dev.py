#!/usr/bin/env python3
"""One door for people: `python3 dev.py WORD`. Needs Python 3.11 and nothing else; sets up the rest itself.

    demo      a server with a sample company, and two people who talk in desktop windows
    test      all checks, then all tests
    check     format, lint, strict types, the page's linter, generated documents
    server    the server (its own arguments follow; without any: a server on this machine's data folder)
    client    the desktop client (its own arguments follow)
    ui        the page in an ordinary browser, reloading as files are saved
    bench     the measurements, one JSON line each
    faults    kill, cut, stop and drown what may not lose a message, one JSON line for each point
    package   a program that runs without Python, in dist/
    docs      write the generated documents anew
    lock      write requirements/*.txt anew (--upgrade: with the newest versions)

Exit code 2: something must be installed first, and the line that does it was printed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

if sys.version_info < (3, 11):
    sys.exit("Oschat needs Python 3.11 or newer; this is " + sys.version.split()[0])

from devtools import checks
from devtools.debian import DESKTOP
from devtools.lock import lock
from devtools.setup import PACKAGE, PYTHON, SCREEN, TESTS, has_display, set_up, set_up_peers
from devtools.steps import ROOT, STATE, Failure


def run(*command: str) -> int:
    """Run Python of the environment in the repository until it ends. What ends us, ends it first, in its own way."""
    process = subprocess.Popen([str(PYTHON), *command], cwd=ROOT)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the program too


def demo(arguments: Sequence[str]) -> int:
    """A server with a sample company, and two people who talk in desktop windows."""
    set_up(DESKTOP if has_display() and "--headless" not in arguments else SCREEN)
    return run("-m", "sample.demo", *arguments)


def test(arguments: Sequence[str]) -> int:
    """All checks, then all tests; what follows goes to pytest."""
    set_up(TESTS)
    good = checks.check()
    code = run("-m", "pytest", *arguments)
    if code == 0 and not good:
        print("dev.py test: the tests passed, but a check above did not.", file=sys.stderr)
    return code or (0 if good else 1)


def check(_: Sequence[str]) -> int:
    """Format, lint, strict types, the page's linter, generated documents."""
    set_up(())
    return 0 if checks.check() else 1


def server(arguments: Sequence[str]) -> int:
    """The server, with its own arguments."""
    set_up(())
    return run("-m", "server_stub", *(arguments or ("serve", "--data", str(STATE / "server"))))


def client(arguments: Sequence[str]) -> int:
    """The desktop client, with its own arguments."""
    set_up(DESKTOP)
    return run("-m", "client", *arguments)


def ui(arguments: Sequence[str]) -> int:
    """The page in an ordinary browser, with the real bridge behind it."""
    set_up(())
    return run("-m", "client", "--browser", "--reload", *arguments)


def bench(arguments: Sequence[str]) -> int:
    """The measurements. Only the long form of the server's has peers, which only it needs."""
    names = {word for word in arguments if not word.startswith("-")}
    if "--short" not in arguments and (not names or "server" in names):
        set_up_peers()
    set_up(TESTS)
    return run("-m", "bench", *arguments)


def faults(arguments: Sequence[str]) -> int:
    """Break things on purpose, and see that nothing is lost."""
    set_up(TESTS)
    return run("-m", "tests.faults", *arguments)


def package(arguments: Sequence[str]) -> int:
    """A program that runs without Python."""
    set_up(PACKAGE)
    return run("-m", "PyInstaller", "--noconfirm", *arguments, "build.spec")


def docs(_: Sequence[str]) -> int:
    """Write the generated documents anew."""
    set_up(())
    return 0 if checks.write_documents() else 1


def relock(arguments: Sequence[str]) -> int:
    """Write requirements/*.txt anew."""
    set_up(())
    lock(upgrade="--upgrade" in arguments)
    return 0


WORDS: dict[str, Callable[[Sequence[str]], int]] = {
    "demo": demo, "test": test, "check": check, "server": server, "client": client, "ui": ui, "bench": bench,
    "faults": faults, "package": package, "docs": docs, "lock": relock,
}  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Find the word and do it."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(__doc__)
        return 0
    word, rest = arguments[0], arguments[1:]
    if word not in WORDS:
        print(f"dev.py does not know the word {word}. It knows: {', '.join(WORDS)}.", file=sys.stderr)
        return 64
    try:
        return WORDS[word](rest)
    except Failure as failure:
        print(f"dev.py {word}: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        print(f"dev.py {word}: stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
