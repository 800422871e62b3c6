"""Serves the Asterisk on a socket: HTTP, the events websocket, requests on it."""

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
    take_frames,
    take_request,
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
    """A request that comes over the websocket."""

    request_id: str
    method: str
    uri: str
    query_strings: list[dict[str, str]] = []
    message_body: str = ""


_decode = msgspec.json.Decoder(RestRequest).decode


class Server:
    """The server: knows who listens.

    Args:
        asterisk: what is served.
        serves_requests_on_websocket: whether it does; before 22.4 no Asterisk 22 did.
        on_listening: called when a program listens to the events.
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
        """Listen on a free port of this machine."""
        loop = self.asterisk.loop
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", 0, backlog=512
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def answer(self, request: HttpRequest) -> bytes:
        """Answer a request that came over HTTP."""
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
        """Describe the API, for clients that build on that: the simulator's."""
        # Most programs do without, and so does the load then.
        from channel_aa.simulator.apidocs import describe  # noqa: PLC0415 - see above
        from channel_aa.simulator.routes import ROUTES  # noqa: PLC0415 - see above

        document = describe(ROUTES, base_url=f"{self.url}/ari").get(name, {})
        return messages.http_response(200, msgspec.json.encode(document))


class Connection(asyncio.Protocol):
    """A connection: HTTP at first, and a websocket from its handshake on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asterisk = server.asterisk
        self._unfinished = b""
        self._is_websocket = False
        self._blocked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Have nobody listen any more."""
        if self._asterisk.send == self._send_event:
            self._asterisk.send = None

    def pause_writing(self) -> None:
        """Take note that the program does not read."""
        self._blocked_at = self._asterisk.loop.time()

    def resume_writing(self) -> None:
        """Take note that it reads again."""
        record = self._asterisk.record
        seconds = self._asterisk.loop.time() - self._blocked_at
        record.blocked_seconds = max(record.blocked_seconds, seconds)

    def data_received(self, data: bytes) -> None:
        """Serve what is whole."""
        data = self._unfinished + data
        try:
            while not self._is_websocket:
                request, data = take_request(data)
                if request is None:
                    self._unfinished = data
                    return
                self._serve(request)
            frames, self._unfinished = take_frames(data)
        except WireError:
            self._transport.abort()
            return
        for opcode, payload in frames:
            self._receive(opcode, payload)

    def _serve(self, request: HttpRequest) -> None:
        if request.header(b"upgrade") and request.target.startswith("/ari/events"):
            self._is_websocket = True
            self._transport.write(handshake_answer(request))
            # Every byte that the program does not take at once is told of.
            self._transport.set_write_buffer_limits(high=0)
            self._asterisk.send = self._send_event
            self._server.on_listening()
        else:
            self._transport.write(self._server.answer(request))

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            if self._server.serves_requests_on_websocket:
                self._carry_out(_decode(payload))
        elif opcode == PING:
            self._transport.write(frame(_PONG, payload))
        elif opcode == CLOSE:
            self._transport.write(frame(CLOSE, payload))
            self._transport.close()

    def _carry_out(self, request: RestRequest) -> None:
        uri = request.uri
        if request.query_strings:
            query = "&".join(f"{q['name']}={q['value']}" for q in request.query_strings)
            uri = f"{uri}?{query}"
        status, body = self._asterisk.request(
            request.method, uri, request.message_body.encode()
        )
        if not self._asterisk.hears(b"RESTResponse"):
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
