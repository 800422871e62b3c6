"""Session descriptions (RFC 4566) of one audio stream, PCMU and telephone-event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

TELEPHONE_EVENT = 101
"""The payload type of key presses (RFC 4733), which Asterisk uses, too."""


class Direction(Enum):
    """Who sends audio (RFC 3264, section 5.1), as the description's owner sees it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        return self in {Direction.SENDRECV, Direction.RECVONLY}

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        return next(
            each for each in cls if (each.sends, each.receives) == (sends, receives)
        )


@dataclass(frozen=True)
class SessionDescription:
    """Where one side receives audio, and in which directions it flows."""

    host: str
    port: int
    direction: Direction = Direction.SENDRECV

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
        direction = re.search(
            r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", text, re.MULTILINE
        )
        return cls(
            hosts[-1],
            int(audio[1]),
            Direction(direction[1]) if direction else Direction.SENDRECV,
        )

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
            f"a={self.direction.value}",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()
