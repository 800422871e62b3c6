"""A bridge of two channels."""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari.events import BridgeData
from channel_aa.ari.wire.errors import AriError, ConflictError, decode_response
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.retry import MAX_TRIES
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from twisted.python.failure import Failure

    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.wire.retry import RetryingSender

_NO_SUCH_CHANNEL = 400
_NONE: Mapping[str, str] = MappingProxyType({})
BRIDGE_PREFIX = "channel-aa-bridge-"
"""The prefix of the ids of this program's bridges."""


class BridgeMember(NamedTuple):
    """A channel in a bridge: finds the bridge by the channel's id."""

    id: str
    bridge: TwoPartyBridge


class TwoPartyBridge:
    """A mixing bridge with two channels in it.

    It ends when either channel leaves it, or hangs up; the bridge is then removed. A
    transfer replaces one of the channels by another.

    Args:
        context: what the client's handles share.
        bridge_id: the bridge's id.
        members: the ids of the two channels.
        on_end: called once, when it is over, with the id of the channel that has left
            it by itself, or "". Hangs up those who are left.

    Attributes:
        over: fires when it is over and the bridge is removed; with the error if it
            could not be set up. Cancelling it ends the bridge.
    """

    _log = Logger()

    def __init__(
        self,
        context: HandleContext,
        *,
        bridge_id: str,
        members: tuple[str, str],
        on_end: Callable[[str], None],
    ) -> None:
        self.id = bridge_id
        self.members = members
        self.over: Deferred[None] = Deferred(self._cancel)
        self._context = context
        self._on_end = on_end
        self._is_over = False
        self._is_cancelled = False
        self._problem: Failure | None = None
        self._setting_up: Deferred[None] | None = None
        context.registry.add(self)
        self._add_members()

    @property
    def is_set_up(self) -> bool:
        """Whether both channels have been added to the bridge."""
        return self._setting_up is None or self._setting_up.called

    def begin(self) -> None:
        """Create the bridge, and add the two channels."""
        self._setting_up = Deferred.fromCoroutine(self._set_up())
        self._setting_up.addErrback(self._set_up_failed)

    def check(self, present: Collection[str] | None) -> None:
        """End it unless both channels are in it.

        Args:
            present: the ids of the channels in it; ``None``: it does not exist.
        """
        missing = [each for each in self.members if each not in (present or ())]
        if missing:
            self.end(missing[0] if len(missing) == 1 else "")

    def replace(self, old_id: str, new_id: str) -> None:
        """Replace a channel by the one that takes its place after a transfer."""
        self._discard_members()
        first, second = (new_id if it == old_id else it for it in self.members)
        self.members = first, second
        self._add_members()

    def end(self, left: str = "") -> None:
        """End it, and remove the bridge.

        Args:
            left: the id of the channel that has left it by itself, if one has. It may
                be anywhere by now.
        """
        if self._is_over:
            return
        self._is_over = True
        self._discard_members()
        self._on_end(left)
        # The removal must not overtake the creation.
        if self._setting_up is None:
            self._remove()
        else:
            self._setting_up.addCallback(lambda _: self._remove())

    def abandon(self) -> None:
        """Forget it without a request: it is not ours any more."""
        self._is_over = True
        self._discard()

    def fire_abandoned(self) -> None:
        """Fire `over` of an abandoned bridge."""
        if not self.over.called:
            self.over.callback(None)

    async def _set_up(self) -> None:
        sender = self._context.sender
        await create_bridge(
            sender, self.id, kind="mixing", name=self._context.bridge_name
        )
        await add_channels(sender, self.id, self.members, is_over=lambda: self._is_over)

    def _set_up_failed(self, failure: Failure) -> None:
        error = failure.value
        # A hangup meanwhile ends the bridge, and is no error.
        is_gone = isinstance(error, AriError) and error.status == _NO_SUCH_CHANNEL
        if not (self._is_over or is_gone or isinstance(error, CancelledError)):
            self._problem = failure
        # `end` must not wait for this callback's own Deferred.
        self._setting_up = None
        self.end()

    def _cancel(self, _over: Deferred[None]) -> None:
        # While `over` is being cancelled, its result would look like the canceller's.
        self._is_cancelled = True
        self.end()

    def _remove(self) -> None:
        self._context.cleanup.remove("bridges", self.id).addCallback(self._removed)

    def _removed(self, _result: None) -> None:
        self._discard()
        if self.over.called or self._is_cancelled:
            return
        if self._problem is not None:
            self.over.errback(self._problem)
        else:
            self.over.callback(None)

    def _add_members(self) -> None:
        self._entries = [BridgeMember(member, self) for member in self.members]
        for entry in self._entries:
            self._context.registry.add(entry)

    def _discard_members(self) -> None:
        for entry in self._entries:
            self._context.registry.discard(entry)

    def _discard(self) -> None:
        self._discard_members()
        self._context.registry.discard(self)


async def create_bridge(
    sender: RetryingSender, bridge_id: str, *, kind: str, name: str
) -> None:
    """Create a bridge, whatever happens to the responses.

    Raises:
        AriError: it could not be created.
    """
    request = Request(
        method="POST", path=("bridges", bridge_id), query={"type": kind, "name": name}
    )
    with suppress(ConflictError):  # It was created, and the response was lost.
        await sender.send(request, idempotent=True)


async def add_channels(
    sender: RetryingSender,
    bridge_id: str,
    channels: Sequence[str],
    options: Mapping[str, str] = _NONE,
    *,
    is_over: Callable[[], bool],
) -> None:
    """Add channels to a bridge, once.

    Args:
        sender: carries the requests.
        bridge_id: the bridge's id.
        channels: the ids of the channels.
        options: further parameters of the request.
        is_over: returns whether the channels are not to be added any more.

    Raises:
        AriError: they could not be added.
    """
    add = Request(
        method="POST",
        path=("bridges", bridge_id, "addChannel"),
        query={"channel": ",".join(channels), **options},
    )
    for tries_left in reversed(range(MAX_TRIES)):
        if is_over():
            return
        try:
            await sender.send(add)
        except AriError as error:
            if not (error.outcome_unknown and tries_left):
                raise
        else:
            return
        # Asterisk takes a channel that is added twice out of the bridge first.
        if await _has_all(sender, bridge_id, channels):
            return


async def _has_all(
    sender: RetryingSender, bridge_id: str, channels: Sequence[str]
) -> bool:
    request = Request(method="GET", path=("bridges", bridge_id))
    body = await sender.send(request, idempotent=True)
    try:
        present = decode_response(request, body, BridgeData).channels
    except AriError:
        return False
    return set(channels).issubset(present)
