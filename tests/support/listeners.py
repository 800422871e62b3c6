"""An application and its listeners that record what the ARI client calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.interfaces import IChannelListener, IStasisApplication

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channel_aa.interfaces import IChannel


@implementer(IChannelListener)
class RecordingListener:
    """Records the methods called for a channel.

    Attributes:
        log: a line for each call: ``dtmf 1``, ``hung up``.
        raising: the lines' first words for which the method also raises an error.
        arguments: the arguments that the channel entered with.
        is_adopted: whether the client adopted the channel.
    """

    def __init__(
        self, arguments: Sequence[str] = (), *, is_adopted: bool = False
    ) -> None:
        self.arguments = tuple(arguments)
        self.is_adopted = is_adopted
        self.log: list[str] = []
        self.raising: set[str] = set()

    def _record(self, name: str, *arguments: str) -> None:
        self.log.append(" ".join([name, *arguments]))
        if name in self.raising:
            raise RuntimeError(f"{name} went wrong")

    def dtmf_received(self, digit: str) -> None:
        self._record("dtmf", digit)

    def reconnected(self) -> None:
        self._record("reconnected")

    def hung_up(self) -> None:
        self._record("hung up")

    def left(self) -> None:
        self._record("left")


@implementer(IStasisApplication)
class RecordingApplication:
    """Takes every channel, and records what happens to it.

    Args:
        make_listener: makes the listener of a channel, where a plain
            `RecordingListener` will not do.

    Attributes:
        entered: the id and the arguments of each channel, in the order of entry.
        adopted: the ids of those that the client adopted.
        listeners: the listeners by channel id.
        times_replaced: how often another program took the application's name.
        is_raising: whether `channel_entered` raises an error.
    """

    def __init__(
        self, make_listener: Callable[[IChannel], RecordingListener] | None = None
    ) -> None:
        self.entered: list[tuple[str, tuple[str, ...]]] = []
        self.adopted: list[str] = []
        self.times_replaced = 0
        self.listeners: dict[str, RecordingListener] = {}
        self.is_raising = False
        self._make_listener = make_listener

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> RecordingListener:
        self.entered.append((channel.id, tuple(arguments)))
        if adopted:
            self.adopted.append(channel.id)
        if self.is_raising:
            raise RuntimeError("channel_entered went wrong")
        if self._make_listener is None:
            listener = RecordingListener(arguments, is_adopted=adopted)
        else:
            listener = self._make_listener(channel)
        self.listeners[channel.id] = listener
        return listener

    def replaced(self) -> None:
        self.times_replaced += 1
