"""Fixtures of the server's tests."""

from tests.support.server import server

__all__ = ["server"]
