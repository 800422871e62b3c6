"""The handles of what the client follows in Asterisk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

from channel_aa.ari.wire.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.cleanup import Cleanup
    from channel_aa.ari.wire.retry import RetryingSender

CHECK_SECONDS = 10.0
"""How long to wait for the end of a playback before checking on it."""

STOPPED_CHECK_SECONDS = 2.0
"""The same, once the playback has been stopped and should end at once."""


class Handle(Protocol):
    """A channel, playback, … of Asterisk; its id is unique among its class."""

    @property
    def id(self) -> str:
        """Its id in Asterisk."""

    def __hash__(self) -> int: ...


class Checkable(Handle, Protocol):
    """A handle whose state can be checked with Asterisk."""

    def check(self) -> Deferred[None]:
        """Query its state."""


H = TypeVar("H", bound=Handle)


class Registry:
    """The handles by their class and id: whom an event is about.

    A handle adds itself when its request is sent, and discards itself at its end.
    """

    def __init__(self) -> None:
        self._tables: dict[type, dict[str, Any]] = {}

    def table(self, kind: type[H]) -> Mapping[str, H]:
        """Return the handles of a class by id: a live view, to be read only."""
        return self._tables.setdefault(kind, {})

    def add(self, handle: Handle) -> None:
        """Add a handle, in place of an earlier one with its id."""
        self._tables.setdefault(type(handle), {})[handle.id] = handle

    def discard(self, handle: Handle) -> None:
        """Remove a handle, unless it is not there or another has replaced it."""
        table = self._tables.get(type(handle))
        if table and table.get(handle.id) is handle:
            del table[handle.id]

    def find(self, kind: type[H], handle_id: str) -> H | None:
        """Return the handle of a class with this id."""
        return self.table(kind).get(handle_id)


class Ids:
    """Makes ids that no other run of this program has used.

    Asterisk does not refuse the id of an earlier playback: it would play both.
    """

    def __init__(self) -> None:
        self._run = uuid4().hex
        self._numbers = count(1)

    def new(self, prefix: str = "") -> str:
        """Return a new id that begins with a prefix."""
        return f"{prefix}{self._run}-{next(self._numbers)}"


class PlaybackTimeouts:
    """The timeouts after which playbacks are checked.

    Args:
        clock: the clock to use.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.playing = Timeouts(CHECK_SECONDS, _check, clock=clock)
        self.stopped = Timeouts(STOPPED_CHECK_SECONDS, _check, clock=clock)

    def cancel(self, playback: Checkable) -> None:
        """Cancel both timeouts of a playback that has ended."""
        self.playing.cancel(playback)
        self.stopped.cancel(playback)


def _check(playback: Checkable) -> None:
    playback.check()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleContext:
    """What the handles of one client share.

    Attributes:
        app: the name of the Stasis application.
        registry: where events find their handles.
        sender: carries the handles' requests.
        clock: the clock of the handles' timers.
        cleanup: removes channels and bridges from Asterisk.
        ids: makes the ids of playbacks, outbound channels and bridges.
        playback_timeouts: when to check on playbacks.
    """

    app: str
    registry: Registry
    sender: RetryingSender
    clock: IReactorTime
    cleanup: Cleanup
    ids: Ids
    playback_timeouts: PlaybackTimeouts

    @property
    def bridge_name(self) -> str:
        """The name of this application's bridges, to tell them from others'."""
        return f"channel-aa {self.app}"
