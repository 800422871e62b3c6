"""Session descriptions (RFC 4566) of one audio stream, PCMU and telephone-event."""

from __future__ import annotations

import re
from dataclasses import dataclass

TELEPHONE_EVENT = 101
"""The payload type of key presses (RFC 4733), which Asterisk uses, too."""


_DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}
"""The attributes for who sends audio (RFC 3264, section 5.1)."""


@dataclass(frozen=True)
class SessionDescription:
    """Where one side receives audio, and whether it sends and receives any."""

    host: str
    port: int
    sends: bool = True
    receives: bool = True

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """Read a description.

        Raises:
            ValueError: it has no address or no audio stream.
        """
        text = body.decode(errors="replace")
        hosts = re.findall(r"^c=IN IP4 ([\d.]+)", text, re.MULTILINE)
        audio = re.search(r"^m=audio (\d+) ", text, re.MULTILINE)
        if not hosts or audio is None:
            raise ValueError(f"no audio stream in {text!r}")
        for (sends, receives), name in _DIRECTIONS.items():
            if re.search(rf"^a={name}\s*$", text, re.MULTILINE):
                return cls(hosts[-1], int(audio[1]), sends, receives)
        return cls(hosts[-1], int(audio[1]))

    def to_bytes(self, version: int) -> bytes:
        """Format the description.

        Args:
            version: how many of this session came before it.
        """
        lines = [
            "v=0",
            f"o=- {self.port} {version} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP 0 {TELEPHONE_EVENT}",
            "a=rtpmap:0 PCMU/8000",
            f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000",
            f"a=fmtp:{TELEPHONE_EVENT} 0-16",
            "a=ptime:20",
            f"a={_DIRECTIONS[self.sends, self.receives]}",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()
