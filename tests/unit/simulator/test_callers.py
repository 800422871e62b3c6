from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from channel_aa.simulator import (
    HeardSound,
    IChannelListener,
    PhoneBehaviour,
    ScriptError,
    SimulatedCaller,
)
from channel_aa.simulator.channel_state import ChannelSetup
from channel_aa.simulator.script import HangUp, Wait
from tests.support.simulated import SimulatedPbx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.simulator.script import Step


@implementer(IChannelListener)
class RecordingObserver:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def sound_started(self, media: str) -> None:
        self.seen.append(f"{media} …")

    def sound_ended(self, media: str, how: str) -> None:
        self.seen.append(f"{media} {how}")

    def channel_gone(self, outcome: str) -> None:
        self.seen.append(outcome)


class CallerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.pbx = SimulatedPbx()
        self.caller = self.pbx.caller

    def run_script(self, script: str | Sequence[Step]) -> Deferred[None]:
        return self.caller.run(script, patience=10)

    def problem(self, script: Deferred[None]) -> str:
        return str(self.failureResultOf(script, ScriptError).value)

    @property
    def keys(self) -> list[str]:
        return [str(it["digit"]) for it in self.pbx.events if "digit" in it]


class HearingTests(CallerCase):
    def test_heard_sounds_are_kept_with_their_times(self) -> None:
        self.pbx.clock.advance(1)
        playback = self.pbx.play("a", "sound:long")
        self.assertEqual(
            self.caller.heard, [HeardSound(media="sound:long", started=1.0)]
        )
        self.pbx.clock.advance(1)
        playback.stop()
        self.pbx.clock.advance(0.02)
        (heard,) = self.caller.heard
        self.assertEqual(heard.how, "stopped")
        self.assertAlmostEqual(heard.ended or 0.0, 2.02, places=3)

    def test_observer_learns_of_sounds_and_the_end(self) -> None:
        observer = RecordingObserver()
        caller = self.pbx.call("channel-aa", observer)
        self.pbx.play("a", "sound:or", "sound:missing")
        self.pbx.clock.advance(0.5)
        caller.hang_up()
        self.assertEqual(
            observer.seen,
            [
                "sound:or …",
                "sound:or done",
                "sound:missing …",
                "sound:missing failed",
                "hung up by caller",
            ],
        )

    def test_every_ended_deferred_fires_with_the_outcome(self) -> None:
        before = [self.caller.ended, self.caller.ended]
        self.caller.hang_up()
        for ended in (*before, self.caller.ended):
            self.assertEqual(self.successResultOf(ended), "hung up by caller")

    def test_ended_deferred_can_be_cancelled(self) -> None:
        ended = self.caller.ended
        ended.cancel()
        self.failureResultOf(ended, CancelledError)
        self.caller.hang_up()

    def test_unknown_key_cannot_be_pressed(self) -> None:
        self.assertRaises(ValueError, self.caller.press, "1x")
        self.assertEqual(self.keys, [])


