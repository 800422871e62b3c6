from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.ari import (
    AriClient,
    ConflictError,
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
    ServerError,
    Transport,
)
from channel_aa.interfaces import IChannelListener, IStasisApplication, PlaybackEnd
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import (
    Direction,
    InMemoryLink,
    NothingHappensError,
    pass_time,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.interfaces import IChannel
    from channel_aa.simulator import SimulatedCaller

PATIENCE = 60


@implementer(IStasisApplication, IChannelListener)
class RecordingApplication:
    """A Stasis application and channel listener that records all calls to it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.channels: list[IChannel] = []

    @property
    def channel(self) -> IChannel:
        return self.channels[-1]

    def channel_entered(
        self,
        channel: IChannel,
        arguments: Sequence[str],
        *,
        adopted: bool = False,
    ) -> RecordingApplication:
        self.calls.append(" ".join(["entered", *arguments]))
        self.channels.append(channel)
        return self

    def dtmf_received(self, digit: str) -> None:
        self.calls.append(f"key {digit}")

    def reconnected(self) -> None:
        self.calls.append("reconnected")

    def hung_up(self) -> None:
        self.calls.append("hung up")

    def left(self) -> None:
        self.calls.append("left")

    def replaced(self) -> None:
        self.calls.append("replaced")


class InMemoryTestCase(SynchronousTestCase):
    """A client and a simulator, linked in memory on one clock."""

    transport = Transport.HTTP

    def setUp(self) -> None:
        self.clock = Clock()
        self.delays: dict[Direction, float] = {}
        self.simulator = Simulator(
            reactor=self.clock, sounds={"long": 5.0}, missing_sounds={"missing"}
        )
        self.link = InMemoryLink(
            self.simulator,
            clock=self.clock,
            delay=lambda direction: self.delays.get(direction, 0.0),
        )
        self.app = RecordingApplication()
        self.client = self.link.client(self.app, transport=self.transport)
        self.client.startService()
        self.until_connected(self.client)

    def tearDown(self) -> None:
        self.simulator.forget()
        wait_for(self.clock, self.client.stopService(), seconds=PATIENCE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def until_connected(self, client: AriClient) -> None:
        pass_time(self.clock, until=lambda: client.is_connected, seconds=PATIENCE)
        # What a client asks at the start of a connection.
        self.clock.advance(0)

    def call(self, *arguments: str) -> SimulatedCaller:
        caller = self.simulator.call(args=arguments)
        self.clock.advance(0)
        return caller

    def ask(self, method: str, *path: str, **query: str) -> Deferred[Any]:
        return self.client.request(method, *path, query=query)

    def answer_to(self, method: str, *path: str, **query: str) -> object:
        return wait_for(self.clock, self.ask(method, *path, **query), seconds=PATIENCE)


class CallTests(InMemoryTestCase):
    def test_call_runs_in_virtual_time(self) -> None:
        caller = self.call("a", "b")
        playback = self.app.channel.play("sound:long")
        end = wait_for(self.clock, playback.finished, seconds=PATIENCE)
        caller.press("1")
        caller.hang_up()
        self.clock.advance(0)
        self.assertIs(end, PlaybackEnd.DONE)
        self.assertEqual(self.app.calls, ["entered a b", "key 1", "hung up", "left"])
        self.assertEqual([each.media for each in caller.heard], ["sound:long"])
        self.assertAlmostEqual(caller.heard[0].ended or 0, 5.0, places=2)

    def test_sound_is_stopped(self) -> None:
        caller = self.call()
        playback = self.app.channel.play("sound:long")
        self.clock.pump([0, 1])
        playback.stop()
        wait_for(self.clock, playback.finished, seconds=PATIENCE)
        self.assertEqual(caller.heard[0].how, "stopped")

    def test_nothing_arrives_in_the_turn_it_was_sent_in(self) -> None:
        self.simulator.call()
        self.assertEqual(self.app.calls, [])
        self.clock.advance(0)
        self.assertEqual(self.app.calls, ["entered"])
        before = self.simulator.requests
        answer = self.ask("GET", "asterisk", "ping")
        self.assertEqual(self.simulator.requests, before)
        wait_for(self.clock, answer, seconds=PATIENCE)

    def test_missing_sound_fails(self) -> None:
        self.call()
        playback = self.app.channel.play("sound:missing")
        end = wait_for(self.clock, playback.finished, seconds=PATIENCE)
        self.assertIs(end, PlaybackEnd.FAILED)

    def test_playback_started_arrives_before_the_response(self) -> None:
        self.call()
        answer = self.ask(
            "POST", "channels", self.app.channel.id, "play", media="sound:missing"
        )
        self.clock.pump([0, 0.001])
        self.assertNoResult(answer)
        self.clock.advance(0.001)
        self.successResultOf(answer)

    def test_another_client_takes_the_application(self) -> None:
        other = InMemoryLink(self.simulator, clock=self.clock).client(
            RecordingApplication()
        )
        other.startService()
        self.until_connected(other)
        self.call()
        self.assertNotIn("entered", self.app.calls)
        wait_for(self.clock, other.stopService(), seconds=PATIENCE)
        self.flushLoggedErrors()


class CallOverWebsocketTests(CallTests):
    transport = Transport.WEBSOCKET

    def test_requests_go_over_the_websocket(self) -> None:
        self.assertIs(self.client.requests.in_use, Transport.WEBSOCKET)
        self.assertEqual(self.client.requests.pending, 0)
        self.assertIsInstance(self.answer_to("GET", "asterisk", "info"), dict)

    def test_playback_started_arrives_before_the_response(self) -> None:
        """On one connection the simulator's order is all there is."""


class OldAsteriskTests(SynchronousTestCase):
    def test_asterisk_without_requests_over_the_websocket_is_detected(
        self,
    ) -> None:
        clock = Clock()
        simulator = Simulator(reactor=clock, serves_requests_over_websocket=False)
        client = InMemoryLink(simulator, clock=clock).client(RecordingApplication())
        client.startService()
        clock.pump([0, 0, 2])
        self.assertTrue(client.is_connected)
        self.assertIs(client.requests.in_use, Transport.HTTP)
        wait_for(clock, client.stopService(), seconds=PATIENCE)


class AnswerTests(InMemoryTestCase):
    def test_special_characters_are_kept(self) -> None:
        self.call()
        text = "a&b=c/d?e%20f ü"
        channel = ("channels", self.app.channel.id, "variable")
        self.answer_to("POST", *channel, variable="X", value=text)
        answer = self.answer_to("GET", *channel, variable="X")
        self.assertEqual(answer, {"value": text})

    def test_status_becomes_the_same_error_as_over_sockets(self) -> None:
        errors = {404: NotFoundError, 409: ConflictError, 503: ServerError}
        for status, kind in errors.items():
            self.simulator.faults.answer("GET /asterisk/ping", status, message="no")
            with self.assertRaises(kind) as raised:
                self.answer_to("GET", "asterisk", "ping")
            self.assertEqual(raised.exception.status, status)
            self.assertEqual(raised.exception.message, "no")
            self.assertFalse(raised.exception.outcome_unknown)

    def test_starting_asterisk_answers_503(self) -> None:
        self.simulator.faults.is_booting = True
        with self.assertRaises(ServerError):
            self.answer_to("GET", "asterisk", "ping")

    def test_lost_request_may_have_been_carried_out(self) -> None:
        for lose in (
            self.simulator.faults.lose_request,
            self.simulator.faults.lose_answer,
        ):
            # Twisted's client repeats a GET that a used connection lost.
            lose("GET *", times=2)
            with self.assertRaises(ConnectionLostError) as raised:
                self.answer_to("GET", "asterisk", "ping")
            self.assertTrue(raised.exception.outcome_unknown)
            self.simulator.faults.clear()

    def test_response_is_awaited_until_the_timeout(self) -> None:
        self.simulator.faults.delay("GET *", 9)
        self.assertIsInstance(self.answer_to("GET", "asterisk", "ping"), dict)
        self.simulator.faults.delay("GET *", 11)
        with self.assertRaises(RequestTimeoutError):
            self.answer_to("GET", "asterisk", "ping")
        self.clock.advance(2)

    def test_cancelled_request_leaves_no_timer(self) -> None:
        before = self.clock.getDelayedCalls()
        answer = self.ask("GET", "asterisk", "ping")
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.client.requests.pending, 0)
        self.assertEqual(self.clock.getDelayedCalls(), before)


