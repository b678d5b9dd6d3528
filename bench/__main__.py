"""`python -m bench [NAME …] [--short]`: run measurements, and print one line of JSON for each figure."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Final

NAMES: Final = ("server", "latency", "start")


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Measure what Oschat costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)}; without one, all")
    parser.add_argument("--short", action="store_true", help="few repetitions: does it work at all?")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(NAMES)}")
    for name in given.names or NAMES:
        # One after the other: what is loaded for a measurement must not weigh on the one before it.
        for figure in importlib.import_module(f"bench.{name}").run(short=given.short):
            print(json.dumps(figure, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
