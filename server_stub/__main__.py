"""`python -m server_stub`: hands over to the command line."""

import sys

from server_stub.cli import main

sys.exit(main(sys.argv[1:]))
