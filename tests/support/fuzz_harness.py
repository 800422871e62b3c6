"""A client in memory whose Asterisk says whatever a test likes."""

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
from channel_aa.interfaces import IChannelListener, IStasisApplication, TelephonyError
from tests.support.ari_fakes import make_address
from tests.support.ari_sockets import TEXT, Wire, frame, handshake_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from twisted.internet.interfaces import IProtocol, IProtocolFactory

    from channel_aa.interfaces import IChannel

CORPUS = Path(__file__).parents[1] / "properties/fuzzing/corpus"

# For a longer run: CHANNEL_AA_FUZZ_EXAMPLES=100000 pytest tests/properties/fuzzing
EXAMPLES = int(os.environ.get("CHANNEL_AA_FUZZ_EXAMPLES", "100"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

BYSTANDER = "bystander-1732279501.17"
"""A call that no input knows of, so that nothing can rightly end it."""


def corpus(kind: str) -> Iterator[tuple[str, bytes]]:
    """Give the inputs of a kind that are kept, with their names."""
    for path in sorted((CORPUS / kind).iterdir()):
        yield path.name, path.read_bytes()


@implementer(IStreamClientEndpoint)
class Wires:
    """Connects at once, to wires whose other ends the test holds."""

    def __init__(self) -> None:
        self.clients: list[Any] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        client = cast("Any", protocolFactory.buildProtocol(cast("Any", None)))
        self.clients.append(client)
        client.makeConnection(Wire())
        return succeed(client)


def feed(client: Any, parts: Iterable[bytes]) -> None:  # noqa: ANN401 - a protocol
    """Let segments arrive, as long as a real transport would let them."""
    for part in parts:
        if part and not client.transport.is_closing:
            client.dataReceived(part)


@implementer(IChannelListener)
class Caller:
    """Answers, and plays a sound again and again."""

    def __init__(self, channel: IChannel) -> None:
        self.keys: list[str] = []
        self.is_over = False
        self._channel = channel
        channel.answer().addErrback(_known_trouble)
        self._play()

    def _play(self, _end: object = None) -> None:
        if not self.is_over:
            self._channel.play("sound:press-1").finished.addCallback(self._finished)

    def _finished(self, _end: object) -> None:
        # A sound that fails at once must not be asked for without end.
        if len(self.keys) < 3:
            self.keys.append("")
            self._play()

    def dtmf_received(self, digit: str) -> None:
        self.keys.append(digit)

    def reconnected(self) -> None:
        """Go on."""

    def hung_up(self) -> None:
        """Wait for the end."""

    def left(self) -> None:
        self.is_over = True


def _known_trouble(failure: Failure) -> None:
    failure.trap(TelephonyError)


@implementer(IStasisApplication)
class Callers:
    """Takes every call."""

    def __init__(self) -> None:
        self.entered: dict[str, Caller] = {}

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> Caller:
        caller = Caller(channel)
        self.entered[channel.id] = caller
        return caller

    def replaced(self) -> None:
        """Take note."""


@implementer(IRequestSender)
class Answers:
    """Answers each request over HTTP as the test says."""

    pending = queued = 0

    def __init__(self) -> None:
        self.answer: Callable[[Request], tuple[int, bytes]] = sensible
        self.asked: list[Request] = []

    def send(self, request: Request) -> Deferred[bytes]:
        self.asked.append(request)
        status, body = self.answer(request)
        answer: Deferred[bytes] = Deferred()
        if status in range(200, 300):
            answer.callback(body)
        else:
            answer.errback(error_for(request.method, request.uri, status, body))
        return answer

    def fail_pending(self) -> None:
        """Do nothing: all was answered at once."""

    def close(self) -> Deferred[None]:
        return succeed(None)


def sensible(request: Request) -> tuple[int, bytes]:
    """Answer as Asterisk would, with the bystander's as the only call."""
    if request.path[0] == "applications" and request.method == "GET":
        return 200, json.dumps({"channel_ids": [BYSTANDER]}).encode()
    if request.path == ("bridges",):
        return 200, b"[]"
    if request.method == "GET" and request.path == ("channels", BYSTANDER):
        place = {"app_name": "Stasis", "app_data": "channel-aa"}
        bystander = {"id": BYSTANDER, "name": "B", "dialplan": place}
        return 200, json.dumps(bystander).encode()
    if request.method == "GET" and request.path[0] != "asterisk":
        return 404, b'{"message":"not found"}'
    return 204, b""


@implementer(ILogObserver)
class Troubles:
    """Keeps what was logged as a failure, and every line that is not one line."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.found.append(event["log_failure"].getTraceback())
        elif event["log_namespace"].startswith("channel_aa."):
            line = formatEvent(event)
            if not line.isprintable() or len(line) > 10_000:
                self.found.append(f"a line that is none: {line!r}")


class FuzzHarness(SynchronousTestCase):
    """A running client with a bystander's call; see `assert_all_is_well`."""

    def setUp(self) -> None:
        self.clock = Clock()
        # autobahn keeps its time by this, whatever reactor it is given.
        self.patch(tx.config, "loop", self.clock)

    def begin(self) -> None:
        """Connect, and let the bystander call."""
        self.clock = Clock()
        self.patch(tx.config, "loop", self.clock)
        self.troubles = Troubles()
        globalLogPublisher.addObserver(self.troubles)
        self.wires = Wires()
        self.answers = Answers()
        self.client = AriClient(
            make_address(),
            self.make_application(),
            reactor=self.clock,
            http=self.answers,
            connection=partial(
                EventsConnection, endpoint=self.wires, backoff=Backoff(jitter=0.0)
            ),
        )
        self.client.startService()

    def make_application(self) -> IStasisApplication:
        """Make whoever attends to the calls."""
        self.callers = Callers()
        return self.callers

    @property
    def socket(self) -> Any:  # noqa: ANN401 - a protocol of autobahn's
        """The latest connection."""
        return self.wires.clients[-1]

    def open(self) -> None:
        """Complete the handshake of the latest connection."""
        feed(self.socket, [handshake_for(self.socket)])
        self.assertTrue(self.client.is_connected)

    def tell(self, kind: str, **fields: object) -> None:
        """Let Asterisk tell a proper event."""
        message = json.dumps({"type": kind, **fields}).encode()
        feed(self.socket, [frame(TEXT, message)])

    def bystander_calls(self) -> None:
        self.tell("StasisStart", channel={"id": BYSTANDER, "name": "B"}, args=[])

    def settle(self, seconds: float = 15.0) -> None:
        """Let time pass: more than any handshake, request or silence may take."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.lose_what_is_closing()
            self.clock.advance(0.5)

    def lose_what_is_closing(self) -> None:
        """End the latest connection, where one of its sides has closed it."""
        if self.socket.transport.is_closing and not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))

    def assert_all_is_well(self) -> None:
        """Look that the bystander's key is heard, on the next connection.

        On this one, the beginning may have come of a frame that goes on for ever.
        """
        self.answers.answer = sensible
        connections = len(self.wires.clients)
        if not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))
        while len(self.wires.clients) == connections:
            self.clock.advance(0.5)
            self.assertLess(self.clock.seconds(), 600.0)
        self.open()
        self.clock.pump([0.5] * 6)
        self.assert_bystander_is_heard()

    def assert_bystander_is_heard(self) -> None:
        """Let the bystander press a key, and look that somebody hears of it."""
        caller = self.callers.entered[BYSTANDER]
        self.assertFalse(caller.is_over)
        self.press("7")
        self.assertEqual(caller.keys[-1:], ["7"])

    def press(self, key: str) -> None:
        """Let the bystander press a key."""
        self.tell("ChannelDtmfReceived", channel={"id": BYSTANDER}, digit=key)

    def finish(self) -> None:
        """Stop, and look that nothing was logged that should not be."""
        stopped = self.client.stopService()
        self.settle(5.0)
        if not self.socket.closed.called:
            self.socket.connectionLost(Failure(ConnectionLost()))
        self.settle(30.0)
        self.successResultOf(stopped)
        globalLogPublisher.removeObserver(self.troubles)
        logged = self.flushLoggedErrors()
        self.assertEqual(self.troubles.found, [])
        self.assertEqual(logged, [])
