"""The faults that a proxy applies to messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from tests.support.proxy.messages import MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.proxy.messages import Message


@dataclass(frozen=True)
class MessageFilter:
    """Selects messages.

    Attributes:
        kind: their kind.
        name: a part of their name; see `Message.name`.
        text: a part of an event's JSON, such as a channel's id.
        status: an answer's status; 0: any.
    """

    kind: MessageKind
    name: str = ""
    text: str = ""
    status: int = 0

    def matches(self, message: Message) -> bool:
        """Say whether it selects a message."""
        return (
            message.kind is self.kind
            and self.name in message.name
            and self.text in message.text
            and self.status in (0, message.status)
        )


def event(kind: str = "", text: str = "") -> MessageFilter:
    """Select events by a part of their type, and of their JSON."""
    return MessageFilter(MessageKind.EVENT, kind, text)


def request(name: str = "") -> MessageFilter:
    """Select requests by a part of their name: ``POST channels/1/answer``."""
    return MessageFilter(MessageKind.REQUEST, name)


def answer(name: str = "") -> MessageFilter:
    """Select the answers to such requests."""
    return MessageFilter(MessageKind.ANSWER, name)


HANDSHAKE = MessageFilter(MessageKind.ANSWER, "GET events?", status=101)
"""The answer that opens the daemon's websocket."""


def flip(data: bytes) -> bytes:
    """Invert every bit: the result is neither a frame nor an HTTP answer."""
    return bytes(byte ^ 0xFF for byte in data)


@dataclass(eq=False)
class Fault:
    """What a proxy does with the messages that a filter selects.

    Attributes:
        which: the filter.
        replace: returns what to forward in place of a message: pairs of a delay in
            seconds and bytes. Delayed bytes are overtaken by later messages.
        begins: the number of the first message that it applies to, from 1.
        times: the number of messages that it applies to.
        cuts_after: seconds from a message to the cut of all connections; 0: no cut.
        seen: the number of messages that the filter has selected.
        happened: fires when the fault is applied for the first time.
    """

    which: MessageFilter
    replace: Callable[[bytes], list[tuple[float, bytes]]]
    begins: int = 1
    times: float = float("inf")
    cuts_after: float = 0.0
    seen: int = 0
    happened: Deferred[None] = field(default_factory=Deferred)

    def applies_to(self, message: Message) -> bool:
        """Count a message, and say whether the fault applies to it."""
        if not self.which.matches(message):
            return False
        self.seen += 1
        return 0 <= self.seen - self.begins < self.times

    @property
    def count(self) -> int:
        """The number of messages that it was applied to."""
        return int(min(max(self.seen - self.begins + 1, 0), self.times))
