"""`SipPhone` and `Call`: what they send to a scripted Asterisk."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import SipPhone
from real_asterisk.phones.sdp import SessionDescription
from real_asterisk.phones.sip import Message, Request, Response, parse
from tests.support.udp_fakes import FakeUdpReactor

ASTERISK = ("127.0.0.1", 5060)
SDP = SessionDescription("127.0.0.1", 10020).to_bytes(1)


class PhoneTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeUdpReactor()
        self.phone = SipPhone(self.reactor.as_reactor, ASTERISK[1], "alice")
        [self.port] = self.reactor.ports

    def sent(self) -> list[Request | Response]:
        """Take the messages that the phone has sent."""
        sent = [parse(datagram) for datagram, _ in self.port.sent]
        self.port.sent.clear()
        return sent

    def start_lines(self) -> list[str]:
        return [message.start_line.strip() for message in self.sent()]

    def request(self) -> Request:
        """Take the request that the phone has sent."""
        [request] = self.sent()
        assert isinstance(request, Request)
        return request

    def receive(self, message: Message) -> None:
        self.port.protocol.datagramReceived(message.to_bytes(), ASTERISK)

    def respond(self, request: Request, status: int, *, sdp: bytes = b"") -> None:
        response = Response.to(request, status, "asterisk")
        response.headers.append(("Contact", "<sip:127.0.0.1:5060>"))
        response.set_sdp(sdp)
        self.receive(response)

    def receive_request(self, method: str, branch: str, *, sdp: bytes = b"") -> None:
        """Receive a request of the call from Asterisk."""
        request = Request(
            method=method,
            uri="sip:alice@127.0.0.1",
            headers=[
                ("Via", f"SIP/2.0/UDP 127.0.0.1:5060;branch={branch}"),
                ("From", '"Bob" <sip:bob@127.0.0.1>;tag=asterisk'),
                ("To", "<sip:alice@127.0.0.1>"),
                ("Call-ID", "the-call"),
                ("CSeq", f"1 {method}"),
                ("Contact", "<sip:127.0.0.1:5060>"),
                ("Reason", "Q.850;cause=26"),
            ],
        )
        request.set_sdp(sdp)
        self.receive(request)


class PlacedCallTests(PhoneTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.call = self.phone.dial("bob")
        self.invite = self.request()

    def answer(self) -> None:
        self.respond(self.invite, 200, sdp=SDP)
        self.assertEqual(self.request().method, "ACK")

    def test_call_is_up_when_it_is_answered(self) -> None:
        self.respond(self.invite, 180)
        self.assertIs(self.call.state, State.RINGING)
        self.answer()
        self.assertIs(self.call.state, State.UP)

    def test_repeated_final_responses_are_acknowledged_again(self) -> None:
        for status in (200, 486):
            with self.subTest(status=status):
                self.phone.dial("bob")
                invite = self.request()
                self.respond(invite, status, sdp=SDP if status == 200 else b"")
                first = self.request()
                self.respond(invite, status)
                self.assertEqual(self.request(), first)
                self.assertEqual(first.get("CSeq"), "1 ACK")

    def test_call_without_a_response_ends(self) -> None:
        self.reactor.advance(32)
        self.assertIs(self.call.state, State.ENDED)
        self.assertEqual(self.call.status, 408)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cancel_is_not_sent_before_a_response(self) -> None:
        ended = Deferred.fromCoroutine(self.call.hang_up())
        self.assertEqual(self.sent(), [])
        self.respond(self.invite, 100)
        cancel = self.request()
        self.assertEqual(cancel.method, "CANCEL")
        self.assertEqual(cancel.get("Via"), self.invite.get("Via"))
        self.respond(cancel, 200)
        self.respond(self.invite, 487)
        self.assertEqual(self.request().method, "ACK")
        self.reactor.advance(0.1)
        self.successResultOf(ended)

    def test_call_that_is_answered_in_spite_of_cancel_is_hung_up(self) -> None:
        ended = Deferred.fromCoroutine(self.call.hang_up())
        self.respond(self.invite, 200, sdp=SDP)
        ack, bye = self.sent()
        self.assertEqual(ack.cseq_method, "ACK")
        assert isinstance(bye, Request)
        self.assertEqual(bye.method, "BYE")
        self.respond(bye, 200)
        self.reactor.advance(0.1)
        self.successResultOf(ended)

    def test_hold_is_tried_again_after_491(self) -> None:
        self.answer()
        held = Deferred.fromCoroutine(self.call.hold())
        first = self.request()
        self.assertFalse(SessionDescription.parse(first.body).receives)
        self.respond(first, 491)
        self.assertEqual(self.request().method, "ACK")
        self.reactor.advance(0.5)
        self.respond(self.request(), 200, sdp=SDP)
        self.assertEqual(self.request().method, "ACK")
        self.successResultOf(held)

    def test_refer_names_the_replaced_dialog_as_asterisk_sees_it(self) -> None:
        self.answer()
        consultation = self.phone.dial("carol")
        self.respond(self.request(), 200, sdp=SDP)
        self.sent()
        Deferred.fromCoroutine(self.call.attended_transfer(consultation))
        dialog = consultation.dialog
        expected = (
            f"<sip:carol@127.0.0.1:5060?Replaces={dialog.call_id}"
            f"%3Bto-tag%3Dasterisk%3Bfrom-tag%3D{dialog.local.tag}>"
        )
        self.assertEqual(self.request().get("Refer-To"), expected)


class ReceivedCallTests(PhoneTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.receive_request("INVITE", "one", sdp=SDP)
        [self.call] = self.phone.calls

    def test_call_rings_by_default(self) -> None:
        self.assertEqual(self.start_lines(), ["SIP/2.0 100", "SIP/2.0 180"])
        self.assertEqual(self.call.remote_party.name, "Bob")

    def test_repeated_request_gets_the_same_response(self) -> None:
        self.sent()
        self.receive_request("INVITE", "one", sdp=SDP)
        self.assertEqual(self.start_lines(), ["SIP/2.0 180"])
        self.assertEqual(self.phone.calls, [self.call])

    def test_call_is_up_when_the_answer_is_acknowledged(self) -> None:
        self.call.answer()
        self.assertIs(self.call.state, State.RINGING)
        self.receive_request("ACK", "two")
        self.assertIs(self.call.state, State.UP)

    def test_cancelled_call_knows_the_reason(self) -> None:
        self.sent()
        self.receive_request("CANCEL", "one")
        self.assertEqual(self.start_lines(), ["SIP/2.0 200", "SIP/2.0 487"])
        self.assertIs(self.call.state, State.ENDED)
        self.assertEqual(self.call.reasons, ["Q.850;cause=26"])

    def test_offer_of_hold_is_answered_in_kind(self) -> None:
        self.call.answer()
        self.receive_request("ACK", "two")
        self.sent()
        held = SessionDescription("127.0.0.1", 10020, sends=True, receives=False)
        self.receive_request("INVITE", "three", sdp=held.to_bytes(2))
        [response] = self.sent()
        answer = SessionDescription.parse(response.body)
        self.assertEqual((answer.sends, answer.receives), (False, True))
        self.assertFalse(self.call.audio.sends)

    def test_requests_of_an_ended_call_are_refused(self) -> None:
        self.call.reject()
        self.sent()
        for method in ("BYE", "INVITE"):
            self.receive_request(method, f"later-{method}")
        self.assertEqual(self.start_lines(), ["SIP/2.0 481", "SIP/2.0 481"])

    def test_call_that_is_answered_twice_is_an_error(self) -> None:
        self.call.answer()
        self.assertRaises(AssertionError, self.call.answer)


class PhoneTests(PhoneTestCase):
    def test_options_are_answered(self) -> None:
        self.receive_request("OPTIONS", "one")
        self.assertEqual(self.start_lines(), ["SIP/2.0 200"])

    def test_request_of_an_unknown_call_is_refused(self) -> None:
        self.receive_request("BYE", "one")
        self.assertEqual(self.start_lines(), ["SIP/2.0 481"])

    def test_behaviour_may_be_to_send_nothing(self) -> None:
        self.phone.on_call = bool
        self.receive_request("INVITE", "one", sdp=SDP)
        self.assertEqual(self.start_lines(), ["SIP/2.0 100"])

    def test_closed_phone_has_no_socket_and_no_timer(self) -> None:
        self.phone.on_call = Call.answer
        self.phone.dial("bob")
        self.receive_request("INVITE", "one", sdp=SDP)
        closed = Deferred.fromCoroutine(self.phone.close())
        self.reactor.pump([0.1] * 40)
        self.successResultOf(closed)
        self.assertFalse(any(port.is_open for port in self.reactor.ports))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
