"""What can go wrong with a request to Asterisk.

Each error carries the request's method and path, the HTTP status where there
was an answer, and Asterisk's own message where it gave one.
"""

from __future__ import annotations

import msgspec

from channel_aa.interfaces import TelephonyError
from channel_aa.logs import printable


class AriError(TelephonyError):
    """A request was refused, or not answered.

    Args:
        method: the request's HTTP method.
        path: its path below ``/ari/``, without the query.
        status: the HTTP status of the answer; ``None`` where none came.
        message: Asterisk's explanation, or ours where there was no answer; it is
            kept on one line, whatever was answered.
        may_be_done: whether Asterisk may have done what it did not confirm.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        status: int | None = None,
        message: str = "",
        may_be_done: bool = False,
    ) -> None:
        message = printable(message)
        super().__init__(method, path, status, message)
        self.method = method
        self.path = path
        self.status = status
        self.message = message
        self.may_be_done = may_be_done

    def __str__(self) -> str:
        answer = (
            self.message if self.status is None else f"{self.status} {self.message}"
        )
        doubt = " (it may have been carried out)" if self.may_be_done else ""
        return f"{self.method} {self.path}: {answer}{doubt}"


class NotFoundError(AriError):
    """No such channel, playback, application, … (404)."""


class ConflictError(AriError):
    """Not now: the channel is not in Stasis (409) or in the wrong state (412)."""


class UnauthorizedError(AriError):
    """Wrong credentials (401), or a user who may not do this (403)."""


class ServerError(AriError):
    """Asterisk failed at it (500), or is still starting (503)."""


class RequestTimeoutError(AriError):
    """No answer in time."""


class ConnectionLostError(AriError):
    """No connection, or one that closed before the answer came."""


_BY_STATUS: dict[int, type[AriError]] = {
    401: UnauthorizedError,
    403: UnauthorizedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
}

_SERVER_ERRORS = range(500, 600)


class _Refusal(msgspec.Struct):
    """The JSON body of an error: ``{"message": …}``, or ``{"error": …}`` of a 503."""

    message: str = ""
    error: str = ""


def error_for(method: str, path: str, status: int, body: bytes) -> AriError:
    """Make the error that an answer with this status and body stands for."""
    kind = ServerError if status in _SERVER_ERRORS else _BY_STATUS.get(status, AriError)
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        message = body[:200].decode("utf-8", "replace")
    else:
        message = refusal.message or refusal.error
    return kind(method, path, status=status, message=message)
