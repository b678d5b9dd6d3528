"""The desktop program's entry: `python -m client`, and the packaged `oschat`."""

from __future__ import annotations

import logging
import os
import sys

from client.app import MakeCore, real_core, run
from client.command_line import parse
from client.errors import UsageError
from client.log import log_failure, tell


def main(make_core: MakeCore = real_core) -> int:
    """Run the program; the exit code: 0 done, 1 failed, 2 cannot be started like this."""
    try:
        return run(parse(sys.argv[1:]), make_core)
    except UsageError as error:
        tell(error.text)
        return 2
    except Exception:
        log_failure("program failed")
        tell("The program failed; client.log in the profile's folder says why.")
        return 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Everything of ours has ended; what is left (Qt's teardown, a keyring that hangs) must not hold the process.
    os._exit(code)
