"""What can go wrong on the wire, each with a stable code, a text for people, and whether trying again can help.

    ProtocolError           any failure that goes to the other side as an error frame
      └─ FrameError         the frame itself cannot be understood

Codes never change their meaning and are never reused. A client shows its own translation of the code and
falls back on the text of the frame for a code that it does not know.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class ErrorCode(StrEnum):
    """The stable codes of error frames."""

    BAD_FRAME = "bad_frame"
    UNKNOWN_TYPE = "unknown_type"
    BAD_FIELD = "bad_field"
    FRAME_TOO_LARGE = "frame_too_large"
    HELLO_REQUIRED = "hello_required"
    UPDATE_REQUIRED = "update_required"
    NOT_LOGGED_IN = "not_logged_in"
    ALREADY_LOGGED_IN = "already_logged_in"
    BAD_CREDENTIALS = "bad_credentials"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    SESSION_EXPIRED = "session_expired"
    ACCOUNT_DISABLED = "account_disabled"
    NO_SUCH_USER = "no_such_user"
    USER_DISABLED = "user_disabled"
    SELF_CONVERSATION = "self_conversation"
    NO_SUCH_CONVERSATION = "no_such_conversation"
    EMPTY_MESSAGE = "empty_message"
    TEXT_TOO_LONG = "text_too_long"
    MESSAGE_ID_REUSED = "message_id_reused"
    SERVER_BUSY = "server_busy"
    STORAGE_FAILED = "storage_failed"
    INTERNAL = "internal"


class ErrorFacts(NamedTuple):
    """What a code means to a person, and whether the same request can succeed later."""

    text: str
    retry: bool


ERRORS: Final[dict[ErrorCode, ErrorFacts]] = {
    ErrorCode.BAD_FRAME: ErrorFacts(
        "The frame is not valid JSON in UTF-8. Send one JSON object in a text frame.", False
    ),
    ErrorCode.UNKNOWN_TYPE: ErrorFacts("The server does not know this type of request. A newer server may.", False),
    ErrorCode.BAD_FIELD: ErrorFacts("A field of the request is missing or wrong.", False),
    ErrorCode.FRAME_TOO_LARGE: ErrorFacts("The frame is larger than the server takes. Send less at once.", False),
    ErrorCode.HELLO_REQUIRED: ErrorFacts("The first request must be hello.", False),
    ErrorCode.UPDATE_REQUIRED: ErrorFacts(
        "This program and the server have no protocol version in common. Update the older one.", False
    ),
    ErrorCode.NOT_LOGGED_IN: ErrorFacts("Log in first.", False),
    ErrorCode.ALREADY_LOGGED_IN: ErrorFacts("This connection is already logged in. Log out first.", False),
    ErrorCode.BAD_CREDENTIALS: ErrorFacts("The user name or the password is wrong. Check both and try again.", False),
    ErrorCode.TOO_MANY_ATTEMPTS: ErrorFacts("Too many failed log-ins. Wait a while, then try again.", True),
    ErrorCode.SESSION_EXPIRED: ErrorFacts("This log-in has ended. Log in again with your password.", False),
    ErrorCode.ACCOUNT_DISABLED: ErrorFacts("This account is disabled. Ask your administrator.", False),
    ErrorCode.NO_SUCH_USER: ErrorFacts("There is no such person in the directory.", False),
    ErrorCode.USER_DISABLED: ErrorFacts("This person's account is disabled; the message was not sent.", False),
    ErrorCode.SELF_CONVERSATION: ErrorFacts("A conversation needs somebody else.", False),
    ErrorCode.NO_SUCH_CONVERSATION: ErrorFacts("There is no such conversation, or you are not in it.", False),
    ErrorCode.EMPTY_MESSAGE: ErrorFacts("The message is empty.", False),
    ErrorCode.TEXT_TOO_LONG: ErrorFacts("The text is too long. Shorten it, or send it in parts.", False),
    ErrorCode.MESSAGE_ID_REUSED: ErrorFacts(
        "This message id was already used in another conversation. Make a new one.", False
    ),
    ErrorCode.SERVER_BUSY: ErrorFacts("The server is busy. Try again in a moment.", True),
    ErrorCode.STORAGE_FAILED: ErrorFacts(
        "The server cannot store anything now; nothing was accepted. Try again later.", True
    ),
    ErrorCode.INTERNAL: ErrorFacts(
        "The server failed at this request. Try again; if it stays so, tell your administrator.", True
    ),
}


class CloseCode(IntEnum):
    """WebSocket close codes (RFC 6455, section 7.4; 4000 to 4999 are for private use)."""

    NORMAL = 1000
    """After logout: do not reconnect."""
    UNSUPPORTED_DATA = 1003
    """A binary message was sent: mend the client."""
    INVALID_TEXT = 1007
    """A text message was not UTF-8: mend the client."""
    POLICY = 1008
    """The client broke a rule of the protocol: mend the client."""
    TOO_LARGE = 1009
    """A request was over `max_request_bytes`: reconnect, and do not send that one again."""
    INTERNAL = 1011
    """The server failed: reconnect with the ordinary delays."""
    SERVICE_RESTART = 1012
    """The server stops or restarts: come back after a random delay of 0.5 to 10 s."""
    TRY_AGAIN_LATER = 1013
    """The server is full: reconnect with the ordinary delays."""
    RESYNC = 4000
    """The client read too slowly and its queue was dropped: come back at once and catch up."""
    SESSION_ENDED = 4001
    """The session was revoked or the account disabled: the token is of no more use; ask the person to log in."""
    UPDATE_REQUIRED = 4002
    """No protocol version in common: tell the person to update."""
    LOGIN_TIMEOUT = 4003
    """Nobody logged in within the time that the server allows."""


class ProtocolError(Exception):
    """A failure that the other side is told of.

    `details` holds plain values that help a program or a person: the path of a wrong field, a limit.
    `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        details: dict[str, str | int] | None = None,
        retry_after: int | None = None,
        request_id: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {ERRORS[code].text}" + (f" {details}" if details else ""))
        self.code = code
        self.details = details
        self.retry_after = retry_after
        self.request_id = request_id


class FrameError(ProtocolError):
    """The frame could not be understood; `request_id` is its id where at least that could be read."""
