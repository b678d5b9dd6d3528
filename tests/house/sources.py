"""What the house rules look at: the repository's tracked files, and who imports whom."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "client", "server_stub", "sample", "bench", "devtools")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks and that exists."""
    # The checkout may belong to somebody else than who runs the tests, which git would refuse.
    answer = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return tuple(path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file())


def sources(*patterns: str) -> list[Path]:
    """Tracked files whose path in the repository matches one of these patterns."""
    return [path for path in tracked() if any(path.relative_to(ROOT).match(pattern) for pattern in patterns)]


def name_of(path: Path) -> str:
    """The path in the repository, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    """A text file's content; bytes that are no text are replaced."""
    return path.read_text(encoding="utf-8", errors="replace")


def header_of(path: Path) -> str:
    """What a file says of itself: the docstring of a module, the leading comment of another source."""
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text_of(path))) or ""
    lines: list[str] = []
    for line in text_of(path).splitlines():
        bare = line.strip()
        if not bare.startswith(("/*", "*", "//", "<!--", "#")) and (not lines or "*/" in lines[-1] or bare == ""):
            break
        lines.append(bare)
    return " ".join(lines)


def module_of(path: Path) -> str:
    """The module that a Python file is."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, frozenset[str]]:
    """For each of our modules, the modules that it imports anywhere, at run time; of ours the exact module."""
    paths = {module_of(path): path for path in tracked() if path.suffix == ".py" and "tests" not in path.parts}
    return {module: _imports_of(ast.parse(text_of(path)), frozenset(paths)) for module, path in paths.items()}


def _imports_of(tree: ast.AST, ours: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for node in _run_time_nodes(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in ours else node.module)
    return frozenset(found)


def _run_time_nodes(tree: ast.AST) -> list[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    found: list[ast.AST] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found