class ConnectionTests(InMemoryTestCase):
    def test_dropped_connection_is_opened_again(self) -> None:
        caller = self.call()
        self.link.drop()
        self.assertTrue(self.client.is_connected, "noticed in a later turn")
        self.clock.advance(0)
        self.assertFalse(self.client.is_connected)
        caller.press("1")
        self.until_connected(self.client)
        caller.press("2")
        self.clock.advance(0)
        self.assertIn("key 2", self.app.calls)
        self.assertNotIn("key 1", self.app.calls)

    def test_request_under_way_is_lost_with_the_connection(self) -> None:
        self.delays[Direction.ANSWER] = 5.0
        answer = self.ask("GET", "asterisk", "ping")
        self.clock.advance(1)
        self.link.drop()
        self.assertNoResult(answer)
        self.clock.advance(0)
        error = self.failureResultOf(answer, ConnectionLostError).value
        self.assertTrue(error.outcome_unknown)

    def test_request_that_had_not_arrived_is_not_served(self) -> None:
        self.delays[Direction.REQUEST] = 1.0
        answer = self.ask("GET", "asterisk", "ping")
        before = self.simulator.requests
        self.link.cut()
        self.clock.advance(5)
        self.assertEqual(self.simulator.requests, before)
        self.failureResultOf(answer, ConnectionLostError)

    def test_cut_link_refuses_connections(self) -> None:
        self.link.cut()
        self.clock.pump([1] * 10)
        self.assertFalse(self.client.is_connected)
        with self.assertRaises(ConnectionLostError) as raised:
            self.answer_to("GET", "asterisk", "ping")
        self.assertFalse(raised.exception.outcome_unknown)
        self.link.mend()
        self.until_connected(self.client)

    def test_starting_asterisk_refuses_the_websocket(self) -> None:
        self.simulator.faults.is_booting = True
        self.link.drop()
        self.clock.pump([1] * 10)
        self.assertFalse(self.client.is_connected)
        self.simulator.faults.is_booting = False
        self.until_connected(self.client)

    def test_stopped_client_does_not_connect_again(self) -> None:
        wait_for(self.clock, self.client.stopService(), seconds=PATIENCE)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        caller = self.simulator.call()
        self.assertEqual(caller.status, "FAILED")

    def test_client_may_stop_before_it_has_connected(self) -> None:
        client = self.link.client(RecordingApplication(), app="another")
        client.startService()
        wait_for(self.clock, client.stopService(), seconds=PATIENCE)
        self.assertFalse(client.is_connected)


