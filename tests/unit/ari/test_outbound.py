"""An outbound channel: its caller ID, its outcome, and its hangup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from channel_aa.ari.caller_id import caller_variables
from channel_aa.ari.outbound import is_outbound
from channel_aa.ari.wire.errors import RequestTimeoutError
from channel_aa.interfaces import (
    DialOutcome,
    HangupReason,
    IOutboundChannel,
    PlaybackEnd,
)
from tests.support.ari_cases import OutboundTestCase
from tests.support.listeners import RecordingListener

if TYPE_CHECKING:
    from channel_aa.ari.outbound import OutboundChannel
    from channel_aa.ari.playback import Playback

ANSWERED, BUSY = DialOutcome.ANSWERED, DialOutcome.BUSY
NO_ANSWER, UNAVAILABLE = DialOutcome.NO_ANSWER, DialOutcome.UNAVAILABLE
CONGESTION = DialOutcome.CONGESTION


NAME, NUMBER = "CONNECTEDLINE(name,i)", "CONNECTEDLINE(num,i)"


class CallerVariablesTests(SynchronousTestCase):
    def test_asterisks_copy_of_a_harmless_caller_id_is_kept(self) -> None:
        for name, number in (("Ann Ü", "+441632"), ("", "12"), ("", "")):
            self.assertEqual(caller_variables(label="", name=name, number=number), {})

    def test_label_precedes_the_name(self) -> None:
        for name, shown in {"Ann Ü": "Sales: Ann Ü", "": "Sales"}.items():
            self.assertEqual(
                caller_variables(label="Sales", name=name, number="12"), {NAME: shown}
            )

    def test_characters_that_a_phone_could_misread_are_left_out(self) -> None:
        self.assertEqual(
            caller_variables(label="", name='x" <900>\r\n\\', number="1>,2&3 <4"),
            {NAME: "x 900", NUMBER: "1234"},
        )

    def test_bidirectional_marks_are_removed(self) -> None:
        self.assertEqual(
            caller_variables(
                label="Sales", name="\u202egpj.exe\u2028\ud800", number=""
            ),
            {NAME: "Sales: gpj.exe"},
        )

    @given(st.text(), st.text(), st.text())
    def test_any_text_from_outside_is_made_harmless(
        self, label: str, name: str, number: str
    ) -> None:
        variables = caller_variables(label=label, name=name, number=number)
        shown = {NAME: name, NUMBER: number, **variables}
        self.assertLess(len(shown[NAME]), 81)
        self.assertTrue(shown[NAME].isprintable())
        self.assertFalse(set(shown[NAME]) & set('"<>\\'))
        self.assertRegex(shown[NUMBER], r"\A[A-Za-z0-9+*#._-]{0,40}\Z")

    def test_far_half_of_a_local_channel_is_not_outbound(self) -> None:
        self.assertTrue(is_outbound("channel-aa-dialled-1"))
        self.assertFalse(is_outbound("channel-aa-dialled-1;2"))
        self.assertFalse(is_outbound("1700000000.1"))


class OutcomeTests(OutboundTestCase):
    def test_originate_request_has_the_variables_in_its_body(self) -> None:
        variables = {"__A": "main>x,y"}
        phone = self.enter().dial("PJSIP/410", ring_seconds=20, variables=variables)
        sent = self.sender.only_unanswered()
        self.assertEqual(sent.request.body, {"variables": variables})
        sent.fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        again = self.sender.only_unanswered()
        self.assertEqual(again.request, sent.request)
        again.accept(b"{}")
        self.receive_destroyed(phone)

    def test_originate_request_names_the_caller_whose_id_the_phone_shows(self) -> None:
        caller = {"name": 'Ann "A"', "number": "555"}
        self.receive(
            "StasisStart", channel={"id": "c/1", "caller": caller, "name": "x"}, args=[]
        )
        phone = self.client.channels["c/1"].dial(
            "PJSIP/410", ring_seconds=20, label="Sales"
        )
        verifyObject(IOutboundChannel, phone)
        request = self.sender.only_unanswered().request
        self.assertEqual((request.method, request.path), ("POST", ("channels",)))
        self.assertEqual(request.body, {"variables": {NAME: "Sales: Ann A"}})
        self.assertEqual(
            request.query,
            {
                "endpoint": "PJSIP/410",
                "app": "channel-aa",
                "appArgs": phone.id,
                "channelId": phone.id,
                "originator": "c/1",
                "timeout": "20",
            },
        )
        self.receive_destroyed(phone)

    def test_own_caller_id_replaces_the_callers_and_the_label(self) -> None:
        phone = self.enter().dial(
            "PJSIP/410",
            ring_seconds=20,
            label="Sales",
            caller_id=("", "+44"),
            variables={"__A": "b"},
        )
        request = self.sender.only_unanswered().request
        shown = {NAME: "", NUMBER: "+44", "CONNECTEDLINE(pres,i)": "allowed"}
        self.assertEqual(request.body, {"variables": {"__A": "b", **shown}})
        self.receive_destroyed(phone)

    def test_channel_is_answered_when_it_enters_the_application(self) -> None:
        phone = self.dial()
        for status in ("", "RINGING", "ANSWER"):
            self.receive_dial(phone, status)
        self.assertEqual(self.outcomes, [])
        self.receive_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [ANSWERED])
        self.assertEqual(len(self.application.entered), 1)
        self.receive_channel("StasisEnd", phone.id)

    def test_channel_may_enter_before_the_response(self) -> None:
        phone = self.dial(is_accepted=False)
        self.receive_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [ANSWERED])
        self.sender.only_unanswered().accept(b"{}")
        self.receive_channel("StasisEnd", phone.id)
        self.receive_destroyed(phone, 16)
        self.assertEqual(self.outcomes, [ANSWERED])

    def test_dial_status_gives_the_outcome(self) -> None:
        for status, outcome in (
            ("BUSY", BUSY),
            ("CONGESTION", CONGESTION),
            ("CHANUNAVAIL", UNAVAILABLE),
        ):
            phone = self.dial()
            self.receive_dial(phone, "")
            self.receive_dial(phone, status)
            self.assertEqual(self.outcomes, [outcome])
            self.receive_destroyed(phone)
            self.assertEqual(self.client.outbound, {})

    def test_hangup_cause_gives_the_outcome_of_any_other_status(self) -> None:
        for cause, outcome in (
            (17, BUSY),
            (34, CONGESTION),
            (20, UNAVAILABLE),
            (1, UNAVAILABLE),
            (19, NO_ANSWER),
            (21, NO_ANSWER),
            (16, NO_ANSWER),
            (0, NO_ANSWER),
            (999, NO_ANSWER),
        ):
            phone = self.dial()
            self.receive_dial(phone, "")
            self.receive_dial(phone, "NOANSWER")
            self.assertEqual(self.outcomes, [])
            self.receive_destroyed(phone, cause)
            self.receive_destroyed(phone, cause)
            self.assertEqual(self.outcomes, [outcome])
            self.assertEqual(self.client.channels["c1"].outbound, set())

    def test_channel_that_ends_without_ringing_is_unavailable(self) -> None:
        phone = self.dial()
        self.receive_destroyed(phone, 0)
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_refused_request_is_logged_and_means_unavailable(self) -> None:
        for status in (400, 500):
            self.dial(is_accepted=False)
            self.sender.only_unanswered().refuse(status, "Allocation failed")
            self.assertEqual(self.outcomes, [UNAVAILABLE])
            self.assertEqual(self.client.outbound, {})
            [line] = self.log.texts()
            self.assertIn("Could not dial PJSIP/410", line)
            self.assertIn("Allocation failed", line)
            self.assertEqual("'pjsip show endpoint 410'" in line, status == 500)
            self.log.events.clear()

    def test_remedy_names_endpoint_or_channel_driver(self) -> None:
        for endpoint, words in (
            ("PJSIP/+441632960000@trunk", "'pjsip show endpoint trunk'"),
            ("PJSIP/410/sip:410@pbx", "'pjsip show endpoint 410'"),
            ("SIP/410", "a channel driver for SIP"),
        ):
            self.enter().dial(endpoint, ring_seconds=20)
            self.sender.only_unanswered().refuse(500, "Allocation failed")
            [line] = self.log.texts()
            self.assertIn(words, line)
            self.log.events.clear()

    def test_caller_who_has_hung_up_cannot_dial(self) -> None:
        channel = self.enter()
        self.receive_channel("ChannelHangupRequest")
        self.dial(channel, is_accepted=False)
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.assertEqual(self.sender.lines, [])


class HangupTests(OutboundTestCase):
    def test_channel_is_hung_up_once(self) -> None:
        phone = self.dial()
        phone.hang_up()
        phone.hang_up()
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)
        phone.hang_up()
        self.assertEqual(self.sender.unanswered, [])

    def test_first_reason_of_a_hangup_counts(self) -> None:
        for is_accepted in (True, False):
            phone = self.dial(is_accepted=is_accepted)
            phone.hang_up(HangupReason.ANSWERED_ELSEWHERE)
            phone.hang_up()
            self.receive_channel("ChannelHangupRequest")
            if not is_accepted:
                self.sender.only_unanswered().accept(b"{}")
            self.is_hung_up(phone, "answered_elsewhere")
            self.receive_channel("StasisEnd")

    def test_phone_that_picks_up_after_the_hangup_is_hung_up_for_its_reason(
        self,
    ) -> None:
        phone = self.dial()
        phone.hang_up(HangupReason.ANSWERED_ELSEWHERE)
        hangup = self.sender.only_unanswered()
        self.receive(
            "StasisStart",
            channel={"id": "new", "name": "x"},
            replace_channel={"id": phone.id, "name": "y"},
            args=[],
        )
        self.assertEqual(
            self.sender.unanswered[1].line,
            "DELETE channels/new?reason=answered_elsewhere",
        )
        self.sender.unanswered[1].accept()
        hangup.accept()
        self.assertEqual(self.client.outbound, {})

    def test_cancelling_the_outcome_hangs_up(self) -> None:
        phone = self.dial()
        phone.outcome.cancel()
        [failure] = self.outcomes
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)
        self.is_hung_up(phone)

    def test_callers_hangup_hangs_up(self) -> None:
        for kind in ("ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"):
            phone = self.dial()
            self.receive_channel(kind)
            self.assertEqual(self.outcomes, [NO_ANSWER])
            self.is_hung_up(phone)
            self.receive_channel("StasisEnd")

    def test_hangup_is_sent_after_the_response(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.assertEqual(len(self.sender.lines), 1)
        self.sender.only_unanswered().accept(b"{}")
        self.is_hung_up(phone)

    def test_hangup_is_sent_after_a_timed_out_request(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.is_hung_up(phone)

    def test_hangup_is_sent_after_a_failed_query(self) -> None:
        phone = self.dial(is_accepted=False)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        phone.hang_up()
        self.is_hung_up(phone)

    def test_answer_during_the_hangup_changes_nothing(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.receive_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)

    def test_channel_that_enters_after_it_was_given_up_is_hung_up(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.client.outbound, {})
        self.receive_channel("StasisStart", phone.id, args=[])
        self.is_hung_up(phone)
        self.assertEqual(len(self.application.entered), 1)

    def test_channel_of_a_forwarded_call_is_hung_up(self) -> None:
        """Asterisk then makes a channel of its own, with another id."""
        phone = self.dial()
        self.receive_destroyed(phone)
        self.receive_channel("StasisStart", "1700000000.1", args=[phone.id])
        self.assertEqual(
            self.sender.only_unanswered().line, "DELETE channels/1700000000.1"
        )
        self.sender.only_unanswered().accept()
        self.assertEqual(len(self.application.entered), 1)

    def test_hangup_without_a_response_is_sent_again(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.clock.advance(1)
        self.is_hung_up(phone)

    def test_failed_hangup_is_logged(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.sender.only_unanswered().refuse(500)
        [line] = self.log.texts()
        self.assertIn(f"Could not remove channel {phone.id} from Asterisk: ", line)


class SoundTests(OutboundTestCase):
    """Sounds and keys of a phone that has answered."""

    def setUp(self) -> None:
        super().setUp()
        self.phone = self.dial()
        self.receive_channel("StasisStart", self.phone.id, args=[])
        self.phone_listener = RecordingListener()
        self.phone.listener = self.phone_listener

    def play_on_phone(self) -> Playback:
        """Play a sound on it."""
        playback = self.phone.play("sound:x")
        request = self.sender.only_unanswered()
        self.assertEqual(
            request.line,
            f"POST channels/{self.phone.id}/play/{playback.id}?media=sound:x",
        )
        request.accept(b"{}")
        return playback

    def test_sound_is_played_and_stopped(self) -> None:
        playback = self.play_on_phone()
        playback.stop()
        stop = self.sender.only_unanswered()
        self.assertEqual(stop.line, f"DELETE playbacks/{playback.id}")
        stop.accept()
        self.receive_playback("PlaybackFinished", playback.id, "done")
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.DONE)
        self.receive_channel("StasisEnd", self.phone.id)

    def test_listener_gets_keys_and_the_hangup(self) -> None:
        self.receive_channel("ChannelDtmfReceived", self.phone.id, digit="1")
        self.assertEqual(self.phone_listener.log, ["dtmf 1"])
        self.receive_channel("ChannelHangupRequest", self.phone.id)
        self.assertEqual(self.phone_listener.log, ["dtmf 1", "hung up"])
        self.receive_channel("StasisEnd", self.phone.id)

    def test_end_of_the_phone_ends_its_sounds(self) -> None:
        playback = self.play_on_phone()
        self.receive_channel("StasisEnd", self.phone.id)
        self.assertEqual(self.phone_listener.log, ["hung up"])
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.FAILED)
        self.assertEqual(self.client.playbacks, {})

    def test_phone_that_is_gone_when_a_sound_is_requested_has_ended(self) -> None:
        playback = self.phone.play("sound:x")
        self.sender.only_unanswered().refuse(404, "Channel not found")
        self.assertEqual(self.phone_listener.log, ["hung up"])
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.FAILED)
        self.assertEqual(self.client.outbound, {})

    def test_sound_is_not_stopped_when_the_phone_is_hung_up(self) -> None:
        playback = self.play_on_phone()
        self.phone.hang_up()
        playback.stop()
        self.is_hung_up(self.phone)
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.FAILED)

    def test_sounds_end_when_another_program_takes_the_application_over(self) -> None:
        playback = self.play_on_phone()
        self.receive("ApplicationReplaced", application="channel-aa")
        self.assertEqual(self.phone_listener.log, ["hung up"])
        self.assertEqual(self.successResultOf(playback.finished), PlaybackEnd.FAILED)
        self.assertEqual(self.client.playbacks, {})


class QueryTests(OutboundTestCase):
    """Channels without events."""

    def test_silent_channel_is_queried_after_its_ring_time(self) -> None:
        phone = self.dial()
        self.receive_dial(phone, "")
        self.clock.advance(24.9)
        self.assertEqual(self.sender.unanswered, [])
        self.clock.advance(0.1)
        self.assertEqual(self.sender.only_unanswered().line, f"GET channels/{phone.id}")
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [NO_ANSWER])

    def test_channel_that_rings_for_ever_is_hung_up(self) -> None:
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone, "no_answer")

    def test_query_may_find_the_channel_answered(self) -> None:
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().accept(
            b'{"id":"x","state":"Up","dialplan":{"app_name":"Stasis"}}'
        )
        self.assertEqual(self.outcomes, [ANSWERED])
        self.receive_channel("StasisEnd", phone.id)

    def test_three_failed_queries_end_the_channel(self) -> None:
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.clock.advance(5)
        self.sender.only_unanswered().refuse(500)
        self.clock.advance(5)
        self.assertEqual(self.outcomes, [])
        self.sender.only_unanswered().accept(b'{"id":7}')
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)

    def test_failed_queries_after_the_ring_time_are_five_seconds_apart(self) -> None:
        phone = self.dial()
        self.clock.advance(27)
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.clock.advance(4.9)
        self.assertEqual(self.sender.unanswered, [])
        self.clock.advance(0.1)
        self.assertEqual(self.sender.only_unanswered().line, f"GET channels/{phone.id}")
        self.receive_destroyed(phone)

    def test_failed_channel_that_did_not_end_is_queried(self) -> None:
        phone = self.dial()
        self.receive_dial(phone, "BUSY")
        self.clock.advance(25)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Down"}')
        self.is_hung_up(phone, "no_answer")
        self.assertEqual(self.outcomes, [BUSY])

    def dial_with_unknown_outcome(self) -> tuple[OutboundChannel, str]:
        """Dial, and time the request out; return its line as well."""
        phone = self.dial(is_accepted=False)
        exchange = self.sender.only_unanswered()
        exchange.fail(RequestTimeoutError)
        question = self.sender.only_unanswered()
        self.assertEqual(question.line, f"GET channels/{phone.id}")
        return phone, exchange.line

    def test_channel_is_queried_after_a_timed_out_request(self) -> None:
        phone, _ = self.dial_with_unknown_outcome()
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [])
        self.receive_destroyed(phone, 17)
        self.assertEqual(self.outcomes, [BUSY])

    def test_channel_that_was_seen_is_not_dialled_again(self) -> None:
        """Its end was not reported."""
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual((self.sender.unanswered, self.outcomes), ([], [NO_ANSWER]))

        phone, _ = self.dial_with_unknown_outcome()
        self.receive_dial(phone, "RINGING")
        self.sender.only_unanswered().refuse(404)
        self.assertEqual((self.sender.unanswered, self.outcomes), ([], [NO_ANSWER]))

        phone, _ = self.dial_with_unknown_outcome()
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.clock.advance(25)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual((self.sender.unanswered, self.outcomes), ([], [NO_ANSWER]))

    def test_lost_request_is_sent_again_once(self) -> None:
        _, line = self.dial_with_unknown_outcome()
        self.sender.only_unanswered().refuse(404)
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, line)
        again.fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_lost_request_is_not_sent_again_after_a_hangup(self) -> None:
        phone, _ = self.dial_with_unknown_outcome()
        phone.hang_up()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.sender.unanswered, [])
        self.assertEqual(self.outcomes, [NO_ANSWER])

    def test_conflict_of_the_id_is_not_a_refusal(self) -> None:
        """The request was repeated on the way, for example."""
        phone = self.dial(is_accepted=False)
        self.sender.only_unanswered().refuse(409)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [])
        self.receive_destroyed(phone)

    def test_held_request_is_withdrawn_by_a_hangup(self) -> None:
        channel = self.enter()
        self.connection.lose()
        phone = self.dial(channel, is_accepted=False)
        self.assertEqual(self.sender.lines, [])
        phone.hang_up()
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.assertEqual(self.client.outbound, {})
        self.connection.open()
        self.assertEqual(self.sender.lines, [])

    def test_channel_is_queried_after_a_lost_connection(self) -> None:
        phone = self.dial()
        self.sender.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        self.connection.lose()
        self.clock.advance(30)
        self.assertEqual(self.sender.unanswered, [])
        self.connection.open()
        question = self.sender.only_unanswered()
        self.assertEqual(question.line, f"GET channels/{phone.id}")
        question.accept(b'{"id":"x","dialplan":{"app_name":"Stasis"}}')
        self.assertEqual(self.outcomes, [ANSWERED])
        self.receive_channel("StasisEnd", phone.id)
