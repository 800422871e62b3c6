"""The errors of requests to Asterisk.

Each carries the request's method and path, the HTTP status of the response if one
arrived, and Asterisk's own message if it gave one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from channel_aa.interfaces import TelephonyError
from channel_aa.logs import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.ari.wire.requests import Request

T = TypeVar("T")


class AriError(TelephonyError):
    """Asterisk refused a request, or did not answer it.

    Args:
        method: the request's HTTP method.
        path: its path below ``/ari/``, without the query.
        status: the HTTP status of the response; ``None`` without a response.
        message: Asterisk's explanation, or ours without a response; made `printable`.
        outcome_unknown: whether Asterisk may have carried out the request, although it
            sent no response.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        status: int | None = None,
        message: str = "",
        outcome_unknown: bool = False,
    ) -> None:
        message = printable(message)
        super().__init__(method, path, status, message)
        self.method = method
        self.path = path
        self.status = status
        self.message = message
        self.outcome_unknown = outcome_unknown

    def __str__(self) -> str:
        answer = (
            self.message if self.status is None else f"{self.status} {self.message}"
        )
        note = " (Asterisk may have executed it)" if self.outcome_unknown else ""
        return f"{self.method} {self.path}: {answer}{note}"


class NotFoundError(AriError):
    """No such channel, playback, application, … (404)."""


class ConflictError(AriError):
    """The channel is not in Stasis (409), or in the wrong state (412)."""


class UnauthorizedError(AriError):
    """Wrong credentials (401), or a user without permission (403)."""


class ForbiddenError(AriError):
    """An operation that Asterisk does not offer for this object, to no user (403)."""


class ServerError(AriError):
    """Asterisk failed (500), or is still starting (503)."""


class RequestTimeoutError(AriError):
    """No response in time."""


class ConnectionLostError(AriError):
    """There is no connection, or it closed before the response arrived."""


def is_channel_gone(error: BaseException | None) -> bool:
    """Tell whether a channel has hung up (404), or has left our application (409)."""
    return isinstance(error, AriError) and error.status in _CHANNEL_GONE


_CHANNEL_GONE = (404, 409)
_BY_STATUS: dict[int, type[AriError]] = {
    401: UnauthorizedError,
    403: UnauthorizedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
}

_FORBIDDEN = 403
_NO_PERMISSION = "Write access denied"
"""The message of Asterisk's 403 for a read-only user. Others, such as ``Unsupported
channel type`` for the statistics of a Local channel, are about the object."""

_SERVER_ERRORS = range(500, 600)

MAX_MESSAGE = 200
"""How many characters of a body that is no JSON are kept."""


class _Refusal(msgspec.Struct):
    """The JSON body of an error: ``{"message": …}``, or ``{"error": …}`` of a 503."""

    message: str = ""
    error: str = ""


def decode_response(
    request: Request, body: bytes, kind: type[T], name: str = "JSON"
) -> T:
    """Decode the JSON of a response, called by the name in the `AriError` it raises."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        message = f"the response is not a valid {name}: {error}"
        raise AriError(*request.line, message=message) from error


def error_for(
    method: str,
    path: str,
    status: int,
    body: bytes,
    *,
    conceal: Callable[[str], str] = str,
) -> AriError:
    """Make the error for a response with this status and body.

    Args:
        method: the request's HTTP method.
        path: its path below ``/ari/``.
        status: the HTTP status.
        body: the body, which may be no JSON.
        conceal: removes the credentials from the body's text.
    """
    kind = ServerError if status in _SERVER_ERRORS else _BY_STATUS.get(status, AriError)
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        message = conceal(body.decode("utf-8", "replace"))[:MAX_MESSAGE]
    else:
        message = conceal(refusal.message or refusal.error)
        if status == _FORBIDDEN and message not in {"", _NO_PERMISSION}:
            kind = ForbiddenError
    return kind(method, path, status=status, message=message)
