"""The Oschat desktop client: window host, Python bridge, engine and local store."""

from typing import Final

__version__: Final = "0.1.0"
