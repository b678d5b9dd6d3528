"""Who may import whom (the layout that README.md describes)."""

from __future__ import annotations

import sys

from tests.house.sources import imports

IO_MODULES = {
    "client": ("connection", "store", "vault", "windows", "desktop", "ui_server", "browser_windows", "instance"),
    "server_stub": ("gateway", "storage", "bus"),
}
INTERFACES = frozenset({"server_stub.storage.base", "server_stub.bus.base", "client.ports"})
"""Contracts that I/O modules fulfil: types only, so everybody may name them."""
WIRING = frozenset({"app", "core", "cli", "__main__"})
"""client/core.py is the part of the wiring that runs on the engine's loop."""

ON_THE_STORE = frozenset({"client.account", "client.entrance", "client.history"})
"""They perform the session's effects on the local store, and hold it."""


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_protocol_imports_nothing_of_ours() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        if inside(module, "protocol")
        for name in names
        if name.split(".")[0] in {"client", "server_stub", "sample", "bench", "devtools", "tests"}
    ]
    assert not wrong, f"Both sides stand on protocol/; it stands on nothing of ours: {wrong}"


def test_client_and_server_never_meet() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        for name in names
        for one, other in (("client", "server_stub"), ("server_stub", "client"))
        if inside(module, one) and inside(name, other)
    ]
    assert not wrong, f"Client and server share protocol/ alone, so that either can be replaced: {wrong}"


def test_programs_import_no_tools() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        if module.split(".")[0] in {"client", "server_stub"}
        for name in names
        if name.split(".")[0] in {"sample", "bench", "devtools", "tests", "dev"}
    ]
    assert not wrong, f"What is shipped does not need what is not: {wrong}"


def test_the_front_door_needs_the_standard_library_alone() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        if module == "dev" or inside(module, "devtools")
        for name in names
        if name.split(".")[0] not in {*sys.stdlib_module_names, "devtools", "msvcrt"}
    ]
    assert not wrong, f"dev.py runs before anything is installed: {wrong}"


def unit(module: str) -> str | None:
    """The I/O unit that a module belongs to (`client.store`, `server_stub.storage`), if any."""
    package, _, rest = module.partition(".")
    first = rest.split(".")[0]
    return f"{package}.{first}" if first in IO_MODULES.get(package, ()) else None


def test_io_modules_never_import_each_other() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        for name in names
        if unit(module) and unit(name) and unit(module) != unit(name) and name not in INTERFACES
    ]
    assert not wrong, f"One I/O module can be read, tested and replaced without the others; app.py wires them: {wrong}"


def test_only_the_wiring_imports_io_modules() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        if module.split(".")[0] in IO_MODULES and not unit(module) and module.split(".")[-1] not in WIRING
        if module.split(".")[-1] != "document"  # it writes a package's documents, and runs apart from the program
        for name in names
        if unit(name) and name not in INTERFACES and not (module in ON_THE_STORE and name == "client.store")
    ]
    assert not wrong, f"Decisions do not know the I/O around them; app.py hands it in: {wrong}"


def test_decisions_are_pure() -> None:
    pure = ("client.session",)
    allowed = ("protocol", "client.errors", "client.session", "client.bridge_api", "client.ports")
    outside = {"socket", "asyncio", "threading", "subprocess", "sqlite3", "ssl", "http", "urllib", "time", "os"}
    wrong = [
        f"{module} imports {name}"
        for module, names in imports().items()
        if any(inside(module, package) for package in pure)
        for name in names
        if (name.split(".")[0] == "client" and not any(inside(name, package) for package in allowed))
        or name.split(".")[0] in outside
    ]
    assert not wrong, f"The session decides; it opens, waits for and looks at nothing: {wrong}"


def test_there_are_no_circles() -> None:
    graph = {module: sorted(names & imports().keys()) for module, names in imports().items()}
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"A circle of imports: {' -> '.join((*path[path.index(module) :], module))}"
        if module not in done:
            for name in graph[module]:
                walk(name, (*path, module))
            done.add(module)

    for module in graph:
        walk(module, ())
