"""The messages of requests over a websocket, RESTRequest and RESTResponse.

Checks and messages are those that Asterisk 22.10.1 was seen to make, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.simulator.api import Response

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"})
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class BadMessageError(Exception):
    """A message is no request; `fields` are those of the response."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.fields = fields


@dataclass(frozen=True, kw_only=True)
class RestRequest:
    """A request in a message."""

    request_id: str = ""
    method: str = ""
    path: str = ""
    """Below ``/ari/``, and still quoted."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def segments(self) -> list[str]:
        """The decoded parts of its path."""
        return [unquote(each) for each in self.path.split("/")]

    def answered(self, response: Response) -> dict[str, Any]:
        """Make the fields of its response."""
        content = response.content
        body = None if content is None else _encode(content).decode()
        reason = HTTPStatus(response.status).phrase
        return _fields(self, response.status, reason, body)


def read_request(payload: bytes) -> RestRequest:
    """Read a message.

    Raises:
        BadMessageError: it is no request.
    """
    try:
        message = _decode(payload)
    except msgspec.DecodeError:
        message = None
    if not isinstance(message, dict | list):
        reason = "Failed to parse request message JSON"
        raise BadMessageError(_fields(RestRequest(), 400, reason, None))
    fields = message if isinstance(message, dict) else {}
    request_id = _text(fields, "request_id")
    request = RestRequest(request_id=request_id)
    if "type" not in fields:
        raise _bad_request(request, "No 'type' property.")
    if fields["type"] != "RESTRequest":
        raise _bad_request(request, "Unknown request type.")
    path, _, query = _text(fields, "uri").partition("?")
    if not path:
        raise _bad_request(request, "Empty or missing 'uri' property.")
    request = RestRequest(request_id=request_id, path=path)
    method = _text(fields, "method")
    if method not in _METHODS:
        raise _bad_request(request, "Unknown or missing 'method' property.")
    parameters = {
        **dict(parse_qsl(query, keep_blank_values=True)),
        **_query_strings(request, fields),
        **_body(request, fields),
    }
    if path == "events":
        raise _bad_request(request, "Can't upgrade to websocket from a websocket")
    return RestRequest(
        request_id=request_id, method=method, path=path, parameters=parameters
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    """Get a text; empty if it is missing, or no text."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _query_strings(request: RestRequest, fields: Mapping[str, Any]) -> dict[str, str]:
    entries = fields.get("query_strings")
    if not isinstance(entries, list):
        return {}
    try:
        named = msgspec.convert(entries, list[dict[str, str]])
        return {each["name"]: each["value"] for each in named}
    except (msgspec.ValidationError, KeyError) as error:
        raise _bad_request(request, "Unable to parse 'query_strings' array.") from error


def _body(request: RestRequest, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    body = _text(fields, "message_body")
    if not body:
        return {}
    match _text(fields, "content_type"):
        case "":
            raise _bad_request(request, "No 'content_type' for 'message_body'.")
        case "application/json" as content_type:
            try:
                decoded = _decode(body)
            except msgspec.DecodeError as error:
                message = f"Unable to parse 'message_body' as '{content_type}'."
                raise _bad_request(request, message) from error
            return decoded if isinstance(decoded, dict) else {}
        case "application/x-www-form-urlencoded":
            return dict(parse_qsl(body, keep_blank_values=True))
        case _:
            raise _bad_request(request, "Unknown content type.")


def _bad_request(request: RestRequest, message: str) -> BadMessageError:
    body = _encode({"message": message}).decode()
    return BadMessageError(_fields(request, 400, "Bad request", body))


def _fields(
    request: RestRequest, status: int, reason: str, body: str | None
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "transaction_id": "",
        "request_id": request.request_id,
        "status_code": status,
        "reason_phrase": reason,
        "uri": request.path,
    }
    if body is not None:
        fields |= {"content_type": "application/json", "message_body": body}
    return fields
