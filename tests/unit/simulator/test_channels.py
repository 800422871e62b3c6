from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.command_queue import CommandFailedError
from tests.support.simulated import Simulated

_RECORDING = Path(__file__).parents[2] / "data/one-call-asterisk-22.10.1.jsonl"


class ChannelTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.on = Simulated()
        self.channel = self.on.channel


class EnteringTests(ChannelTests):
    def test_a_call_enters_the_application(self) -> None:
        (start,) = self.on.events
        self.assertEqual(start["type"], "StasisStart")
        self.assertEqual(start["args"], [])
        self.assertEqual(start["application"], "channel-aa")
        self.assertEqual(start["channel"], self.channel.snapshot())
        self.assertEqual(start["channel"]["state"], "Ring")
        self.assertEqual(start["timestamp"], "2027-01-15T08:00:00.000+0000")

    def test_a_call_for_an_application_nobody_listens_to_falls_through(self) -> None:
        on = Simulated(app="other")
        self.assertEqual(on.caller.status, "FAILED")
        self.assertEqual(on.caller.outcome, "continued in dialplan at default,1000,2")
        self.assertEqual(on.state.channels, {})
        self.assertEqual(on.events, [])

    def test_a_call_falls_through_where_only_channels_are_left_of_it(self) -> None:
        self.on.state.bus.unregister("channel-aa", self.on.hear)
        self.assertIn("channel-aa", self.on.state.bus.applications)
        second = self.on.call("channel-aa")
        self.assertEqual(second.status, "FAILED")

    def test_the_first_caller_is_alice(self) -> None:
        self.assertEqual(self.on.caller.name, "PJSIP/alice-00000001")


class CommandTests(ChannelTests):
    def test_answering_changes_the_state_once(self) -> None:
        for _ in range(2):
            self.assertIsNone(self.successResultOf(self.channel.answer()))
        self.assertEqual(self.channel.state, "Up")
        self.assertEqual(self.on.said, ["StasisStart", "ChannelStateChange"])

    def test_answering_waits_for_all_that_was_asked_for_before(self) -> None:
        self.on.play("a", "sound:or")
        self.on.play("b", "sound:or")
        answered = self.channel.answer()
        self.on.clock.advance(0.5)
        self.assertNoResult(answered)
        self.on.clock.advance(0.5)
        self.successResultOf(answered)

    def test_setting_a_variable_waits_too_and_is_told(self) -> None:
        self.on.play("a", "sound:or")
        is_set = self.channel.set_variable("DONE", "yes")
        self.assertNoResult(is_set)
        self.assertNotIn("DONE", self.channel.variables)
        self.on.clock.advance(0.5)
        self.successResultOf(is_set)
        self.assertEqual(self.channel.variables["DONE"], "yes")
        event = self.on.events[-1]
        self.assertEqual((event["variable"], event["value"]), ("DONE", "yes"))

    def test_a_variable_may_be_empty(self) -> None:
        self.channel.set_variable("DONE", "yes")
        self.channel.set_variable("DONE", "")
        self.assertEqual(self.channel.variables["DONE"], "")

    def test_a_key_is_told_at_once(self) -> None:
        self.on.play("a", "sound:or")
        self.channel.press("#")
        self.assertEqual(self.on.said[-1], "ChannelDtmfReceived #")
        self.assertEqual(self.on.events[-1]["duration_ms"], 100)


