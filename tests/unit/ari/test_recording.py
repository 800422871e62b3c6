"""A recording, from the request to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from channel_aa.ari.wire.errors import ConnectionLostError, RequestTimeoutError
from channel_aa.interfaces import IRecording, RecordingEnd
from tests.support.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from channel_aa.ari.channel import Channel
    from channel_aa.ari.recording import Recording

EXISTS = "Recording 'message' already exists and can not be overwritten"
DONE, FAILED = RecordingEnd.DONE, RecordingEnd.FAILED


class RecordingTests(AriTestCase):
    def record(
        self,
        channel: Channel | None = None,
        name: str = "message",
        *,
        max_seconds: int = 30,
        overwrite: bool = False,
        is_accepted: bool = True,
    ) -> Recording:
        recording = (channel or self.enter()).record(
            name,
            max_seconds=max_seconds,
            max_silence_seconds=5,
            terminator="#",
            beep=True,
            overwrite=overwrite,
        )
        self.ends: list[RecordingEnd] = []
        recording.finished.addCallbacks(self.ends.append, self.cancelled)
        if is_accepted:
            self.sender.only_unanswered().accept(b"{}")
        return recording

    def cancelled(self, failure: object) -> None:
        self.was_cancelled = True

    def receive_recording(
        self, kind: str, name: str = "message", **fields: str
    ) -> None:
        self.receive(kind, recording={"name": name, **fields})

    def test_request_has_the_recordings_options(self) -> None:
        recording = self.record(name="a b/ü")
        verifyObject(IRecording, recording)
        self.assertEqual(
            self.sender.lines,
            [
                (
                    "POST channels/c1/record?name=a%20b%2F%C3%BC&format=wav&ifExists="
                    "fail&maxDurationSeconds=30&maxSilenceSeconds=5&terminateOn=%23"
                    "&beep=true"
                )
            ],
        )
        self.receive_recording("RecordingFinished", "a b/ü")
        self.assertEqual(self.ends, [DONE])

    def test_beep_can_be_left_out(self) -> None:
        self.enter().record(
            "message", max_seconds=0, max_silence_seconds=0, terminator="", beep=False
        )
        self.assertEqual(self.sender.only_unanswered().request.query["beep"], "false")

    def test_name_that_leaves_the_folder_is_not_requested(self) -> None:
        for name in ("", ".", "..", "../a", "a/..", "a/./b", "/a", "a/", "a//b"):
            recording = self.record(name=name, is_accepted=False)
            self.assertEqual(self.ends, [FAILED])
            self.assertEqual(
                recording.problem, f"invalid name of a recording: {name!r}"
            )
        self.assertEqual(self.sender.lines, [])
        self.record(name="a..b/...")

    def test_recording_may_finish_before_the_response(self) -> None:
        self.record(is_accepted=False)
        self.receive_recording("RecordingFinished")
        self.receive_recording("RecordingFinished")
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(self.ends, [DONE])

    def test_failed_recording_has_the_cause(self) -> None:
        recording = self.record()
        self.receive_recording("RecordingFailed", cause="disk full")
        self.assertEqual(self.ends, [FAILED])
        self.assertEqual(recording.problem, "disk full")
        recording = self.record()
        self.receive_recording("RecordingFailed")
        self.assertIn("Asterisk could not record it", recording.problem)
        self.assertIn("/var/spool/asterisk/recording", recording.problem)

    def test_finished_recording_has_no_problem_and_is_forgotten(self) -> None:
        channel = self.enter()
        recording = self.record(channel)
        self.assertEqual(channel.recordings, {recording})
        self.receive_recording("RecordingFinished")
        self.assertEqual(recording.problem, "")
        self.assertEqual(channel.recordings, set())

    def test_refused_recording_fails(self) -> None:
        recording = self.record(is_accepted=False)
        self.sender.only_unanswered().refuse(422, "unknown format")
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("unknown format", recording.problem)
        self.assertNotIn("/var/spool", recording.problem)
        self.assertIn("c1", self.client.channels)

    def test_problem_of_asterisk_names_the_folder_and_the_remedy(self) -> None:
        recording = self.record(is_accepted=False)
        self.sender.only_unanswered().refuse(500, "Internal Server Error")
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("500 Internal Server Error. Check that", recording.problem)
        self.assertIn(
            "install -d -o asterisk -g asterisk /var/spool/asterisk/recording",
            recording.problem,
        )

    def test_existing_recording_is_kept_and_the_new_one_gets_a_suffix(self) -> None:
        recording = self.record(is_accepted=False)
        self.sender.only_unanswered().refuse(409, EXISTS)
        self.assertRegex(recording.name, "^message-[0-9a-f]{8}$")
        again = self.sender.only_unanswered()
        self.assertEqual(again.request.query["name"], recording.name)
        self.assertEqual(again.request.query["ifExists"], "fail")
        again.accept(b"{}")
        # The event of another recording, which keeps its name.
        self.receive_recording("RecordingFinished")
        self.assertEqual(self.ends, [])
        self.receive_recording("RecordingFinished", recording.name)
        self.assertEqual(self.ends, [DONE])
        self.assertEqual(dict(self.client.recordings), {})

    def test_name_with_a_suffix_that_exists_fails(self) -> None:
        self.record(is_accepted=False)
        for _ in range(2):
            self.sender.only_unanswered().refuse(409, EXISTS)
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("c1", self.client.channels)

    def test_stopped_recording_is_not_requested_again(self) -> None:
        recording = self.record(is_accepted=False)
        recording.stop()
        self.sender.only_unanswered().refuse(409, EXISTS)
        self.assertEqual(self.ends, [FAILED])

    def test_recording_is_replaced_on_request(self) -> None:
        self.record(overwrite=True, is_accepted=False)
        request = self.sender.only_unanswered().request
        self.assertEqual(request.query["ifExists"], "overwrite")

    def test_conflict_of_the_name_does_not_end_the_channel(self) -> None:
        self.record(overwrite=True, is_accepted=False)
        self.sender.only_unanswered().refuse(409, EXISTS)
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("c1", self.client.channels)

    def test_missing_channel_has_left(self) -> None:
        for status in (404, 409):
            self.record(is_accepted=False)
            self.sender.only_unanswered().refuse(status, "Channel not in Stasis")
            self.assertEqual(self.ends, [FAILED])
            self.assertEqual(self.listener().log, ["left"])

    def test_second_recording_of_a_name_at_the_same_time_gets_a_suffix(self) -> None:
        self.record()
        second = self.record(self.enter("c2"), is_accepted=False)
        self.assertRegex(second.name, "^message-[0-9a-f]{8}$")
        request = self.sender.only_unanswered().request
        self.assertEqual(request.query["name"], second.name)

    def test_recording_in_progress_is_not_replaced(self) -> None:
        self.record()
        asked = len(self.sender.lines)
        second = self.record(self.enter("c2"), overwrite=True, is_accepted=False)
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("in progress", second.problem)
        self.assertEqual(len(self.sender.lines), asked)
        self.receive_recording("RecordingFinished")
        self.record(self.client.channels["c2"])

    def test_leaving_channel_ends_the_recording(self) -> None:
        self.record()
        self.receive_channel("StasisEnd")
        self.assertEqual(self.ends, [DONE])

    def test_recording_that_was_not_accepted_fails_with_the_channel(self) -> None:
        recording = self.record(is_accepted=False)
        self.receive_channel("StasisEnd")
        self.assertEqual(self.ends, [FAILED])
        self.assertEqual(recording.problem, "the channel left the application")

    def test_cancelled_recording_is_stopped_after_the_response(self) -> None:
        recording = self.record(is_accepted=False)
        recording.finished.cancel()
        self.assertTrue(self.was_cancelled)
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(self.sender.lines[1:], ["POST recordings/live/message/stop"])
        self.sender.only_unanswered().accept()
        self.receive_recording("RecordingFinished")

    def test_stop_is_sent_once(self) -> None:
        recording = self.record()
        recording.stop()
        recording.stop()
        self.assertEqual(self.sender.lines[1:], ["POST recordings/live/message/stop"])
        self.receive_recording("RecordingFinished")

    def test_finished_recording_is_not_stopped(self) -> None:
        recording = self.record()
        self.receive_recording("RecordingFinished")
        recording.stop()
        self.assertEqual(len(self.sender.lines), 1)

    def test_stop_is_not_sent_after_a_hangup(self) -> None:
        """The hangup has ended the recording, and Asterisk has stored it."""
        recording = self.record()
        self.receive_channel("ChannelHangupRequest")
        recording.stop()
        self.assertEqual(len(self.sender.lines), 1)

    def test_cancelled_stop_is_no_fault(self) -> None:
        recording = self.record()
        recording.stop()
        self.sender.only_unanswered().answer.cancel()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.log.texts(), [])
        self.receive_recording("RecordingFinished")

    def test_deletion_without_a_response_is_sent_again(self) -> None:
        recording = self.record()
        self.receive_recording("RecordingFinished")
        discarded = recording.discard()
        deletion = self.sender.only_unanswered()
        deletion.fail(RequestTimeoutError)
        self.clock.advance(1)
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, deletion.line)
        again.accept()
        self.successResultOf(discarded)

    def test_discarded_recording_is_stopped_and_deleted(self) -> None:
        recording = self.record(name="a/b")
        discarded = recording.discard()
        self.assertEqual(self.sender.lines[1:], ["POST recordings/live/a%2Fb/stop"])
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(
            self.sender.only_unanswered().line, "DELETE recordings/stored/a%2Fb"
        )
        self.sender.only_unanswered().accept()
        self.successResultOf(discarded)
        again = recording.discard()
        self.sender.only_unanswered().refuse(404)
        self.successResultOf(again)

    def test_silent_recording_is_queried_after_its_limit(self) -> None:
        self.record(max_seconds=30)
        self.clock.advance(34.9)
        self.assertEqual(self.sender.unanswered, [])
        self.clock.advance(0.1)
        self.assertEqual(
            self.sender.only_unanswered().line, "GET recordings/live/message"
        )
        self.sender.only_unanswered().accept(b"{}")
        self.clock.advance(35)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(
            self.sender.only_unanswered().line, "GET recordings/stored/message"
        )
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(self.ends, [DONE])

    def test_recording_that_is_not_stored_has_failed(self) -> None:
        recording = self.record(max_seconds=0)
        self.clock.advance(59.9)
        self.assertEqual(self.sender.unanswered, [])
        self.clock.advance(0.1)
        self.sender.only_unanswered().refuse(404)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("does not have", recording.problem)

    def test_three_failed_queries_end_the_recording(self) -> None:
        recording = self.record(max_seconds=1)
        for seconds in (6, 2, 2):
            self.assertEqual(self.ends, [])
            self.clock.advance(seconds)
            self.sender.only_unanswered().fail(RequestTimeoutError)
        self.assertEqual(self.ends, [FAILED])
        self.assertIn("GET recordings/live/message: lost", recording.problem)

    def test_recording_is_queried_after_a_timed_out_request(self) -> None:
        self.record(is_accepted=False)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.sender.only_unanswered().accept(b"{}")
        self.receive_recording("RecordingFinished")
        self.assertEqual(self.ends, [DONE])
        self.record(is_accepted=False)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.ends, [FAILED])

    def test_stop_without_a_response_is_sent_again(self) -> None:
        recording = self.record()
        recording.finished.cancel()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.clock.advance(2)
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(
            self.sender.only_unanswered().line, "POST recordings/live/message/stop"
        )
        self.sender.only_unanswered().accept()
        self.receive_recording("RecordingFinished")
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("A recording goes on: POST recordings/live/message/stop", line)

    def test_held_request_is_withdrawn_by_a_discard(self) -> None:
        channel = self.enter()
        self.connection.lose()
        recording = self.record(channel, is_accepted=False)
        self.successResultOf(recording.discard())
        self.assertEqual(self.ends, [FAILED])

    def test_recording_is_queried_after_a_lost_connection(self) -> None:
        self.record()
        self.sender.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        self.connection.lose()
        self.connection.open()
        self.assertEqual(
            self.sender.only_unanswered().line, "GET recordings/live/message"
        )
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.receive_recording("RecordingFinished")
        self.assertEqual(self.ends, [DONE])
