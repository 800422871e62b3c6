"""A playback always ends, whatever Asterisk says, and in whatever order."""

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
    def test_it_provides_its_interface(self) -> None:
        playing = self.play(self.enter())
        verifyObject(IPlayback, playing.playback)

    def test_it_is_asked_for_under_an_id_of_ours(self) -> None:
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

    def test_it_is_over_when_asterisk_says_so(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.hear_started()
        self.assertEqual(playing.ends, [])
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)
        self.assert_no_playback_left()

    def test_a_sound_that_does_not_exist_fails(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.hear_started()
        playing.hear_finished("failed")
        self.assertEqual(playing.ends, FAILED)

    def test_started_and_finished_may_overtake_the_answer(self) -> None:
        playing = self.play(self.enter())
        playing.hear_started()
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)
        playing.request.accept()
        self.assertEqual(playing.ends, DONE)
        self.assert_no_playback_left()

    def test_finished_twice_is_finished_once(self) -> None:
        playing = self.play(self.enter())
        playing.hear_finished()
        playing.hear_finished("failed")
        playing.playback.end(PlaybackEnd.FAILED)
        self.assertEqual(playing.ends, DONE)

    def test_events_of_other_playbacks_do_not_touch_it(self) -> None:
        playing = self.play(self.enter())
        self.hear_playback("PlaybackStarted", "another")
        self.hear_playback("PlaybackFinished", "another", "done")
        self.assertEqual(playing.ends, [])
        self.assertEqual(self.log.texts(level=LogLevel.critical), [])

    def test_a_refused_one_fails_and_the_channel_lives(self) -> None:
        channel = self.enter()
        playing = self.play(channel)
        playing.request.refuse(500, "Internal error")
        self.assertEqual(playing.ends, FAILED)
        self.assertIs(self.client.channels["c1"], channel)
        self.assertEqual(
            playing.playback.problem,
            f"POST channels/c1/play/{playing.playback.id}: 500 Internal error",
        )

    def test_one_refused_because_the_channel_is_gone_means_that_it_left(self) -> None:
        for status in (404, 409):
            with self.subTest(status=status):
                playing = self.play(self.enter())
                playing.request.refuse(status)
                self.assertEqual(playing.ends, FAILED)
                self.assertEqual(self.listener().log, ["left"])
                self.assert_nothing_left()
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_one_refused_for_the_channels_state_fails_alone(self) -> None:
        channel = self.enter()
        playing = self.play(channel)
        playing.request.refuse(412)
        self.assertEqual(playing.ends, FAILED)
        self.assertIn("c1", self.client.channels)

    def test_one_that_never_reached_asterisk_is_asked_for_again(self) -> None:
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

    def test_a_refusal_after_it_was_heard_is_not_believed(self) -> None:
        playing = self.play(self.enter())
        playing.hear_started()
        playing.request.fail(ConnectionLostError)
        self.assertEqual(playing.ends, [])
        self.assertEqual(playing.checks, 0)
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)

    def assert_no_playback_left(self) -> None:
        self.assertEqual(self.client.playbacks, {})
        self.assertEqual(self.clock.getDelayedCalls(), [])


