"""The reference server: actors, storage and bus behind one WebSocket port."""

from typing import Final

VERSION: Final = "0.1.0"
