"""What the client does at each connection about calls that it knows, and others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel

from channel_aa.ari.errors import RequestTimeoutError
from channel_aa.interfaces import DialOutcome, PlaybackEnd
from tests.unit.ari_fakes import APP, AriTestCase

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred

AUDIT_SECONDS = 30
DOUBT_SECONDS = 2
LIST = f"GET applications/{APP}"
BRIDGES = "GET bridges"


def in_stasis(channel_id: str, data: str = APP) -> bytes:
    """Describe a channel of the application as Asterisk would."""
    dialplan = {"exten": "1000", "app_name": "Stasis", "app_data": data}
    return json.dumps(
        {"id": channel_id, "name": f"PJSIP/{channel_id}", "dialplan": dialplan}
    ).encode()


class RecoveryTestCase(AriTestCase):
    def reconnect(self, *channel_ids: str) -> None:
        """Lose the connection and have it back; these channels are left."""
        self.list_channels(*channel_ids)
        self.connection.lose()
        self.connection.open()

    def list_channels(self, *channel_ids: str) -> None:
        self.sender.answers[LIST] = json.dumps({"channel_ids": channel_ids}).encode()

    def list_bridges(self, **members: list[str]) -> None:
        bridges = [
            {
                "id": name.replace("_", "-"),
                "name": "channel-aa channel-aa",
                "channels": ids,
            }
            for name, ids in members.items()
        ]
        self.sender.answers[BRIDGES] = json.dumps(bridges).encode()

    def lines(self) -> list[str]:
        return [exchange.line for exchange in self.sender.unanswered]


class SurvivorTests(RecoveryTestCase):
    def test_is_connected_follows_the_websocket(self) -> None:
        self.clock.advance(5)
        self.assertTrue(self.client.is_connected)
        self.assertEqual(self.client.connected_since, 0.0)
        self.assertEqual(self.client.asterisk_version, "22.10.1")
        self.connection.lose()
        self.assertFalse(self.client.is_connected)
        self.assertIsNone(self.client.connected_since)
        self.connection.open()
        self.assertEqual(self.client.connected_since, 5.0)

    def test_a_loss_says_how_many_calls_wait(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.connection.lose()
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("wait for the connection to come back: 2", line)

    def test_calls_that_ended_meanwhile_have_left_and_others_stay(self) -> None:
        self.enter("c1")
        kept = self.enter("c2")
        self.reconnect("c2")
        self.assertEqual(self.client.channels, {"c2": kept})
        self.assertEqual(self.listener("c1").log, ["left"])
        self.assertEqual(self.listener("c2").log, ["reconnected"])

    def test_a_call_is_told_when_it_is_known_what_its_caller_hears(self) -> None:
        silent = self.enter("c1")
        over, lasting = self.play(self.enter("c2")), self.play(self.enter("c3"))
        for playing in (over, lasting):
            playing.request.accept()
        self.reconnect("c1", "c2", "c3")
        self.assertEqual(self.listener(silent.id).log, ["reconnected"])
        self.assertEqual(self.listener("c2").log, [])
        self.assertEqual((over.checks, lasting.checks), (1, 1))
        first, second = self.sender.unanswered
        first.refuse(404)
        self.assertEqual(over.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.listener("c2").log, ["reconnected"])
        second.accept(b"{}")
        self.assertEqual(lasting.ends, [])
        self.assertEqual(self.listener("c3").log, ["reconnected"])

    def test_one_that_fails_to_go_on_holds_up_no_other(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.listener("c1").raising.add("reconnected")
        self.reconnect("c1", "c2")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.listener("c2").log, ["reconnected"])

    def test_sounds_of_a_call_that_is_over_fail_unasked(self) -> None:
        ended = self.play(self.enter())
        ended.request.accept()
        self.reconnect()
        self.assertEqual(ended.ends, [PlaybackEnd.FAILED])
        self.assertEqual(ended.checks, 0)

    def test_a_stop_that_was_lost_is_sent_again(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        self.reconnect("c1")
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.stops, 2)

    def test_a_sound_asked_for_in_the_gap_is_asked_for_once(self) -> None:
        channel = self.enter()
        self.connection.lose()
        playing = channel.play("sound:press-1")
        self.clock.advance(60)
        self.assertEqual(self.sender.lines, [])
        self.list_channels("c1")
        self.connection.open()
        line = f"POST channels/c1/play/{playing.id}?media=sound:press-1"
        self.assertEqual(self.sender.lines, [line])
        self.sender.only_unanswered().accept(b"{}")
        self.hear_playback("PlaybackFinished", playing.id, "done")
        self.successResultOf(playing.finished)

    def test_one_stopped_in_the_gap_is_never_asked_for(self) -> None:
        channel = self.enter()
        self.connection.lose()
        playing = channel.play("sound:press-1")
        playing.stop()
        self.assertIs(self.successResultOf(playing.finished), PlaybackEnd.DONE)
        self.list_channels("c1")
        self.connection.open()
        self.assertEqual(self.sender.lines, [])

    def test_whoever_is_cancelled_in_the_gap_is_cancelled(self) -> None:
        """And does not take the end that this brings about for an ordinary one."""
        channel = self.enter()
        self.list_channels("c1")
        self.connection.lose()
        recording = channel.record(
            "a", max_seconds=1, max_silence_seconds=0, terminator="#", beep=True
        )
        waits: list[Deferred[Any]] = [
            channel.play("sound:press-1").finished,
            recording.finished,
            channel.dial("PJSIP/410", ring_seconds=20).outcome,
            channel.answer(),
        ]
        for wait in waits:
            wait.cancel()
            self.failureResultOf(wait, CancelledError)
        self.connection.open()
        self.assertEqual(self.sender.lines, [])

    def test_one_in_doubt_is_asked_after_before_the_caller_goes_on(self) -> None:
        playing = self.play(self.enter())
        self.connection.lose()  # The request's answer is lost with it.
        self.assertEqual(playing.ends, [])
        self.list_channels("c1")
        self.connection.open()
        self.assertEqual(playing.checks, 1)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.listener().log, ["reconnected"])

    def test_commands_of_the_gap_are_sent_in_order(self) -> None:
        channel = self.enter()
        self.connection.lose()
        done: list[Deferred[None]] = [
            channel.set_variable("A", "1"),
            channel.continue_in_dialplan(),
        ]
        self.list_channels("c1")
        self.connection.open()
        self.assertEqual(
            self.lines(),
            [
                "POST channels/c1/variable?variable=A&value=1",
                "POST channels/c1/continue",
            ],
        )
        for exchange, deferred in zip(self.sender.unanswered, done, strict=True):
            exchange.accept()
            self.successResultOf(deferred)

    def test_a_call_that_enters_meanwhile_has_lost_nothing(self) -> None:
        self.enter("c1")
        del self.sender.answers[LIST]
        self.connection.lose()
        self.connection.open()
        question = self.sender.only_unanswered()
        playing = self.play(self.enter("c2"))
        question.accept(b'{"channel_ids":["c1"]}')
        self.assertIn("c2", self.client.channels)
        self.assertEqual(self.listener("c2").log, [])
        self.assertEqual(playing.checks, 0)

    def test_an_application_that_asterisk_forgot_has_no_calls(self) -> None:
        self.enter()
        del self.sender.answers[LIST]
        self.connection.lose()
        self.connection.open()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.listener().log, ["left"])
        self.assertEqual(self.client.channels, {})


class RetryTests(RecoveryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enter()
        del self.sender.answers[LIST]
        self.connection.lose()
        self.connection.open()

    def test_no_usable_answer_is_asked_for_again(self) -> None:
        for answer, wait in (("500", 1), ("malformed", 2), ("timeout", 5), ("500", 5)):
            self.assertTrue(self.client.recovery.is_running)
            question = self.sender.only_unanswered()
            self.assertEqual(question.line, LIST)
            if answer == "500":
                question.refuse(500)
            elif answer == "malformed":
                question.accept(b'{"channel_ids":7}')
            else:
                question.fail(RequestTimeoutError)
                for _ in range(2):
                    self.clock.advance(1)
                    self.sender.only_unanswered().fail(RequestTimeoutError)
            self.assertEqual(self.sender.unanswered, [])
            self.clock.advance(wait)
        self.assertEqual(self.listener().log, [])
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("did not say which calls are left", line)
        self.sender.only_unanswered().accept(b'{"channel_ids":["c1"]}')
        self.assertEqual(self.listener().log, ["reconnected"])
        self.assertFalse(self.client.recovery.is_running)

    def test_another_loss_begins_it_anew(self) -> None:
        self.sender.only_unanswered().refuse(500)
        self.connection.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.reconnect("c1")
        self.assertEqual(self.listener().log, ["reconnected"])

    def test_stopping_ends_it(self) -> None:
        self.sender.only_unanswered().refuse(500)
        self.successResultOf(self.client.stopService())
        self.assert_nothing_left()


class AuditTests(RecoveryTestCase):
    """No event is heard of what happens here, on a connection that stays."""

    def setUp(self) -> None:
        super().setUp()
        self.reconnect()

    def audit(self, *channel_ids: str) -> None:
        self.list_channels(*channel_ids)
        self.clock.advance(AUDIT_SECONDS)

    def test_a_call_whose_end_was_not_told_has_left(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.audit("c2")
        self.assertEqual(self.listener("c1").log, ["left"])
        self.assertEqual(self.listener("c2").log, [])
        self.audit()
        self.assertEqual(self.listener("c2").log, ["left"])

    def test_a_caller_whose_entry_was_not_told_is_adopted_the_second_time(self) -> None:
        self.audit("c1")
        self.assertEqual(self.lines(), [])
        self.audit("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c1"])

    def test_the_second_time_comes_soon(self) -> None:
        self.audit("c1")
        self.clock.advance(DOUBT_SECONDS)
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c1"])

    def test_an_event_that_cannot_be_read_is_reason_enough(self) -> None:
        self.enter("c1")
        self.list_channels()
        for _ in range(3):  # and the last is no reason to wait longer
            self.connection.message(b"{")
            self.clock.advance(DOUBT_SECONDS / 3)
        self.assertEqual(self.listener("c1").log, ["left"])

    def test_one_that_comes_while_asking_is_a_reason_to_ask_again(self) -> None:
        del self.sender.answers[LIST]
        self.enter("c1")
        self.clock.advance(AUDIT_SECONDS)
        self.connection.message(b"{")
        self.sender.only_unanswered().accept(b'{"channel_ids":["c1"]}')
        self.list_channels()
        self.clock.advance(DOUBT_SECONDS)
        self.assertEqual(self.listener("c1").log, ["left"])

    def test_one_whose_entry_was_on_its_way_is_not(self) -> None:
        self.audit("c1")
        self.enter("c1")
        self.audit("c1")
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.application.adopted, [])

    def test_one_that_enters_while_asking_stays(self) -> None:
        del self.sender.answers[LIST]
        self.clock.advance(AUDIT_SECONDS)
        self.enter("c1")
        self.sender.only_unanswered().accept(b'{"channel_ids":[]}')
        self.assertEqual(self.listener("c1").log, [])

    def test_phones_and_conversations_whose_end_was_not_told_are_over(self) -> None:
        phone = self.enter("c1").dial("PJSIP/410", ring_seconds=60)
        self.sender.only_unanswered().accept(b"{}")
        self.audit("c1")
        self.assertEqual(self.lines(), [])  # It rings: it has a bound of its own.
        self.hear_channel("StasisStart", phone.id, args=[])
        over = phone.connect()
        for _ in range(2):
            self.sender.only_unanswered().accept(b"{}")
        self.audit("c1", phone.id)
        self.assertEqual(self.lines(), [])
        self.audit("c1")
        self.assertEqual(self.client.phones, {})
        self.sender.only_unanswered().accept()
        self.successResultOf(over)

    def test_there_is_none_without_a_connection(self) -> None:
        self.connection.lose()
        self.audit()
        self.assertEqual(self.timers, [])
        self.assertEqual(self.lines(), [])


class AdoptionTests(RecoveryTestCase):
    def test_a_channel_that_nobody_knows_is_adopted(self) -> None:
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["GET channels/c1"])
        self.sender.only_unanswered().accept(in_stasis("c1", f"{APP},sales,a b,"))
        self.assertEqual(self.application.entered, [("c1", ("sales", "a b", ""))])
        self.assertEqual(self.application.adopted, ["c1"])
        self.assertEqual(self.client.channels["c1"].dialled, "1000")
        self.assertEqual(self.listener("c1").log, [])

    def test_a_hundred_are_adopted_a_few_at_a_time(self) -> None:
        channel_ids = [f"c{number}" for number in range(100)]
        self.reconnect(*channel_ids)
        most = 0
        while self.sender.unanswered:
            most = max(most, len(self.sender.unanswered))
            exchange = self.sender.unanswered[0]
            exchange.accept(in_stasis(exchange.request.path[-1]))
        self.assertEqual(sorted(self.application.adopted), sorted(channel_ids))
        self.assertEqual(most, 16)
        self.assertFalse(self.client.recovery.is_running)

    def test_one_that_a_phone_passed_its_call_on_to_is_no_caller(self) -> None:
        self.reconnect("c1")
        self.sender.only_unanswered().accept(
            in_stasis("c1", f"{APP},channel-aa-dialled-1")
        )
        self.assertEqual(self.lines(), ["DELETE channels/c1"])
        self.sender.only_unanswered().accept()
        self.assertEqual(self.application.entered, [])

    def test_what_is_not_in_our_application_is_left_alone(self) -> None:
        self.reconnect("c1", "c2", "c3")
        first, second, third = self.sender.unanswered
        first.accept(in_stasis("c1", "another,sales"))
        second.accept(b'{"id":"c2","dialplan":{"app_name":"Wait","app_data":"1"}}')
        third.refuse(404)
        self.assertEqual(self.client.channels, {})

    def test_one_that_enters_meanwhile_is_one_call(self) -> None:
        self.reconnect("c1")
        channel = self.enter("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertIs(self.client.channels["c1"], channel)
        self.assertEqual(len(self.application.entered), 1)
        self.assertEqual(self.application.adopted, [])

    def test_one_that_enters_and_leaves_meanwhile_is_gone(self) -> None:
        self.reconnect("c1")
        self.enter("c1")
        self.hear_channel("StasisEnd", "c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.client.channels, {})
        self.assertEqual(len(self.application.entered), 1)

    def test_one_that_leaves_meanwhile_is_not_adopted(self) -> None:
        for kind in ("StasisEnd", "ChannelDestroyed"):
            self.reconnect("c1")
            self.hear_channel(kind, "c1")
            self.sender.only_unanswered().accept(in_stasis("c1"))
            self.assertEqual(self.client.channels, {})

    def test_one_that_cannot_be_asked_after_holds_up_no_other(self) -> None:
        self.reconnect("c1", "c2")
        first, second = self.sender.unanswered
        first.refuse(500)
        second.accept(in_stasis("c2"))
        self.assertEqual(self.application.adopted, ["c2"])
        self.clock.advance(1)
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c2", "c1"])

    def test_one_that_nobody_takes_goes_on_in_the_dialplan(self) -> None:
        self.application.is_raising = True
        self.reconnect("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.lines(), ["POST channels/c1/continue"])

    def test_ids_reach_no_other_path(self) -> None:
        odd = ["..", ".", "a/b", "../x", "a%2Fb", "a?b#c", "ü", "x" * 250]
        self.reconnect(*odd)
        self.assertEqual(
            self.lines(),
            [
                "GET channels/a%2Fb",
                "GET channels/..%2Fx",
                "GET channels/a%252Fb",
                "GET channels/a%3Fb%23c",
                "GET channels/%C3%BC",
                f"GET channels/{'x' * 250}",
            ],
        )
        for exchange in self.sender.unanswered:
            exchange.accept(in_stasis(exchange.request.path[-1]))
        self.client.channels["../x"].hang_up().addErrback(lambda _: None)
        self.assertEqual(self.lines(), ["DELETE channels/..%2Fx"])
        self.sender.only_unanswered().accept()


class LeftoverTests(RecoveryTestCase):
    PHONE = "channel-aa-dialled-old-1"

    def test_a_phone_of_an_earlier_run_is_hung_up(self) -> None:
        self.reconnect(self.PHONE, f"{self.PHONE};2")
        self.assertEqual(
            set(self.lines()),
            {
                f"DELETE channels/{self.PHONE}",
                f"GET channels/{self.PHONE}%3B2",
            },
        )
        for exchange in self.sender.unanswered:
            exchange.refuse(404)
        self.assertEqual(self.application.entered, [])

    def test_bridges_of_ours_are_removed_and_others_stay(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=[], somebody_elses=[])
        bridges = json.loads(self.sender.answers[BRIDGES])
        other = {"id": "channel-aa-bridge-other-1", "name": "channel-aa another"}
        self.sender.answers[BRIDGES] = json.dumps([*bridges, other]).encode()
        self.reconnect()
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
        self.sender.only_unanswered().accept()

    def test_a_caller_left_in_one_is_adopted_once_it_is_gone(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1"])
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
        self.sender.only_unanswered().accept()
        self.assertEqual(self.lines(), ["GET channels/c1"])
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c1"])

    def adopt_conversation(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
        self.reconnect("c1", self.PHONE)
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.application.entered, [])

    def end_conversation(self) -> None:
        self.assertEqual(
            set(self.lines()),
            {
                "DELETE channels/c1",
                f"DELETE channels/{self.PHONE}",
                "DELETE bridges/channel-aa-bridge-old-1",
            },
        )
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assert_nothing_left()

    def test_a_conversation_is_left_to_go_on_until_one_leaves(self) -> None:
        for leaver in ("c1", self.PHONE):
            self.adopt_conversation()
            self.hear_channel("StasisEnd", leaver)
            self.end_conversation()

    def test_or_leaves_the_bridge(self) -> None:
        self.adopt_conversation()
        self.hear(
            "ChannelLeftBridge",
            bridge={"id": "channel-aa-bridge-old-1"},
            channel={"id": "c1"},
        )
        self.end_conversation()

    def test_or_has_left_in_the_next_gap(self) -> None:
        self.adopt_conversation()
        self.list_bridges(channel_aa_bridge_old_1=["c1"])
        self.reconnect("c1")
        self.end_conversation()

    def test_it_goes_on_over_the_next_gap(self) -> None:
        self.adopt_conversation()
        self.reconnect("c1", self.PHONE)
        self.assertEqual(self.lines(), [])
        self.hear_channel("StasisEnd", "c1")
        self.end_conversation()


class ReplacedTests(RecoveryTestCase):
    def test_it_says_so_and_stays_away(self) -> None:
        playing = self.play(self.enter("c1"))
        playing.request.accept()
        phone = self.enter("c2").dial("PJSIP/410", ring_seconds=20)
        outcomes: list[object] = []
        phone.outcome.addBoth(outcomes.append)
        self.sender.only_unanswered().accept(b"{}")
        asked = len(self.sender.lines)
        self.hear("ApplicationReplaced", application=APP)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("the application name channel-aa", line)
        self.assertIn("Give each program its own app", line)
        self.assertEqual(self.connection.calls, ["start", "stay away"])
        self.assertEqual(self.application.times_replaced, 1)
        self.assertTrue(self.client.is_replaced)
        for channel_id in ("c1", "c2"):
            self.assertEqual(self.listener(channel_id).log, ["left"])
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(len(self.sender.lines), asked)
        self.assertEqual(outcomes, [DialOutcome.NO_ANSWER])
        self.assert_nothing_left()

    def test_starting_again_takes_part_again(self) -> None:
        self.hear("ApplicationReplaced", application=APP)
        self.successResultOf(self.client.stopService())
        self.client.startService()
        self.assertFalse(self.client.is_replaced)
        self.connection.open()
        self.enter()
        self.assertEqual(len(self.application.entered), 1)


class OddEventTests(RecoveryTestCase):
    """Events twice, late, and out of order."""

    def test_a_channel_that_leaves_before_it_enters_is_soon_gone(self) -> None:
        self.hear_channel("StasisEnd")
        answered = self.enter().answer()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.listener().log, ["left"])
        self.failureResultOf(answered)

    def test_the_end_is_told_once(self) -> None:
        self.enter()
        for _ in range(2):
            self.hear_channel("ChannelHangupRequest")
            self.hear_channel("StasisEnd")
            self.hear_channel("ChannelDestroyed")
        self.assertEqual(self.listener().log, ["hung up", "left"])

    def test_a_key_after_the_end_is_nobodys(self) -> None:
        self.enter()
        self.hear_channel("StasisEnd")
        self.hear_channel("ChannelDtmfReceived", digit="1")
        self.assertEqual(self.listener().log, ["left"])

    def test_a_sound_that_ends_before_it_begins_is_over(self) -> None:
        playing = self.play(self.enter())
        playing.hear_finished()
        playing.hear_started()
        playing.hear_finished("failed")
        playing.request.accept()
        self.assertEqual(playing.ends, [PlaybackEnd.DONE])
        self.assertEqual(playing.stops, 0)

    def test_events_about_what_nobody_knows_are_nobodys(self) -> None:
        self.hear("Dial", peer={"id": "x"}, dialstatus="BUSY")
        self.hear("ChannelLeftBridge", bridge={"id": "x"}, channel={"id": "y"})
        self.hear("RecordingFinished", recording={"name": "x"})
        self.hear("RecordingFailed", recording={"name": "x"})
        self.hear_channel("ChannelHangupRequest", "x")
        self.assertEqual(self.log.texts(), [])

    def test_a_channel_moved_elsewhere_has_left(self) -> None:
        playing = self.play(self.enter())
        playing.request.refuse(409, "Channel not in Stasis application")
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.listener().log, ["left"])
