from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.simulator import HeardSound, ICallObserver, ScriptError, SimulatedCaller
from channel_aa.simulator.script import HangUp, Wait
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.simulator.script import Step


@implementer(ICallObserver)
class Onlooker:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def sound_started(self, caller: SimulatedCaller, media: str) -> None:
        self.seen.append(f"{media} …")

    def sound_ended(self, caller: SimulatedCaller, media: str, how: str) -> None:
        self.seen.append(f"{media} {how}")

    def key_pressed(self, caller: SimulatedCaller, key: str) -> None:
        self.seen.append(f"key {key}")

    def call_ended(self, caller: SimulatedCaller, outcome: str) -> None:
        self.seen.append(outcome)


class CallerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.on = Simulated()
        self.caller = self.on.caller

    def run_script(self, script: str | Sequence[Step]) -> Deferred[None]:
        return self.caller.run(script, patience=10)

    def problem(self, script: Deferred[None]) -> str:
        return str(self.failureResultOf(script, ScriptError).value)

    @property
    def keys(self) -> list[str]:
        return [str(it["digit"]) for it in self.on.events if "digit" in it]


class HearingTests(CallerCase):
    def test_what_is_heard_is_kept_with_its_times(self) -> None:
        self.on.clock.advance(1)
        playback = self.on.play("a", "sound:long")
        self.assertEqual(
            self.caller.heard, [HeardSound(media="sound:long", started=1.0)]
        )
        self.on.clock.advance(1)
        playback.stop()
        self.on.clock.advance(0.02)
        (heard,) = self.caller.heard
        self.assertEqual(heard.how, "stopped")
        self.assertAlmostEqual(heard.ended or 0.0, 2.02, places=3)

    def test_an_onlooker_sees_everything_as_it_happens(self) -> None:
        onlooker = Onlooker()
        caller = self.on.call("channel-aa", onlooker)
        self.on.play("a", "sound:or", "sound:missing")
        self.on.clock.advance(0.5)
        caller.press("1#")
        caller.hang_up()
        self.assertEqual(
            onlooker.seen,
            [
                "sound:or …",
                "sound:or done",
                "sound:missing …",
                "sound:missing failed",
                "key 1",
                "key #",
                "hung up by caller",
            ],
        )

    def test_the_end_is_told_to_everybody_who_asks(self) -> None:
        before = [self.caller.ended, self.caller.ended]
        self.caller.hang_up()
        for ended in (*before, self.caller.ended):
            self.assertEqual(self.successResultOf(ended), "hung up by caller")

    def test_waiting_for_the_end_can_be_given_up(self) -> None:
        ended = self.caller.ended
        ended.cancel()
        self.failureResultOf(ended, CancelledError)
        self.caller.hang_up()

    def test_only_keys_can_be_pressed(self) -> None:
        self.assertRaises(ValueError, self.caller.press, "1x")
        self.assertEqual(self.keys, [])


