"""The first frames of a connection: hello, then log in by password or token; and what their errors mean to a person."""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import ClientError, LinkError
from protocol.errors import CloseCode
from protocol.limits import OLDEST_PROTOCOL, PROTOCOL_VERSION
from protocol.messages import Error, Hello, Login, Request, Resume


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """A person typed it and waits. It is forgotten as soon as there is a token."""

    user: str
    password: str


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """From an earlier log-in."""

    token: str


class Handshake:
    """Holds the credentials between attempts."""

    def __init__(self, program: str, device: str) -> None:
        self._program = program
        self._device = device
        self._credentials: Password | Token | None = None

    @property
    def interactive(self) -> bool:
        """Whether a person waits for the outcome: then nothing is tried twice."""
        return isinstance(self._credentials, Password)

    @property
    def can_resume(self) -> bool:
        """Whether there is a token to come back with."""
        return isinstance(self._credentials, Token)

    def use(self, credentials: Password | Token) -> None:
        """For the next attempts."""
        self._credentials = credentials

    def forget(self) -> None:
        """Nobody is logged in."""
        self._credentials = None

    def succeeded(self, token: str | None) -> None:
        """From now on the token resumes the session."""
        if token is not None:
            self._credentials = Token(token)

    def hello(self) -> Request:
        """The first request."""
        return Hello(id=0, protocol=PROTOCOL_VERSION, oldest=OLDEST_PROTOCOL, client=self._program)

    def log_in(self) -> Request:
        """The second one."""
        match self._credentials:
            case Password(user=user, password=password):
                return Login(id=0, user=user, password=password, device=self._device)
            case Token(token=token):
                return Resume(id=0, token=token)
        raise AssertionError("a link without credentials is never opened")

    @staticmethod
    def concerns(request: Request | None) -> bool:
        """Whether the request is one of the handshake's."""
        return isinstance(request, Hello | Login | Resume)


def client_error(error: Error) -> ClientError:
    """The server's error as the client's own."""
    retry_after = error.retry_after if isinstance(error.retry_after, int) else None
    return ClientError(error.code, error.text, retry=error.retry, retry_after=retry_after)


def reconnect_error(code: int) -> ClientError:
    """What a close code means to a person."""
    match code:
        case CloseCode.UPDATE_REQUIRED:
            text = "This program and the server have no protocol version in common. Update the older one."
            return LinkError("update_required", text)
        case CloseCode.SERVICE_RESTART:
            return LinkError("server_restarting", "The server restarts. Try again in a moment.", retry=True)
        case CloseCode.TRY_AGAIN_LATER:
            return LinkError("server_busy", "The server is busy. Try again in a moment.", retry=True)
    return LinkError("link_failed", "The link to the server was closed. Try again.", retry=True)
