"""A dialled phone, from the request until it is hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from channel_aa.ari.dialled import caller_id, is_phone
from channel_aa.ari.errors import ConnectionLostError, RequestTimeoutError, ServerError
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    IDialledPhone,
    TelephonyError,
)
from tests.unit.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from channel_aa.ari.channels import Channel
    from channel_aa.ari.dialled import DialledPhone

ANSWERED, BUSY = DialOutcome.ANSWERED, DialOutcome.BUSY
NO_ANSWER, UNAVAILABLE = DialOutcome.NO_ANSWER, DialOutcome.UNAVAILABLE
CONGESTION = DialOutcome.CONGESTION


class CallerIdTests(SynchronousTestCase):
    def test_the_label_stands_before_the_name(self) -> None:
        self.assertEqual(
            caller_id(label="Sales", name="Ann Ü", number="+441632"),
            '"Sales: Ann Ü" <+441632>',
        )
        self.assertEqual(caller_id(label="", name="", number="12"), '"" <12>')
        self.assertEqual(caller_id(label="Sales", name="", number=""), '"Sales" <>')
        self.assertEqual(caller_id(label="", name="", number=""), "")

    def test_nothing_ends_the_quotation(self) -> None:
        self.assertEqual(
            caller_id(label="", name='x" <900>\r\n\\', number="1>,2&3 <4"),
            '"x 900" <1234>',
        )

    def test_nothing_turns_the_direction_of_writing(self) -> None:
        self.assertEqual(
            caller_id(label="Sales", name="\u202egpj.exe\u2028\ud800", number=""),
            '"Sales: gpj.exe" <>',
        )

    @given(st.text(), st.text(), st.text())
    def test_whatever_comes_from_outside(
        self, label: str, name: str, number: str
    ) -> None:
        shown = caller_id(label=label, name=name, number=number)
        self.assertLess(len(shown), 130)
        if shown:
            self.assertEqual(shown.count('"'), 2)
            self.assertEqual((shown.count("<"), shown.count(">")), (1, 1))
            self.assertTrue(shown.endswith(">"))
        self.assertTrue(shown.isprintable())

    def test_the_far_half_of_a_phone_is_none(self) -> None:
        self.assertTrue(is_phone("channel-aa-dialled-1"))
        self.assertFalse(is_phone("channel-aa-dialled-1;2"))
        self.assertFalse(is_phone("1700000000.1"))


class PhoneTestCase(AriTestCase):
    def dial(
        self, channel: Channel | None = None, *, is_accepted: bool = True
    ) -> DialledPhone:
        phone = (channel or self.enter()).dial("PJSIP/410", ring_seconds=20)
        self.outcomes: list[object] = []
        phone.outcome.addBoth(self.outcomes.append)
        if is_accepted:
            self.sender.only_unanswered().accept(b"{}")
        return phone

    def hear_dial(self, phone: DialledPhone, status: str) -> None:
        self.hear("Dial", peer={"id": phone.id}, dialstatus=status)

    def hear_end(self, phone: DialledPhone, cause: int = 0) -> None:
        self.hear_channel("ChannelDestroyed", phone.id, cause=cause)

    def is_hung_up(self, phone: DialledPhone) -> None:
        """Take the request to hang it up, the only one, and answer it."""
        request = self.sender.only_unanswered()
        self.assertEqual(request.line, f"DELETE channels/{phone.id}")
        request.accept()
        self.assertEqual(self.client.phones, {})


class OutcomeTests(PhoneTestCase):
    def test_what_is_asked_for(self) -> None:
        caller = {"name": 'Ann "A"', "number": "555"}
        self.hear(
            "StasisStart", channel={"id": "c/1", "caller": caller, "name": "x"}, args=[]
        )
        phone = self.client.channels["c/1"].dial(
            "PJSIP/410", ring_seconds=20, label="Sales"
        )
        verifyObject(IDialledPhone, phone)
        request = self.sender.only_unanswered().request
        self.assertEqual((request.method, request.path), ("POST", ("channels",)))
        self.assertEqual(
            request.query,
            {
                "endpoint": "PJSIP/410",
                "app": "channel-aa",
                "appArgs": phone.id,
                "channelId": phone.id,
                "originator": "c/1",
                "timeout": "20",
                "callerId": '"Sales: Ann A" <555>',
            },
        )
        self.hear_end(phone)

    def test_it_is_answered_when_it_is_in_the_application(self) -> None:
        phone = self.dial()
        for status in ("", "RINGING", "ANSWER"):
            self.hear_dial(phone, status)
        self.assertEqual(self.outcomes, [])
        self.hear_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [ANSWERED])
        self.assertEqual(len(self.application.entered), 1)
        self.hear_channel("StasisEnd", phone.id)

    def test_the_answer_may_overtake_the_requests_answer(self) -> None:
        phone = self.dial(is_accepted=False)
        self.hear_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [ANSWERED])
        self.sender.only_unanswered().accept(b"{}")
        self.hear_channel("StasisEnd", phone.id)
        self.hear_end(phone, 16)
        self.assertEqual(self.outcomes, [ANSWERED])

    def test_what_is_told_while_dialling_counts(self) -> None:
        for status, outcome in (
            ("BUSY", BUSY),
            ("CONGESTION", CONGESTION),
            ("CHANUNAVAIL", UNAVAILABLE),
        ):
            phone = self.dial()
            self.hear_dial(phone, "")
            self.hear_dial(phone, status)
            self.assertEqual(self.outcomes, [outcome])
            self.hear_end(phone)
            self.assertEqual(self.client.phones, {})

    def test_otherwise_the_cause_counts(self) -> None:
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
            self.hear_dial(phone, "")
            self.hear_dial(phone, "NOANSWER")
            self.assertEqual(self.outcomes, [])
            self.hear_end(phone, cause)
            self.hear_end(phone, cause)
            self.assertEqual(self.outcomes, [outcome])

    def test_one_that_never_rang_is_not_there(self) -> None:
        phone = self.dial()
        self.hear_end(phone, 0)
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_a_refusal_is_logged_and_means_unavailable(self) -> None:
        for status in (400, 500):
            self.dial(is_accepted=False)
            self.sender.only_unanswered().refuse(status, "Allocation failed")
            self.assertEqual(self.outcomes, [UNAVAILABLE])
            self.assertEqual(self.client.phones, {})
            [line] = self.log.texts()
            self.assertIn("PJSIP/410 cannot be dialled", line)
            self.assertIn("Allocation failed", line)
            self.log.events.clear()

    def test_one_dialled_for_a_caller_who_has_hung_up_never_rings(self) -> None:
        channel = self.enter()
        self.hear_channel("ChannelHangupRequest")
        self.dial(channel, is_accepted=False)
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.assertEqual(self.sender.lines, [])


class HangupTests(PhoneTestCase):
    def test_it_is_hung_up_once(self) -> None:
        phone = self.dial()
        phone.hang_up()
        phone.hang_up()
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)
        phone.hang_up()
        self.assertEqual(self.sender.unanswered, [])

    def test_giving_up_waiting_hangs_it_up(self) -> None:
        phone = self.dial()
        phone.outcome.cancel()
        [failure] = self.outcomes
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)
        self.is_hung_up(phone)

    def test_a_caller_who_hangs_up_hangs_it_up(self) -> None:
        for kind in ("ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"):
            phone = self.dial()
            self.hear_channel(kind)
            self.assertEqual(self.outcomes, [NO_ANSWER])
            self.is_hung_up(phone)
            self.hear_channel("StasisEnd")

    def test_not_before_asterisk_knows_it(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.assertEqual(len(self.sender.lines), 1)
        self.sender.only_unanswered().accept(b"{}")
        self.is_hung_up(phone)

    def test_though_the_request_was_not_answered(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.is_hung_up(phone)

    def test_an_answer_at_that_moment_changes_nothing(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.hear_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)

    def test_one_that_was_given_up_and_answers_all_the_same_is_hung_up(self) -> None:
        phone = self.dial(is_accepted=False)
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.client.phones, {})
        self.hear_channel("StasisStart", phone.id, args=[])
        self.is_hung_up(phone)
        self.assertEqual(len(self.application.entered), 1)

    def test_a_phone_that_passes_the_call_on_is_no_caller(self) -> None:
        """Asterisk then makes a channel of its own, with another id."""
        phone = self.dial()
        self.hear_end(phone)
        self.hear_channel("StasisStart", "1700000000.1", args=[phone.id])
        self.assertEqual(
            self.sender.only_unanswered().line, "DELETE channels/1700000000.1"
        )
        self.sender.only_unanswered().accept()
        self.assertEqual(len(self.application.entered), 1)

    def test_a_hangup_without_an_answer_is_sent_again(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.clock.advance(1)
        self.is_hung_up(phone)

    def test_a_hangup_that_fails_is_logged(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.sender.only_unanswered().refuse(500)
        [line] = self.log.texts()
        self.assertIn("left behind", line)


class DoubtTests(PhoneTestCase):
    """What happens where Asterisk says nothing."""

    def test_one_that_says_nothing_is_asked_after_in_the_end(self) -> None:
        phone = self.dial()
        self.hear_dial(phone, "")
        self.clock.advance(24.9)
        self.assertEqual(self.sender.unanswered, [])
        self.clock.advance(0.1)
        self.assertEqual(self.sender.only_unanswered().line, f"GET channels/{phone.id}")
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [NO_ANSWER])

    def test_one_that_rings_for_ever_is_hung_up(self) -> None:
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone)

    def test_one_found_to_be_answered_is_answered(self) -> None:
        phone = self.dial()
        self.clock.advance(25)
        self.sender.only_unanswered().accept(
            b'{"id":"x","state":"Up","dialplan":{"app_name":"Stasis"}}'
        )
        self.assertEqual(self.outcomes, [ANSWERED])
        self.hear_channel("StasisEnd", phone.id)

    def test_no_usable_answer_three_times_gives_it_up(self) -> None:
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

    def test_one_that_failed_and_never_ended_is_asked_after(self) -> None:
        phone = self.dial()
        self.hear_dial(phone, "BUSY")
        self.clock.advance(25)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Down"}')
        self.is_hung_up(phone)
        self.assertEqual(self.outcomes, [BUSY])

    def dial_in_doubt(self) -> tuple[DialledPhone, str]:
        """Dial, and lose the answer; the line is that of the request."""
        phone = self.dial(is_accepted=False)
        exchange = self.sender.only_unanswered()
        exchange.fail(RequestTimeoutError)
        question = self.sender.only_unanswered()
        self.assertEqual(question.line, f"GET channels/{phone.id}")
        return phone, exchange.line

    def test_a_request_in_doubt_is_asked_after(self) -> None:
        phone, _ = self.dial_in_doubt()
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [])
        self.hear_end(phone, 17)
        self.assertEqual(self.outcomes, [BUSY])

    def test_one_that_was_lost_is_made_again_once(self) -> None:
        _, line = self.dial_in_doubt()
        self.sender.only_unanswered().refuse(404)
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, line)
        again.fail(RequestTimeoutError)
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_one_that_nobody_wants_any_more_is_not(self) -> None:
        phone, _ = self.dial_in_doubt()
        phone.hang_up()
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.sender.unanswered, [])
        self.assertEqual(self.outcomes, [NO_ANSWER])

    def test_an_id_in_use_is_no_refusal(self) -> None:
        """The request was repeated on the way, for example."""
        phone = self.dial(is_accepted=False)
        self.sender.only_unanswered().refuse(409)
        self.sender.only_unanswered().accept(b'{"id":"x","state":"Ringing"}')
        self.assertEqual(self.outcomes, [])
        self.hear_end(phone)

    def test_one_that_waits_for_the_connection_can_be_taken_back(self) -> None:
        channel = self.enter()
        self.connection.lose()
        phone = self.dial(channel, is_accepted=False)
        self.assertEqual(self.sender.lines, [])
        phone.hang_up()
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.assertEqual(self.client.phones, {})
        self.connection.open()
        self.assertEqual(self.sender.lines, [])

    def test_after_a_lost_connection_it_is_asked_after(self) -> None:
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
        self.hear_channel("StasisEnd", phone.id)


class ConversationTests(PhoneTestCase):
    def answered(self) -> DialledPhone:
        phone = self.dial()
        self.hear_channel("StasisStart", phone.id, args=[])
        return phone

    def connect(self, *, is_set_up: bool = True) -> DialledPhone:
        phone = self.answered()
        self.overs: list[object] = []
        self.over = phone.connect()
        self.over.addBoth(self.overs.append)
        [self.bridge] = self.client.conversations
        if is_set_up:
            self.sender.only_unanswered().accept(b"{}")
            self.sender.only_unanswered().accept()
        return phone

    def leave_bridge(self, channel_id: str) -> None:
        self.hear(
            "ChannelLeftBridge", bridge={"id": self.bridge}, channel={"id": channel_id}
        )

    def answer_removals(self, *lines: str) -> None:
        self.assertEqual(
            {each.line for each in self.sender.unanswered}, set(lines), lines
        )
        for exchange in self.sender.unanswered:
            exchange.accept()

    def test_both_are_brought_together_over_one_bridge(self) -> None:
        phone = self.connect()
        self.assertEqual(
            self.sender.lines[1:],
            [
                f"POST bridges/{self.bridge}?type=mixing&name=channel-aa%20channel-aa",
                f"POST bridges/{self.bridge}/addChannel?channel=c1%2C{phone.id}",
            ],
        )
        self.assertEqual(self.overs, [])
        self.hear_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_a_bridge_that_is_there_already_will_do(self) -> None:
        self.connect(is_set_up=False)
        self.sender.only_unanswered().refuse(409)
        self.sender.only_unanswered().accept()
        self.assertEqual(self.overs, [])
        self.end()

    def test_who_may_be_in_it_already_is_looked_for_there(self) -> None:
        for there in ("both", "one", "who knows"):
            phone = self.connect(is_set_up=False)
            self.sender.only_unanswered().accept(b"{}")
            add = self.sender.only_unanswered()
            add.fail(RequestTimeoutError)
            question = self.sender.only_unanswered()
            self.assertEqual(question.line, f"GET bridges/{self.bridge}")
            answers = {
                "both": f'{{"id":"x","channels":["{phone.id}","c1"]}}',
                "one": '{"id":"x","channels":["c1"]}',
                "who knows": '{"id":"x","channels":7}',
            }
            question.accept(answers[there].encode())
            if there != "both":
                again = self.sender.only_unanswered()
                self.assertEqual(again.line, add.line)
                again.accept()
            self.assertEqual(self.sender.unanswered, [])
            self.end()

    def test_who_cannot_be_brought_together_is_told_so(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        for _ in range(2):
            self.sender.only_unanswered().fail(RequestTimeoutError)
            self.sender.only_unanswered().accept(b'{"id":"x","channels":[]}')
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), RequestTimeoutError)

    def end(self) -> None:
        """Let the caller leave the bridge, and answer what that leads to."""
        self.leave_bridge("c1")
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual(self.overs, [None])
        self.overs.clear()

    def test_it_is_over_when_either_leaves_the_bridge(self) -> None:
        for leaver in ("phone", "caller"):
            phone = self.connect()
            self.leave_bridge("somebody-else")
            self.assertEqual(self.sender.unanswered, [])
            self.leave_bridge(phone.id if leaver == "phone" else "c1")
            self.answer_removals(
                f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
            )
            self.assertEqual(self.overs, [None])
            self.assertEqual(self.client.conversations, {})
            self.assertIn("c1", self.client.channels)

    def test_a_caller_who_hangs_up_ends_it(self) -> None:
        phone = self.connect()
        self.hear_channel("ChannelHangupRequest")
        self.leave_bridge("c1")
        self.hear_channel("StasisEnd")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), ChannelGoneError)

    def test_giving_it_up_ends_it(self) -> None:
        phone = self.connect()
        self.over.cancel()
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )

    def test_the_bridge_is_not_removed_before_it_is_made(self) -> None:
        phone = self.connect(is_set_up=False)
        making = self.sender.only_unanswered()
        phone.hang_up()
        self.assertEqual(
            [each.line for each in self.sender.unanswered[1:]],
            [f"DELETE channels/{phone.id}"],
        )
        self.sender.unanswered[1].accept()
        making.accept(b"{}")
        self.answer_removals(f"DELETE bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_a_phone_that_is_gone_already_ends_it_at_once(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().refuse(400, "Channel not found")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        self.assertEqual(self.overs, [None])

    def test_one_that_cannot_begin_says_why(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().refuse(500)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), ServerError)

    def test_without_an_answer_it_is_set_up_again(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.clock.advance(1)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().fail(ConnectionLostError, may_be_done=False)
        self.clock.advance(1)
        self.sender.only_unanswered().accept()
        self.assertEqual(self.overs, [])
        self.hear_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_only_what_was_answered_can_be_connected(self) -> None:
        phone = self.dial()
        self.failureResultOf(phone.connect(), TelephonyError)
        self.hear_end(phone)
        self.successResultOf(phone.connect())
        phone = self.connect()
        self.failureResultOf(phone.connect(), TelephonyError)
        self.hear_channel("StasisEnd")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        self.failureResultOf(phone.connect(), ChannelGoneError)

    def reconnect(self, *members: str) -> None:
        listed = ",".join(f'"{each}"' for each in members)
        name = self.client.bridge_name
        bridge = f'{{"id":"{self.bridge}","name":"{name}","channels":[{listed}]}}'
        self.sender.answers["GET bridges"] = f"[{bridge}]".encode()
        self.sender.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        self.connection.lose()
        self.connection.open()

    def test_after_a_lost_connection_it_goes_on(self) -> None:
        phone = self.connect()
        self.sender.answers[f"GET channels/{phone.id}"] = b'{"id":"x"}'
        self.reconnect("c1", phone.id)
        self.assertEqual(self.overs, [])
        self.assertEqual(self.sender.unanswered, [])
        self.hear_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_one_that_comes_about_while_bridges_are_listed_is_not_over(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.answers[f"GET channels/{phone.id}"] = b'{"id":"x"}'
        self.sender.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        del self.sender.answers["GET bridges"]
        self.connection.lose()
        self.connection.open()
        exchanges = {each.line.split("?")[0]: each for each in self.sender.unanswered}
        asked = exchanges[f"GET bridges/{self.bridge}"]
        asked.accept(f'{{"id":"x","channels":["c1","{phone.id}"]}}'.encode())
        name = self.client.bridge_name
        bridge = f'{{"id":"{self.bridge}","name":"{name}","channels":["c1"]}}'
        exchanges["GET bridges"].accept(f"[{bridge}]".encode())
        self.assertEqual(self.overs, [])
        self.hear_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_or_has_ended_meanwhile(self) -> None:
        phone = self.connect()
        self.reconnect("c1")
        self.answer_removals(
            f"DELETE channels/{phone.id}",
            f"DELETE bridges/{self.bridge}",
        )
        self.assertEqual(self.overs, [None])

    def test_stopping_leaves_it_standing(self) -> None:
        self.connect()
        self.successResultOf(self.client.stopService())
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), ChannelGoneError)
        self.assertEqual(self.sender.unanswered, [])
        self.assertFalse(any(line.startswith("DELETE") for line in self.sender.lines))
        self.assert_nothing_left()

    def test_stopping_hangs_a_phone_up_that_rings(self) -> None:
        phone = self.dial()
        stopped = self.client.stopService()
        self.assertNoResult(stopped)
        self.is_hung_up(phone)
        self.successResultOf(stopped)

    def test_stopping_does_not_wait_for_ever(self) -> None:
        self.dial()
        stopped = self.client.stopService()
        self.clock.advance(2)
        self.successResultOf(stopped)
        self.assert_nothing_left()