class HangupTests(ChannelTests):
    def test_a_hangup_fails_what_plays_and_what_waits_then_ends(self) -> None:
        self.on.play("a", "sound:or")
        self.on.play("b", "sound:or")
        self.on.play("c", "sound:or", "sound:or")
        self.on.play("d", "bogus:x")
        self.on.forget_events()
        self.on.caller.hang_up()
        self.assertEqual(
            self.on.said,
            [
                "ChannelHangupRequest",
                "PlaybackFinished a failed",
                "PlaybackStarted b",
                "PlaybackFinished b failed",
                "PlaybackStarted c",
                "PlaybackFinished c failed",
                "PlaybackStarted d",
                "StasisEnd",
            ],
        )
        self.assertEqual(len(self.on.caller.heard), 1)
        self.assertEqual(self.on.clock.getDelayedCalls(), [])
        self.assertEqual(self.on.state.channels, {})

    def test_the_callers_hangup_is_not_soft_the_applications_is(self) -> None:
        self.on.caller.hang_up()
        other = Simulated()
        other.channel.hang_up_on_request()
        requests = [each.events[1] for each in (self.on, other)]
        self.assertEqual([each["cause"] for each in requests], [16, 32])
        self.assertEqual([each.get("soft") for each in requests], [None, True])
        self.assertEqual(self.on.caller.outcome, "hung up by caller")
        self.assertEqual(other.caller.outcome, "hung up by application")

    def test_hanging_up_twice_is_hanging_up(self) -> None:
        self.on.caller.hang_up()
        self.on.caller.hang_up()
        self.assertEqual(self.on.said[1:], ["ChannelHangupRequest", "StasisEnd"])

    def test_a_waiting_answer_fails_at_the_hangup(self) -> None:
        self.on.play("a", "sound:or")
        answered = self.channel.answer()
        self.on.caller.hang_up()
        self.failureResultOf(answered, CommandFailedError)

    def test_a_key_pressed_after_the_hangup_is_not_told(self) -> None:
        self.on.caller.hang_up()
        self.channel.press("1")
        self.assertEqual(self.on.said[-1], "StasisEnd")

    def test_a_listener_may_hang_up_in_the_middle_of_anything(self) -> None:
        self.on.caller.run("hear or, hangup")
        self.on.play("a", "sound:or", "sound:or")
        self.assertEqual(
            self.on.said[1:],
            [
                "PlaybackStarted a",
                "ChannelHangupRequest",
                "PlaybackFinished a failed",
                "StasisEnd",
            ],
        )


class LeavingTests(ChannelTests):
    def test_continuing_goes_to_the_next_priority(self) -> None:
        self.channel.continue_in_dialplan()
        self.assertEqual(self.on.said, ["StasisStart", "StasisEnd"])
        self.assertEqual(self.on.caller.status, "SUCCESS")
        self.assertEqual(
            self.on.caller.outcome, "continued in dialplan at default,1000,2"
        )

    def test_continuing_elsewhere_begins_at_the_first_priority(self) -> None:
        self.channel.continue_in_dialplan(extension="2000")
        self.assertEqual(
            self.on.caller.outcome, "continued in dialplan at default,2000,1"
        )

    def test_continuing_in_a_context_begins_at_s(self) -> None:
        self.channel.continue_in_dialplan(context="menus", priority=3)
        self.assertEqual(self.on.caller.outcome, "continued in dialplan at menus,s,3")

    def test_continuing_waits_for_what_plays_and_still_takes_commands(self) -> None:
        self.on.play("a", "sound:or")
        self.channel.continue_in_dialplan()
        self.on.play("b", "sound:or")
        self.on.clock.advance(0.5)
        self.assertEqual(self.on.said[-1], "PlaybackStarted b")
        self.on.clock.advance(0.5)
        self.assertEqual(self.on.said[-1], "StasisEnd")

    def test_once_it_is_leaving_it_takes_no_command(self) -> None:
        self.on.play("a", "sound:or")
        self.channel.continue_in_dialplan()
        self.on.play("b", "sound:or")
        self.on.clock.advance(0.5)
        failure = self.failureResultOf(self.channel.answer(), CommandFailedError)
        self.assertEqual(failure.getErrorMessage(), "Failed to answer channel")
        self.on.play("c", "sound:or")
        self.assertIsNone(self.on.state.playbacks.find("c"))

    def test_the_dialplan_keeps_the_channel_for_a_while(self) -> None:
        on = Simulated(dialplan_seconds=5)
        on.channel.continue_in_dialplan()
        self.assertIsNone(on.channel.application)
        self.assertFalse(on.caller.is_over)
        on.clock.advance(5)
        self.assertTrue(on.caller.is_over)
        self.assertEqual(on.state.channels, {})

    def test_a_channel_in_the_dialplan_can_be_hung_up(self) -> None:
        on = Simulated(dialplan_seconds=5)
        on.channel.continue_in_dialplan()
        on.caller.hang_up()
        self.assertEqual(on.state.channels, {})
        self.assertEqual(on.clock.getDelayedCalls(), [])
        self.assertEqual(on.said[-1], "StasisEnd")


