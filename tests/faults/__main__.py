"""`python -m tests.faults [NAME …] [--short]`: break things on purpose, and print one line of JSON for each point."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Final

NAMES: Final = (
    "kill_server", "kill_client", "power", "links", "wake", "crowd",
    "websocket_cases", "frames", "slow_readers", "half_open", "revoked",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for, or everything. 1 where a point did not pass."""
    parser = argparse.ArgumentParser(prog="dev.py faults", description="Break things, and see that nothing is lost.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)}; without one, all")
    parser.add_argument("--short", action="store_true", help="a few of each, as in every test run")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no point {unknown[0]}; there are {', '.join(NAMES)}")
    passed = True
    for name in given.names or NAMES:
        for result in importlib.import_module(f"tests.faults.{name}").run(short=given.short):
            print(json.dumps(result, ensure_ascii=False), flush=True)
            passed = passed and bool(result["passed"])
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
