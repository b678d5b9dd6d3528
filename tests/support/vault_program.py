"""A vault in a process of its own: a line on stdin is a JSON list, a method and its arguments; an answer is a line."""

from __future__ import annotations

import json
import logging
import sys

from client.log import JsonLines
from client.vault import KeyringVault


def main() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    vault = KeyringVault(sys.argv[1], answer_seconds=float(sys.argv[2]))
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        if method == "set":
            answer: object = vault.set(arguments[0], arguments[1].encode())
        elif method == "get":
            found = vault.get(arguments[0])
            answer = None if found is None else found.decode()
        elif method == "persistent":
            answer = vault.persistent
        else:
            vault.delete(arguments[0])
            answer = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
