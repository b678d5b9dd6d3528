"""Every file says what it is for, stays readable in one sitting, and is complete in every language."""

from __future__ import annotations

import re
import stat
import tomllib

from tests.house.sources import ROOT, header_of, name_of, sources, text_of

LONGEST = 400
CODE = ("*.py", "*.js", "*.mjs", "*.css", "*.html")


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in sources("*.py", "*.js", "*.mjs") if not header_of(path).strip(" /*")]
    assert not silent, f"A file begins with one line that says what it is for: {silent}"


def test_no_file_is_too_long() -> None:
    long = [
        f"{name_of(path)}: {lines} lines"
        for path in sources(*CODE)
        if (lines := text_of(path).count("\n")) > LONGEST and "in one file" not in header_of(path)
    ]
    assert not long, f"Over {LONGEST} lines a file is two, or its docstring says why it stays 'in one file': {long}"


def test_languages_are_complete() -> None:
    english = messages_of("en")
    chinese = messages_of("zh-CN")
    assert english, "ui/locales/en holds every text that a person sees"
    assert english.keys() == chinese.keys(), f"In one language only: {sorted(english.keys() ^ chinese.keys())}"
    for name, text in english.items():
        assert variables(text) == variables(chinese[name]), f"{name} uses other variables in Chinese"


def messages_of(language: str) -> dict[str, str]:
    """Every message and term of a language: its name, and its text with attributes."""
    found: dict[str, str] = {}
    for path in sources(f"ui/locales/{language}/*.ftl", f"ui/locales/{language}.ftl"):
        for block in re.split(r"\n(?=[a-zA-Z-])", "\n" + text_of(path)):
            if match := re.match(r"\s*(-?[a-zA-Z][\w-]*)\s*=", block):
                assert match.group(1) not in found, f"{match.group(1)} stands twice in {language}"
                found[match.group(1)] = block
    return found


def variables(text: str) -> set[str]:
    """The variables that a message uses."""
    return set(re.findall(r"\{[^}]*?\$([\w-]+)", text))


def test_locks_carry_a_hash_for_everything() -> None:
    for name in ("build", "client", "server", "dev"):
        blocks = re.split(r"\n(?=\S)", text_of(ROOT / "requirements" / f"{name}.txt").strip())
        assert len(blocks) > 0
        for block in blocks:
            assert "--hash=sha256:" in block, f"requirements/{name}.txt: {block.splitlines()[0]} has no hash"


def test_locks_cover_what_is_declared() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    for name, extras in {"client": ["client"], "server": ["server"], "dev": ["client", "server", "dev"]}.items():
        locked = set(re.findall(r"^([a-z0-9-]+)==", text_of(ROOT / "requirements" / f"{name}.txt"), re.MULTILINE))
        for line in [*project["dependencies"], *(one for e in extras for one in project["optional-dependencies"][e])]:
            package = re.split(r"[^\w-]", line)[0].lower().replace("_", "-")
            assert package in locked, f"{package} is not in requirements/{name}.txt: run `python3 dev.py lock`"


def test_ci_calls_exactly_the_front_door() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in text_of(script).splitlines() if line and not line.startswith("#")]
    assert len(commands) == 1
    assert commands[0].endswith('dev.py" test')
    assert script.stat().st_mode & stat.S_IXUSR
