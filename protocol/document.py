"""Writes docs/protocol.md and docs/protocol.schema.json from the types: `python -m protocol.document [DIRECTORY]`."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect as types

from protocol import messages as m
from protocol.errors import ERRORS, CloseCode
from protocol.examples import EXAMPLES

TEMPLATE: Final = Path(__file__).parent.parent / "docs" / "templates" / "protocol.md"
PARTS: Final = (m.Person, m.Department, m.PresenceEntry, m.Event, m.ConversationState)


def field_notes(shape: type) -> dict[str, str]:
    """The strings that stand under a class's fields (or enum's members), by name; Python itself does not keep them."""
    body = ast.parse(textwrap.dedent(inspect.getsource(shape))).body[0]
    assert isinstance(body, ast.ClassDef)
    notes: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
        if (
            isinstance(target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            notes[target.id] = " ".join(str(following.value.value).split())
    return notes


def type_text(kind: types.Type) -> str:
    """A type in words that a JSON programmer knows."""
    match kind:
        case types.Metadata():
            return type_text(kind.type)
        case types.StrType():
            pattern = f" `{kind.pattern}`" if kind.pattern else ""
            return f"string{pattern}" + (f" of at most {kind.max_length:,} characters" if kind.max_length else "")
        case types.IntType():
            low, high = kind.ge, kind.le
            return "integer" + (f", {low} to {high:,}" if low is not None and high is not None else "")
        case types.BoolType():
            return "true or false"
        case types.LiteralType():
            return " or ".join(f"`{json.dumps(value)}`" for value in kind.values)
        case types.ListType():
            return f"array of {type_text(kind.item_type)}"
        case types.DictType():
            return f"object: {type_text(kind.key_type)} → {type_text(kind.value_type)}"
        case types.StructType():
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case types.UnionType():
            return " or ".join(type_text(each) for each in kind.types if not isinstance(each, types.NoneType))
        case types.RawType():
            return "object"
    raise TypeError(f"document.py has no words for {kind!r}")


def _description(kind: types.Type) -> str:
    match kind:
        case types.Metadata():
            return str((kind.extra_json_schema or {}).get("description", ""))
        case types.UnionType():
            return next(filter(None, map(_description, kind.types)), "")
    return ""


def field_rows(shape: type[msgspec.Struct]) -> list[str]:
    """A Markdown table of a struct's fields: name, type, whether it may be left out, what it means."""
    info = types.type_info(shape)
    assert isinstance(info, types.StructType)
    notes = field_notes(shape)
    rows = []
    for field in info.fields:
        if field.name in ("id", "re") and issubclass(shape, m.Request | m.Answer | m.Error):
            continue
        kind = field.type
        default = msgspec.NODEFAULT if field.required else field.default
        neutral = default is msgspec.NODEFAULT or default is msgspec.UNSET or not default
        optional = "" if field.required else "optional" if neutral else f"default `{json.dumps(default)}`"
        note = notes.get(field.name) or _description(kind)
        text = type_text(kind).replace("|", "\\|")
        rows.append(f"| `{field.encode_name}` | {text} | {optional} | {note.replace('|', chr(92) + '|')} |")
    if not rows:
        return ["No fields but those of every frame of its kind."]
    return ["| field | type | | meaning |", "| --- | --- | --- | --- |", *rows]


def _section(shape: type[msgspec.Struct], example: msgspec.Struct | None) -> str:
    tag = shape.__struct_config__.tag
    title = f"`{tag}`" if tag else shape.__name__
    lines = [f"### {title}", "", inspect.cleandoc(shape.__doc__ or ""), "", *field_rows(shape)]
    if issubclass(shape, m.Request):
        lines += ["", f"Answered by `{m.ANSWERED_BY[shape].__struct_config__.tag}`, or by an `error`."]
    if example is not None:
        pretty = json.dumps(json.loads(msgspec.json.encode(example)), ensure_ascii=False)
        lines += ["", "```json", pretty, "```"]
    return "\n".join(lines)


def _sections(shapes: tuple[type[msgspec.Struct], ...]) -> str:
    examples = {type(example): example for example in EXAMPLES}
    return "\n\n".join(_section(shape, examples.get(shape)) for shape in shapes)


def render(template: str) -> str:
    """The document: the template with its `{{…}}` places filled from the types."""
    close_notes = field_notes(CloseCode)
    places = {
        "parts": _sections(PARTS),
        "bodies": "\n\n".join(
            f"### kind `{kind}`\n\n{inspect.cleandoc(shape.__doc__ or '')}\n\n" + "\n".join(field_rows(shape))
            for kind, shape in m.BODIES.items()
        ),
        "requests": _sections(m.REQUESTS),
        "answers": _sections(m.ANSWERS),
        "pushes": _sections(m.PUSHES),
        "errors": "\n".join(
            ["| code | text | can trying again help? |", "| --- | --- | --- |"]
            + [
                f"| `{code.value}` | {facts.text} | {'yes' if facts.retry else 'no'} |"
                for code, facts in ERRORS.items()
            ]
        ),
        "close_codes": "\n".join(
            ["| code | name | what a client does |", "| --- | --- | --- |"]
            + [f"| {code.value} | {code.name.lower()} | {close_notes.get(code.name, '')} |" for code in CloseCode]
        ),
    }
    for name, text in places.items():
        place = "{{" + name + "}}"
        if place not in template:
            raise ValueError(f"the template lacks {place}")
        template = template.replace(place, text)
    return template


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every frame: `request` is what a client sends, `server_frame` what it receives."""
    (request, server_frame), components = msgspec.json.schema_components(
        (m.AnyRequest, m.ServerFrame), ref_template="#/$defs/{name}"
    )
    bodies, body_components = msgspec.json.schema_components(m.BODIES.values(), ref_template="#/$defs/{name}")
    components |= body_components
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Oschat wire protocol",
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/server_frame"}],
        "$defs": {
            "request": request,
            "server_frame": server_frame,
            "event_bodies": {"type": "object", "properties": dict(zip(m.BODIES, bodies, strict=True))},
            **components,
        },
    }


def write(directory: Path) -> None:
    """Write both documents into `directory`."""
    (directory / "protocol.md").write_text(render(TEMPLATE.read_text("utf-8")), "utf-8")
    text = json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    (directory / "protocol.schema.json").write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TEMPLATE.parent.parent)
