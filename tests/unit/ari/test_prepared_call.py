from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari import DialOutcome, NotAnsweredError
from channel_aa.ari.api.events import ChannelStateChange
from channel_aa.simulator.in_memory import Direction, pass_time, wait_for
from tests.support.programs import PATIENCE, ProgramTestCase

if TYPE_CHECKING:
    from channel_aa.ari import Channel, PreparedCall

T = TypeVar("T")
PHONE = "PJSIP/410"


class PreparedCallTestCase(ProgramTestCase):
    def phone(self, behaviour: str) -> PreparedCall:
        """Prepare a call to a phone that behaves so."""
        self.simulator.phones.change(PHONE, behaviour)
        return self.client.prepare_call(PHONE, ring_seconds=10)

    def result(self, deferred: Deferred[T]) -> T:
        return wait_for(self.clock, deferred, seconds=PATIENCE)

    def outcome(self, deferred: Deferred[Channel]) -> tuple[DialOutcome, int]:
        """Return the outcome and the cause of a call that is not answered."""
        with self.assertRaises(NotAnsweredError) as raised:
            self.result(deferred)
        self.assert_nothing_is_left()
        return raised.exception.outcome, raised.exception.cause

    def assert_nothing_is_left(self) -> None:
        self.clock.pump([0.1] * 20)
        self.assertEqual(self.simulator.live_channels, 0)
        self.assertEqual(len(self.client.channels), 0)


class OriginateTests(PreparedCallTestCase):
    def test_channel_of_the_phone_that_answers(self) -> None:
        states: list[str] = []
        call = self.phone("answers 2 press 7")
        call.on(ChannelStateChange, lambda event: states.append(event.channel.state))
        channel = self.result(call.originate())
        self.assertEqual(channel.id, call.id)
        self.assertIs(self.client.channels[call.id], channel)
        self.assertEqual(states[-1:], ["Up"])
        key = self.result(Deferred.fromCoroutine(channel.dialogue.next_key(5)))
        self.assertEqual(key, "7")
        self.result(channel.hang_up())
        self.assert_nothing_is_left()

    def test_program_s_calls_are_not_given_to_it_again(self) -> None:
        self.result(self.phone("answers").originate())
        self.assertEqual(self.calls, [])

    def test_outcomes(self) -> None:
        for behaviour, expected in {
            "busy": (DialOutcome.BUSY, 17),
            "declines 1": (DialOutcome.NO_ANSWER, 21),
            "silent": (DialOutcome.NO_ANSWER, 0),
            "congested": (DialOutcome.CONGESTION, 34),
        }.items():
            with self.subTest(behaviour=behaviour):
                outcome, cause = self.outcome(self.phone(behaviour).originate())
                self.assertIs(outcome, expected[0])
                if expected[1]:
                    self.assertEqual(cause, expected[1])

    def test_endpoint_that_does_not_exist(self) -> None:
        outcome, _ = self.outcome(self.phone("unreachable").originate())
        self.assertIs(outcome, DialOutcome.UNAVAILABLE)

    def test_error_says_what_to_do(self) -> None:
        call = self.phone("unreachable").originate()
        with self.assertRaisesRegex(NotAnsweredError, "pjsip show endpoint 410"):
            self.result(call)

    def test_cancelling_hangs_up(self) -> None:
        answered = self.phone("silent").originate()
        self.clock.pump([1, 1])
        self.assertEqual(self.simulator.live_channels, 1)
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assert_nothing_is_left()

    def test_cancelling_before_the_response_hangs_up(self) -> None:
        answered = self.phone("answers").originate()
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assert_nothing_is_left()

    def test_answer_after_a_lost_connection(self) -> None:
        answered = self.phone("answers 8").originate()
        self.clock.advance(1)
        self.link.cut()
        self.clock.pump([1] * 4)
        self.link.mend()
        channel = self.result(answered)
        self.result(channel.hang_up())
        self.assert_nothing_is_left()

    def test_answer_whose_event_is_lost(self) -> None:
        self.simulator.faults.drop_event("StasisStart")
        channel = self.result(self.phone("answers 2").originate())
        self.assertEqual(self.calls, [])
        self.result(channel.hang_up())

    def test_end_without_a_connection(self) -> None:
        answered = self.phone("declines 2").originate()
        self.clock.advance(1)
        self.link.cut()
        self.clock.pump([1] * 4)
        self.link.mend()
        outcome, _ = self.outcome(answered)
        self.assertIs(outcome, DialOutcome.NO_ANSWER)

    def test_lost_request_is_sent_again(self) -> None:
        self.simulator.faults.lose_request("POST /channels")
        channel = self.result(self.phone("answers").originate())
        self.assertEqual(self.simulator.live_channels, 1)
        self.result(channel.hang_up())

    def test_lost_response_makes_no_second_call(self) -> None:
        self.simulator.faults.lose_answer("POST /channels")
        channel = self.result(self.phone("answers 2").originate())
        self.assertEqual(self.simulator.live_channels, 1)
        self.result(channel.hang_up())

    def test_phone_shows_the_caller_id(self) -> None:
        self.simulator.phones.change(PHONE, "answers")
        call = self.client.prepare_call(
            PHONE, caller_id="Acme <+441632960000>", variables={"X": "1"}
        )
        self.result(call.originate())
        (phone,) = self.simulator.dialled_phones
        shown = phone.channel.variables
        self.assertEqual(shown["X"], "1")
        self.assertEqual(shown["CONNECTEDLINE(name,i)"], "Acme")
        self.assertEqual(shown["CONNECTEDLINE(num,i)"], "+441632960000")

    def test_call_is_made_once(self) -> None:
        call = self.phone("answers")
        answered = call.originate()
        for again in (call.originate, call.create):
            with self.assertRaisesRegex(RuntimeError, "once"):
                again()
        self.result(answered)

    def test_stop_of_the_client_hangs_up_what_rings(self) -> None:
        answered = self.phone("silent").originate()
        self.clock.advance(1)
        wait_for(self.clock, self.client.stopService(), seconds=PATIENCE)
        self.failureResultOf(answered, NotAnsweredError)
        self.assertEqual(self.simulator.live_channels, 0)


