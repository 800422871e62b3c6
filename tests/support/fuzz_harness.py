"""A client in memory, and an Asterisk that sends any bytes that a test chooses."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hypothesis import HealthCheck, Phase, settings
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from txaio import tx
from zope.interface import implementer

from channel_aa.ari.client import AriClient
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.errors import error_for
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.interfaces import TelephonyError
from tests.support.ari_fakes import make_address
from tests.support.ari_sockets import TEXT, Wire, frame, handshake_for
from tests.support.listeners import RecordingApplication, RecordingListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from twisted.internet.interfaces import IProtocol, IProtocolFactory

    from channel_aa.interfaces import IChannel, IStasisApplication

CORPUS = Path(__file__).parents[1] / "properties/fuzzing/corpus"

# For a longer run: python -m tests.properties.fuzzing MINUTES
EXAMPLES = int(os.environ.get("CHANNEL_AA_FUZZ_EXAMPLES", "100"))
FUZZ = settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

BYSTANDER = "bystander-1732279501.17"
"""The id of a call that no input names, so that no input may end it."""


def corpus(kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the kept inputs of a kind."""
    for path in sorted((CORPUS / kind).iterdir()):
        yield path.name, path.read_bytes()


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects at once, to a transport in memory; keeps the protocols."""

    def __init__(self) -> None:
        self.clients: list[Any] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        client = cast("Any", protocolFactory.buildProtocol(cast("Any", None)))
        self.clients.append(client)
        client.makeConnection(Wire())
        return succeed(client)


def feed(client: Any, parts: Iterable[bytes]) -> None:  # noqa: ANN401 - a protocol
    """Deliver segments, until the protocol closes its transport."""
    for part in parts:
        if part and not client.transport.is_closing:
            client.dataReceived(part)


class PlayingListener(RecordingListener):
    """Answers the call, and plays a few sounds."""

    def __init__(self, channel: IChannel) -> None:
        super().__init__()
        self._channel = channel
        # A sound that fails at once must not be played again without end.
        self._sounds_left = 4
        channel.answer().addErrback(lambda failure: failure.trap(TelephonyError))
        self._play()

    @property
    def has_left(self) -> bool:
        return "left" in self.log

    def _play(self, _end: object = None) -> None:
        if self._sounds_left and not self.has_left:
            self._sounds_left -= 1
            self._channel.play("sound:press-1").finished.addCallback(self._play)


@implementer(IRequestSender)
class AnsweringSender:
    """Answers each request over HTTP at once.

    Attributes:
        answer: returns the status and the body of the answer to a request.
        requests: all requests so far.
    """

    pending = queued = 0

    def __init__(self) -> None:
        self.answer: Callable[[Request], tuple[int, bytes]] = correct_answer
        self.requests: list[Request] = []

    def send(self, request: Request) -> Deferred[bytes]:
        self.requests.append(request)
        status, body = self.answer(request)
        answer: Deferred[bytes] = Deferred()
        if status in range(200, 300):
            answer.callback(body)
        else:
            answer.errback(error_for(request.method, request.uri, status, body))
        return answer

    def fail_pending(self) -> None:
        """Do nothing: no request is pending."""

    def close(self) -> Deferred[None]:
        return succeed(None)


def correct_answer(request: Request) -> tuple[int, bytes]:
    """Answer as Asterisk does whose only call is the bystander's."""
    if request.path[0] == "applications" and request.method == "GET":
        return 200, json.dumps({"channel_ids": [BYSTANDER]}).encode()
    if request.path == ("bridges",):
        return 200, b"[]"
    if request.method == "GET" and request.path == ("channels", BYSTANDER):
        dialplan = {"app_name": "Stasis", "app_data": "channel-aa"}
        bystander = {"id": BYSTANDER, "name": "B", "dialplan": dialplan}
        return 200, json.dumps(bystander).encode()
    if request.method == "GET" and request.path[0] != "asterisk":
        return 404, b'{"message":"not found"}'
    return 204, b""


