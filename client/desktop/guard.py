"""What a window host must know to keep a page in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """Asked anew for each window: settings change."""

    prefix: str
    """Every address of ours begins with this."""
    language: Callable[[], str]
    """The setting `language`."""
    appearance: Callable[[], str]
    """The setting `appearance`."""
