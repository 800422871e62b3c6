"""The handle of a channel: its commands, and the events of its caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from channel_aa.ari.events import ChannelData
from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ConnectionLostError,
    RequestTimeoutError,
    ServerError,
)
from channel_aa.interfaces import (
    ChannelGoneError,
    HangupReason,
    IChannel,
    PlaybackEnd,
)
from tests.support.ari_fakes import AriTestCase, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from channel_aa.ari.channel import Channel

COMMANDS: dict[str, Callable[[Channel], Deferred[None]]] = {
    "POST channels/c1/answer": lambda channel: channel.answer(),
    "DELETE channels/c1": lambda channel: channel.hang_up(),
    "DELETE channels/c1?reason=busy": (
        lambda channel: channel.hang_up(HangupReason.BUSY)
    ),
    "POST channels/c1/continue": lambda channel: channel.continue_in_dialplan(),
    "POST channels/c1/continue?context=sales&extension=6001&priority=2": (
        lambda channel: channel.continue_in_dialplan(
            context="sales", extension="6001", priority=2
        )
    ),
    "POST channels/c1/continue?extension=s": (
        lambda channel: channel.continue_in_dialplan(extension="s")
    ),
    "POST channels/c1/variable?variable=CHANNEL%28language%29&value=a%26b": (
        lambda channel: channel.set_variable("CHANNEL(language)", "a&b")
    ),
    "POST channels/c1/ring": lambda channel: channel.start_ringing(),
    "DELETE channels/c1/ring": lambda channel: channel.stop_ringing(),
    "POST channels/c1/moh?mohClass=a%20b": lambda channel: channel.start_music("a b"),
    "DELETE channels/c1/moh": lambda channel: channel.stop_music(),
}


HANGUP = re.compile(r"DELETE channels/c1(\?|$)")


class CommandTests(AriTestCase):
    def test_channel_provides_its_interface(self) -> None:
        channel = self.enter()
        verifyObject(IChannel, channel)
        self.assertEqual((channel.id, channel.name), ("c1", "PJSIP/c1"))
        self.assertEqual(repr(channel), "<Channel PJSIP/c1 id='c1'>")

    def test_each_command_is_one_request_without_a_result(self) -> None:
        for line, command in COMMANDS.items():
            with self.subTest(command=line):
                done = command(self.enter())
                self.assertEqual(self.sender.only_unanswered().line, line)
                self.assertNoResult(done)
                self.sender.only_unanswered().accept()
                self.assertIsNone(self.successResultOf(done))
                self.assertIn("c1", self.client.channels)
                self.assertEqual(self.listener().log, [])

    def test_channel_that_is_gone_has_left(self) -> None:
        for line, command in COMMANDS.items():
            for status in (404, 409):
                with self.subTest(status=status):
                    channel = self.enter()
                    playing = self.play(channel)
                    playing.request.accept()
                    done = command(channel)
                    self.sender.only_unanswered().refuse(status, "gone")
                    if HANGUP.match(line):
                        self.assertIsNone(self.successResultOf(done))
                    else:
                        failure = self.failureResultOf(done, ChannelGoneError)
                        self.assertIn(f"{status} gone", str(failure.value))
                    self.assertEqual(self.listener().log, ["left"])
                    self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
                    self.assert_nothing_left()

    def test_channel_has_the_callers_and_the_dialled_number(self) -> None:
        self.receive(
            "StasisStart",
            channel={
                "id": "c1",
                "name": "PJSIP/c1",
                "caller": {"name": "Ann", "number": "555"},
                "dialplan": {"context": "in", "exten": "1000", "priority": 1},
                "language": "de",
            },
            args=[],
        )
        channel = self.client.channels["c1"]
        self.assertEqual((channel.caller_name, channel.caller_number), ("Ann", "555"))
        self.assertEqual((channel.dialled, channel.language), ("1000", "de"))

    def test_channel_in_the_wrong_state_stays(self) -> None:
        for command in COMMANDS.values():
            channel = self.enter()
            done = command(channel)
            self.sender.only_unanswered().refuse(412, "wrong state")
            self.failureResultOf(done, ConflictError)
            self.assertIs(self.client.channels["c1"], channel)
            self.assertEqual(self.listener().log, [])

    def test_other_failures_are_passed_on(self) -> None:
        channel = self.enter()
        done = channel.answer()
        self.sender.only_unanswered().refuse(500)
        self.failureResultOf(done, ServerError)
        self.assertIn("c1", self.client.channels)

    def test_command_without_a_response_is_sent_three_times(self) -> None:
        channel = self.enter()
        done = channel.answer()
        for kind in (RequestTimeoutError, ConnectionLostError):
            self.sender.only_unanswered().fail(kind)
            self.assertNoResult(done)
            self.clock.advance(1)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.failureResultOf(done, RequestTimeoutError)
        self.assertEqual(self.sender.lines, ["POST channels/c1/answer"] * 3)
        self.assertIn("c1", self.client.channels)

    def test_late_response_of_an_earlier_stay_does_not_end_the_next(self) -> None:
        """A dialplan may send a channel to the application twice."""
        done = self.enter().answer()
        late = self.sender.only_unanswered()
        self.receive_channel("StasisEnd")
        again = self.enter()
        late.refuse(409)
        self.failureResultOf(done, ChannelGoneError)
        self.assertIs(self.client.channels["c1"], again)
        self.assertEqual(self.listener().log, [])


class VariableTests(AriTestCase):
    def read(self) -> tuple[Deferred[str], Exchange]:
        value = self.enter().get_variable("CHANNEL(language)")
        exchange = self.sender.only_unanswered()
        self.assertEqual(
            exchange.line, "GET channels/c1/variable?variable=CHANNEL%28language%29"
        )
        return value, exchange

    def test_variable_waits_for_no_sound_before_the_first(self) -> None:
        channel = self.enter()
        first = channel.set_variable("X", "1")
        channel.play("sound:or")
        second = channel.set_variable("X", "2")
        asked = [exchange.request for exchange in self.sender.exchanges]
        self.assertEqual(
            [(request.path[-1], request.waits_for_sound) for request in asked[::2]],
            [("variable", False), ("variable", True)],
        )
        for setting, exchange in ((first, 0), (second, 2)):
            self.sender.exchanges[exchange].accept()
            self.successResultOf(setting)

    def test_variable_may_wait_for_what_follows_a_recording_or_a_phone(self) -> None:
        self.enter("c1").record(
            "x", max_seconds=0, max_silence_seconds=0, terminator="", beep=True
        )
        self.enter("c2").dial("PJSIP/410", ring_seconds=20)
        for channel_id in ("c1", "c2"):
            self.client.channels[channel_id].set_variable("X", "1")
            self.assertTrue(self.sender.exchanges[-1].request.waits_for_sound)
        for exchange in self.sender.unanswered:
            exchange.accept(b"{}")
        self.receive_channel("ChannelDestroyed", next(iter(self.client.outbound)))

    def test_variable_of_an_adopted_channel_may_wait_for_a_sound(self) -> None:
        self.client._enter(
            ChannelData(id="c1", name="PJSIP/c1"), arguments=(), adopted=True
        )
        setting = self.client.channels["c1"].set_variable("X", "1")
        exchange = self.sender.only_unanswered()
        self.assertTrue(exchange.request.waits_for_sound)
        exchange.accept()
        self.successResultOf(setting)

    def test_variable_has_a_value(self) -> None:
        value, exchange = self.read()
        exchange.accept(b'{"value":"en"}')
        self.assertEqual(self.successResultOf(value), "en")

    def test_query_without_a_response_is_sent_again(self) -> None:
        value, exchange = self.read()
        exchange.fail(RequestTimeoutError)
        self.clock.advance(1)
        self.sender.only_unanswered().accept(b'{"value":"en"}')
        self.assertEqual(self.successResultOf(value), "en")

    def test_unset_variable_is_empty(self) -> None:
        value, exchange = self.read()
        exchange.refuse(404, "Provided variable was not found")
        self.assertEqual(self.successResultOf(value), "")
        self.assertIn("c1", self.client.channels)

    def test_variable_of_a_missing_channel_is_an_error(self) -> None:
        value, exchange = self.read()
        exchange.refuse(404, "Provided channel was not found")
        self.failureResultOf(value, ChannelGoneError)
        self.assertEqual(self.listener().log, ["left"])

    def test_invalid_response_is_an_error(self) -> None:
        for body in (b"", b"[]", b'{"value":7}', b"[" * 5000, b"\xff"):
            value, exchange = self.read()
            exchange.accept(body)
            self.failureResultOf(value, AriError)


class CallerTests(AriTestCase):
    def test_keys_are_passed_on_in_order(self) -> None:
        self.enter()
        for digit in "1*#D":
            self.receive_channel("ChannelDtmfReceived", digit=digit, duration_ms=100)
        self.assertEqual(self.listener().log, ["dtmf 1", "dtmf *", "dtmf #", "dtmf D"])

    def test_hangup_is_reported_once_before_the_end(self) -> None:
        self.enter()
        for _ in range(3):
            self.receive_channel("ChannelHangupRequest", cause=16, soft=True)
        self.receive_channel("StasisEnd")
        self.receive_channel("ChannelDestroyed")
        self.assertEqual(self.listener().log, ["hung up", "left"])

    def test_cause_of_a_hangup_is_known_until_the_end(self) -> None:
        channel = self.enter()
        self.assertEqual(channel.hangup_cause, 0)
        self.receive_channel("ChannelHangupRequest", cause=41)
        self.receive_channel("StasisEnd")
        self.assertEqual(channel.hangup_cause, 41)

    def test_flag_of_a_hangup_by_request_is_no_cause(self) -> None:
        channel = self.enter()
        self.receive_channel("ChannelHangupRequest", cause=32, soft=True)
        self.receive_channel("StasisEnd")
        self.assertEqual(channel.hangup_cause, 0)

    def test_cause_of_a_channel_that_is_destroyed_in_the_application(self) -> None:
        channel = self.enter()
        self.receive_channel("ChannelDestroyed", cause=27)
        self.assertEqual(channel.hangup_cause, 27)

    def test_channel_that_is_destroyed_has_left(self) -> None:
        self.enter()
        self.receive_channel("ChannelDestroyed", cause=16)
        self.assertEqual(self.listener().log, ["left"])
        self.assert_nothing_left()

    def test_playbacks_fail_when_the_channel_leaves(self) -> None:
        channel = self.enter()
        playing, queued = self.play(channel), self.play(channel)
        playing.request.accept()
        self.receive_channel("StasisEnd")
        self.assertEqual(playing.ends + queued.ends, [PlaybackEnd.FAILED] * 2)
        self.assertEqual(playing.playback.problem, "the channel left the application")
        self.assertEqual(playing.stops + queued.stops, 0)
        self.assert_nothing_left()
        queued.request.refuse(404)
        self.assertEqual(self.listener().log, ["left"])

    def test_listener_is_told_before_the_playbacks_fail(self) -> None:
        """Otherwise it would play the next sound after the failed one."""
        order: list[str] = []
        channel = self.enter()
        playing = self.play(channel)
        playing.playback.finished.addCallback(lambda _: order.append("sound failed"))
        told = self.listener().log
        playing.playback.finished.addCallback(lambda _: order.extend(told))
        self.receive_channel("StasisEnd")
        self.assertEqual(order, ["sound failed", "left"])

    def test_channel_that_left_reports_nothing(self) -> None:
        channel = self.enter()
        self.receive_channel("StasisEnd")
        channel.dtmf_received("1")
        channel.end()
        self.assertEqual(self.listener().log, ["left"])

    def test_events_reach_their_own_channel_only(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.receive_channel("ChannelDtmfReceived", "c2", digit="5")
        self.receive_channel("StasisEnd", "c1")
        self.assertEqual(self.listener("c1").log, ["left"])
        self.assertEqual(self.listener("c2").log, ["dtmf 5"])

    def test_events_of_unknown_channels_are_ignored(self) -> None:
        for kind in ("StasisEnd", "ChannelDestroyed", "ChannelHangupRequest"):
            self.receive_channel(kind, "stranger")
        self.receive_channel("ChannelDtmfReceived", "stranger", digit="1")
        self.assertEqual(self.sender.lines, [])
        self.assertEqual(self.log.texts(), [])


class EndTests(AriTestCase):
    def test_end_is_awaited(self) -> None:
        channel = self.enter()
        waiting, cancelled = channel.ended(), channel.ended()
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.receive_channel("ChannelHangupRequest")
        self.assertNoResult(waiting)
        self.receive_channel("StasisEnd")
        self.successResultOf(waiting)
        self.successResultOf(channel.ended())


class RaisingListenerTests(AriTestCase):
    """A fault of a listener is logged, and affects no other call."""

    def assert_fault_logged(self, count: int = 1) -> None:
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), count)
        self.assertEqual(len(self.log.texts(level=LogLevel.critical)), count)

    def test_fault_at_a_key_is_logged(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.listener("c1").raising = {"dtmf_received", "dtmf"}
        self.receive_channel("ChannelDtmfReceived", "c1", digit="1")
        self.assert_fault_logged()
        self.receive_channel("ChannelDtmfReceived", "c2", digit="2")
        self.assertEqual(self.listener("c2").log, ["dtmf 2"])

    def test_fault_at_a_hangup_is_logged(self) -> None:
        self.enter()
        self.listener().raising = {"hung up"}
        self.receive_channel("ChannelHangupRequest")
        self.assert_fault_logged()
        self.receive_channel("StasisEnd")
        self.assertEqual(self.listener().log, ["hung up", "left"])

    def test_fault_at_the_end_is_logged(self) -> None:
        playing = self.play(self.enter())
        self.listener().raising = {"left"}
        self.receive_channel("StasisEnd")
        self.assert_fault_logged()
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assert_nothing_left()

    def test_fault_at_the_end_of_one_call_does_not_affect_others(self) -> None:
        for channel_id in ("c1", "c2", "c3"):
            self.enter(channel_id)
            self.listener(channel_id).raising = {"left"}
        self.successResultOf(self.client.stopService())
        self.assert_fault_logged(3)
        self.assertTrue(self.sender.is_closed)
        self.assert_nothing_left()

    def test_fault_at_the_end_after_a_refused_request_is_logged(self) -> None:
        channel = self.enter()
        self.listener().raising = {"left"}
        done = channel.answer()
        self.sender.only_unanswered().refuse(404)
        self.failureResultOf(done, ChannelGoneError)
        self.assert_fault_logged()

    def test_fault_at_the_entry_is_logged(self) -> None:
        self.application.is_raising = True
        self.enter("c1")
        self.assert_fault_logged()
        self.application.is_raising = False
        self.enter("c2")
        self.receive_channel("ChannelDtmfReceived", "c1", digit="1")
        self.receive_channel("ChannelDtmfReceived", "c2", digit="1")
        self.assertEqual(self.listener("c2").log, ["dtmf 1"])
