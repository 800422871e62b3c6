"""Two channels that hear each other."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari.events import BridgeData
from channel_aa.ari.wire.errors import AriError, ConflictError
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.retry import MAX_TRIES
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from twisted.python.failure import Failure

    from channel_aa.ari.client import AriClient

_NO_SUCH_CHANNEL = 400
BRIDGE_PREFIX = "channel-aa-bridge-"
"""What the id of each bridge of ours begins with."""


class TwoPartyBridge:
    """A bridge of ours with two channels in it.

    It is over when either of them leaves it, or hangs up; the bridge is then removed.

    Args:
        client: whose Asterisk it is on.
        bridge_id: the bridge's id.
        members: the ids of the two channels.
        on_end: called once when it is over, to see to those who are left.

    Attributes:
        over: fires when it is over and the bridge is gone; with the error where it
            could not begin.
    """

    _log = Logger()

    def __init__(
        self,
        client: AriClient,
        *,
        bridge_id: str,
        members: tuple[str, str],
        on_end: Callable[[], None],
    ) -> None:
        self.id = bridge_id
        self.members = members
        self.over: Deferred[None] = Deferred(self._given_up)
        self._client = client
        self._on_end = on_end
        self._is_over = False
        self._is_given_up = False
        self._problem: Failure | None = None
        self._setting_up: Deferred[None] | None = None
        client.conversations[bridge_id] = self
        for member in members:
            client.members[member] = self

    @property
    def is_set_up(self) -> bool:
        """Whether both have been brought together."""
        return self._setting_up is None or self._setting_up.called

    def begin(self) -> None:
        """Make the bridge, and bring the two together."""
        self._setting_up = Deferred.fromCoroutine(self._set_up())
        self._setting_up.addErrback(self._failed)

    def check(self, present: Collection[str] | None) -> None:
        """Compare with who is in the bridge; ``None``: there is no such bridge."""
        if not set(self.members).issubset(present or ()):
            self.end()

    def end(self) -> None:
        """Take note that it is over, and remove the bridge."""
        if self._is_over:
            return
        self._is_over = True
        for member in self.members:
            self._client.members.pop(member, None)
        self._on_end()
        # The removal must not overtake the bridge's making.
        if self._setting_up is None:
            self._remove()
        else:
            self._setting_up.addCallback(lambda _: self._remove())

    def let_go(self) -> None:
        """Leave it standing: it is not ours any more."""
        self._is_over = True
        self._forget()

    def end_waiting(self) -> None:
        """End the wait of whoever still waits for one that was let go."""
        if not self.over.called:
            self.over.callback(None)

    async def _set_up(self) -> None:
        client = self._client
        make = Request(
            method="POST",
            path=("bridges", self.id),
            query={"type": "mixing", "name": client.bridge_name},
        )
        with suppress(ConflictError):  # It was made, and the answer was lost.
            await client.sender.send(make, again=True)
        add = Request(
            method="POST",
            path=("bridges", self.id, "addChannel"),
            query={"channel": ",".join(self.members)},
        )
        for tries_left in reversed(range(MAX_TRIES)):
            if self._is_over:
                return
            try:
                await client.sender.send(add)
            except AriError as error:
                if not (error.may_be_done and tries_left):
                    raise
            else:
                return
            # Who is in the bridge, and is added again, is taken out of it first: that
            # would be the conversation's end.
            if await self._has_both():
                return

    async def _has_both(self) -> bool:
        request = Request(method="GET", path=("bridges", self.id))
        answer = await self._client.sender.send(request, again=True)
        try:
            present = msgspec.json.decode(answer, type=BridgeData).channels
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return set(self.members).issubset(present)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        # One that hung up meanwhile is the conversation's end, and no error.
        is_gone = isinstance(error, AriError) and error.status == _NO_SUCH_CHANNEL
        if not (self._is_over or is_gone or isinstance(error, CancelledError)):
            self._problem = failure
        # Beyond this callback: the removal waits for the set-up's end.
        self._setting_up = None
        self.end()

    def _given_up(self, _waiting: Deferred[None]) -> None:
        # Its end would look like one to whoever is cancelled.
        self._is_given_up = True
        self.end()

    def _remove(self) -> None:
        self._client.cleanup.remove("bridges", self.id).addCallback(
            lambda _: self._removed()
        )

    def _removed(self) -> None:
        self._forget()
        if self.over.called or self._is_given_up:
            return
        if self._problem is not None:
            self.over.errback(self._problem)
        else:
            self.over.callback(None)

    def _forget(self) -> None:
        for member in self.members:
            self._client.members.pop(member, None)
        self._client.conversations.pop(self.id, None)
