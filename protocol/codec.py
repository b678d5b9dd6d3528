"""Frames to bytes and back, validated in the same pass. Pure: the callers own the sockets.

JSON is RFC 8259; a frame is one JSON object in one WebSocket text message (RFC 6455).
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from protocol.errors import ERRORS, ErrorCode, FrameError, ProtocolError
from protocol.messages import BODIES, AnyRequest, Error, Event, Part, ServerFrame

_encoder: Final = msgspec.json.Encoder()
_request_decoder: Final = msgspec.json.Decoder(AnyRequest)
_server_decoder: Final = msgspec.json.Decoder(ServerFrame)
_body_decoders: Final = {kind: msgspec.json.Decoder(shape) for kind, shape in BODIES.items()}

PartType = TypeVar("PartType", bound=Part)


class _Envelope(msgspec.Struct):
    """Just enough of a frame to say what was wrong with it."""

    type: str = ""
    id: int | None = None


_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)


def encode(frame: msgspec.Struct) -> bytes:
    """A frame, or a part of one, as JSON."""
    return _encoder.encode(frame)


def decode_request(data: bytes | memoryview) -> AnyRequest:
    """A request as its type. Raises FrameError, with the request's id where it could be read."""
    try:
        request: AnyRequest = _request_decoder.decode(data)
        return request
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(data, error) from None


def decode_server_frame(data: bytes | str) -> ServerFrame | None:
    """An answer or push as its type; None for a type that this version does not know. Raises FrameError."""
    try:
        frame: ServerFrame = _server_decoder.decode(data)
        return frame
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        explained = _explain(data, error)
        if explained.code is ErrorCode.UNKNOWN_TYPE:
            return None
        raise explained from None


def decode_body(event: Event) -> Part | None:
    """The body of an event as its type; None for a kind or a shape that this version does not know."""
    decoder = _body_decoders.get(event.kind)
    if decoder is None:
        return None
    try:
        return decoder.decode(event.body)
    except (msgspec.DecodeError, RecursionError):
        return None


def encode_body(body: Part) -> msgspec.Raw:
    """A body in the form in which an event carries it."""
    return msgspec.Raw(_encoder.encode(body))


def error_frame(error: ProtocolError) -> Error:
    """The error frame that tells the other side of `error`."""
    facts = ERRORS[error.code]
    return Error(
        re=msgspec.UNSET if error.request_id is None else error.request_id,
        code=error.code.value,
        text=facts.text,
        retry=facts.retry,
        retry_after=msgspec.UNSET if error.retry_after is None else error.retry_after,
        details=error.details or {},
    )


def _explain(data: bytes | memoryview | str, error: Exception) -> FrameError:
    """Why a frame was refused: not JSON, no such type, or a field that is wrong."""
    try:
        envelope = _envelope_decoder.decode(data)
    except msgspec.ValidationError as invalid:
        return FrameError(ErrorCode.BAD_FIELD, details={"why": str(invalid)})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return FrameError(ErrorCode.BAD_FRAME)
    request_id = envelope.id if envelope.id is not None and 0 <= envelope.id < 2**53 else None
    if not envelope.type:
        return FrameError(
            ErrorCode.BAD_FIELD, details={"why": "Object missing required field `type`"}, request_id=request_id
        )
    # msgspec has no error of its own for this; the tag's place in the message is part of its documented form.
    if str(error).startswith("Invalid value ") and str(error).endswith("at `$.type`"):
        return FrameError(ErrorCode.UNKNOWN_TYPE, details={"type": envelope.type[:64]}, request_id=request_id)
    return FrameError(ErrorCode.BAD_FIELD, details={"why": str(error)}, request_id=request_id)