class StopTests(AriTestCase):
    def test_a_sound_that_plays_is_stopped_once(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        playing.playback.stop()
        self.assertEqual(playing.stops, 1)
        self.assertEqual(playing.ends, [])
        self.sender.only_unanswered().accept()
        playing.playback.stop()
        self.assertEqual(playing.stops, 1)
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)

    def test_it_is_stopped_only_after_asterisk_accepted_it(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        playing.request.accept()
        self.assertEqual(playing.stops, 1)
        playing.hear_started()
        self.assertEqual(playing.stops, 1)

    def test_it_is_stopped_as_soon_as_it_is_heard(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.hear_started()
        self.assertEqual(playing.stops, 1)
        playing.request.accept()
        self.assertEqual(playing.stops, 1)

    def test_one_that_finished_first_is_not_stopped(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.hear_finished()
        playing.request.accept()
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        self.assertEqual(playing.ends, DONE)

    def test_one_that_asterisk_knows_no_more_is_done(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.stop()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, DONE)

    def test_one_that_cannot_be_stopped_is_waited_for(self) -> None:
        playing = self.play(self.enter(), "digits:1")
        playing.request.accept()
        playing.playback.stop()
        self.sender.only_unanswered().refuse(500, "Could not stop playback")
        self.assertEqual(playing.ends, [])
        [warning] = self.log.texts(level=LogLevel.warn)
        self.assertIn("digits:1 on PJSIP/c1 plays on", warning)
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)

    def test_cancelling_the_wait_stops_the_sound(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        playing.playback.finished.cancel()
        self.failureResultOf(playing.playback.finished, CancelledError)
        self.assertEqual(playing.stops, 1)
        self.assertIn(playing.playback.id, self.client.playbacks)
        playing.hear_finished()
        self.assertEqual(playing.ends, [])
        self.assertEqual(self.client.playbacks, {})

    def test_a_hung_up_channel_needs_no_stop(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        self.hear_channel("ChannelHangupRequest", cause=16)
        playing.playback.stop()
        self.assertEqual(playing.stops, 0)
        playing.hear_finished("failed")
        self.assertEqual(playing.ends, FAILED)

    def test_a_stop_that_was_wanted_before_the_hangup_is_not_sent_after(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        self.hear_channel("StasisEnd")
        playing.request.accept()
        self.assertEqual(playing.stops, 0)
        self.assertEqual(playing.ends, FAILED)

    def test_a_stop_that_fails_after_the_end_is_no_news(self) -> None:
        for fail in ("refuse", "lose", "cancel"):
            with self.subTest(fail=fail):
                playing = self.play(self.enter())
                playing.request.accept()
                playing.playback.stop()
                stop = self.sender.only_unanswered()
                playing.hear_finished()
                if fail == "refuse":
                    stop.refuse(500)
                elif fail == "lose":
                    stop.fail(ConnectionLostError)
                else:
                    stop.answer.cancel()
                self.assertEqual(playing.ends, DONE)
        self.assertEqual(self.log.texts(), [])


class WatchdogTests(AriTestCase):
    """Asking after a playback that does not report its end."""

    def test_a_playback_that_never_ends_is_asked_after(self) -> None:
        playing = self.play(self.enter(), "bogus:xx")
        playing.request.accept()
        playing.hear_started()
        self.clock.advance(9.9)
        self.assertEqual(playing.checks, 0)
        self.clock.advance(0.1)
        self.assertEqual(playing.checks, 1)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, FAILED)
        self.assertEqual(
            playing.playback.problem, "Asterisk knows nothing of it any more"
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_that_still_exists_is_asked_after_again(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        for checks in range(1, 6):
            self.clock.advance(10)
            self.assertEqual(playing.checks, checks)
            self.sender.only_unanswered().accept(b"{}")
            self.assertEqual(playing.ends, [])
        playing.hear_finished()
        self.assertEqual(playing.ends, DONE)

    def test_no_answer_three_times_counts_as_its_end(self) -> None:
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

    def test_only_failures_in_a_row_count(self) -> None:
        playing = self.play(self.enter())
        playing.request.accept()
        for _ in range(3):
            for _ in range(2):
                self.clock.advance(10)
                self.sender.only_unanswered().fail(RequestTimeoutError)
            self.clock.advance(10)
            self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.ends, [])

    def test_a_stopped_one_is_asked_after_soon(self) -> None:
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

    def test_a_request_without_an_answer_is_asked_after_at_once(self) -> None:
        for kind in (RequestTimeoutError, ConnectionLostError):
            with self.subTest(kind=kind):
                playing = self.play(self.enter())
                playing.request.fail(kind)
                self.assertEqual(playing.checks, 1)
                self.assertEqual(playing.ends, [])
                self.sender.only_unanswered().refuse(404)
                self.assertEqual(playing.ends, FAILED)

    def test_one_found_to_play_after_all_can_be_stopped(self) -> None:
        playing = self.play(self.enter())
        playing.playback.stop()
        playing.request.fail(RequestTimeoutError)
        self.assertEqual(playing.stops, 0)
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(playing.stops, 1)

    def test_an_answer_that_comes_after_the_end_changes_nothing(self) -> None:
        for status in (None, 404):
            with self.subTest(status=status):
                playing = self.play(self.enter())
                playing.request.accept()
                self.clock.advance(10)
                check = self.sender.only_unanswered()
                playing.hear_finished()
                if status is None:
                    check.accept(b"{}")
                else:
                    check.refuse(status)
                self.assertEqual(playing.ends, DONE)
                self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.log.texts(), [])

    def test_who_asks_while_a_question_is_open_learns_with_it(self) -> None:
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

    def test_while_it_is_asked_for_its_answer_tells(self) -> None:
        playing = self.play(self.enter())
        known = playing.playback.check()
        self.assertNoResult(known)
        playing.request.fail(ConnectionLostError)
        self.assertNoResult(known)
        self.sender.only_unanswered().refuse(404)
        self.assertIsNone(self.successResultOf(known))
        self.assertEqual(playing.ends, FAILED)

    def test_a_question_that_nobody_waits_for_is_given_up(self) -> None:
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

    def test_one_who_learns_it_may_have_another_give_up(self) -> None:
        playing = self.play(self.enter())
        known = [playing.playback.check() for _ in range(2)]
        known[0].addCallback(lambda _: known[1].cancel())
        playing.request.accept()
        for each in known:
            self.assertIsNone(self.successResultOf(each))
        self.assertIsNone(self.successResultOf(playing.request.answer))

    def test_a_fault_of_ours_keeps_nobody_waiting(self) -> None:
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