class DelayTests(InMemoryTestCase):
    def test_events_keep_their_order_with_different_delays(self) -> None:
        caller = self.call()
        delays = iter([3.0, 1.0, 2.0])
        self.link.delay = lambda _direction: next(delays, 0.0)
        for key in "123":
            caller.press(key)
        self.clock.pump([1, 1])
        self.assertEqual(self.app.calls, ["entered"])
        self.clock.advance(1)
        self.assertEqual(self.app.calls, ["entered", "key 1", "key 2", "key 3"])

    def test_http_responses_overtake_each_other(self) -> None:
        delays = iter([0.0, 2.0, 0.0, 1.0])
        self.link.delay = lambda _direction: next(delays, 0.0)
        answers = []
        for _ in range(2):
            answers.append(self.ask("GET", "asterisk", "ping"))
            self.clock.advance(0)
        self.clock.advance(1)
        self.assertNoResult(answers[0])
        self.successResultOf(answers[1])
        self.clock.advance(1)
        self.successResultOf(answers[0])


class VirtualTimeTests(SynchronousTestCase):
    def test_waiting_in_vain_raises_an_error(self) -> None:
        clock = Clock()
        never: Deferred[None] = Deferred()
        with self.assertRaisesRegex(NothingHappensError, "no timer"):
            wait_for(clock, never, seconds=1)
        timer = clock.callLater(5, never.callback, None)
        with self.assertRaisesRegex(NothingHappensError, "1 seconds"):
            pass_time(clock, until=lambda: never.called, seconds=1)
        self.assertEqual(clock.seconds(), 0)
        timer.cancel()
