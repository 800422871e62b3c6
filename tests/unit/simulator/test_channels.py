from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import Simulator
from channel_aa.simulator.dialplan import read_variable, write_variable
from channel_aa.simulator.responses import RefusedError
from tests.support.simulated import SimulatedPbx

_RECORDING = Path(__file__).parents[2] / "data/one-call-asterisk-22.10.1.jsonl"


class ChannelTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pbx = SimulatedPbx()
        self.channel = self.pbx.channel


class EnteringTests(ChannelTests):
    def test_call_enters_the_application(self) -> None:
        (start,) = self.pbx.events
        self.assertEqual(start["type"], "StasisStart")
        self.assertEqual(start["args"], [])
        self.assertEqual(start["application"], "channel-aa")
        self.assertEqual(start["channel"], self.channel.snapshot())
        self.assertEqual(start["channel"]["state"], "Ring")
        self.assertEqual(start["timestamp"], "2027-01-15T08:00:00.000+0000")

    def test_stasis_fails_for_an_unknown_application(self) -> None:
        pbx = SimulatedPbx(app="other")
        self.assertEqual(pbx.caller.status, "FAILED")
        self.assertEqual(pbx.caller.outcome, "continued in dialplan at default,1000,2")
        self.assertEqual(pbx.state.channels, {})
        self.assertEqual(pbx.events, [])

    def test_stasis_fails_for_an_application_without_a_websocket(self) -> None:
        self.pbx.state.bus.unregister("channel-aa", self.pbx.receive)
        self.assertIn("channel-aa", self.pbx.state.bus.applications)
        second = self.pbx.call("channel-aa")
        self.assertEqual(second.status, "FAILED")

    def test_first_caller_is_named_alice(self) -> None:
        self.assertEqual(self.pbx.caller.name, "PJSIP/alice-00000001")


