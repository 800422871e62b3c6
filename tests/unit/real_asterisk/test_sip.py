"""`real_asterisk.phones.sip` and `sdp`: messages, addresses and descriptions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from real_asterisk.phones.sdp import SessionDescription
from real_asterisk.phones.sip import Address, Request, Response, SipError, parse

INVITE = (
    b"INVITE sip:bob@127.0.0.1:5062 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKabc\r\n"
    b'From: "Ada \\"A\\" Byron" <sip:0123@127.0.0.1>;tag=one\r\n'
    b"To: <sip:bob@127.0.0.1>\r\n"
    b"call-id: 17\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"Reason: SIP;cause=200;\r\n  text=folded\r\n"
    b"Reason: Q.850;cause=26\r\n"
    b"Content-Length: 4\r\n\r\nbody"
)
ANSWER = (
    b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 10020 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
)


class MessageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.invite = parse(INVITE)
        assert isinstance(self.invite, Request)

    def test_request_is_parsed(self) -> None:
        assert isinstance(self.invite, Request)
        self.assertEqual(self.invite.method, "INVITE")
        self.assertEqual(self.invite.uri, "sip:bob@127.0.0.1:5062")
        self.assertEqual(self.invite.get("Call-ID"), "17")
        self.assertEqual(self.invite.transaction, ("z9hG4bKabc", "INVITE"))
        self.assertEqual(self.invite.body, b"body")

    def test_header_may_be_repeated_folded_or_missing(self) -> None:
        reasons = ["SIP;cause=200; text=folded", "Q.850;cause=26"]
        self.assertEqual(self.invite.all("reason"), reasons)
        self.assertEqual(self.invite.get("Diversion"), "")

    def test_formatted_message_is_parsed_as_the_same(self) -> None:
        self.assertEqual(parse(self.invite.to_bytes()), self.invite)
        assert isinstance(self.invite, Request)
        response = Response.to(self.invite, 486, "two")
        self.assertEqual(parse(response.to_bytes()), response)

    def test_response_has_the_requests_headers_and_a_tag(self) -> None:
        assert isinstance(self.invite, Request)
        response = Response.to(self.invite, 180, "two")
        for name in ("Via", "From", "Call-ID", "CSeq"):
            self.assertEqual(response.get(name), self.invite.get(name))
        self.assertEqual(response.address("To").tag, "two")
        self.assertEqual(Response.to(self.invite, 100, "two").address("To").tag, "")

    def test_response_keeps_a_tag(self) -> None:
        request = Request(method="BYE", uri="sip:x", headers=[("To", "<sip:b>;tag=1")])
        self.assertEqual(Response.to(request, 200, "two").address("To").tag, "1")

    def test_invalid_message_is_refused(self) -> None:
        for datagram in (
            b"",
            b"\x80\x00",
            b"HELLO\r\n\r\n",
            b"A b SIP/2.0\r\nx\r\n\r\n",
        ):
            with self.subTest(datagram=datagram):
                self.assertRaises(SipError, parse, datagram)


class AddressTests(SynchronousTestCase):
    def test_address_is_parsed_and_formatted(self) -> None:
        address = Address.parse('"Ada \\"A\\" Byron" <sip:0123@127.0.0.1:5060>;tag=one')
        self.assertEqual(address.name, 'Ada "A" Byron')
        self.assertEqual((address.user, address.tag), ("0123", "one"))
        self.assertEqual(Address.parse(str(address)), address)

    def test_address_without_quotes_or_brackets_is_parsed(self) -> None:
        self.assertEqual(Address.parse("Bob <sip:bob@x>").name, "Bob")
        plain = Address.parse("sip:bob@x;tag=2")
        self.assertEqual((plain.uri, plain.user, plain.tag), ("sip:bob@x", "bob", "2"))

    def test_address_may_have_no_user(self) -> None:
        self.assertEqual(Address.parse("<sip:127.0.0.1:5060>").user, "")

    def test_other_text_is_refused(self) -> None:
        self.assertRaises(SipError, Address.parse, "")


class SessionDescriptionTests(SynchronousTestCase):
    def test_description_is_parsed(self) -> None:
        description = SessionDescription.parse(ANSWER)
        self.assertEqual(description, SessionDescription("127.0.0.1", 10020))

    def test_directions_are_parsed_and_formatted(self) -> None:
        for sends in (False, True):
            for receives in (False, True):
                offer = SessionDescription("127.0.0.1", 4, sends, receives)
                with self.subTest(offer=offer):
                    parsed = SessionDescription.parse(offer.to_bytes(1))
                    self.assertEqual(parsed, offer)

    def test_description_without_audio_is_refused(self) -> None:
        self.assertRaises(ValueError, SessionDescription.parse, b"v=0\r\n")
