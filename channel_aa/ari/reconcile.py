"""What became of calls that nothing was heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    DeferredSemaphore,
)
from twisted.internet.task import deferLater

from channel_aa.ari.bridge import BRIDGE_PREFIX, TwoPartyBridge
from channel_aa.ari.events import BridgeData, ChannelData
from channel_aa.ari.outbound import is_phone
from channel_aa.ari.wire.errors import AriError, NotFoundError
from channel_aa.ari.wire.requests import Request, is_segment
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Iterable, Mapping
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.ari.channel import Channel
    from channel_aa.ari.client import AriClient

T = TypeVar("T")

RETRY_SECONDS = (1.0, 2.0, 5.0)
"""How long to wait before a question that was not answered is asked again; the last
holds for all that follow."""

AUDIT_SECONDS = 30.0
"""How often to compare the calls that Asterisk has with those that are known. An event
that Asterisk failed to send would leave a caller in silence for ever, or a call here
that has ended."""

DOUBT_SECONDS = 2.0
"""How soon to do so where there is reason for it: an event that could not be read, or a
channel that nobody has told of, whose event may still be on its way."""

AT_ONCE = 16
"""How many channels are adopted at the same time."""


class _ApplicationState(msgspec.Struct):
    channel_ids: tuple[str, ...] = ()


class Reconciler:
    """Finds out, at each connection and now and then, which calls are there.

    Asterisk keeps channels in the application while nobody is connected, and tells
    nothing of it later. Those that this program knows have gone on or are over; those
    that it does not are from an earlier run, or came while the connection was about to
    be lost: they are adopted. Bridges of ours in which nobody speaks are removed.

    Args:
        client: whose calls they are.
    """

    _log = Logger()

    def __init__(self, client: AriClient) -> None:
        self._client = client
        self._running: Deferred[None] | None = None
        self._next: IDelayedCall | None = None
        self._adopting: set[str] = set()
        self._strangers: frozenset[str] = frozenset()
        self._is_in_doubt = False

    @property
    def is_running(self) -> bool:
        """Whether it is not known yet what became of all calls."""
        return self._running is not None

    def begin(self) -> None:
        """Begin, on a new connection; what began on an earlier one is given up."""
        self.stop()
        # A call that enters from now on has lost nothing.
        survivors = list(self._client.channels.values())
        self._run(self._catch_up(survivors))

    def stop(self) -> None:
        """Give it up."""
        running, self._running = self._running, None
        self._adopting.clear()
        self._strangers = frozenset()
        if self._next is not None and self._next.active():
            self._next.cancel()
        if running is not None:
            running.cancel()

    def doubt(self) -> None:
        """Compare the calls soon: something was told that nobody understood."""
        self._is_in_doubt = True
        following = self._next
        if following is not None and following.active():
            soon = self._client.clock.seconds() + DOUBT_SECONDS
            if following.getTime() > soon:
                following.reset(DOUBT_SECONDS)

    def forget(self, channel_id: str) -> None:
        """Take note that a channel has left, or entered anew: nothing to adopt."""
        self._adopting.discard(channel_id)

    def _run(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        running = Deferred.fromCoroutine(coroutine)
        self._running = running

        def over(result: object) -> object:
            if self._running is running:
                self._running = None
                self._adopting.clear()
                seconds = DOUBT_SECONDS if self._is_in_doubt else AUDIT_SECONDS
                self._next = self._client.clock.callLater(seconds, self.audit)
            return result

        running.addBoth(over)
        running.addErrback(
            lambda failure: failure.trap(CancelledError) and None
        ).addErrback(lambda failure: self._log.failure("Reconciler failed", failure))

    def audit(self) -> None:
        """Compare the calls that Asterisk has with those that are known."""
        self._is_in_doubt = False
        self._run(self._compare(list(self._client.channels.values())))

    async def _compare(self, known: list[Channel]) -> None:
        phones = list(self._client.phones.values())
        conversations = list(self._client.conversations.values())
        alive = await self._channels_in_application()
        self._end_all_but(alive, known)
        for phone in phones:
            if phone.was_answered and phone.id not in alive:
                phone.ended()
        for conversation in conversations:
            if not all(member in alive for member in conversation.members):
                conversation.end()
        strangers = frozenset(filter(self._is_unknown, alive))
        # The event of one that has just entered may still be on its way.
        lasting = strangers & self._strangers
        if strangers - lasting:
            self.doubt()
        self._strangers = strangers
        await self._take_over(lasting, {})

    async def _channels_in_application(self) -> Collection[str]:
        path = ("applications", self._client.address.app)
        state = await self._ask(
            Request(method="GET", path=path), _ApplicationState, _ApplicationState()
        )
        return dict.fromkeys(filter(is_segment, state.channel_ids))

    def _end_all_but(self, alive: Collection[str], known: Iterable[Channel]) -> None:
        for channel in known:
            if channel.id not in alive and (
                self._client.channels.get(channel.id) is channel
            ):
                channel.left()

    async def _catch_up(self, survivors: list[Channel]) -> None:
        client = self._client
        alive = await self._channels_in_application()
        self._end_all_but(alive, survivors)
        # Others may come about between Asterisk's answer and here.
        settled = [each for each in client.conversations.values() if each.is_set_up]
        bridges = await self._ask(
            Request(method="GET", path=("bridges",)), tuple[BridgeData, ...], ()
        )
        ours = {
            bridge.id: bridge.channels
            for bridge in bridges
            if bridge.id.startswith(BRIDGE_PREFIX) and bridge.name == client.bridge_name
        }
        for conversation in settled:
            conversation.check(ours.get(conversation.id))
        await DeferredList(
            [
                Deferred.fromCoroutine(self._go_on(survivors)),
                Deferred.fromCoroutine(self._take_over(alive, ours)),
            ],
            fireOnOneErrback=True,
            consumeErrors=True,
        )

    async def _go_on(self, survivors: list[Channel]) -> None:
        """See to the calls that this program knows."""
        client = self._client
        checks = [
            *[phone.check() for phone in list(client.phones.values())],
            *[recording.check() for recording in list(client.recordings.values())],
        ]
        for channel in survivors:
            if client.channels.get(channel.id) is channel:
                sounds = [playback.check() for playback in list(channel.playbacks)]
                # Only then is it known whether anything is heard.
                checks.append(
                    DeferredList(sounds).addCallback(_tell_reconnected, channel)
                )
        await DeferredList(checks)

    async def _take_over(
        self, channel_ids: Iterable[str], ours: Mapping[str, Collection[str]]
    ) -> None:
        """See to the calls that this program does not know."""
        client = self._client
        alive = frozenset(channel_ids)
        unknown = [each for each in channel_ids if self._is_unknown(each)]
        removals = []
        for bridge_id, members in ours.items():
            if bridge_id in client.conversations:
                continue
            if not self._adopt_conversation(bridge_id, members, alive):
                removals.append(client.cleanup.remove("bridges", bridge_id))
        if removals:
            await DeferredList(removals)
        callers = []
        for channel_id in unknown:
            if channel_id in client.members:
                continue
            if client.cleanup.is_removing("channels", channel_id):
                continue
            if is_phone(channel_id):
                client.cleanup.remove("channels", channel_id)
            else:
                callers.append(channel_id)
        turns = DeferredSemaphore(AT_ONCE)
        self._adopting.update(callers)
        await DeferredList(
            [turns.run(self._start_adoption, each) for each in callers],
            consumeErrors=True,
        )

    def _is_unknown(self, channel_id: str) -> bool:
        client = self._client
        return not (
            channel_id in client.channels
            or channel_id in client.phones
            or channel_id in client.members
        )

    def _adopt_conversation(
        self, bridge_id: str, members: Collection[str], alive: Collection[str]
    ) -> bool:
        """Leave two strangers to their conversation; tell whether there is one."""
        client = self._client
        phones = [each for each in members if is_phone(each)]
        callers = [each for each in members if not is_phone(each)]
        if len(phones) != 1 or len(callers) != 1:
            return False
        caller, phone = callers[0], phones[0]
        if not {caller, phone}.issubset(alive):
            return False
        if not (self._is_unknown(caller) and self._is_unknown(phone)):
            return False

        def hang_up() -> None:
            for member in (caller, phone):
                client.cleanup.remove("channels", member)

        TwoPartyBridge(
            client, bridge_id=bridge_id, members=(caller, phone), on_end=hang_up
        )
        self._log.info("Adopted the conversation of {caller}", caller=caller)
        return True

    def _start_adoption(self, channel_id: str) -> Deferred[None]:
        return Deferred.fromCoroutine(self._adopt(channel_id))

    async def _adopt(self, channel_id: str) -> None:
        client = self._client
        if channel_id not in self._adopting:
            return
        request = Request(method="GET", path=("channels", channel_id))
        channel = await self._ask(request, ChannelData, None)
        # It may have left meanwhile, or entered anew.
        if channel is None or channel_id not in self._adopting:
            return
        self._adopting.discard(channel_id)
        app, *arguments = channel.dialplan.app_data.split(",")
        # Asterisk tells of channels, too, that are elsewhere in the dialplan: the far
        # half of a Local channel that was dialled from here.
        if not channel.is_in_stasis or app.strip() != client.address.app:
            return
        if any(map(is_phone, arguments)):
            # A phone has passed its call on to it.
            client.cleanup.remove("channels", channel_id)
        else:
            client.enter(channel, arguments, adopted=True)

    async def _ask(self, request: Request, kind: type[T], if_absent: T) -> T:
        """Ask until there is an answer; a 404 is one."""
        waits = iter(RETRY_SECONDS)
        seconds = 0.0
        while True:
            try:
                answer = await self._client.sender.send(request, again=True)
                return msgspec.json.decode(answer, type=kind)
            except NotFoundError:
                return if_absent
            except (
                AriError,
                msgspec.MsgspecError,
                UnicodeDecodeError,
                RecursionError,
            ) as error:
                if not seconds:
                    self._log.error(
                        "Asterisk did not say which calls are left, and will be asked"
                        " again: {error}",
                        error=error,
                    )
            seconds = next(waits, seconds)
            await deferLater(self._client.clock, seconds)


def _tell_reconnected(_checked: object, channel: Channel) -> None:
    channel.reconnected()
