"""What the handles of one client share, and where events find them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.cleanup import Cleanup
    from channel_aa.ari.measurements import IMeasurements
    from channel_aa.ari.subscriptions import Events
    from channel_aa.ari.wire.retry import RetryingSender
    from channel_aa.ari.wire.timeouts import Timeouts

H = TypeVar("H")


class Registry:
    """The handles of channels, playbacks, …, each by its class and its ``id``.

    A handle adds itself when its request is sent, and discards itself at its end.
    """

    def __init__(self) -> None:
        self._tables: dict[type, dict[str, Any]] = {}

    def table(self, kind: type[H]) -> Mapping[str, H]:
        """Return the handles of a class by id: a live view, to be read only."""
        return self._tables.setdefault(kind, {})

    def add(self, handle: Any) -> None:  # noqa: ANN401 - of any class
        """Add a handle, in place of an earlier one with its id."""
        self._tables.setdefault(type(handle), {})[handle.id] = handle

    def discard(self, handle: Any) -> None:  # noqa: ANN401 - of any class
        """Remove a handle, unless it is not there or another has replaced it."""
        table, handle_id = self._tables.get(type(handle), {}), handle.id
        if table.get(handle_id) is handle:
            del table[handle_id]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleContext:
    """What the handles of one client share.

    ``app`` is the Stasis application's name. ``playing`` and ``stopped`` are the
    timeouts after which a playback is checked.
    """

    app: str
    registry: Registry
    sender: RetryingSender
    clock: IReactorTime
    cleanup: Cleanup
    ids: Ids
    events: Events
    playing: Timeouts[Any]
    stopped: Timeouts[Any]
    measurements: IMeasurements | None = None

    @property
    def bridge_name(self) -> str:
        """The name of this application's bridges, to tell them from others'."""
        return f"channel-aa {self.app}"
