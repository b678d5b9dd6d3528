"""The published contract is what the types say: fresh, complete, and every example in it decodes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from protocol import codec
from protocol import messages as m
from protocol.document import write
from protocol.examples import EXAMPLES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "protocol.md").read_text("utf-8")


def test_the_documents_are_fresh(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("protocol.md", "protocol.schema.json"):
        assert (tmp_path / name).read_text("utf-8") == (DOCS / name).read_text("utf-8"), "run: python3 dev.py docs"


def test_every_frame_has_one_example() -> None:
    assert [type(example) for example in EXAMPLES] == list(m.REQUESTS + m.ANSWERS + m.PUSHES)


def test_every_type_stands_in_the_unions() -> None:
    assert set(m.REQUESTS) == set(m.Request.__subclasses__())
    assert set(m.ANSWERS) == {*m.Answer.__subclasses__(), m.Error}
    assert set(m.PUSHES) == set(m.Push.__subclasses__())


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL))
def test_each_example_of_the_page_decodes(example: str) -> None:
    frame = json.loads(example)
    if "id" in frame:
        decoded = codec.decode_request(example.encode())
        assert json.loads(codec.encode(decoded)) == frame
    else:
        answer = codec.decode_server_frame(example)
        assert answer is not None
        assert json.loads(codec.encode(answer)) == frame


def test_the_schema_names_every_frame() -> None:
    definitions = json.loads((DOCS / "protocol.schema.json").read_text("utf-8"))["$defs"]
    tags = {
        entry["properties"]["type"]["const"]
        for entry in definitions.values()
        if "type" in entry.get("properties", {}) and "const" in entry["properties"]["type"]
    } | {
        value for entry in definitions.values() for value in entry.get("properties", {}).get("type", {}).get("enum", [])
    }
    assert {str(shape.__struct_config__.tag) for shape in m.REQUESTS + m.ANSWERS + m.PUSHES} <= tags
