"""Playbacks, recordings, outbound channels and bridges under random event orders."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.errors import ConnectionLostError, RequestTimeoutError
from tests.support.ari_fakes import APP, AriTestCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.outbound import OutboundChannel
    from channel_aa.ari.recording import Recording

ANSWERS = (200, 400, 404, 409, 412, 500, "timeout", "lost", "nothing")
PHONES = 2


class _World(AriTestCase):
    """A client, and an Asterisk that may do anything at any time."""

    def setUp(self) -> None:
        super().setUp()
        self.channel: Channel = self.enter()
        self.phones: list[OutboundChannel] = []
        self.waits: list[Deferred[Any]] = []

    def wait_for(self, deferred: Deferred[Any]) -> None:
        """Wait for a Deferred as an attendant would; ignore its errors."""
        self.waits.append(deferred.addErrback(lambda _: None))

    def answer_one(self, place: int, answer: object) -> None:
        """Answer one of the requests, or lose it."""
        unanswered = self.sender.unanswered
        if not unanswered:
            return
        exchange = unanswered[place % len(unanswered)]
        if answer == "timeout":
            exchange.fail(RequestTimeoutError)
        elif answer == "lost":
            exchange.fail(ConnectionLostError, outcome_unknown=False)
        elif answer == "nothing":
            exchange.accept(b"")
        elif answer == 200:
            body = b'{"id":"x","state":"Up","dialplan":{"app_name":"Stasis"}}'
            exchange.accept(b"[]" if exchange.line == "GET bridges" else body)
        else:
            assert isinstance(answer, int)
            exchange.refuse(answer)

    def act(self, number: int) -> None:
        """Do what an attendant might do."""
        channel = self.channel
        actions: list[Callable[[], object]] = [
            lambda: self.wait_for(channel.play("sound:a").finished),
            lambda: self.wait_for(channel.answer()),
            lambda: self.wait_for(self.record().finished),
            self.dial,
            *[phone.hang_up for phone in self.phones],
            *[partial(self.connect, phone) for phone in self.phones],
            *[wait.cancel for wait in self.waits],
        ]
        actions[number % len(actions)]()

    def connect(self, phone: OutboundChannel) -> None:
        self.wait_for(phone.connect())

    def record(self) -> Recording:
        return self.channel.record(
            "a", max_seconds=0, max_silence_seconds=0, terminator="#", beep=False
        )

    def dial(self) -> None:
        if len(self.phones) < PHONES:
            phone = self.channel.dial("PJSIP/1", ring_seconds=20)
            self.phones.append(phone)
            self.wait_for(phone.outcome)

    def receive_any(self, number: int) -> None:
        """Receive an event, true or not."""
        ids = ["c1", *[phone.id for phone in self.phones], "stranger"]
        about = ids[number % len(ids)]
        bridge = next(iter(self.client.bridges), "x")
        playback = next(iter(self.client.playbacks), "x")
        events: list[Callable[[], None]] = [
            lambda: self.receive_channel("StasisStart", about, args=[]),
            lambda: self.receive_channel("StasisEnd", about),
            lambda: self.receive_channel("ChannelDestroyed", about, cause=number % 40),
            lambda: self.receive_channel("ChannelHangupRequest", about),
            lambda: self.receive("Dial", peer={"id": about}, dialstatus="RINGING"),
            lambda: self.receive("Dial", peer={"id": about}, dialstatus="BUSY"),
            lambda: self.receive(
                "ChannelLeftBridge", bridge={"id": bridge}, channel={"id": about}
            ),
            lambda: self.receive_playback("PlaybackStarted", playback),
            lambda: self.receive_playback("PlaybackFinished", playback, "done"),
            lambda: self.receive("RecordingFinished", recording={"name": "a"}),
            lambda: self.receive("RecordingFailed", recording={"name": "a"}),
        ]
        events[number % len(events)]()

    def lose(self) -> None:
        if self.connection.is_open:
            self.connection.lose()

    def open(self, *, knows_the_call: bool) -> None:
        if not self.connection.is_open:
            ids = '["c1"]' if knows_the_call else "[]"
            answer = f'{{"channel_ids":{ids}}}'.encode()
            self.sender.answers[f"GET applications/{APP}"] = answer
            self.connection.open()

    def finish(self) -> None:
        """End every call, and answer every query with 404."""
        self.lose()
        self.open(knows_the_call=False)
        for channel_id in list(self.client.channels):
            self.receive_channel("StasisEnd", channel_id)
        for _ in range(200):
            for exchange in self.sender.unanswered:
                exchange.refuse(404)
            if not (self.timers or self.sender.unanswered):
                break
            self.clock.advance(5)
        self.assert_nothing_left()
        for wait in self.waits:
            self.assertTrue(wait.called)


STEPS = st.one_of(
    st.tuples(st.just("answer"), st.integers(0, 9), st.sampled_from(ANSWERS)),
    st.tuples(st.just("act"), st.integers(0, 99)),
    st.tuples(st.just("receive"), st.integers(0, 999)),
    st.tuples(st.just("lose")),
    st.tuples(st.just("open"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1, 2, 5, 10, 30])),
)


class InterleavingTests(SynchronousTestCase):
    @given(st.lists(STEPS, max_size=60))
    @settings(max_examples=150)
    def test_any_order_of_events_leaves_nothing(
        self, steps: list[tuple[object, ...]]
    ) -> None:
        world = _World("finish")
        world.setUp()
        try:
            for name, *arguments in steps:
                self.play(world, str(name), arguments)
            world.finish()
            self.assertEqual(world.log.texts(level=LogLevel.critical), [])
        finally:
            world.log.stop()

    def play(self, world: _World, name: str, arguments: list[object]) -> None:
        if name == "answer":
            world.answer_one(int(str(arguments[0])), arguments[1])
        elif name == "act":
            world.act(int(str(arguments[0])))
        elif name == "receive":
            world.receive_any(int(str(arguments[0])))
        elif name == "lose":
            world.lose()
        elif name == "open":
            world.open(knows_the_call=bool(arguments[0]))
        else:
            world.clock.advance(float(str(arguments[0])))
