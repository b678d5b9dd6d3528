"""The engine with the parts around it: wired here, started and stopped by app.py on the engine's loop."""

from __future__ import annotations

from client.command_line import Options
from client.errors import ClientError
from client.ports import EnginePort, PagePort, SettingsPort, WindowPort


class ClientCore:
    """Wires the engine to store, vault, link, windows and pages."""

    def __init__(
        self, options: Options, profile_id: str, settings: SettingsPort, windows: WindowPort, pages: PagePort
    ) -> None:
        self._options = options

    async def start(self) -> EnginePort:
        """Start the engine. Raises ClientError."""
        raise ClientError("no_engine", "The engine is not built yet.")

    async def stop(self) -> None:
        """Stop what was started."""
