"""Asterisk's messages, from templates, since encoding would take more time.

The fields and their order are those of Asterisk 22.10.1.
"""

from __future__ import annotations

import time

_EVENT = (
    b'{"type":"%b","timestamp":"%b",%b,'
    b'"asterisk_id":"02:00:00:00:00:01","application":"%b"}'
)
_CHANNEL = (
    '{"id":"%s","name":"%s","state":"%s","protocol_id":"",'
    '"caller":{"name":"","number":""},"connected":{"name":"","number":""},'
    '"accountcode":"","dialplan":{"context":"default","exten":"1000","priority":1,'
    '"app_name":"Stasis","app_data":"%s"},'
    '"creationtime":"%s","language":"en"}'
)
_PLAYBACK = (
    '{"id":"%s","media_uri":"%s","target_uri":"channel:%s","language":"en",'
    '"state":"%s"}'
)
_REST_RESPONSE = (
    b'{"type":"RESTResponse","transaction_id":"","request_id":"%b","status_code":%d,'
    b'"reason_phrase":"%b","uri":"%b"%b,'
    b'"asterisk_id":"02:00:00:00:00:01","application":"%b"}'
)
_BODY = b',"content_type":"application/json","message_body":"%b"'
_HTTP_RESPONSE = (
    b"HTTP/1.1 %d %b\r\nServer: Asterisk/22.10.1\r\nCache-control: no-cache, no-store"
    b"\r\nContent-type: application/json\r\nContent-Length: %d\r\n\r\n%b"
)

REASONS = {
    200: b"OK",
    201: b"Created",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    500: b"Internal Server Error",
}


class Timestamps:
    """Makes the timestamps of events; formats each second once."""

    def __init__(self) -> None:
        self._second = 0
        self._text = b""

    def now(self) -> bytes:
        """Return the present timestamp, in milliseconds."""
        second, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
        if second != self._second:
            self._second = second
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._text = text.encode()
        return b"%b.%03d+0000" % (self._text, milliseconds)


def channel(channel_id: str, name: str, state: str, app: str, created: str) -> bytes:
    """Encode a channel."""
    return (_CHANNEL % (channel_id, name, state, app, created)).encode()


def playback(playback_id: str, media: str, channel_id: str, state: str) -> bytes:
    """Encode a playback."""
    return (_PLAYBACK % (playback_id, media, channel_id, state)).encode()


def event(kind: bytes, stamp: bytes, fields: bytes, app: bytes) -> bytes:
    """Encode an event; ``fields`` are those of its type."""
    return _EVENT % (kind, stamp, fields, app)


def rest_response(
    request_id: str, uri: str, status: int, body: bytes, app: bytes
) -> bytes:
    """Encode the response to a request over the websocket."""
    escaped = (
        _BODY % body.replace(b"\\", b"\\\\").replace(b'"', b'\\"') if body else b""
    )
    return _REST_RESPONSE % (
        request_id.encode(),
        status,
        REASONS[status],
        uri.encode(),
        escaped,
        app,
    )


def http_response(status: int, body: bytes) -> bytes:
    """Encode an HTTP response."""
    return _HTTP_RESPONSE % (status, REASONS[status], len(body), body)