class ScriptTests(CallerCase):
    def test_keys_are_pressed_with_a_gap_between(self) -> None:
        script = self.run_script("press 12")
        self.assertEqual(self.keys, ["1"])
        self.pbx.clock.advance(0.15)
        self.assertEqual(self.keys, ["1", "2"])
        self.successResultOf(script)

    def test_steps_run_one_after_the_other(self) -> None:
        script = self.run_script("wait 2, press 1, wait 1, hangup")
        self.pbx.clock.advance(1.9)
        self.assertEqual(self.keys, [])
        self.pbx.clock.advance(0.1)
        self.assertEqual(self.keys, ["1"])
        self.pbx.clock.advance(1)
        self.successResultOf(script)
        self.assertEqual(self.caller.outcome, "hung up by caller")

    def test_waits_are_divided_by_the_speed(self) -> None:
        pbx = SimulatedPbx(speed=10)
        script = pbx.caller.run("wait 20")
        pbx.clock.advance(1.9)
        self.assertNoResult(script)
        pbx.clock.advance(0.1)
        self.successResultOf(script)

    def test_script_may_be_a_list_of_steps(self) -> None:
        script = self.run_script([Wait(1), HangUp()])
        self.pbx.clock.advance(1)
        self.successResultOf(script)

    def test_unknown_step_is_refused_before_the_script_runs(self) -> None:
        self.assertRaises(ScriptError, self.run_script, "dance")

    def test_hear_waits_until_the_sound_begins(self) -> None:
        script = self.run_script("hear long, press 1")
        self.pbx.play("a", "sound:or")
        self.assertEqual(self.keys, [])
        self.pbx.play("b", "sound:long")
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.keys, ["1"])
        self.successResultOf(script)

    def test_hear_accepts_a_sound_that_began_before(self) -> None:
        self.pbx.play("a", "sound:long")
        self.successResultOf(self.run_script("hear long"))

    def test_hear_counts_each_sound_once(self) -> None:
        self.pbx.play("a", "sound:long")
        script = self.run_script("hear long, hear long")
        self.pbx.play("b", "sound:long")
        self.assertNoResult(script)
        self.pbx.clock.advance(5)
        self.successResultOf(script)

    def test_hear_ignores_sounds_that_began_before_the_last_key(self) -> None:
        self.pbx.play("a", "sound:long")
        script = self.run_script("press 1, hear long")
        self.pbx.clock.advance(1)
        self.assertNoResult(script)
        self.pbx.play("b", "sound:long")
        self.pbx.clock.advance(4)
        self.successResultOf(script)

    def test_hear_fails_when_its_patience_is_over(self) -> None:
        for sound, heard in (("", "nothing"), ("sound:or", "or, at 12.0 seconds")):
            script = self.run_script("wait 1, hear long")
            self.pbx.clock.advance(1)
            if sound:
                self.pbx.play("a", sound)
            self.pbx.pass_time(10)
            self.assertEqual(
                self.problem(script),
                "step 2 (hear long): waited 10.0 seconds for the sound long:"
                f" the caller {'last heard' if sound else 'heard'} {heard}",
            )

    def test_silence_waits_for_the_given_seconds_without_a_sound(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.play("b", "sound:or")
        script = self.run_script("silence 2")
        self.pbx.clock.advance(0.5)
        self.pbx.clock.advance(0.5)
        self.pbx.clock.advance(1.9)
        self.assertNoResult(script)
        self.pbx.clock.advance(0.1)
        self.successResultOf(script)

    def test_silence_is_counted_from_its_step_on(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.clock.advance(100)
        script = self.run_script("silence 2")
        self.pbx.clock.advance(1.9)
        self.assertNoResult(script)
        self.pbx.clock.advance(0.1)
        self.successResultOf(script)

    def test_silence_starts_again_after_a_sound(self) -> None:
        script = self.run_script("silence 2")
        self.pbx.clock.advance(1)
        self.pbx.play("a", "sound:or")
        self.pbx.clock.advance(1)
        self.assertNoResult(script)
        self.pbx.clock.advance(2)
        self.successResultOf(script)

    def test_silence_fails_when_its_patience_is_over(self) -> None:
        self.pbx.play("a", "tone:ring")
        script = self.run_script("silence 2")
        self.pbx.pass_time(12, steps=24)
        self.assertEqual(
            self.problem(script),
            "step 1 (silence 2): waited 12.0 seconds for 2 seconds of silence:"
            " the caller last heard tone:ring, at 0.0 seconds",
        )

    def test_ended_waits_until_the_application_hangs_up(self) -> None:
        script = self.run_script("ended")
        self.assertNoResult(script)
        self.pbx.channel.hang_up_on_request()
        self.successResultOf(script)

    def test_step_after_the_end_of_the_call_fails(self) -> None:
        for script, message in (
            ("hear long", "waited 0.0 seconds for the sound long"),
            ("press 1", "cannot press 1"),
            ("silence 1", "waited 0.0 seconds for 1 seconds of silence"),
        ):
            pbx = SimulatedPbx()
            done = pbx.caller.run(f"wait 1, {script}")
            pbx.channel.hang_up_on_request()
            self.assertEqual(
                self.failureResultOf(done, ScriptError).getErrorMessage(),
                f"step 2 ({script}): {message}: the caller heard nothing;"
                " the call is over, hung up by application",
            )
            self.assertEqual(pbx.clock.getDelayedCalls(), [])

    def test_phone_step_changes_how_a_phone_behaves(self) -> None:
        phones = self.pbx.state.phones
        caller = SimulatedCaller(self.pbx.state, ChannelSetup())
        phones.change("PJSIP/*", PhoneBehaviour())
        self.successResultOf(caller.run("phone PJSIP/410 busy"))
        self.assertEqual(phones.find("PJSIP/410"), PhoneBehaviour.parse("busy"))
        self.assertEqual(phones.find("PJSIP/411"), PhoneBehaviour())

    def test_script_can_be_cancelled(self) -> None:
        script = self.run_script("wait 1")
        script.cancel()
        self.failureResultOf(script, CancelledError)
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])
