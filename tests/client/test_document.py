"""docs/bridge.md is what the types say, and everything on the bridge is explained."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from client.bridge_api import CALLS, EVENTS, BridgeEvent, Call
from client.config import SETTINGS
from client.document import DOCS, write

PAGE = (DOCS / "bridge.md").read_text("utf-8")


def test_the_document_is_fresh(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "bridge.md").read_text("utf-8") == PAGE, "run: python -m client.document"


@pytest.mark.parametrize("name", [*CALLS, *EVENTS, *(setting.name for setting in SETTINGS)])
def test_everything_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_call_and_event_is_registered_and_explained() -> None:
    assert set(CALLS.values()) == set(Call.__subclasses__())
    assert set(EVENTS.values()) == set(BridgeEvent.__subclasses__())
    for shape in [*CALLS.values(), *EVENTS.values()]:
        assert inspect.cleandoc(shape.__doc__ or "").endswith(".")
