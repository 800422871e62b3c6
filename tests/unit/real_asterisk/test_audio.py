"""`real_asterisk.phones.rtp` and `tones`: packets, keys, and who is heard."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from real_asterisk.phones.rtp import PCMU, AudioStream, RtpPacket, key_events
from real_asterisk.phones.sdp import TELEPHONE_EVENT
from real_asterisk.phones.tones import DECODED, TONES, heard, tone
from tests.support.udp_fakes import FakeUdpReactor

ASTERISK = ("127.0.0.1", 10020)
SILENCE = b"\xff" * 160


def mixed(*names: str) -> bytes:
    """Add tones as a conference does."""
    tones = [[DECODED[code] for code in tone(TONES[name])] for name in names]
    return bytes(
        min(range(256), key=lambda code: abs(DECODED[code] - sum(samples)))
        for samples in zip(*tones, strict=True)
    )


class ToneTests(SynchronousTestCase):
    def test_each_tone_is_heard_as_that_of_its_phone(self) -> None:
        for name, hertz in TONES.items():
            with self.subTest(name=name):
                self.assertEqual(heard(tone(hertz)), {name})

    def test_asterisks_sounds_are_heard(self) -> None:
        self.assertEqual(heard(tone(440)), {"asterisk"})

    def test_tones_of_a_conference_are_heard(self) -> None:
        self.assertEqual(heard(mixed("alice", "bob", "dave")), {"alice", "bob", "dave"})

    def test_silence_and_a_weak_tone_are_not_heard(self) -> None:
        self.assertEqual(heard(SILENCE), set())
        self.assertEqual(heard(tone(TONES["bob"])[:20] + SILENCE[20:]), set())

    def test_mu_law_is_decoded_as_in_the_tables_of_g711(self) -> None:
        extremes = [DECODED[code] for code in (0x00, 0x80, 0x7F, 0xFF, 0x0F, 0xEF)]
        self.assertEqual(extremes, [-32124, 32124, 0, 0, -16764, 132])


class RtpPacketTests(SynchronousTestCase):
    def test_formatted_packet_is_parsed_as_the_same(self) -> None:
        packet = RtpPacket(101, 65535, 2**32 - 1, 7, b"payload", marker=True)
        self.assertEqual(RtpPacket.parse(packet.to_bytes()), packet)

    def test_packet_is_formatted_as_in_rfc_3550(self) -> None:
        packet = RtpPacket(PCMU, 258, 160, 1, b"x")
        expected = bytes.fromhex("80 00 0102 000000a0 00000001 78")
        self.assertEqual(packet.to_bytes(), expected)

    def test_other_datagrams_are_refused(self) -> None:
        for datagram in (b"", b"\x80\x00", bytes(12)):
            with self.subTest(datagram=datagram):
                self.assertRaises(ValueError, RtpPacket.parse, datagram)


class AudioStreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeUdpReactor()
        self.stream = AudioStream(self.reactor.as_reactor, tone(TONES["alice"]))
        [self.port] = self.reactor.ports

    def receive(self, payload: bytes, times: int, *, kind: int = PCMU) -> None:
        packet = RtpPacket(kind, 1, 1, 1, payload)
        for _ in range(times):
            self.stream.datagramReceived(packet.to_bytes(), ASTERISK)

    def sent(self) -> list[RtpPacket]:
        sent = [RtpPacket.parse(datagram) for datagram, _ in self.port.sent]
        self.port.sent.clear()
        return sent

    def test_tone_is_sent_each_20_ms(self) -> None:
        self.stream.sends = True
        self.stream.connect(*ASTERISK)
        self.reactor.pump([0.02] * 5)
        packets = self.sent()
        self.assertEqual(len(packets), 6)
        first, second = packets[:2]
        self.assertEqual(second.timestamp - first.timestamp, 160)
        self.assertEqual(second.sequence - first.sequence, 1)
        self.assertEqual({packet.payload for packet in packets}, {tone(1000)})

    def test_nothing_is_sent_on_hold_or_after_the_end(self) -> None:
        self.stream.connect(*ASTERISK)
        self.reactor.pump([0.02] * 5)
        self.stream.close()
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_key_is_sent_instead_of_the_tone(self) -> None:
        self.stream.sends = True
        self.stream.press("5#")
        self.assertTrue(self.stream.is_pressing)
        self.stream.connect(*ASTERISK)
        self.reactor.pump([0.02] * 30)
        packets = self.sent()
        self.assertFalse(self.stream.is_pressing)
        keys = [each for each in packets if each.payload_type == TELEPHONE_EVENT]
        self.assertEqual(
            [packet.payload for packet in keys], [*key_events("5"), *key_events("#")]
        )
        # All packets of a key have its beginning's timestamp (RFC 4733, 2.5.1.2).
        self.assertEqual(len({packet.timestamp for packet in keys}), 2)
        self.assertEqual([packet.marker for packet in keys].count(True), 2)

    def test_received_key_counts_once(self) -> None:
        self.stream.connect(*ASTERISK)
        for event in key_events("*"):
            self.receive(event, 1, kind=TELEPHONE_EVENT)
        self.assertEqual(self.stream.keys, "*")

    def test_tone_is_heard_after_half_of_the_window(self) -> None:
        self.stream.connect(*ASTERISK)
        self.receive(tone(TONES["bob"]), 4)
        self.assertEqual(self.stream.hears, set())
        self.receive(tone(TONES["bob"]), 1)
        self.assertEqual(self.stream.hears, {"bob"})

    def test_tone_is_no_longer_heard_when_another_or_nothing_follows(self) -> None:
        self.stream.connect(*ASTERISK)
        self.receive(tone(TONES["bob"]), 10)
        self.receive(tone(TONES["carol"]), 6)
        self.assertEqual(self.stream.hears, {"carol"})
        self.reactor.advance(0.2)
        self.assertEqual(self.stream.hears, set())

    def test_nothing_is_heard_after_the_end(self) -> None:
        self.stream.connect(*ASTERISK)
        self.receive(tone(TONES["bob"]), 5)
        self.stream.close()
        self.receive(tone(TONES["bob"]), 5)
        self.assertEqual(self.stream.hears, set())

    def test_packets_from_elsewhere_are_ignored(self) -> None:
        self.stream.connect("127.0.0.1", 10022)
        self.receive(tone(TONES["bob"]), 10)
        self.assertEqual(self.stream.hears, set())