@implementer(ILogObserver)
class LogChecker:
    """Keeps the failures that were logged, and messages that are not one short line."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.found.append(event["log_failure"].getTraceback())
        elif event["log_namespace"].startswith("channel_aa."):
            line = formatEvent(event)
            if not line.isprintable() or len(line) > 10_000:
                self.found.append(f"not one short line: {line!r}")


class FuzzHarness(SynchronousTestCase):
    """A running client with a bystander's call; see `assert_bystander_served`."""

    make_clock: type[Clock] = Clock

    def setUp(self) -> None:
        self.clock = self.make_clock()
        # autobahn takes the time from here, whatever reactor it is given.
        self.patch(tx.config, "loop", self.clock)

    def begin(self) -> None:
        """Start a client."""
        self.clock = self.make_clock()
        self.patch(tx.config, "loop", self.clock)
        self.log_checker = LogChecker()
        globalLogPublisher.addObserver(self.log_checker)
        self.endpoint = MemoryEndpoint()
        self.sender = AnsweringSender()
        self.client = AriClient(
            make_address(),
            self.make_application(),
            reactor=self.clock,
            http=self.sender,
            connection=partial(
                EventsConnection, endpoint=self.endpoint, backoff=Backoff(jitter=0.0)
            ),
        )
        self.client.startService()

    def make_application(self) -> IStasisApplication:
        """Make the client's application."""
        self.application = RecordingApplication(PlayingListener)
        return self.application

    @property
    def socket(self) -> Any:  # noqa: ANN401 - a protocol of autobahn's
        """The latest connection."""
        return self.endpoint.clients[-1]

    def open(self) -> None:
        """Complete the handshake of the latest connection."""
        feed(self.socket, [handshake_for(self.socket)])
        self.assertTrue(self.client.is_connected)

    def send_event(self, kind: str, **fields: object) -> None:
        """Send a correct event."""
        message = json.dumps({"type": kind, **fields}).encode()
        feed(self.socket, [frame(TEXT, message)])

    def enter_bystander(self) -> None:
        """Let the bystander's call enter the application."""
        self.send_event("StasisStart", channel={"id": BYSTANDER, "name": "B"}, args=[])

    def answer_with(self, answers: Sequence[tuple[int, bytes]]) -> None:
        """Give these answers to the next requests, but to those for the bystander."""
        remaining = list(answers)

        def answer(request: Request) -> tuple[int, bytes]:
            if BYSTANDER in request.path or not remaining:
                return correct_answer(request)
            return remaining.pop(0)

        self.sender.answer = answer

    def settle(self, seconds: float = 15.0) -> None:
        """Let time pass; by default more than any handshake or request may take."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.lose_closing_connection()
            self.clock.advance(0.5)

    def lose_closing_connection(self) -> None:
        """End the latest connection, if the client has closed it."""
        if self.socket.transport.is_closing and not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))

    def assert_bystander_served(self) -> None:
        """Check that the bystander's key is received, on a new connection.

        On the present one, the client may wait for the rest of an endless frame.
        """
        self.sender.answer = correct_answer
        connections = len(self.endpoint.clients)
        if not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))
        while len(self.endpoint.clients) == connections:
            self.clock.advance(0.5)
            self.assertLess(self.clock.seconds(), 600.0)
        self.open()
        self.clock.pump([0.5] * 6)
        self.assert_bystander_key_received()

    def assert_bystander_key_received(self) -> None:
        """Let the bystander press a key, and check that the listener gets it."""
        listener = self.application.listeners[BYSTANDER]
        self.assertNotIn("left", listener.log)
        self.press("7")
        self.assertEqual(listener.log[-1:], ["dtmf 7"])

    def press(self, key: str) -> None:
        """Let the bystander press a key."""
        self.send_event("ChannelDtmfReceived", channel={"id": BYSTANDER}, digit=key)

    def finish(self) -> None:
        """Stop the client, and check the log."""
        stopped = self.client.stopService()
        self.settle(5.0)
        if not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))
        self.settle(30.0)
        self.successResultOf(stopped)
        globalLogPublisher.removeObserver(self.log_checker)
        logged = self.flushLoggedErrors()
        self.assertEqual(self.log_checker.found, [])
        self.assertEqual(logged, [])
