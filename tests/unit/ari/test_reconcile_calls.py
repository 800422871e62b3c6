"""The calls that the client knows, without and after a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel

from channel_aa.ari.wire.errors import RequestTimeoutError
from channel_aa.interfaces import DialOutcome, PlaybackEnd
from tests.support.ari_cases import LIST, ReconcileTestCase, in_stasis
from tests.support.ari_fakes import APP

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred

AUDIT_SECONDS = 30
EARLY_AUDIT_SECONDS = 2


class ReconcileTests(ReconcileTestCase):
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

    def test_loss_logs_the_number_of_calls(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.connection.lose()
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("Calls waiting for the connection to Asterisk: 2", line)

    def test_loss_without_calls_is_not_logged(self) -> None:
        self.connection.lose()
        self.assertEqual(self.log.texts(), [])

    def test_missing_channels_have_left_and_others_stay(self) -> None:
        self.enter("c1")
        kept = self.enter("c2")
        self.reconnect("c2")
        self.assertEqual(self.client.channels, {"c2": kept})
        self.assertEqual(self.listener("c1").log, ["left"])
        self.assertEqual(self.listener("c2").log, ["reconnected"])

    def test_reconnected_is_called_after_the_playbacks_are_checked(self) -> None:
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

    def test_fault_in_reconnected_does_not_affect_other_calls(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.listener("c1").raising.add("reconnected")
        self.reconnect("c1", "c2")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.listener("c2").log, ["reconnected"])

    def test_playbacks_of_a_missing_channel_fail_without_a_query(self) -> None:
        ended = self.play(self.enter())
        ended.request.accept()
        self.reconnect()
        self.assertEqual(ended.ends, [PlaybackEnd.FAILED])
        self.assertEqual(ended.checks, 0)

    def test_queries_cancelled_with_their_connection_do_not_end_a_playback(
        self,
    ) -> None:
        playing = self.play(self.enter("c1"))
        playing.request.accept()
        for _ in range(4):
            self.reconnect("c1")
        self.assertEqual(playing.checks, 4)
        self.assertEqual(playing.ends, [])

    def test_lost_stop_is_sent_again(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        self.reconnect("c1")
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.stops, 2)

    def test_playback_without_a_connection_is_requested_once(self) -> None:
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
        self.receive_playback("PlaybackFinished", playing.id, "done")
        self.successResultOf(playing.finished)

    def test_playback_stopped_without_a_connection_is_not_requested(self) -> None:
        channel = self.enter()
        self.connection.lose()
        playing = channel.play("sound:press-1")
        playing.stop()
        self.assertIs(self.successResultOf(playing.finished), PlaybackEnd.DONE)
        self.list_channels("c1")
        self.connection.open()
        self.assertEqual(self.sender.lines, [])

    def test_cancelling_works_without_a_connection(self) -> None:
        """And the end that follows does not fire its result."""
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

    def test_playback_of_unknown_outcome_is_queried_before_reconnected(self) -> None:
        playing = self.play(self.enter())
        self.connection.lose()  # The request's answer is lost with it.
        self.assertEqual(playing.ends, [])
        self.list_channels("c1")
        self.connection.open()
        self.assertEqual(playing.checks, 1)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.listener().log, ["reconnected"])

    def test_commands_without_a_connection_are_sent_in_order_later(self) -> None:
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

    def test_call_that_enters_meanwhile_is_not_told_of_the_reconnection(self) -> None:
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

    def test_application_unknown_to_asterisk_has_no_calls(self) -> None:
        self.enter()
        del self.sender.answers[LIST]
        self.connection.lose()
        self.connection.open()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.listener().log, ["left"])
        self.assertEqual(self.client.channels, {})


class RetryTests(ReconcileTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enter()
        del self.sender.answers[LIST]
        self.connection.lose()
        self.connection.open()

    def test_query_without_a_valid_response_is_sent_again(self) -> None:
        for answer, wait in (("500", 1), ("malformed", 2), ("timeout", 5), ("500", 5)):
            self.assertTrue(self.client.reconciler.is_running)
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
        self.assertIn("Could not read the list of calls", line)
        self.sender.only_unanswered().accept(b'{"channel_ids":["c1"]}')
        self.assertEqual(self.listener().log, ["reconnected"])
        self.assertFalse(self.client.reconciler.is_running)

    def test_another_loss_restarts_the_reconciliation(self) -> None:
        self.sender.only_unanswered().refuse(500)
        self.connection.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.reconnect("c1")
        self.assertEqual(self.listener().log, ["reconnected"])

    def test_fault_in_the_reconciliation_is_logged(self) -> None:
        self.sender.only_unanswered().answer.errback(RuntimeError("a fault of ours"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        [line] = self.log.texts(level=LogLevel.critical)
        self.assertEqual(line, "Reconciling the calls with Asterisk failed")

    def test_stopping_ends_the_reconciliation(self) -> None:
        self.sender.only_unanswered().refuse(500)
        self.successResultOf(self.client.stopService())
        self.assert_nothing_left()


class AuditTests(ReconcileTestCase):
    """Events that never arrive, on a connection that stays."""

    def setUp(self) -> None:
        super().setUp()
        self.reconnect()

    def audit(self, *channel_ids: str) -> None:
        self.list_channels(*channel_ids)
        self.clock.advance(AUDIT_SECONDS)

    def test_call_whose_end_was_not_reported_has_left(self) -> None:
        self.enter("c1")
        self.enter("c2")
        self.audit("c2")
        self.assertEqual(self.listener("c1").log, ["left"])
        self.assertEqual(self.listener("c2").log, [])
        self.audit()
        self.assertEqual(self.listener("c2").log, ["left"])

    def test_unknown_channel_is_adopted_by_the_second_audit(self) -> None:
        self.audit("c1")
        self.assertEqual(self.lines(), [])
        self.audit("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.entered, [("c1", ())])

    def test_call_of_a_lost_event_is_a_new_one(self) -> None:
        """So that ``max_calls`` holds for it."""
        self.audit("c1")
        self.audit("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, [])

    def test_second_audit_comes_soon(self) -> None:
        self.audit("c1")
        self.clock.advance(EARLY_AUDIT_SECONDS)
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.entered, [("c1", ())])

    def test_audit_after_an_early_one_comes_late(self) -> None:
        self.enter("c1")
        self.list_channels("c1")
        self.connection.message_received(b"{")
        self.clock.advance(EARLY_AUDIT_SECONDS)
        self.list_channels()
        self.clock.advance(AUDIT_SECONDS - 1)
        self.assertEqual(self.listener("c1").log, [])
        self.clock.advance(1)
        self.assertEqual(self.listener("c1").log, ["left"])

    def test_malformed_event_causes_an_early_audit(self) -> None:
        self.enter("c1")
        self.list_channels()
        for _ in range(3):  # and the last is no reason to wait longer
            self.connection.message_received(b"{")
            self.clock.advance(EARLY_AUDIT_SECONDS / 3)
        self.assertEqual(self.listener("c1").log, ["left"])

    def test_malformed_event_during_an_audit_causes_another(self) -> None:
        del self.sender.answers[LIST]
        self.enter("c1")
        self.clock.advance(AUDIT_SECONDS)
        self.connection.message_received(b"{")
        self.sender.only_unanswered().accept(b'{"channel_ids":["c1"]}')
        self.list_channels()
        self.clock.advance(EARLY_AUDIT_SECONDS)
        self.assertEqual(self.listener("c1").log, ["left"])

    def test_channel_whose_event_arrives_meanwhile_is_not_adopted(self) -> None:
        self.audit("c1")
        self.enter("c1")
        self.audit("c1")
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.application.adopted, [])

    def test_channel_that_enters_during_an_audit_stays(self) -> None:
        del self.sender.answers[LIST]
        self.clock.advance(AUDIT_SECONDS)
        self.enter("c1")
        self.sender.only_unanswered().accept(b'{"channel_ids":[]}')
        self.assertEqual(self.listener("c1").log, [])

    def test_outbound_channels_and_bridges_missing_in_asterisk_are_over(self) -> None:
        phone = self.enter("c1").dial("PJSIP/410", ring_seconds=60)
        self.sender.only_unanswered().accept(b"{}")
        self.audit("c1")
        self.assertEqual(self.lines(), [])  # It rings: it has a bound of its own.
        self.receive_channel("StasisStart", phone.id, args=[])
        over = phone.connect()
        for _ in range(2):
            self.sender.only_unanswered().accept(b"{}")
        self.audit("c1", phone.id)
        self.assertEqual(self.lines(), [])
        self.audit("c1")
        self.assertEqual(self.client.outbound, {})
        self.sender.only_unanswered().accept()
        self.successResultOf(over)

    def test_no_audit_without_a_connection(self) -> None:
        self.connection.lose()
        self.audit()
        self.assertEqual(self.timers, [])
        self.assertEqual(self.lines(), [])


class ReplacedTests(ReconcileTestCase):
    def test_replaced_client_logs_it_and_stays_away(self) -> None:
        playing = self.play(self.enter("c1"))
        playing.request.accept()
        phone = self.enter("c2").dial("PJSIP/410", ring_seconds=20)
        outcomes: list[object] = []
        phone.outcome.addBoth(outcomes.append)
        self.sender.only_unanswered().accept(b"{}")
        asked = len(self.sender.lines)
        self.receive("ApplicationReplaced", application=APP)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("registered the Stasis application channel-aa", line)
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

    def test_replaced_client_can_be_started_again(self) -> None:
        self.receive("ApplicationReplaced", application=APP)
        self.successResultOf(self.client.stopService())
        self.client.startService()
        self.assertFalse(self.client.is_replaced)
        self.connection.open()
        self.enter()
        self.assertEqual(len(self.application.entered), 1)
