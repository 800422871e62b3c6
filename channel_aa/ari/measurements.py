"""What a client reports of its own work, for metrics."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self
from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.requests import Request

_ACTIONS = frozenset(
    {
        *("create", "answer", "play", "record", "continue", "variable", "ring", "moh"),
        *("dial", "dtmf", "mute", "hold", "silence", "snoop", "externalMedia"),
        *("redirect", "move", "addChannel", "removeChannel", "control", "stored"),
        *("live", "copy", "stop", "pause", "subscription", "eventFilter", "info"),
    }
)
"""The words in paths that are no ids."""


class IMeasurements(Interface):
    """Is told what a client does; must not raise, and must be fast."""

    def request_sent(request: Request, failure: Failure | None) -> None:
        """Record a request that was answered, or failed."""

    def first_sound_began(seconds: float) -> None:
        """Record that a channel hears its first sound, so long after its entry."""

    def sound_stopped(seconds: float) -> None:
        """Record that a sound has ended so long after its stop was asked for."""

    def connected() -> None:
        """Record a connection to Asterisk."""


def kind_of(request: Request) -> str:
    """Return what a request does, without ids: ``POST channels/play``."""
    first, *others = request.path
    words = (first, *(each for each in others if each in _ACTIONS))
    return f"{request.method} {'/'.join(words)}"
