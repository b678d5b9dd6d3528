"""docs/operating.md says what is: every setting with its default, and an example file that is valid."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import structs

from server_stub.config import Config, load_config

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")


def test_every_setting_is_described_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(--[\w-]+)` \| .* \| (?:`(.*)`|none|no TLS) \|$", PAGE, re.MULTILINE)
    described = {name: (variable, flag, default) for name, variable, flag, default in rows}
    assert described == {
        field.name: (f"OSCHAT_{field.name.upper()}", f"--{field.name.replace('_', '-')}", str(field.default))
        for field in structs.fields(Config)
    }


def test_the_example_file_is_valid(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    file = tmp_path / "oschat.toml"
    file.write_text(found.group(1), "utf-8")
    assert load_config(file, {}, {}).organisation == "Example Ltd"