class CommandTests(ChannelTests):
    def test_answer_changes_the_state_once(self) -> None:
        for _ in range(2):
            self.assertIsNone(self.successResultOf(self.channel.answer()))
        self.assertEqual(self.channel.state, "Up")
        self.assertEqual(self.pbx.published, ["StasisStart", "ChannelStateChange"])

    def test_answer_waits_for_the_commands_before(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.play("b", "sound:or")
        answered = self.channel.answer()
        self.pbx.clock.advance(0.5)
        self.assertNoResult(answered)
        self.pbx.clock.advance(0.5)
        self.successResultOf(answered)

    def test_set_variable_waits_for_its_turn_and_is_published(self) -> None:
        self.pbx.play("a", "sound:or")
        is_set = self.channel.set_variable("DONE", "yes")
        self.assertNoResult(is_set)
        self.assertNotIn("DONE", self.channel.variables)
        self.pbx.clock.advance(0.5)
        self.successResultOf(is_set)
        self.assertEqual(self.channel.variables["DONE"], "yes")
        event = self.pbx.events[-1]
        self.assertEqual((event["variable"], event["value"]), ("DONE", "yes"))

    def test_variable_may_be_empty(self) -> None:
        self.channel.set_variable("DONE", "yes")
        self.channel.set_variable("DONE", "")
        self.assertEqual(self.channel.variables["DONE"], "")

    def test_key_is_published_at_once(self) -> None:
        self.pbx.play("a", "sound:or")
        self.channel.press("#")
        self.assertEqual(self.pbx.published[-1], "ChannelDtmfReceived #")
        self.assertEqual(self.pbx.events[-1]["duration_ms"], 100)


class HangupTests(ChannelTests):
    def test_hangup_fails_playing_and_queued_playbacks(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.play("b", "sound:or")
        self.pbx.play("c", "sound:or", "sound:or")
        self.pbx.play("d", "bogus:x")
        self.pbx.forget_events()
        self.pbx.caller.hang_up()
        self.assertEqual(
            self.pbx.published,
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
        self.assertEqual(len(self.pbx.caller.heard), 1)
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])
        self.assertEqual(self.pbx.state.channels, {})

    def test_only_the_applications_hangup_is_soft(self) -> None:
        self.pbx.caller.hang_up()
        other = SimulatedPbx()
        other.channel.hang_up_on_request()
        requests = [each.events[1] for each in (self.pbx, other)]
        self.assertEqual([each["cause"] for each in requests], [16, 32])
        self.assertEqual([each.get("soft") for each in requests], [None, True])
        self.assertEqual(self.pbx.caller.outcome, "hung up by caller")
        self.assertEqual(other.caller.outcome, "hung up by application")

    def test_second_hangup_changes_nothing(self) -> None:
        self.pbx.caller.hang_up()
        self.pbx.caller.hang_up()
        self.assertEqual(self.pbx.published[1:], ["ChannelHangupRequest", "StasisEnd"])

    def test_queued_answer_fails_at_the_hangup(self) -> None:
        self.pbx.play("a", "sound:or")
        answered = self.channel.answer()
        self.pbx.caller.hang_up()
        self.failureResultOf(answered, RefusedError)

    def test_key_after_the_hangup_is_not_published(self) -> None:
        self.pbx.caller.hang_up()
        self.channel.press("1")
        self.assertEqual(self.pbx.published[-1], "StasisEnd")

    def test_listener_may_hang_up_from_any_callback(self) -> None:
        self.pbx.caller.run("hear or, hangup")
        self.pbx.play("a", "sound:or", "sound:or")
        self.assertEqual(
            self.pbx.published[1:],
            [
                "PlaybackStarted a",
                "ChannelHangupRequest",
                "PlaybackFinished a failed",
                "StasisEnd",
            ],
        )


class LeavingTests(ChannelTests):
    def test_continue_goes_to_the_next_priority(self) -> None:
        self.channel.continue_in_dialplan()
        self.assertEqual(self.pbx.published, ["StasisStart", "StasisEnd"])
        self.assertEqual(self.pbx.caller.status, "SUCCESS")
        self.assertEqual(
            self.pbx.caller.outcome, "continued in dialplan at default,1000,2"
        )

    def test_continue_at_an_extension_begins_at_priority_1(self) -> None:
        self.channel.continue_in_dialplan(extension="2000")
        self.assertEqual(
            self.pbx.caller.outcome, "continued in dialplan at default,2000,1"
        )

    def test_continue_in_a_context_begins_at_extension_s(self) -> None:
        self.channel.continue_in_dialplan(context="menus", priority=3)
        self.assertEqual(self.pbx.caller.outcome, "continued in dialplan at menus,s,3")

    def test_continue_waits_for_the_playback(self) -> None:
        self.pbx.play("a", "sound:or")
        self.channel.continue_in_dialplan()
        self.pbx.play("b", "sound:or")
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.pbx.published[-1], "PlaybackStarted b")
        self.pbx.clock.advance(0.5)
        self.assertEqual(self.pbx.published[-1], "StasisEnd")

    def test_leaving_channel_refuses_commands(self) -> None:
        self.pbx.play("a", "sound:or")
        self.channel.continue_in_dialplan()
        self.pbx.play("b", "sound:or")
        self.pbx.clock.advance(0.5)
        failure = self.failureResultOf(self.channel.answer(), RefusedError)
        self.assertEqual(failure.getErrorMessage(), "Failed to answer channel")
        self.pbx.play("c", "sound:or")
        self.assertNotIn("c", [each.id for each in self.pbx.state.playbacks])

    def test_channel_stays_in_the_dialplan_for_dialplan_seconds(self) -> None:
        pbx = SimulatedPbx(dialplan_seconds=5)
        pbx.channel.continue_in_dialplan()
        self.assertIsNone(pbx.channel.application)
        self.assertFalse(pbx.caller.is_over)
        pbx.clock.advance(5)
        self.assertTrue(pbx.caller.is_over)
        self.assertEqual(pbx.state.channels, {})

    def test_channel_in_the_dialplan_can_be_hung_up(self) -> None:
        pbx = SimulatedPbx(dialplan_seconds=5)
        pbx.channel.continue_in_dialplan()
        pbx.caller.hang_up()
        self.assertEqual(pbx.state.channels, {})
        self.assertEqual(pbx.clock.getDelayedCalls(), [])
        self.assertEqual(pbx.published[-1], "StasisEnd")


class CallerIdTests(SynchronousTestCase):
    def test_caller_may_withhold_the_number(self) -> None:
        simulator = Simulator(reactor=Clock())
        simulator.state.bus.register("channel-aa", lambda _: None)
        withheld = "prohib_not_screened"
        caller = simulator.call(caller_number="0123", caller_presentation=withheld)
        read = partial(read_variable, caller.channel)
        for part in ("pres", "num-pres", "name-pres"):
            self.assertEqual(read(f"CALLERID({part})"), withheld)
        self.assertEqual(read("CALLERID(num)"), "0123")
        write_variable(caller.channel, "CALLERID(pres)", "allowed")
        write_variable(caller.channel, "CALLERID(all)", "Ada <0124>")
        self.assertEqual(read("CALLERID(pres)"), "allowed")
        self.assertEqual(read("CALLERID(num)"), "0124")


