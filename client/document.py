"""Writes docs/bridge.md from client/bridge_api.py and client/config.py: `python -m client.document [DIRECTORY]`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec import inspect as types

from client import bridge_api as api
from client.bridge import MAX_CALL_BYTES, MAX_PENDING_CALLS
from client.config import SETTINGS
from client.ui_server import MAX_UNSENT_BYTES
from protocol.document import field_rows

DOCS: Final = Path(__file__).parent.parent / "docs"

_HEAD: Final = """# The bridge between page and Python

<!-- Generated from client/bridge_api.py and client/config.py: python -m client.document -->

{introduction}

Python refuses and logs a method that is not listed here, and arguments that are not as declared: code
`unknown_method` or `bad_call`. More than {pending} calls of one page under way at once: `too_many_calls`. A call over
{call_kib:,} KiB closes the socket. A page that does not read is disconnected when {unsent_mib} MiB wait for it, and
starts afresh. Each error is an [ErrorView](#errorview); a mistake of ours is the code `internal`.
"""


def _views() -> list[type[Struct]]:
    """Every view that a result or an event is made of, in the order of the file."""
    found: dict[type[Struct], None] = {}

    def visit(kind: types.Type) -> None:
        match kind:
            case types.StructType():
                if kind.cls not in found:
                    found[kind.cls] = None
                    for field in kind.fields:
                        visit(field.type)
            case types.ListType():
                visit(kind.item_type)
            case types.UnionType():
                for each in kind.types:
                    visit(each)
            case types.Metadata():
                visit(kind.type)

    shapes = [call.result for call in api.CALLS.values()] + list(api.EVENTS.values())
    for shape in shapes:
        visit(types.type_info(shape))
    order = list(vars(api).values())
    return sorted((shape for shape in found if issubclass(shape, api.View)), key=order.index)


def _section(title: str, shape: type[Struct], after: Sequence[str] = ()) -> str:
    rows = field_rows(shape) if shape.__struct_fields__ else ["No fields."]
    return "\n".join([f"### {title}", "", inspect.cleandoc(shape.__doc__ or ""), *after, "", *rows])


def _settings() -> str:
    rows = ["| name | section | kind | default | values |", "| --- | --- | --- | --- | --- |"]
    for setting in SETTINGS:
        values = ", ".join(f"`{choice}`" for choice in setting.choices)
        if setting.kind == "number":
            values = f"{setting.minimum} to {setting.maximum}"
        rows.append(f"| `{setting.name}` | {setting.section} | {setting.kind} | `{setting.default}` | {values} |")
    return "\n".join(rows)


def render() -> str:
    """The document."""
    head = _HEAD.format(
        introduction=inspect.cleandoc(api.__doc__ or ""),
        pending=MAX_PENDING_CALLS,
        call_kib=MAX_CALL_BYTES // 1024,
        unsent_mib=MAX_UNSENT_BYTES // 1024 // 1024,
    )
    calls = [
        _section(f"`{name}`", call, ("", f"Result: [{call.result.__name__}](#{call.result.__name__.lower()})"))
        for name, call in api.CALLS.items()
    ]
    events = [_section(f"`{name}`", event) for name, event in api.EVENTS.items()]
    views = [_section(view.__name__, view) for view in _views()]
    parts = [
        head,
        "## Calls",
        *calls,
        "## Events",
        *events,
        "## Views",
        *views,
        "## Settings",
        "They are kept in `settings.toml` in the profile, one `name = value` a line.\n\n" + _settings(),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def write(directory: Path) -> None:
    """Write bridge.md into `directory`."""
    (directory / "bridge.md").write_text(render(), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
