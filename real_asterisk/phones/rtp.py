"""RTP (RFC 3550): packets, key presses (RFC 4733), and the audio of one call."""

from __future__ import annotations

import struct
from collections import Counter, deque
from dataclasses import dataclass
from secrets import randbits
from typing import TYPE_CHECKING

from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import LoopingCall

from real_asterisk.phones.sdp import TELEPHONE_EVENT
from real_asterisk.phones.tones import SAMPLES, heard, is_sound

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

PCMU = 0
KEYS = "0123456789*#ABCD"
"""The keys, in the order of their events."""

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_PACKET_SECONDS = 0.02
_KEY_PACKETS = 5
_END_PACKETS = 3
_GAP_PACKETS = 5
_VOLUME = 10
_END_BIT = 0x80

_NOWHERE = ("127.0.0.1", 0)
_WINDOW = 10
_WINDOW_SECONDS = 0.2
"""How far back `AudioStream.hears` listens."""


@dataclass(frozen=True)
class RtpPacket:
    """A packet without padding, extension and contributing sources."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    @classmethod
    def parse(cls, datagram: bytes) -> RtpPacket:
        """Read a packet.

        Raises:
            ValueError: it is not one of version 2.
        """
        if len(datagram) < _HEADER.size or datagram[0] >> 6 != 2:
            raise ValueError(f"no RTP packet: {datagram[:20]!r}")
        flags, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
        start = _HEADER.size + 4 * (flags & 0x0F)
        marker, payload_type = bool(kind & 0x80), kind & 0x7F
        payload = datagram[start:]
        return cls(payload_type, sequence, timestamp, ssrc, payload, marker)

    def to_bytes(self) -> bytes:
        kind = self.payload_type | (0x80 if self.marker else 0)
        sequence, timestamp = self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF
        return _HEADER.pack(0x80, kind, sequence, timestamp, self.ssrc) + self.payload


def key_events(key: str) -> list[bytes]:
    """Return the payloads for a key that is pressed for 100 ms."""
    event = KEYS.index(key)
    pressed = [
        _EVENT.pack(event, _VOLUME, SAMPLES * number)
        for number in range(1, _KEY_PACKETS + 1)
    ]
    end = _EVENT.pack(event, _VOLUME | _END_BIT, SAMPLES * _KEY_PACKETS)
    return [*pressed, *[end] * _END_PACKETS]


class AudioStream(DatagramProtocol):
    """Sends a tone and keys over RTP, and listens.

    Args:
        reactor: the reactor that sends the packets, one each 20 ms.
        payload: the tone to send.

    Attributes:
        sends: whether the tone is sent.
        keys: the keys that were received.
        sounding: how many received packets of audio were not silent.
    """

    noisy = False

    def __init__(self, reactor: PosixReactorBase, payload: bytes) -> None:
        self.sends = False
        self.keys = ""
        self.sounding = 0
        self._reactor = reactor
        self._payload = payload
        self._remote = _NOWHERE
        self._packets: deque[tuple[float, frozenset[str]]] = deque(maxlen=_WINDOW)
        self._to_press: deque[bytes] = deque()
        self._ssrc = randbits(32)
        self._sequence = randbits(15)
        self._timestamp = randbits(31)
        self._pressed_since: int | None = None
        self._received_key: int | None = None
        self._ticker = LoopingCall.withCount(self._tick)
        self._ticker.clock = reactor
        self._socket = reactor.listenUDP(0, self, interface="127.0.0.1")

    @property
    def port(self) -> int:
        port: int = self._socket.getHost().port
        return port

    @property
    def hears(self) -> frozenset[str]:
        """Whose tones are in at least half of the last ten packets of 200 ms."""
        since = self._reactor.seconds() - _WINDOW_SECONDS
        counts = Counter(
            name for time, names in self._packets if time > since for name in names
        )
        return frozenset(name for name in counts if counts[name] >= _WINDOW / 2)

    @property
    def is_pressing(self) -> bool:
        return bool(self._to_press)

    def connect(self, host: str, port: int) -> None:
        """Send to an address from now on."""
        self._remote = (host, port)
        if not self._ticker.running:
            self._ticker.start(_PACKET_SECONDS)

    def press(self, keys: str) -> None:
        """Send keys, one after another, while no tone is sent."""
        for key in keys:
            self._to_press.extend([*key_events(key), *[b""] * _GAP_PACKETS])

    def close(self) -> None:
        """Close the socket, and send nothing more."""
        if self._ticker.running:
            self._ticker.stop()
        # Packets may still be read until the socket is closed.
        self._remote = _NOWHERE
        self._to_press.clear()
        self._packets.clear()
        self._socket.stopListening()

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802 - Twisted's name
        # Asterisk may still send audio of an earlier call to the same port, and RTCP.
        if addr != self._remote:
            return
        packet = RtpPacket.parse(datagram)
        if packet.payload_type == PCMU:
            now = self._reactor.seconds()
            self._packets.append((now, heard(packet.payload)))
            self.sounding += is_sound(packet.payload)
        elif packet.payload_type == TELEPHONE_EVENT:
            event, flags, _ = _EVENT.unpack_from(packet.payload)
            # All packets of a key have the timestamp of its beginning.
            if flags & _END_BIT and packet.timestamp != self._received_key:
                self._received_key = packet.timestamp
                self.keys += KEYS[event]

    def _tick(self, intervals: int) -> None:
        # After a pause of this process, the packets of the pause follow in a burst.
        for _ in range(min(intervals, _WINDOW)):
            self._timestamp += SAMPLES
            if self._to_press:
                self._send_key(self._to_press.popleft())
            elif self.sends:
                self._send(PCMU, self._payload, self._timestamp)

    def _send_key(self, event: bytes) -> None:
        """Send a packet of a key, or nothing in the gap after it."""
        if not event:
            self._pressed_since = None
            return
        is_first = self._pressed_since is None
        since = self._pressed_since = self._pressed_since or self._timestamp
        self._send(TELEPHONE_EVENT, event, since, marker=is_first)

    def _send(
        self, kind: int, payload: bytes, timestamp: int, *, marker: bool = False
    ) -> None:
        self._sequence += 1
        packet = RtpPacket(
            kind, self._sequence, timestamp, self._ssrc, payload, marker=marker
        )
        self._socket.write(packet.to_bytes(), self._remote)
