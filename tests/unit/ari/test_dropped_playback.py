"""Sounds that Asterisk drops while a channel leaves a bridge."""

from __future__ import annotations

from channel_aa.ari.playback import CHECK_SECONDS, DROP_CHECK_SECONDS, DROP_REPEATS
from channel_aa.interfaces import PlaybackEnd
from tests.support.ari_fakes import AriTestCase, Playing

DONE = [PlaybackEnd.DONE]
FAILED = [PlaybackEnd.FAILED]


class DroppedPlaybackTests(AriTestCase):
    """A channel that has just been in a bridge plays a sound."""

    def play_after_a_bridge(self) -> Playing:
        self.channel = self.enter()
        self.channel.left_bridge()
        playing = self.play(self.channel)
        playing.request.accept()
        return playing

    def drop(self) -> None:
        """Let both checks find that Asterisk does not have the playback."""
        for seconds in DROP_CHECK_SECONDS:
            self.clock.advance(seconds)
            check = self.sender.only_unanswered()
            self.assertTrue(check.line.startswith("GET playbacks/"), check.line)
            check.refuse(404)

    def test_dropped_playback_is_requested_again(self) -> None:
        playing = self.play_after_a_bridge()
        self.drop()
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, playing.request.line)
        again.accept()
        self.assertEqual(playing.ends, [])
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)
        self.assertEqual((self.client.playbacks, self.timers), ({}, []))

    def test_playback_that_is_dropped_again_and_again_has_failed(self) -> None:
        playing = self.play_after_a_bridge()
        for _ in range(DROP_REPEATS):
            self.drop()
            self.sender.only_unanswered().accept()
        self.clock.advance(CHECK_SECONDS)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(playing.ends, FAILED)

    def test_playback_that_plays_is_checked_once(self) -> None:
        playing = self.play_after_a_bridge()
        self.clock.advance(DROP_CHECK_SECONDS[0])
        self.sender.only_unanswered().accept(b"{}")
        self.clock.advance(CHECK_SECONDS - 1)
        self.assertEqual(self.sender.unanswered, [])
        playing.receive_finished()
        self.assertEqual(playing.ends, DONE)

    def test_end_that_is_reported_late_is_no_drop(self) -> None:
        playing = self.play_after_a_bridge()
        self.clock.advance(DROP_CHECK_SECONDS[0])
        self.sender.only_unanswered().refuse(404)
        playing.receive_finished()
        self.assertEqual((playing.ends, self.timers), (DONE, []))

    def test_playback_that_is_stopped_is_not_requested_again(self) -> None:
        playing = self.play_after_a_bridge()
        playing.playback.stop()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual((playing.ends, self.timers), (DONE, []))

    def test_stop_while_it_is_missing_ends_it(self) -> None:
        playing = self.play_after_a_bridge()
        self.clock.advance(DROP_CHECK_SECONDS[0])
        self.sender.only_unanswered().refuse(404)
        playing.playback.stop()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual((playing.ends, self.timers), (DONE, []))

    def test_only_the_first_playback_is_checked(self) -> None:
        self.play_after_a_bridge().receive_finished()
        second = self.play(self.channel)
        second.request.accept()
        self.clock.advance(CHECK_SECONDS - 1)
        self.assertEqual(self.sender.unanswered, [])
        second.receive_finished()
