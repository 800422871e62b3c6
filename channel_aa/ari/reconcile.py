"""Which calls Asterisk has, compared with those that this client knows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    succeed,
)
from twisted.internet.task import deferLater

from channel_aa.ari import transfers
from channel_aa.ari.bridge import Bridge
from channel_aa.ari.channel import Channel
from channel_aa.ari.events import MAX_LISTED, BridgeData, ChannelData
from channel_aa.ari.outbound import OutboundChannel, is_outbound
from channel_aa.ari.prepared_call import PreparedCall
from channel_aa.ari.recording import Recording
from channel_aa.ari.two_party_bridge import BRIDGE_PREFIX, BridgeMember, TwoPartyBridge
from channel_aa.ari.wire.errors import AriError, NotFoundError, decode_response
from channel_aa.ari.wire.requests import WRITE_NOTHING, Request, is_segment
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.ari.admission import Admission
    from channel_aa.ari.registry import HandleContext

T = TypeVar("T")

RETRY_SECONDS = (1.0, 2.0, 5.0)
"""The pauses before a query without an answer is sent again; the last one repeats."""

AUDIT_SECONDS = 30.0
"""The interval of audits. Without them, an event that Asterisk failed to send would
leave a caller in silence for ever, or a call here that has ended."""

EARLY_AUDIT_SECONDS = 2.0
"""The same, after an event that could not be decoded, or while a channel is unknown:
its event may still arrive."""

MAX_ADOPTIONS = 16
"""How many channels, or bridges, are adopted or removed at the same time."""

MAX_PER_TURN = 64
"""How many channels or bridges are acted on in one turn of the reactor: keys and sounds
of other calls do not wait for a long list."""

MAX_MEMBERS = 10
"""How many channels of a bridge are looked at. A bridge of ours has two, and a moment
longer a third one during a transfer."""


class _ApplicationState(msgspec.Struct):
    channel_ids: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_LISTED)] = ()


_Bridges = Annotated[tuple[BridgeData, ...], msgspec.Meta(max_length=MAX_LISTED)]


class Reconciler:
    """Reconciles the calls here with those in Asterisk.

    Asterisk keeps channels in the application while no client is connected, and their
    events are lost. So each connection begins with a reconciliation: calls whose
    channel is missing are over, and unknown channels are adopted; they are of an
    earlier run, or have just entered. Bridges of ours without two channels are removed.
    Then an audit compares the channels regularly.

    Args:
        context: what the client's handles share.
        enter: called with each channel to adopt, and its arguments.
        admission: tells whether a channel may enter.
    """

    _log = Logger()

    def __init__(
        self,
        context: HandleContext,
        *,
        enter: Callable[..., None],
        admission: Admission,
    ) -> None:
        registry = context.registry
        self._channels = registry.table(Channel)
        self._recordings = registry.table(Recording)
        self._outbound = registry.table(OutboundChannel)
        self._prepared = registry.table(PreparedCall)
        self._shared_bridges = registry.table(Bridge)
        self._bridges = registry.table(TwoPartyBridge)
        self._bridge_members = registry.table(BridgeMember)
        self._context = context
        self._enter = enter
        self._admission = admission
        self._running: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._adopting: set[str] = set()
        self._unknown: frozenset[str] = frozenset()
        self._is_audit_due_soon = False

    @property
    def is_running(self) -> bool:
        """Whether a reconciliation or an audit is in progress."""
        return self._running is not None

    def finished(self) -> Deferred[None]:
        """Fire when what runs now has ended or is cancelled; at once without it."""
        if self._running is None:
            return succeed(None)
        finished: Deferred[None] = Deferred()

        def fire(result: object) -> object:
            finished.callback(None)
            return result

        self._running.addBoth(fire)
        return finished

    def start(self) -> None:
        """Reconcile on a new connection, in place of what runs on an earlier one."""
        self.stop()
        # A call that enters from now on has lost no event.
        self._run(self._reconcile(dict(self._channels)))

    def stop(self) -> None:
        """Cancel what runs, and the next audit."""
        running, self._running = self._running, None
        self._adopting.clear()
        self._unknown = frozenset()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if running is not None:
            running.cancel()

    def audit_soon(self) -> None:
        """Audit within `EARLY_AUDIT_SECONDS`, or as long after what runs now."""
        self._is_audit_due_soon = True
        timer = self._timer
        if timer is not None and timer.active():
            soon = self._context.clock.seconds() + EARLY_AUDIT_SECONDS
            if timer.getTime() > soon:
                timer.reset(EARLY_AUDIT_SECONDS)

    def cancel_adoption(self, channel_id: str) -> None:
        """Do not adopt a channel: it has left, or has entered again."""
        self._adopting.discard(channel_id)

    def _run(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        running = Deferred.fromCoroutine(coroutine)
        self._running = running

        def schedule_audit(result: object) -> object:
            if self._running is running:
                self._running = None
                self._adopting.clear()
                is_soon = self._is_audit_due_soon
                seconds = EARLY_AUDIT_SECONDS if is_soon else AUDIT_SECONDS
                self._timer = self._context.clock.callLater(seconds, self.audit)
            return result

        running.addBoth(schedule_audit)
        running.addErrback(
            lambda failure: failure.trap(CancelledError) and None
        ).addErrback(
            lambda failure: self._log.failure(
                "Reconciling the calls with Asterisk failed", failure
            )
        )

    def audit(self) -> None:
        """Compare the channels and bridges here with those in Asterisk."""
        self._is_audit_due_soon = False
        self._run(self._audit(dict(self._channels)))

    async def _audit(self, known: Mapping[str, Channel]) -> None:
        phones = self._answered_phones()
        members = list(self._bridge_members.values())
        alive = await self._channels_in_application()
        await self._end_missing(known, phones, alive)

        def end(member: BridgeMember) -> None:
            # A transfer may have replaced it meanwhile.
            if member.id in member.bridge.members:
                member.bridge.end(member.id)

        await self._in_turns((each for each in members if each.id not in alive), end)
        unknown = frozenset(filter(self._is_unknown, alive))
        # The event of a channel that has just entered may still arrive.
        still_unknown = unknown & self._unknown
        if unknown - still_unknown:
            self.audit_soon()
        self._unknown = unknown
        await self._adopt_unknown(still_unknown, {}, is_new=True)
        # Since ari.conf was changed, the user may only read: the sender notices, before
        # a call waits for it.
        with suppress(AriError):
            await self._context.sender.send(WRITE_NOTHING)

    async def _channels_in_application(self) -> Collection[str]:
        path = ("applications", self._context.app)
        state = await self._query(
            Request(method="GET", path=path), _ApplicationState, _ApplicationState()
        )
        return dict.fromkeys(filter(is_segment, state.channel_ids))

    def _answered_phones(self) -> Mapping[str, OutboundChannel]:
        return {each.id: each for each in self._outbound.values() if each.is_answered}

    async def _end_missing(
        self,
        known: Mapping[str, Channel],
        phones: Mapping[str, OutboundChannel],
        alive: Collection[str],
    ) -> None:
        def end_channel(channel_id: str) -> None:
            # It may have left and entered again meanwhile, or been transferred.
            channel = known[channel_id]
            if self._channels.get(channel_id) is channel:
                channel.end()

        def end_phone(channel_id: str) -> None:
            phone = phones[channel_id]
            if self._outbound.get(channel_id) is phone:
                phone.end()

        await self._in_turns((it for it in known if it not in alive), end_channel)
        await self._in_turns((it for it in phones if it not in alive), end_phone)

    async def _reconcile(self, known: Mapping[str, Channel]) -> None:
        phones = self._answered_phones()
        alive = await self._channels_in_application()
        # Asterisk's list may lack a bridge that is being set up.
        set_up = [bridge for bridge in self._bridges.values() if bridge.is_set_up]
        bridges = await self._query(
            Request(method="GET", path=("bridges",)), _Bridges, ()
        )
        ours = {
            bridge.id: bridge.channels[:MAX_MEMBERS]
            for bridge in bridges
            if bridge.id.startswith(BRIDGE_PREFIX)
            and bridge.name == self._context.bridge_name
        }
        for bridge in set_up:
            await self._follow_transfers(bridge, ours.get(bridge.id, ()), alive)
        await self._end_missing(known, phones, alive)
        await self._in_turns(set_up, lambda bridge: bridge.check(ours.get(bridge.id)))
        await _all_done(
            self._check_known(known.values()), self._adopt_unknown(alive, ours)
        )
        # One that another phone has picked up is known by now.
        checks = [each.check() for each in list(self._outbound.values())]
        checks += [each.check() for each in list(self._prepared.values())]
        checks += [each.check() for each in list(self._shared_bridges.values())]
        await DeferredList(checks)

    async def _follow_transfers(
        self, bridge: TwoPartyBridge, present: Collection[str], alive: Collection[str]
    ) -> None:
        """Replace a channel that a transfer has replaced while nothing was heard."""
        gone = [each for each in bridge.members if each not in present]
        new = [each for each in present if self._is_unknown(each) and each in alive]
        if len(gone) != 1 or len(new) != 1:
            return
        request = Request(method="GET", path=("channels", new[0]))
        data = await self._query(request, ChannelData, None)
        if data is not None and gone[0] in bridge.members:
            transfers.replace(self._context.registry, gone[0], data)

    async def _check_known(self, known: Iterable[Channel]) -> None:
        checks = [recording.check() for recording in list(self._recordings.values())]

        def check(channel: Channel) -> None:
            if self._channels.get(channel.id) is channel:
                playbacks = [playback.check() for playback in list(channel.playbacks)]
                # Only then is it known whether a sound is playing.
                checks.append(
                    DeferredList(playbacks).addCallback(_call_reconnected, channel)
                )

        await self._in_turns(known, check)
        await DeferredList(checks)

    async def _in_turns(self, items: Iterable[T], act: Callable[[T], object]) -> None:
        """Act on all items, on `MAX_PER_TURN` in each turn of the reactor."""
        for number, item in enumerate(items):
            if number and number % MAX_PER_TURN == 0:
                await deferLater(self._context.clock, 0)
            act(item)

    async def _for_each(
        self,
        items: Iterable[str],
        work: Callable[[str], Coroutine[Deferred[Any], Any, None]],
    ) -> None:
        """Work on all items, on `MAX_ADOPTIONS` at the same time."""
        remaining = iter(items)

        async def work_on_some() -> None:
            without_waiting = 0
            for item in remaining:
                done = Deferred.fromCoroutine(work(item))
                without_waiting = without_waiting + 1 if done.called else 0
                try:
                    await done
                except CancelledError:
                    raise
                except Exception:  # noqa: BLE001 - others have to be worked on
                    self._log.failure("Reconciling {item} failed", item=item)
                if without_waiting == MAX_PER_TURN // MAX_ADOPTIONS:
                    without_waiting = 0
                    await deferLater(self._context.clock, 0)

        await _all_done(*(work_on_some() for _ in range(MAX_ADOPTIONS)))

    async def _adopt_unknown(
        self,
        alive: Collection[str],
        ours: Mapping[str, Collection[str]],
        *,
        is_new: bool = False,
    ) -> None:
        """Adopt, or remove, the channels and bridges that are unknown here.

        Args:
            alive: the ids of the channels in the application.
            ours: the ids of the channels in each of this application's bridges.
            is_new: whether the channels have entered on this connection, and only
                their event is missing.
        """
        cleanup = self._context.cleanup
        unknown = [each for each in alive if self._is_unknown(each)]

        async def settle_bridge(bridge_id: str) -> None:
            if bridge_id not in self._bridges and not await self._adopt_bridge(
                bridge_id, ours[bridge_id], alive
            ):
                await cleanup.remove("bridges", bridge_id)

        await self._for_each(ours, settle_bridge)
        unadopted = [
            each
            for each in unknown
            if self._is_unknown(each) and not cleanup.is_removing("channels", each)
        ]
        deserted = {each for members in ours.values() for each in members}
        self._adopting.update(unadopted)

        async def adopt(channel_id: str) -> None:
            await self._adopt_channel(
                channel_id, is_deserted=channel_id in deserted, is_new=is_new
            )

        await self._for_each(unadopted, adopt)

    def _is_unknown(self, channel_id: str) -> bool:
        return not (
            channel_id in self._channels
            or channel_id in self._outbound
            or channel_id in self._prepared
            or channel_id in self._bridge_members
        )

    async def _adopt_bridge(
        self, bridge_id: str, members: Collection[str], alive: Collection[str]
    ) -> bool:
        """Adopt a bridge with two channels that are unknown here.

        Returns:
            Whether it is such a bridge.
        """
        if len(members) != 2:  # noqa: PLR2004 - two parties
            return False
        # After transfers neither needs to be a channel that this program originated.
        first, second = sorted(members, key=is_outbound)
        if not all(each in alive and self._is_unknown(each) for each in members):
            return False
        if is_outbound(second) and not await self._is_up(second):
            return False  # it rings, and its early media is heard
        if not all(map(self._is_unknown, members)):
            return True  # they have entered meanwhile

        def hang_up(left: str) -> None:
            for member in bridge.members:
                if member != left:
                    self._context.cleanup.remove("channels", member)

        bridge = TwoPartyBridge(
            self._context,
            bridge_id=bridge_id,
            members=(first, second),
            on_end=hang_up,
        )
        self._log.info("Adopted the conversation of {caller}", caller=first)
        return True

    async def _is_up(self, channel_id: str) -> bool:
        request = Request(method="GET", path=("channels", channel_id))
        channel = await self._query(request, ChannelData, None)
        return channel is not None and channel.state == "Up"

    async def _adopt_channel(
        self, channel_id: str, *, is_deserted: bool, is_new: bool
    ) -> None:
        """Adopt a channel as a caller's, or remove it.

        Args:
            channel_id: its id.
            is_deserted: whether it is alone in a bridge of ours.
            is_new: whether it has entered on this connection.
        """
        if channel_id not in self._adopting:
            return
        if not self._admission.is_open():
            self.audit_soon()
            return
        request = Request(method="GET", path=("channels", channel_id))
        channel = await self._query(request, ChannelData, None)
        # It may have left meanwhile, or entered again.
        if channel is None or channel_id not in self._adopting:
            return
        app, arguments = channel.application
        is_here = channel.is_in_stasis and app == self._context.app
        if is_outbound(channel_id) and (is_here or channel.is_dialed):
            self._context.cleanup.remove("channels", channel_id)
        # Asterisk lists channels, too, that are elsewhere in the dialplan, such as the
        # far half of a Local channel that was originated here, or a phone that was
        # redirected.
        elif not is_here or is_outbound(channel_id):
            return
        elif phone := transfers.picked_up(self._context.registry, arguments):
            phone.picked_up(channel_id)
        elif any(map(is_outbound, arguments)) or (is_deserted and channel.is_near_half):
            # It is the channel of a phone: one that the call was forwarded to, or that
            # a caller was transferred to, and who has hung up since.
            self._context.cleanup.remove("channels", channel_id)
        else:
            self._enter(channel, arguments, adopted=not is_new)

    async def _query(self, request: Request, kind: type[T], if_missing: T) -> T:
        """Send a query until it is answered; a 404 is an answer, too."""
        pauses = iter(RETRY_SECONDS)
        seconds = 0.0
        while True:
            try:
                body = await self._context.sender.send(request, idempotent=True)
                return decode_response(request, body, kind)
            except NotFoundError:
                return if_missing
            except AriError as error:
                if not seconds:
                    self._log.error(
                        "Could not read the list of calls from Asterisk; trying"
                        " again: {error}",
                        error=error,
                    )
            seconds = next(pauses, seconds)
            await deferLater(self._context.clock, seconds)


async def _all_done(*coroutines: Coroutine[Deferred[Any], Any, None]) -> None:
    """Run coroutines at the same time; raise an error once all have ended."""
    done = [Deferred.fromCoroutine(each) for each in coroutines]
    results: list[tuple[bool, Any]] = await DeferredList(done, consumeErrors=True)
    for is_success, result in results:
        if not is_success:
            result.raiseException()


def _call_reconnected(_checked: object, channel: Channel) -> None:
    channel.reconnected()