class CreateTests(PreparedCallTestCase):
    def test_channel_exists_before_it_calls(self) -> None:
        call = self.phone("answers 2")
        channel = self.result(call.create())
        self.clock.pump([1] * 20)
        self.assertIs(self.client.channels[call.id], channel)
        self.assertIs(self.result(call.dial()), channel)
        self.result(channel.hang_up())
        self.assert_nothing_is_left()

    def test_outcome_of_dialling(self) -> None:
        call = self.phone("busy")
        self.result(call.create())
        outcome, cause = self.outcome(call.dial())
        self.assertEqual((outcome, cause), (DialOutcome.BUSY, 17))

    def test_phone_that_does_not_answer_in_time(self) -> None:
        call = self.phone("silent")
        self.result(call.create())
        began = self.clock.seconds()
        outcome, _ = self.outcome(call.dial())
        self.assertIs(outcome, DialOutcome.NO_ANSWER)
        self.assertLess(self.clock.seconds() - began, 20)

    def test_cancelling_hangs_up(self) -> None:
        call = self.phone("silent")
        self.result(call.create())
        answered = call.dial()
        self.clock.advance(1)
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assert_nothing_is_left()

    def test_created_channel_that_is_gone_cannot_be_dialled(self) -> None:
        call = self.phone("answers")
        channel = self.result(call.create())
        self.result(channel.hang_up())
        self.clock.pump([0.1] * 5)
        outcome, _ = self.outcome(call.dial())
        self.assertIs(outcome, DialOutcome.UNAVAILABLE)

    def test_refused_dialling_is_no_answer(self) -> None:
        self.simulator.faults.answer("POST /channels/*/dial", 409, message="Busy")
        call = self.phone("answers")
        self.result(call.create())
        with self.assertRaisesRegex(NotAnsweredError, "409 Busy"):
            self.result(call.dial())
        self.assert_nothing_is_left()

    def test_dialling_needs_a_created_channel(self) -> None:
        call = self.phone("answers")
        with self.assertRaisesRegex(RuntimeError, "after its channel was created"):
            call.dial()

    def test_answer_without_a_connection(self) -> None:
        call = self.phone("answers 3")
        channel = self.result(call.create())
        answered = call.dial()
        self.clock.advance(1)
        self.link.cut()
        self.clock.pump([1] * 4)
        self.link.mend()
        self.assertIs(self.result(answered), channel)

    def test_slow_answers(self) -> None:
        delays = {Direction.ANSWER: 1.5, Direction.REQUEST: 0.5}
        self.link.delay = lambda direction: delays.get(direction, 0.0)
        call = self.phone("answers")
        self.result(call.create())
        channel = self.result(call.dial())
        channel.hang_up()
        pass_time(
            self.clock,
            until=lambda: not self.client.channels,
            seconds=PATIENCE,
        )
