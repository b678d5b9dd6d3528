"""Words that may not stand in our files, each with its reason."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.house.sources import ROOT, name_of, sources, text_of

HERE = "tests/house/"


class Rule(NamedTuple):
    """A pattern that nothing in these files may match."""

    name: str
    pattern: str
    where: tuple[str, ...]
    reason: str


PYTHON = ("client/**/*.py", "client/*.py", "server_stub/**/*.py", "server_stub/*.py", "protocol/*.py")
PAGE = ("ui/*.js", "ui/**/*.js")
TESTS = ("tests/**/*.py",)
TEXT = ("*.py", "*.js", "*.mjs", "*.css", "*.html", "*.md", "*.ftl", "*.toml", "*.json", "*.txt", "*.spec", "run")

RULES = (
    Rule("js_api", r"js_api\s*=", PYTHON, "the page could then reach any attribute of that object: use the bridge"),
    Rule(
        "evaluate_js", r"\b(evaluate_js|run_js)\(", PYTHON, "it needs unsafe-eval and hangs after a crash of the page"
    ),
    Rule("expose", r"\.expose\(", PYTHON, "the page calls bridge methods from the allow-list, nothing else"),
    Rule("private mode", r"private_mode\s*=\s*False", PYTHON, "second windows fail, and the port is fixed and shared"),
    Rule(
        "unsafe policy",
        r"unsafe-eval|'unsafe-inline'[^;]*script|script-src[^;]*unsafe",
        PYTHON,
        "scripts come from files",
    ),
    Rule("shell", r"shell\s*=\s*True", ("*.py",), "a shell parses what should be arguments"),
    Rule(
        "silent except",
        r"except( (Base)?Exception\b[^\n]*)?:\s*\n\s*pass\b",
        ("*.py",),
        "handle it, log it, or say by contextlib.suppress which",
    ),
    Rule("broad suppress", r"suppress\((Base)?Exception\)", ("*.py",), "it hides the failures that nobody thought of"),
    Rule("blanket ignore", r"#\s*type:\s*ignore(?!\[)", ("*.py",), "name the error that is ignored, and why"),
    Rule("blanket noqa", r"#\s*noqa(?!:)", ("*.py",), "name the rule that is not followed, and why"),
    Rule(
        "markup from text",
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|unsafeHTML)\b\s*[=(]",
        PAGE,
        "what a person typed becomes DOM as text",
    ),
    Rule("eval", r"\beval\(|new Function\(", PAGE, "the policy forbids it"),
    Rule("web storage", r"\b(localStorage|sessionStorage|indexedDB)\b", PAGE, "the page keeps no truth of its own"),
    Rule(
        "fetch",
        r"\b(XMLHttpRequest|sendBeacon|EventSource)\b",
        PAGE,
        "the page reaches Python through ui/bridge.js alone",
    ),
    Rule(
        "colour",
        r"(?<![\w&-])#[0-9a-fA-F]{3,8}\b|\b(rgba?|hsla?|oklch)\(",
        ("ui/components/*.css",),
        "colours come from styles/tokens.css, so that a theme can change them",
    ),
    Rule(
        "sleep",
        r"\btime\.sleep\(|asyncio\.sleep\((?!0\))|wait_for_timeout\(",
        ("tests/**/test_*.py", "tests/**/conftest.py"),  # tests/support/ may poll what sends no event, with a deadline
        "wait for an event, with a deadline",
    ),
    Rule(
        "skip",
        r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)\b|unittest\.skip",
        TESTS,
        "what is not tried is not known",
    ),
    Rule("mock", r"unittest\.mock|\bMagicMock\b|\bmocker\b", TESTS, "real parts throughout: start the real thing"),
    Rule("to do", r"\b(TODO|FIXME|XXX|HACK)\b", TEXT, "do it, or write it down where work is planned"),
    Rule("this machine", r"/(wo)rk/|/(tm)p/s/|/(ro)ot/|/opt/(wh)eels|/home/\w+/", TEXT, "nobody else has that path"),
    Rule(
        "registry",
        r"(pypi|npmjs|yarnpkg|pythonhosted|npmmirror|rubygems)\.(org|com|io)|proxy\.golang|crates\.io|deb\.debian",
        (*TEXT, "*.lock", "*.npmrc"),
        "packages come from whatever registry the reader's tools are set to",
    ),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule(rule: Rule) -> None:
    pattern = re.compile(rule.pattern)
    found = [
        f"{name_of(path)}:{text_of(path).count(chr(10), 0, match.start()) + 1}: {match.group().strip()[:60]}"
        for path in sources(*rule.where)
        if not name_of(path).startswith(HERE)
        for match in pattern.finditer(text_of(path))
    ]
    assert not found, f"{rule.name}: {rule.reason}\n" + "\n".join(found)


def test_the_page_reaches_python_through_the_bridge_alone() -> None:
    static = {"ui/i18n.js", "ui/components/emoji-picker.js"}  # these read our own static files
    pattern = re.compile(r"new WebSocket\(|\bfetch\(|\bpywebview\b")
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in sources(*PAGE)
        if path != ROOT / "ui" / "bridge.js"
        for match in pattern.finditer(re.sub(r"^\s*(//|\*|/\*).*$", "", text_of(path), flags=re.MULTILINE))
        if not (match.group() == "fetch(" and name_of(path) in static)
    ]
    assert not found, f"One door to Python, which a reader can check: {found}"