class ApplicationTests(ChannelTests):
    def test_second_websocket_replaces_the_first(self) -> None:
        second: list[dict[str, Any]] = []
        self.pbx.forget_events()
        self.pbx.state.bus.register(
            "channel-aa", lambda it: second.append(json.loads(it))
        )
        self.channel.press("1")
        (replaced,) = self.pbx.events
        self.assertEqual(replaced["type"], "ApplicationReplaced")
        self.assertEqual(
            set(replaced), {"type", "timestamp", "application", "asterisk_id"}
        )
        self.assertEqual([it["type"] for it in second], ["ChannelDtmfReceived"])

    def test_closing_a_replaced_websocket_changes_nothing(self) -> None:
        second: list[bytes] = []
        self.pbx.state.bus.register("channel-aa", second.append)
        self.pbx.state.bus.unregister("channel-aa", self.pbx.receive)
        self.channel.press("1")
        self.assertEqual(len(second), 1)

    def test_application_exists_while_it_has_channels(self) -> None:
        self.pbx.state.bus.unregister("channel-aa", self.pbx.receive)
        application = self.pbx.state.bus.applications["channel-aa"]
        self.assertEqual(application.snapshot()["channel_ids"], [self.channel.id])
        self.pbx.caller.hang_up()
        self.assertEqual(self.pbx.state.bus.applications, {})

    def test_subscription_to_all_includes_the_dialplan(self) -> None:
        self.pbx.forget_events()
        self.pbx.state.bus.register("monitor", self.pbx.receive, subscribe_all=True)
        self.pbx.call("other")
        self.assertEqual(
            self.pbx.published,
            [
                "ChannelCreated",
                "ChannelDialplan",
                "ChannelVarset",
                "ChannelVarset",
                "ChannelHangupRequest",
                "ChannelDestroyed",
            ],
        )

    def test_registration_of_an_application_can_be_awaited(self) -> None:
        waiting = self.pbx.state.bus.when_registered("other")
        self.assertNoResult(waiting)
        self.pbx.state.bus.register("other", self.pbx.receive)
        self.successResultOf(waiting)
        self.successResultOf(self.pbx.state.bus.when_registered("channel-aa"))

    def test_waiting_for_a_registration_can_be_cancelled(self) -> None:
        waiting = self.pbx.state.bus.when_registered("other")
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        self.pbx.state.bus.register("other", self.pbx.receive)

    def test_fault_drops_events(self) -> None:
        self.pbx.faults.drop_event("Playback*", times=2)
        self.pbx.play("a", "sound:missing")
        self.pbx.play("b", "sound:or")
        self.assertEqual(self.pbx.published, ["StasisStart", "PlaybackStarted b"])

    def test_restart_clears_everything_without_an_event(self) -> None:
        self.pbx.play("a", "sound:or")
        self.pbx.forget_events()
        script = self.pbx.caller.run("wait 1000, hangup")
        self.pbx.state.clear()
        self.successResultOf(script)
        self.assertEqual(self.pbx.events, [])
        self.assertEqual(self.pbx.state.channels, {})
        self.assertEqual(self.pbx.state.bus.applications, {})
        self.assertEqual(self.pbx.state.playbacks, [])
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])
        self.assertEqual(self.pbx.caller.outcome, "forgotten by Asterisk")


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

    def test_every_event_has_the_fields_of_a_recorded_one(self) -> None:
        lines = _RECORDING.read_text(encoding="utf-8").splitlines()
        recorded = self.shapes([json.loads(line) for line in lines])
        self.pbx.state.bus.register("monitor", self.pbx.receive, subscribe_all=True)
        self.channel = self.pbx.call("channel-aa").channel
        self.channel.answer()
        self.pbx.play("a", "sound:or")
        self.channel.press("1")
        self.pbx.clock.advance(1)
        self.channel.hang_up_on_request()
        simulated = self.shapes(self.pbx.events)
        compared = set(simulated) & set(recorded)
        self.assertEqual(len(compared), 9)
        for event_type in compared:
            self.assertLessEqual(simulated[event_type], recorded[event_type])
