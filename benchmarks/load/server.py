"""The server of the simulated Asterisk: HTTP and the events websocket."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING, cast

import msgspec

from benchmarks.load import messages
from benchmarks.load.wire import (
    CLOSE,
    PING,
    TEXT,
    HttpRequest,
    WireError,
    frame,
    handshake_answer,
    parse_frames,
    parse_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.load.asterisk import Asterisk

_USER = b"asterisk:asterisk"
_PONG = 10
_ARI = "/ari/"
_API_DOCS = "/ari/api-docs/"
_UNAUTHORIZED = b'{"message":"Authentication required"}'


class RestRequest(msgspec.Struct):
    """A request over the websocket."""

    request_id: str
    method: str
    uri: str
    query_strings: list[dict[str, str]] = []
    message_body: str = ""


_decode = msgspec.json.Decoder(RestRequest).decode


class Server:
    """The HTTP server.

    Args:
        asterisk: the simulated Asterisk.
        serves_requests_on_websocket: as Asterisk 22.4 and later.
        on_listening: called when a program opens the events websocket.
    """

    def __init__(
        self,
        asterisk: Asterisk,
        *,
        serves_requests_on_websocket: bool,
        on_listening: Callable[[], None],
    ) -> None:
        self.asterisk = asterisk
        self.serves_requests_on_websocket = serves_requests_on_websocket
        self.on_listening = on_listening
        self.url = ""
        self.credentials = b64encode(_USER)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        loop = self.asterisk.loop
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", 0, backlog=512
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def answer(self, request: HttpRequest) -> bytes:
        """Answer a request over HTTP."""
        target = request.target
        if self.credentials not in request.head and "api_key=" not in target:
            return messages.http_response(401, _UNAUTHORIZED)
        if target.startswith(_API_DOCS):
            return self._document(target.removeprefix(_API_DOCS).partition("?")[0])
        answer = self.asterisk.request(
            request.method, target.removeprefix(_ARI), request.body
        )
        return messages.http_response(*answer)

    def _document(self, name: str) -> bytes:
        """Return the API docs, for clients that are generated from them."""
        # Only some programs need them.
        from channel_aa.simulator.routes import describe  # noqa: PLC0415 - see above

        document = describe(f"{self.url}/ari").get(name, {})
        return messages.http_response(200, msgspec.json.encode(document))


class Connection(asyncio.Protocol):
    """A connection: HTTP, and a websocket after its handshake."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asterisk = server.asterisk
        self._unfinished = b""
        self._is_websocket = False
        self._blocked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Send no more events, if this was the events websocket."""
        if self._asterisk.send == self._send_event:
            self._asterisk.send = None

    def pause_writing(self) -> None:
        """Record that the program does not read."""
        self._blocked_at = self._asterisk.loop.time()

    def resume_writing(self) -> None:
        """Record for how long it did not read."""
        record = self._asterisk.record
        seconds = self._asterisk.loop.time() - self._blocked_at
        record.blocked_seconds = max(record.blocked_seconds, seconds)

    def data_received(self, data: bytes) -> None:
        """Serve complete requests and frames."""
        data = self._unfinished + data
        try:
            while not self._is_websocket:
                request, data = parse_request(data)
                if request is None:
                    self._unfinished = data
                    return
                self._serve(request)
            frames, self._unfinished = parse_frames(data)
        except WireError:
            self._transport.abort()
            return
        for opcode, payload in frames:
            self._receive(opcode, payload)

    def _serve(self, request: HttpRequest) -> None:
        if request.header(b"upgrade") and request.target.startswith("/ari/events"):
            self._is_websocket = True
            self._transport.write(handshake_answer(request))
            # Report each byte that cannot be sent at once.
            self._transport.set_write_buffer_limits(high=0)
            self._asterisk.send = self._send_event
            self._server.on_listening()
        else:
            self._transport.write(self._server.answer(request))

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            if self._server.serves_requests_on_websocket:
                self._handle_request(_decode(payload))
        elif opcode == PING:
            self._transport.write(frame(_PONG, payload))
        elif opcode == CLOSE:
            self._transport.write(frame(CLOSE, payload))
            self._transport.close()

    def _handle_request(self, request: RestRequest) -> None:
        uri = request.uri
        if request.query_strings:
            query = "&".join(f"{q['name']}={q['value']}" for q in request.query_strings)
            uri = f"{uri}?{query}"
        status, body = self._asterisk.request(
            request.method, uri, request.message_body.encode()
        )
        if not self._asterisk.is_subscribed(b"RESTResponse"):
            return
        self._transport.write(
            frame(
                TEXT,
                messages.rest_response(
                    request.request_id, request.uri, status, body, self._asterisk.app
                ),
            )
        )

    def _send_event(self, event: bytes) -> None:
        self._transport.write(frame(TEXT, event))
