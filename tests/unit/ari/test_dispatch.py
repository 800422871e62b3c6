"""Events that arrive twice, late, out of order, or of unknown objects."""

from __future__ import annotations

from channel_aa.interfaces import PlaybackEnd
from tests.support.ari_cases import ReconcileTestCase


class OddEventTests(ReconcileTestCase):
    """Events twice, late, and out of order."""

    def test_channel_that_leaves_before_it_enters_is_removed(self) -> None:
        self.receive_channel("StasisEnd")
        answered = self.enter().answer()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.listener().log, ["left"])
        self.failureResultOf(answered)

    def test_end_is_reported_once(self) -> None:
        self.enter()
        for _ in range(2):
            self.receive_channel("ChannelHangupRequest")
            self.receive_channel("StasisEnd")
            self.receive_channel("ChannelDestroyed")
        self.assertEqual(self.listener().log, ["hung up", "left"])

    def test_key_after_the_end_is_ignored(self) -> None:
        self.enter()
        self.receive_channel("StasisEnd")
        self.receive_channel("ChannelDtmfReceived", digit="1")
        self.assertEqual(self.listener().log, ["left"])

    def test_playback_that_finishes_before_it_starts_is_over(self) -> None:
        playing = self.play(self.enter())
        playing.receive_finished()
        playing.receive_started()
        playing.receive_finished("failed")
        playing.request.accept()
        self.assertEqual(playing.ends, [PlaybackEnd.DONE])
        self.assertEqual(playing.stops, 0)

    def test_events_of_unknown_objects_are_ignored(self) -> None:
        self.receive("Dial", peer={"id": "x"}, dialstatus="BUSY")
        self.receive("ChannelLeftBridge", bridge={"id": "x"}, channel={"id": "y"})
        self.receive("RecordingFinished", recording={"name": "x"})
        self.receive("RecordingFailed", recording={"name": "x"})
        self.receive_channel("ChannelHangupRequest", "x")
        self.assertEqual(self.log.texts(), [])

    def test_channel_outside_the_application_has_left(self) -> None:
        playing = self.play(self.enter())
        playing.request.refuse(409, "Channel not in Stasis application")
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.listener().log, ["left"])