class ScriptTests(CallerCase):
    def test_keys_are_pressed_one_after_the_other(self) -> None:
        script = self.run_script("press 12")
        self.assertEqual(self.keys, ["1"])
        self.on.clock.advance(0.15)
        self.assertEqual(self.keys, ["1", "2"])
        self.successResultOf(script)

    def test_steps_wait_for_one_another(self) -> None:
        script = self.run_script("wait 2, press 1, wait 1, hangup")
        self.on.clock.advance(1.9)
        self.assertEqual(self.keys, [])
        self.on.clock.advance(0.1)
        self.assertEqual(self.keys, ["1"])
        self.on.clock.advance(1)
        self.successResultOf(script)
        self.assertEqual(self.caller.outcome, "hung up by caller")

    def test_waits_are_divided_by_the_speed(self) -> None:
        on = Simulated(speed=10)
        script = on.caller.run("wait 20")
        on.clock.advance(1.9)
        self.assertNoResult(script)
        on.clock.advance(0.1)
        self.successResultOf(script)

    def test_steps_may_be_given_as_they_are(self) -> None:
        script = self.run_script([Wait(1), HangUp()])
        self.on.clock.advance(1)
        self.successResultOf(script)

    def test_a_script_that_cannot_be_understood_is_refused_at_once(self) -> None:
        self.assertRaises(ScriptError, self.run_script, "dance")

    def test_hear_waits_until_the_sound_begins(self) -> None:
        script = self.run_script("hear long, press 1")
        self.on.play("a", "sound:or")
        self.assertEqual(self.keys, [])
        self.on.play("b", "sound:long")
        self.on.clock.advance(0.5)
        self.assertEqual(self.keys, ["1"])
        self.successResultOf(script)

    def test_hear_is_content_with_a_sound_that_began_before(self) -> None:
        self.on.play("a", "sound:long")
        self.successResultOf(self.run_script("hear long"))

    def test_a_sound_is_heard_once(self) -> None:
        self.on.play("a", "sound:long")
        script = self.run_script("hear long, hear long")
        self.on.play("b", "sound:long")
        self.assertNoResult(script)
        self.on.clock.advance(5)
        self.successResultOf(script)

    def test_what_began_before_a_key_is_not_heard_after_it(self) -> None:
        self.on.play("a", "sound:long")
        script = self.run_script("press 1, hear long")
        self.on.clock.advance(1)
        self.assertNoResult(script)
        self.on.play("b", "sound:long")
        self.on.clock.advance(4)
        self.successResultOf(script)

    def test_a_sound_that_never_comes_is_not_waited_for_for_ever(self) -> None:
        script = self.run_script("wait 1, hear long")
        self.on.clock.advance(1)
        self.on.pass_time(10)
        self.assertEqual(
            self.problem(script), "step 2 (hear long): waited 10 seconds in vain"
        )

    def test_silence_is_as_long_as_was_asked_for(self) -> None:
        self.on.play("a", "sound:or")
        self.on.play("b", "sound:or")
        script = self.run_script("silence 2")
        self.on.clock.advance(0.5)
        self.on.clock.advance(0.5)
        self.on.clock.advance(1.9)
        self.assertNoResult(script)
        self.on.clock.advance(0.1)
        self.successResultOf(script)

    def test_silence_begins_with_its_step(self) -> None:
        self.on.play("a", "sound:or")
        self.on.clock.advance(100)
        script = self.run_script("silence 2")
        self.on.clock.advance(1.9)
        self.assertNoResult(script)
        self.on.clock.advance(0.1)
        self.successResultOf(script)

    def test_a_sound_interrupts_silence(self) -> None:
        script = self.run_script("silence 2")
        self.on.clock.advance(1)
        self.on.play("a", "sound:or")
        self.on.clock.advance(1)
        self.assertNoResult(script)
        self.on.clock.advance(2)
        self.successResultOf(script)

    def test_silence_that_never_comes_is_not_waited_for_for_ever(self) -> None:
        self.on.play("a", "tone:ring")
        script = self.run_script("silence 2")
        self.on.pass_time(13)
        self.assertIn("in vain", self.problem(script))

    def test_ended_waits_for_the_application(self) -> None:
        script = self.run_script("ended")
        self.assertNoResult(script)
        self.on.channel.hang_up_on_request()
        self.successResultOf(script)

    def test_what_can_no_longer_come_is_said_to_be_so(self) -> None:
        for script in ("hear long", "press 1", "silence 1"):
            on = Simulated()
            done = on.caller.run(f"wait 1, {script}")
            on.channel.hang_up_on_request()
            self.assertEqual(
                self.failureResultOf(done, ScriptError).getErrorMessage(),
                f"step 2 ({script}): the call was over: hung up by application",
            )
            self.assertEqual(on.clock.getDelayedCalls(), [])

    def test_a_script_may_be_given_up(self) -> None:
        script = self.run_script("wait 1")
        script.cancel()
        self.failureResultOf(script, CancelledError)
        self.assertEqual(self.on.clock.getDelayedCalls(), [])
