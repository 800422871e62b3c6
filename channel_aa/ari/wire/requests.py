"""A request of ARI, and the interface of what carries it to Asterisk."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self
from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred

_NO_QUERY: Mapping[str, str] = {}
MAX_ID = 300
"""The most characters of an id; Asterisk's own limit (AST_MAX_PUBLIC_UNIQUEID) is 149
bytes."""

_NO_SEGMENTS = frozenset({"", ".", ".."})
_IS_PLAIN = re.compile(r"[A-Za-z0-9._~:/=-]*").fullmatch
"""Matches text of RFC 3986's unreserved characters, the separators of a path and a
query, and the colon of a media URI, which needs no quoting in either."""


def is_segment(text: str) -> bool:
    """Tell whether an id can be a segment of a path, and is not too long."""
    return text not in _NO_SEGMENTS and len(text) <= MAX_ID


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of Asterisk's REST interface.

    Attributes:
        method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        path: the path's segments below ``/ari/``: ``("channels", id, "answer")``.
            Each is quoted separately, so an id cannot lead to another path.
        query: the query's parameters.
        body: anything msgspec can encode as JSON, or ``None`` for no body.
        waits_for_sound: whether a sound may be playing on the channel. Asterisk answers
            some requests only when the channel's sounds have ended.

    Raises:
        ValueError: a segment of the path is empty, ``.`` or ``..``.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = _NO_QUERY
    body: object = None
    waits_for_sound: bool = True

    def __post_init__(self) -> None:
        if not self.path or not _NO_SEGMENTS.isdisjoint(self.path):
            raise ValueError(
                f"invalid segments in the path of a request: {self.path!r}"
            )

    @property
    def quoted_path(self) -> str:
        """The path below ``/ari/``, ready for a request line; no leading slash."""
        # Hardly any path needs quoting, which costs far more than this test.
        plain = "/".join(self.path)
        if _IS_PLAIN(plain) and plain.count("/") == len(self.path) - 1:
            return plain
        return "/".join([quote(segment, safe="") for segment in self.path])

    @property
    def line(self) -> tuple[str, str]:
        """The method and the quoted path: the first arguments of an `AriError`."""
        return self.method, self.quoted_path

    @property
    def uri(self) -> str:
        """The path with its query."""
        if not self.query:
            return self.quoted_path
        plain = "&".join([f"{key}={text}" for key, text in self.query.items()])
        if not (_IS_PLAIN(plain) and plain.count("=") == len(self.query)):
            plain = urlencode(self.query, quote_via=quote, safe="")
        return f"{self.quoted_path}?{plain}"


WRITE_NOTHING = Request(method="DELETE", path=("playbacks", "channel-aa-checks-access"))
"""A request without an effect: 404 for a user who may write, 403 or 401 for others."""


class IRequestSender(Interface):
    """Carries requests to Asterisk."""

    pending: int = Attribute("How many requests have no response yet.")
    queued: int = Attribute("How many of these have not been sent yet.")

    def send(request: Request) -> Deferred[bytes]:
        """Send a request; the result is the body of a successful response.

        Fires within a bounded time. Cancelling it gives up the response, not the
        request, which may have been carried out. Errors: those of
        `channel_aa.ari.wire.errors`.
        """

    def fail_pending() -> None:
        """Fail every pending request: the connection to Asterisk is lost."""

    def close() -> Deferred[None]:
        """Cancel every pending request, and close every connection."""
