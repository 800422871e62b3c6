"""The responses of ARI to requests, refusals included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response: a status, and the content of its JSON body; None: no body.

    With `events_are_first`, the events of the request arrive before the response,
    even if they take another connection.
    """

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    events_are_first: bool = False


class RefusedError(Exception):
    """A request is refused; the message is Asterisk's.

    Args:
        key: the key of the message in the JSON body.

    Attributes:
        response: the response of the refusal.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: str = "message",
    ) -> None:
        super().__init__(message)
        self.response = Response(
            status=status, content={key: message}, headers=headers or {}
        )


class NoAnswerError(Exception):
    """The connection is to be dropped without an answer."""
