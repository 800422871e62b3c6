"""A playback always ends, in any order of responses and events."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from channel_aa.ari.wire.errors import ConnectionLostError, RequestTimeoutError
from channel_aa.interfaces import IPlayback, PlaybackEnd
from tests.support.ari_fakes import AriTestCase

DONE = [PlaybackEnd.DONE]
FAILED = [PlaybackEnd.FAILED]


class PlaybackTests(AriTestCase):
    def test_playback_provides_its_interface(self) -> None:
        playing = self.play(self.enter())
        verifyObject(IPlayback, playing.playback)

    def test_request_has_an_id_chosen_here(self) -> None:
        playing = self.play(self.enter(), "sound:press-1")
        self.assertEqual(
            playing.request.line,
            f"POST channels/c1/play/{playing.playback.id}?media=sound:press-1",
        )
        self.assertEqual(playing.playback.media, "sound:press-1")
        self.assertIs(self.client.playbacks[playing.playback.id], playing.playback)

    def test_no_two_playbacks_share_an_id(self) -> None:
        channel = self.enter()
        ids = {self.play(channel).playback.id for _ in range(20)}
        self.assertEqual(len(ids), 20)

    def test_playback_is_over_when_it_finished(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.receive_started()
        self.assertEqual(playing.ends, [])
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)
        self.assert_no_playback_left()

    def test_missing_sound_is_reported_as_failed(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.receive_started()
        playing.receive_finished("failed")
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(
            playing.playback.problem,
            "Asterisk could not play it. Check that the sound is installed in the"
            " channel's language, and that a WAV file is 16 bits, mono, 8000 Hz.",
        )

    def test_finished_playback_has_no_problem_and_is_forgotten(self) -> None:
        channel = self.enter()
        playing = self.play(channel)
        playing.request.accept()
        self.assertEqual(channel.playbacks, {playing.playback})
        playing.receive_finished()
        self.assertEqual(playing.playback.problem, "")
        self.assertEqual(channel.playbacks, set())

    def test_events_may_arrive_before_the_response(self) -> None:
        playing = self.play(self.enter())
        playing.receive_started()
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)
        playing.request.accept()
        self.assertEqual(playing.ends, DONE)
        self.assert_no_playback_left()

    def test_second_end_is_ignored(self) -> None:
        playing = self.play(self.enter())
        playing.receive_finished()
        playing.receive_finished("failed")
        playing.playback.end(PlaybackEnd.FAILED)
        self.assertEqual(playing.ends, DONE)

    def test_events_of_other_playbacks_are_ignored(self) -> None:
        playing = self.play(self.enter())
        self.receive_playback("PlaybackStarted", "another")
        self.receive_playback("PlaybackFinished", "another", "done")
        self.assertEqual(playing.ends, [])
        self.assertEqual(self.log.texts(level=LogLevel.critical), [])

    def test_refused_playback_fails_without_ending_the_channel(self) -> None:
        channel = self.enter()
        playing = self.play(channel)
        playing.request.refuse(500, "Internal error")
        self.assertEqual(playing.ends, FAILED)
        self.assertIs(self.client.channels["c1"], channel)
        self.assertEqual(
            playing.playback.problem,
            f"POST channels/c1/play/{playing.playback.id}: 500 Internal error",
        )

    def test_missing_channel_has_left(self) -> None:
        for status in (404, 409):
            with self.subTest(status=status):
                playing = self.play(self.enter())
                playing.request.refuse(status)
                self.assertEqual(playing.ends, FAILED)
                self.assertEqual(self.listener().log, ["left"])
                self.assert_nothing_left()
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_playback_refused_in_the_channels_state_fails_alone(self) -> None:
        channel = self.enter()
        playing = self.play(channel)
        playing.request.refuse(412)
        self.assertEqual(playing.ends, FAILED)
        self.assertIn("c1", self.client.channels)

    def test_request_that_did_not_reach_asterisk_is_sent_again(self) -> None:
        playing = self.play(self.enter())
        for _ in range(2):
            self.sender.only_unanswered().fail(
                ConnectionLostError, outcome_unknown=False
            )
            self.assertEqual(playing.ends, [])
            self.clock.advance(1)
        self.sender.only_unanswered().fail(ConnectionLostError, outcome_unknown=False)
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(playing.checks, 0)
        self.assertEqual(len(set(self.sender.lines)), 1)
        self.assertIn("c1", self.client.channels)

    def test_failed_request_of_a_started_playback_is_ignored(self) -> None:
        playing = self.play(self.enter())
        playing.receive_started()
        playing.request.fail(ConnectionLostError)
        self.assertEqual(playing.ends, [])
        self.assertEqual(playing.checks, 0)
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)

    def assert_no_playback_left(self) -> None:
        self.assertEqual(self.client.playbacks, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])


class StopTests(AriTestCase):
    def test_stop_is_sent_once(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        playing.playback.stop()
        self.assertEqual(playing.stops, 1)
        self.assertEqual(playing.ends, [])
        self.sender.only_unanswered().accept()
        playing.playback.stop()
        self.assertEqual(playing.stops, 1)
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)

    def test_stop_is_sent_after_the_response(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        playing.request.accept()
        self.assertEqual(playing.stops, 1)
        playing.receive_started()
        self.assertEqual(playing.stops, 1)

    def test_stop_is_sent_when_the_playback_starts(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.receive_started()
        self.assertEqual(playing.stops, 1)
        playing.request.accept()
        self.assertEqual(playing.stops, 1)

    def test_finished_playback_is_not_stopped(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.receive_finished()
        playing.request.accept()
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        self.assertEqual(playing.ends, DONE)

    def test_playback_not_found_by_the_stop_is_done(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, DONE)

    def test_playback_that_cannot_be_stopped_is_not_over(self) -> None:
        playing = self.play(self.enter(), "digits:1")
        playing.request.accept()
        playing.playback.stop()
        self.sender.only_unanswered().refuse(500, "Could not stop playback")
        self.assertEqual(playing.ends, [])
        [warning] = self.log.texts(level=LogLevel.warn)
        self.assertIn("Could not stop digits:1 on PJSIP/c1", warning)
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)

    def test_cancelling_finished_stops_the_playback(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.finished.cancel()
        self.failureResultOf(playing.playback.finished, CancelledError)
        self.assertEqual(playing.stops, 1)
        self.assertIn(playing.playback.id, self.client.playbacks)
        playing.receive_finished()
        self.assertEqual(playing.ends, [])
        self.assertEqual(self.client.playbacks, {})

    def test_stop_is_not_sent_after_a_hangup(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        self.receive_channel("ChannelHangupRequest", cause=16)
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        playing.receive_finished("failed")
        self.assertEqual(playing.ends, FAILED)

    def test_stop_requested_before_the_end_is_not_sent_after_it(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        self.receive_channel("StasisEnd")
        playing.request.accept()
        self.assertEqual(playing.stops, 0)
        self.assertEqual(playing.ends, FAILED)

    def test_failed_stop_of_a_finished_playback_is_not_logged(self) -> None:
        for fail in ("refuse", "lose", "cancel"):
            with self.subTest(fail=fail):
                playing = self.play(self.enter())
                playing.request.accept()
                playing.playback.stop()
                stop = self.sender.only_unanswered()
                playing.receive_finished()
                if fail == "refuse":
                    stop.refuse(500)
                elif fail == "lose":
                    stop.fail(ConnectionLostError)
                else:
                    stop.answer.cancel()
                self.assertEqual(playing.ends, DONE)
        self.assertEqual(self.log.texts(), [])


class TimerTests(AriTestCase):
    def test_finished_playback_leaves_no_timer(self) -> None:
        for is_stopped in (False, True):
            with self.subTest(is_stopped=is_stopped):
                playing = self.play(self.enter())
                playing.request.accept()
                if is_stopped:
                    playing.playback.stop()
                self.assertEqual(len(self.timers), 1)
                playing.receive_finished()
                self.assertEqual(self.timers, [])
                for exchange in self.sender.unanswered:
                    exchange.accept()
                self.clock.advance(60)
                self.assertEqual(playing.checks, 0)

    def test_stopped_playback_has_only_the_shorter_timeout(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        self.sender.only_unanswered().accept()
        self.clock.advance(2)
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual((playing.checks, playing.stops), (1, 1))
        playing.receive_finished()
        self.assertEqual(self.timers, [])


class QueryTests(AriTestCase):
    """Queries of a playback that does not report its end."""

    def test_silent_playback_is_queried(self) -> None:
        playing = self.play(self.enter(), "bogus:xx")
        playing.request.accept()
        playing.receive_started()
        self.clock.advance(9.9)
        self.assertEqual(playing.checks, 0)
        self.clock.advance(0.1)
        self.assertEqual(playing.checks, 1)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(
            playing.playback.problem, "Asterisk no longer has the playback"
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_existing_playback_is_queried_again(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        for checks in range(1, 6):
            self.clock.advance(10)
            self.assertEqual(playing.checks, checks)
            self.sender.only_unanswered().accept(b"{}")
            self.assertEqual(playing.ends, [])
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)

    def test_three_failed_queries_end_the_playback(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        for kind in (RequestTimeoutError, ConnectionLostError):
            self.clock.advance(10)
            self.sender.only_unanswered().fail(kind)
            self.assertEqual(playing.ends, [])
        self.clock.advance(10)
        self.sender.only_unanswered().refuse(500)
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(playing.checks, 3)

    def test_answered_query_resets_the_count_of_failures(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        for _ in range(3):
            for _ in range(2):
                self.clock.advance(10)
                self.sender.only_unanswered().fail(RequestTimeoutError)
            self.clock.advance(10)
            self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.ends, [])

    def test_stopped_playback_is_queried_soon(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        self.clock.advance(9)
        playing.playback.stop()
        self.sender.only_unanswered().accept()
        self.clock.advance(1.9)
        self.assertEqual(playing.checks, 0)
        self.clock.advance(0.1)
        self.assertEqual(playing.checks, 1)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(len(playing.ends), 1)

    def test_playback_is_queried_after_a_timed_out_request(self) -> None:
        for kind in (RequestTimeoutError, ConnectionLostError):
            with self.subTest(kind=kind):
                playing = self.play(self.enter())
                playing.request.fail(kind)
                self.assertEqual(playing.checks, 1)
                self.assertEqual(playing.ends, [])
                self.sender.only_unanswered().refuse(404)
                self.assertEqual(playing.ends, FAILED)

    def test_playback_found_by_a_query_is_stopped(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.request.fail(RequestTimeoutError)
        self.assertEqual(playing.stops, 0)
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.stops, 1)

    def test_query_answered_after_the_end_changes_nothing(self) -> None:
        for status in (None, 404):
            with self.subTest(status=status):
                playing = self.play(self.enter())
                playing.request.accept()
                self.clock.advance(10)
                check = self.sender.only_unanswered()
                playing.receive_finished()
                if status is None:
                    check.accept(b"{}")
                else:
                    check.refuse(status)
                self.assertEqual(playing.ends, DONE)
                self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.log.texts(), [])

    def test_checks_share_one_query(self) -> None:
        playing = self.play(self.enter())
        playing.request.fail(ConnectionLostError)
        for answers in (lambda it: it.accept(b"{}"), lambda it: it.refuse(404)):
            known = [playing.playback.check() for _ in range(2)]
            self.assertNoResult(known[0])
            self.assertNoResult(known[1])
            answers(self.sender.only_unanswered())
            for each in known:
                self.assertIsNone(self.successResultOf(each))
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(playing.checks, 2)

    def test_check_during_the_request_waits_for_its_response(self) -> None:
        playing = self.play(self.enter())
        known = playing.playback.check()
        self.assertNoResult(known)
        playing.request.fail(ConnectionLostError)
        self.assertNoResult(known)
        self.sender.only_unanswered().refuse(404)
        self.assertIsNone(self.successResultOf(known))
        self.assertEqual(playing.ends, FAILED)

    def test_query_without_checks_is_cancelled(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        known = [playing.playback.check() for _ in range(2)]
        question = self.sender.only_unanswered()
        known[0].cancel()
        self.assertFalse(question.answer.called)
        known[1].cancel()
        self.assertTrue(question.answer.called)
        for each in known:
            self.assertIsNone(self.successResultOf(each))
        self.assertEqual(playing.ends, [])

    def test_callback_of_a_check_may_cancel_another(self) -> None:
        playing = self.play(self.enter())
        known = [playing.playback.check() for _ in range(2)]
        known[0].addCallback(lambda _: known[1].cancel())
        playing.request.accept()
        for each in known:
            self.assertIsNone(self.successResultOf(each))
        self.assertIsNone(self.successResultOf(playing.request.answer))

    def test_fault_in_a_handler_still_fires_the_checks(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()

        def fail() -> None:
            raise RuntimeError("a fault")

        self.patch(playing.playback, "_not_found", fail)
        known = playing.playback.check()
        question = self.sender.only_unanswered()
        question.refuse(404)
        self.assertIsNone(self.successResultOf(known))
        self.failureResultOf(question.answer, RuntimeError)
