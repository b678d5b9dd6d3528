"""The documents name real things: every `file.py:Class.function` and every linked file exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAME = re.compile(r"`([\w./-]+\.(?:py|js)):([\w.#]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")


def defined_in_python(path: Path) -> set[str]:
    """Every function and class of a module by its dotted name."""
    names: set[str] = set()

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(prefix + child.name)
                walk(child, prefix + child.name + ".")

    walk(ast.parse(path.read_text("utf-8")), "")
    return names


def is_defined(path: Path, name: str) -> bool:
    """Whether a Python or JavaScript file defines the function, method or class `name`."""
    if path.suffix == ".py":
        return name in defined_in_python(path)
    text = path.read_text("utf-8")
    last = re.escape(name.rpartition(".")[2])
    prefix = r"^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\s+|class\s+|static\s+)?#?"
    definition = prefix + last + r"\s*(?:\([^;]*\{|\{|extends\b|= \()"
    holders = all(re.search(rf"\bclass {re.escape(part)}\b", text) for part in name.split(".")[:-1])
    return holders and re.search(definition, text, re.MULTILINE) is not None


NAMES = sorted(
    {(page.relative_to(ROOT).as_posix(), *match) for page in PAGES for match in NAME.findall(page.read_text("utf-8"))}
)


@pytest.mark.parametrize(("page", "file", "name"), NAMES)
def test_a_named_function_exists(page: str, file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file(), f"{page} names {file}, which does not exist"
    assert is_defined(path, name), f"{page} names {name} in {file}, which does not define it"


def test_the_message_path_names_each_step() -> None:
    files = [file for page, file, _ in NAMES if page == "docs/message-path.md"]
    for step in (
        "ui/components/composer.js", "ui/bridge.js", "client/bridge.py", "client/engine.py", "client/session/",
        "client/connection.py", "server_stub/gateway.py", "server_stub/user_actor.py", "server_stub/post_office.py",
    ):  # fmt: skip
        assert any(file.startswith(step) for file in files), f"docs/message-path.md does not name a function of {step}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"