class ApplicationTests(ChannelTests):
    def test_a_second_listener_replaces_the_first(self) -> None:
        second: list[dict[str, Any]] = []
        self.on.forget_events()
        self.on.state.bus.register(
            "channel-aa", lambda it: second.append(json.loads(it))
        )
        self.channel.press("1")
        (replaced,) = self.on.events
        self.assertEqual(replaced["type"], "ApplicationReplaced")
        self.assertEqual(
            set(replaced), {"type", "timestamp", "application", "asterisk_id"}
        )
        self.assertEqual([it["type"] for it in second], ["ChannelDtmfReceived"])

    def test_the_replaced_listener_leaving_changes_nothing(self) -> None:
        second: list[bytes] = []
        self.on.state.bus.register("channel-aa", second.append)
        self.on.state.bus.unregister("channel-aa", self.on.hear)
        self.channel.press("1")
        self.assertEqual(len(second), 1)

    def test_an_application_is_known_while_it_has_channels(self) -> None:
        self.on.state.bus.unregister("channel-aa", self.on.hear)
        application = self.on.state.bus.applications["channel-aa"]
        self.assertEqual(application.snapshot()["channel_ids"], [self.channel.id])
        self.on.caller.hang_up()
        self.assertEqual(self.on.state.bus.applications, {})

    def test_a_listener_to_everything_hears_of_the_dialplan_too(self) -> None:
        self.on.forget_events()
        self.on.state.bus.register("monitor", self.on.hear, subscribe_all=True)
        self.on.call("other")
        self.assertEqual(
            self.on.said,
            [
                "ChannelCreated",
                "ChannelDialplan",
                "ChannelVarset",
                "ChannelVarset",
                "ChannelHangupRequest",
                "ChannelDestroyed",
            ],
        )

    def test_listening_is_told(self) -> None:
        waiting = self.on.state.bus.when_registered("other")
        self.assertNoResult(waiting)
        self.on.state.bus.register("other", self.on.hear)
        self.successResultOf(waiting)
        self.successResultOf(self.on.state.bus.when_registered("channel-aa"))

    def test_waiting_for_a_listener_can_be_given_up(self) -> None:
        waiting = self.on.state.bus.when_registered("other")
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        self.on.state.bus.register("other", self.on.hear)

    def test_a_fault_drops_events(self) -> None:
        self.on.faults.drop_event("Playback*", times=2)
        self.on.play("a", "sound:missing")
        self.on.play("b", "sound:or")
        self.assertEqual(self.on.said, ["StasisStart", "PlaybackStarted b"])

    def test_a_restart_forgets_everything_without_a_word(self) -> None:
        self.on.play("a", "sound:or")
        self.on.forget_events()
        script = self.on.caller.run("wait 1000, hangup")
        self.on.state.clear()
        self.successResultOf(script)
        self.assertEqual(self.on.events, [])
        self.assertEqual(self.on.state.channels, {})
        self.assertEqual(self.on.state.bus.applications, {})
        self.assertEqual(list(self.on.state.playbacks), [])
        self.assertEqual(self.on.clock.getDelayedCalls(), [])
        self.assertEqual(self.on.caller.outcome, "forgotten by Asterisk")


class RecordingTests(ChannelTests):
    """The simulator's events have the shape of those that Asterisk sent."""

    @staticmethod
    def shapes(events: list[dict[str, Any]]) -> dict[str, set[frozenset[str]]]:
        """Collect, for each type, which fields its events have, nested ones too."""
        found: dict[str, set[frozenset[str]]] = {}
        for event in events:
            fields = set()
            for name, value in event.items():
                fields.add(name)
                if isinstance(value, dict):
                    fields |= {f"{name}.{inner}" for inner in value}
            found.setdefault(event["type"], set()).add(frozenset(fields))
        return found

    def test_every_event_looks_like_a_recorded_one(self) -> None:
        lines = _RECORDING.read_text(encoding="utf-8").splitlines()
        recorded = self.shapes([json.loads(line) for line in lines])
        self.on.state.bus.register("monitor", self.on.hear, subscribe_all=True)
        self.channel = self.on.call("channel-aa").channel
        self.channel.answer()
        self.on.play("a", "sound:or")
        self.channel.press("1")
        self.on.clock.advance(1)
        self.channel.hang_up_on_request()
        simulated = self.shapes(self.on.events)
        compared = set(simulated) & set(recorded)
        self.assertEqual(len(compared), 9)
        for event_type in compared:
            self.assertLessEqual(simulated[event_type], recorded[event_type])
