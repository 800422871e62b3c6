"""An ARI client: a connection to Asterisk, and the calls that live on it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.ari import events
from channel_aa.ari.bridge import BRIDGE_PREFIX, TwoPartyBridge
from channel_aa.ari.channel import Channel
from channel_aa.ari.cleanup import Cleanup
from channel_aa.ari.dispatch import Dispatcher
from channel_aa.ari.outbound import PHONE_PREFIX, OutboundChannel
from channel_aa.ari.playback import Playback, PlaybackTimeouts
from channel_aa.ari.reconcile import Reconciler
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.errors import AriError
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.requests import Request
from channel_aa.ari.wire.retry import RetryingSender
from channel_aa.ari.wire.routing import RoutingSender, Transport
from channel_aa.ari.wire.websocket_sender import WebSocketSender
from channel_aa.logs import Logger, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from channel_aa.ari.recording import Recording
    from channel_aa.ari.wire.address import Address
    from channel_aa.ari.wire.requests import IRequestSender
    from channel_aa.interfaces import IStasisApplication

FAREWELL_SECONDS = 2.0
"""How long stopping waits until phones that ring are hung up."""


class _System(msgspec.Struct, frozen=True):
    version: str = ""


class _AsteriskInfo(msgspec.Struct):
    system: _System = _System()


class AriClient(Service):
    """Serves a Stasis application: a connection to Asterisk, and what lives on it.

    As an `IService` it connects when it starts, connects again whenever the
    connection is lost, and closes everything when it stops. Conversations are left
    standing then: the next run adopts them.

    Args:
        address: which Asterisk, as whom, for which application.
        application: told of every channel that enters.
        reactor: the reactor to connect and to keep time with.
        transport: which way requests take; see `RoutingSender`.
        http: what carries requests over HTTP; replaced in tests.
        connection: makes the events websocket from the callbacks of
            `EventsConnection`; replaced in tests.

    Attributes:
        channels: the channels in the application now, by their id.
        playbacks: the playbacks asked for and not over yet, by their id.
        recordings: the recordings being made, by their name.
        phones: the phones dialled and not hung up yet, by their channel's id.
        conversations: callers and phones in a bridge, by the bridge's id.
        members: the same, by the channels' ids.
        requests: what carries the requests.
        sender: what the requests of calls go through, that wait for a connection.
        cleanup: what removes channels and bridges that nobody needs.
        recovery: what finds out which calls are there.
        alarms: what tells playbacks that they have been quiet for long.
        clock: what time is kept with.
        asterisk_version: what Asterisk says it is: ``22.10.1``; empty while unknown.
        connected_since: when the websocket was opened, by the clock; ``None`` while
            there is none.
        is_replaced: whether another program has taken the application.
    """

    _log = Logger()

    def __init__(
        self,
        address: Address,
        application: IStasisApplication,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        transport: Transport = Transport.AUTO,
        http: IRequestSender | None = None,
        connection: Callable[..., EventsConnection] = EventsConnection,
    ) -> None:
        self.address = address
        self.clock = reactor
        self.alarms = PlaybackTimeouts(reactor)
        self.channels: dict[str, Channel] = {}
        self.playbacks: dict[str, Playback] = {}
        self.recordings: dict[str, Recording] = {}
        self.phones: dict[str, OutboundChannel] = {}
        self.conversations: dict[str, TwoPartyBridge] = {}
        self.members: dict[str, TwoPartyBridge] = {}
        self.asterisk_version = ""
        self.connected_since: float | None = None
        self.is_replaced = False
        self._application = application
        self._connection = connection(
            address,
            on_open=self._opened,
            on_message=self._received,
            on_lost=self._lost,
            reactor=reactor,
        )
        self.requests = RoutingSender(
            transport,
            http=http or HttpSender(address, reactor=reactor),
            websocket=WebSocketSender(self._connection.send, clock=reactor),
            clock=reactor,
        )
        self.sender = RetryingSender(self.requests, clock=reactor)
        self.cleanup = Cleanup(self.sender)
        self.recovery = Reconciler(self)
        self._dispatcher = Dispatcher(self)
        # Asterisk does not refuse a playback's id used before, by an earlier run of
        # this program for example: it would play both.
        self._prefix = uuid4().hex
        self._numbers = count(1)

    @property
    def is_connected(self) -> bool:
        """Whether the events websocket is open."""
        return self._connection.is_open

    @property
    def bridge_name(self) -> str:
        """What bridges of this application are named, beside others' on Asterisk."""
        return f"channel-aa {self.address.app}"

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect."""
        super().startService()
        self.is_replaced = False
        self.sender.wait_again()
        self._connection.start()

    def stop_waiting(self) -> None:
        """Have requests of calls fail at once where there is no connection.

        For whoever is about to stop, and cannot wait until one is back. Lasts until
        the service starts again.
        """
        self.sender.stop_waiting()

    async def _stop(self) -> None:
        self.stop_waiting()
        self.recovery.stop()
        for phone in list(self.phones.values()):
            if not phone.is_in_conversation:
                phone.hang_up()
        try:
            await self.cleanup.finish().addTimeout(FAREWELL_SECONDS, self.clock)
        except DeferredTimeoutError:
            self._log.warn("Asterisk did not say whether the last phones are hung up")
        self._let_go()
        await self._connection.stop()
        await self.requests.close()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Close the websocket properly, then every other connection."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def request(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Deferred[Any]:
        """Send any request of ARI; the result is its answer's JSON, or ``None``.

        ``client.request("GET", "channels", channel_id)`` asks for
        ``/ari/channels/{channelId}``. Errors: those of `channel_aa.ari.wire.errors`; a
        plain `AriError` where the answer is not JSON, a recording for example.
        """
        asked = Request(method=method, path=path, query=query or {}, body=body)

        def decode(answer: bytes) -> Any:  # noqa: ANN401 - any JSON
            try:
                return msgspec.json.decode(answer) if answer else None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise AriError(
                    method, asked.quoted_path, message=f"the answer is no JSON: {error}"
                ) from error

        return self.requests.send(asked).addCallback(decode)

    def new_playback_id(self) -> str:
        """Give an id that no playback has had yet."""
        return f"{self._prefix}-{next(self._numbers)}"

    def new_phone_id(self) -> str:
        """Give an id that no dialled phone has had yet."""
        return f"{PHONE_PREFIX}{self._prefix}-{next(self._numbers)}"

    def new_bridge_id(self) -> str:
        """Give an id that no bridge has had yet."""
        return f"{BRIDGE_PREFIX}{self._prefix}-{next(self._numbers)}"

    def enter(
        self,
        data: events.ChannelData,
        arguments: Sequence[str],
        *,
        adopted: bool = False,
    ) -> None:
        """Give a channel that is in the application to whoever attends to it."""
        channel = Channel(self, data, is_new=not adopted)
        self.channels[channel.id] = channel
        self.recovery.forget(channel.id)
        try:
            channel.listener = self._application.channel_entered(
                channel, arguments, adopted=adopted
            )
        except Exception:  # noqa: BLE001 - nobody takes the call: it must not stay
            self._log.failure("Nobody attends to {channel}", channel=channel.name)
            channel.continue_in_dialplan().addErrback(
                lambda failure: self._log.error(
                    "{channel} could not go on in the dialplan: {error}",
                    channel=channel.name,
                    error=failure.value,
                )
            )

    def replaced(self) -> None:
        """Take note that another program has taken the application, and its calls."""
        self._log.error(
            "Another program has taken the application name {app}: its calls are that"
            " one's now, and this one does not take them back. Give each program its"
            " own app, then restart this one.",
            app=self.address.app,
        )
        self.is_replaced = True
        self.recovery.stop()
        self._let_go()
        self._connection.stay_away()
        self._application.replaced()

    def _let_go(self) -> None:
        """End every call here, and leave it as it is in Asterisk."""
        self.sender.lost()
        self.stop_waiting()
        phones = list(self.phones.values())
        for phone in phones:
            phone.let_go()
        for conversation in list(self.conversations.values()):
            conversation.let_go()
        # Whoever attends to a call learns first that it is over here.
        for channel in list(self.channels.values()):
            channel.left()
        for phone in phones:
            phone.end_waiting()

    def _opened(self) -> None:
        self.connected_since = self.clock.seconds()
        Deferred.fromCoroutine(self._get_ready()).addErrback(
            lambda failure: self._log.failure("Getting ready failed", failure)
        )

    async def _get_ready(self) -> None:
        way_is_known = self.requests.opened()
        self.sender.opened()
        self.recovery.begin()
        await way_is_known
        if self.is_connected:
            await self._filter_events()
            await self._ask_version()

    async def _ask_version(self) -> None:
        request = Request(
            method="GET", path=("asterisk", "info"), query={"only": "system"}
        )
        try:
            answer = await self.requests.send(request)
            info = msgspec.json.decode(answer, type=_AsteriskInfo)
        except (
            AriError,
            CancelledError,
            msgspec.MsgspecError,
            RecursionError,
            UnicodeDecodeError,
        ) as error:
            self._log.debug("Asterisk did not say its version: {error}", error=error)
        else:
            self.asterisk_version = printable(info.system.version)

    async def _filter_events(self) -> None:
        """Have Asterisk send no events that nobody here needs."""
        needed = set(self._dispatcher.kinds)
        if self.requests.in_use is Transport.WEBSOCKET:
            # It says what the request's answer says, too, which comes beside it.
            needed.discard(events.PlaybackStarted)
        request = Request(
            method="PUT",
            path=("applications", self.address.app, "eventFilter"),
            body={"allowed": [{"type": kind.__name__} for kind in needed]},
        )
        try:
            await self.requests.send(request)
        except (AriError, CancelledError) as error:
            self._log.debug("Asterisk sends all events: {error}", error=error)

    def _received(self, payload: bytes) -> None:
        self._dispatcher.received(payload)

    def _lost(self) -> None:
        self.connected_since = None
        self.recovery.stop()
        self.sender.lost()
        self.requests.lost()
        if self.channels and self.running:
            self._log.warn(
                "Calls that wait for the connection to come back: {count}",
                count=len(self.channels),
            )
