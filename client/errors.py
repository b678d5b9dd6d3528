"""What can go wrong in the client; a person sees the page's translation of the code, never a traceback.

ClientError             code, text, retry: the one error shape of the bridge
  ├─ UsageError         a command line, config file or profile that cannot be used; ends the program with its text
  ├─ LinkError          the server cannot be reached, or cannot be trusted
  ├─ StoreError         the local store cannot be opened or written
  └─ BridgeError        the page called what it may not, or with wrong arguments
"""

from __future__ import annotations


class ClientError(Exception):
    """A failure that a person or the page is told of. `retry_after` is in seconds."""

    def __init__(self, code: str, text: str, *, retry: bool = False, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry = retry
        self.retry_after = retry_after


class UsageError(ClientError):
    """The program was started with something that it cannot use."""


class LinkError(ClientError):
    """The server cannot be reached or cannot be trusted."""


class StoreError(ClientError):
    """The local store cannot be opened or written."""


class BridgeError(ClientError):
    """A call from the page was refused."""
