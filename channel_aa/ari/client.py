"""An ARI client: a connection to Asterisk, and the calls that depend on it."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.ari import events
from channel_aa.ari.admission import Admission
from channel_aa.ari.api import Api
from channel_aa.ari.bridge import MIXING, Bridge
from channel_aa.ari.channel import Channel
from channel_aa.ari.cleanup import Cleanup
from channel_aa.ari.coroutine_calls import CoroutineApplication, leave, send_back
from channel_aa.ari.dispatch import CallEvents, Dispatcher
from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.playback import CHECK_SECONDS, STOPPED_CHECK_SECONDS, Playback
from channel_aa.ari.prepared_call import PreparedCall
from channel_aa.ari.reconcile import Reconciler
from channel_aa.ari.recording import Recording
from channel_aa.ari.registry import HandleContext, Ids, Registry
from channel_aa.ari.subscriptions import Events
from channel_aa.ari.takeover import Takeover, presence_name
from channel_aa.ari.two_party_bridge import BridgeMember, TwoPartyBridge
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.diagnostics import Diagnosis, diagnose_refusal
from channel_aa.ari.wire.errors import AriError, UnauthorizedError, decode_response
from channel_aa.ari.wire.http import HttpSender
from channel_aa.ari.wire.requests import WRITE_NOTHING, Request
from channel_aa.ari.wire.retry import RetryingSender
from channel_aa.ari.wire.routing import RoutingSender, Transport
from channel_aa.ari.wire.timeouts import Timeouts
from channel_aa.ari.wire.websocket_sender import RESTResponse, WebSocketSender
from channel_aa.logs import Logger, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from channel_aa.ari.coroutine_calls import CallHandler
    from channel_aa.ari.measurements import IMeasurements
    from channel_aa.ari.wire.address import Address
    from channel_aa.ari.wire.requests import IRequestSender
    from channel_aa.interfaces import IStasisApplication

Direction: TypeAlias = Literal["none", "both", "in", "out"]

STOP_SECONDS = 2.0
"""How long to wait, when stopping, until the outbound channels are hung up."""


class _System(msgspec.Struct, frozen=True):
    version: str = ""


class _AsteriskInfo(msgspec.Struct):
    system: _System = _System()


class AriClient(Service):
    """Serves a Stasis application of an Asterisk.

    As an `IService` it connects when it starts, reconnects when the connection is
    lost, and closes everything when it stops. Bridges are left in Asterisk then, for
    the next run to adopt.

    Args:
        address: the URL, the credentials and the application's name.
        application: told of every channel that enters; not together with `on_call`.
        on_call: a coroutine function for each channel that enters: see `CallHandler`.
            With neither, these channels continue in the dialplan, with a warning.
        reactor: the reactor to connect with, and its clock; by default the global one.
        transport: the transport of requests; see `RoutingSender`.
        http: carries requests over HTTP; replaced in tests.
        connection: makes the events websocket from the callbacks of
            `EventsConnection`; replaced in tests.
        on_ready: called after each connection, when the calls have been resumed.
        measurements: is told what the client does.

    Attributes:
        channels: the channels in the application, by id; as the following, read only.
        playbacks, recordings, outbound, bridges: those that are not over, by id
            (recordings by name).
        bridge_members: the channels in these bridges, by id.
        requests: carries requests, and fails them without a connection.
        sender: carries the requests of calls, and holds them without a connection.
        events: the events of this Asterisk, for the program to subscribe to.
        api: all operations of ARI, by resource: ``api.channels.get(channel_id=…)``.
        reconciler: reconciles the calls with those in Asterisk.
        takeover: waits until a program that has taken the application is gone.
        clock: the reactor, or a test's clock.
        asterisk_version: Asterisk's version: ``22.10.1``; empty while unknown.
        connected_since: when the websocket was opened, by the clock; ``None`` while it
            is closed.
        is_replaced: whether another program has registered the application, and is
            not known to be gone.
    """

    _log = Logger()

    def __init__(
        self,
        address: Address,
        application: IStasisApplication | None = None,
        *,
        on_call: CallHandler | None = None,
        reactor: Any = None,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        transport: Transport = Transport.AUTO,
        http: IRequestSender | None = None,
        connection: Callable[..., EventsConnection] = EventsConnection,
        on_ready: Callable[[], None] | None = None,
        measurements: IMeasurements | None = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415 - it installs one
        self.address = address
        self.clock = reactor
        self.asterisk_version = ""
        self.connected_since: float | None = None
        self.is_replaced = False
        self._application = _application_of(application, on_call, clock=reactor)
        self._presence = ""
        self._on_ready = on_ready
        self._dispatcher = Dispatcher()
        self._connection = connection(
            address,
            on_open=self._opened,
            on_message=self._dispatcher.message_received,
            on_lost=self._lost,
            check_access=self._check_access,
            reactor=reactor,
        )
        websocket = WebSocketSender(
            self._connection.send, clock=reactor, conceal=address.conceal
        )
        self._dispatcher.handlers[RESTResponse] = websocket.receive
        self.requests = RoutingSender(
            transport,
            http=http or HttpSender(address, reactor=reactor),
            websocket=websocket,
            clock=reactor,
            on_response=None if measurements is None else measurements.request_sent,
        )
        self.sender = RetryingSender(
            self.requests, clock=reactor, on_refused=self._refused
        )
        self._registry = registry = Registry()
        self.channels = registry.table(Channel)
        self.playbacks = registry.table(Playback)
        self.recordings = registry.table(Recording)
        self.outbound = registry.table(OutboundChannel)
        self.bridges = registry.table(TwoPartyBridge)
        self.bridge_members = registry.table(BridgeMember)
        self.api = Api(self.sender, lambda: self.asterisk_version)
        self.events = Events(
            address.app, self.requests, set_filter=self._filter_events, clock=reactor
        )
        self._dispatcher.subscribed = self.events.types
        self._dispatcher.find_others = self.events.find
        check = methodcaller("check")
        self._context = HandleContext(
            app=address.app,
            registry=registry,
            sender=self.sender,
            clock=reactor,
            cleanup=Cleanup(self.sender),
            ids=Ids(),
            events=self.events,
            playing=Timeouts(CHECK_SECONDS, check, clock=reactor),
            stopped=Timeouts(STOPPED_CHECK_SECONDS, check, clock=reactor),
            measurements=measurements,
        )
        self._admission = Admission(self.channels, self.requests)
        self.reconciler = Reconciler(
            self._context, enter=self._enter, admission=self._admission
        )
        self.takeover = Takeover(
            address.app, self.requests, clock=reactor, on_gone=self._connect
        )
        self._dispatcher.on_malformed = self.reconciler.audit_soon
        call_events = CallEvents(
            self._context,
            self.reconciler,
            enter=self._enter,
            replaced=self._replaced,
            admission=self._admission,
        )
        self._dispatcher.handlers.update(call_events.handlers)

    @property
    def is_connected(self) -> bool:
        """Whether the events websocket is open."""
        return self._connection.is_open

    @property
    def problem(self) -> str:
        """Why it is not, with what to do; empty if it is, or while it is not known."""
        return self.takeover.problem or self._connection.problem

    def when_connected(self) -> Deferred[None]:
        """Fire when there is a connection, and Asterisk sends what is subscribed to."""
        return self.events.settled()

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect."""
        super().startService()
        # Not before: twistd has changed its process id meanwhile.
        self._presence = presence_name(self.address.app)
        self._connect()

    def _connect(self) -> None:
        self.is_replaced = False
        self.sender.start_holding()
        self._connection.start(self._presence)

    def stop_waiting(self) -> None:
        """Fail the requests of calls at once while there is no connection.

        For a program that is about to stop. Lasts until the service starts again.
        """
        self.sender.stop_holding()

    async def _stop(self) -> None:
        self.stop_waiting()
        self.takeover.stop()
        self.events.stop()
        self.reconciler.stop()
        for outbound in list(self.outbound.values()):
            if not outbound.is_bridged:
                outbound.hang_up()
        for call in list(self._registry.table(PreparedCall).values()):
            call.hang_up()
        try:
            removed = self._context.cleanup.finish()
            await removed.addTimeout(STOP_SECONDS, self.clock)
        except DeferredTimeoutError:
            self._log.warn(
                "Asterisk did not confirm the removal of the last outbound channels"
                " and bridges"
            )
        self._abandon_calls()
        await self._connection.stop()
        await self.requests.close()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Close the websocket with code 1000, then every other connection."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def prepare_call(
        self,
        endpoint: str,
        *,
        ring_seconds: int = 30,
        caller_id: str = "",
        variables: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> PreparedCall:
        """Prepare a call to a phone, which is made by a method of the result.

        To connect a caller with a phone, see `Channel.dial`.

        Args:
            endpoint: what is called: ``PJSIP/410``.
            ring_seconds: how many seconds it rings at most.
            caller_id: what the phone shows: ``Acme <+441632960000>``, or the number
                alone.
            variables: channel variables.
            arguments: those of the channel's ``StasisStart``.
        """
        return PreparedCall(
            self._context,
            endpoint,
            ring_seconds=ring_seconds,
            caller_id=caller_id,
            variables=variables or {},
            arguments=arguments,
        )

    def prepare_bridge(self, *, kind: str = MIXING, name: str = "") -> Bridge:
        """Prepare a bridge, which is made by a method of the result.

        To connect a caller with a phone, see `OutboundChannel.connect`.

        Args:
            kind: as of `Bridge`.
            name: its name.
        """
        return Bridge(self._context, kind=kind, name=name)

    def snoop(
        self,
        channel: Channel | OutboundChannel | str,
        *,
        spy: Direction = "none",
        whisper: Direction = "none",
    ) -> Deferred[Channel]:
        """Make a channel that hears another one, or is heard by it; or both.

        What is played on it, or said in a bridge with it, is whispered. It ends with
        the other channel. It does not run `on_call`. Cancelling hangs it up.

        Args:
            channel: the other channel, or its id.
            spy: what it hears: ``in``, what the other channel's phone says; ``out``,
                what that phone hears; ``both`` or ``none``.
            whisper: who hears it: ``in``, those who hear that phone; ``out``, that
                phone; ``both`` or ``none``.

        Returns:
            Fires with the channel. Errors: those of `channel_aa.ari.wire.errors`.
        """
        snooped = channel if isinstance(channel, str) else channel.id
        made = PreparedCall(self._context, f"a snoop on {snooped}")
        return made.make(
            ("channels", snooped, "snoop", made.id),
            {"app": self.address.app, "spy": spy, "whisper": whisper},
        )

    def open_external_media(
        self, host: str, port: int, *, media_format: str = "ulaw"
    ) -> Deferred[Channel]:
        """Make a channel whose audio another program sends and receives as RTP.

        What the channel hears is sent to the address, over UDP. What it says is
        received where its variables ``UNICASTRTP_LOCAL_ADDRESS`` and
        ``UNICASTRTP_LOCAL_PORT`` tell. It does not run `on_call`. Cancelling hangs it
        up.

        Args:
            host: the name or address of the other program's host.
            port: its UDP port.
            media_format: a format of Asterisk: ``ulaw``, ``slin16``, …

        Returns:
            Fires with the channel. Errors: those of `channel_aa.ari.wire.errors`.
        """
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        made = PreparedCall(self._context, f"external media at {target}")
        return made.make(
            ("channels", "externalMedia"),
            {
                "app": self.address.app,
                "channelId": made.id,
                "external_host": target,
                "format": media_format,
            },
        )

    def request(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Deferred[Any]:
        """Send any request of ARI; the result is the response's JSON, or ``None``.

        ``client.request("GET", "channels", channel_id)`` requests
        ``/ari/channels/{channelId}``. Errors: those of `channel_aa.ari.wire.errors`; a
        plain `AriError` if the response is not JSON, such as a recording.
        """
        request = Request(method=method, path=path, query=query or {}, body=body)

        def decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON
            return decode_response(request, body, Any) if body else None

        return self.requests.send(request).addCallback(decode)

    def _enter(
        self,
        data: events.ChannelData,
        arguments: Sequence[str],
        *,
        adopted: bool = False,
        is_replacement: bool = False,
    ) -> None:
        """Hand a channel that is in the application over to `IStasisApplication`."""
        channel = Channel(
            self._context, data, is_new=not adopted, is_replacement=is_replacement
        )
        self._registry.add(channel)
        self.reconciler.cancel_adoption(channel.id)
        try:
            channel.listener = self._application.channel_entered(
                channel, events.cut_arguments(arguments), adopted=adopted
            )
        except Exception:  # noqa: BLE001 - the channel must not stay without a listener
            self._log.failure(
                "Starting the call of {channel} failed", channel=channel.name
            )
            Deferred.fromCoroutine(leave(channel))

    def _replaced(self, _event: object) -> None:
        """Give up the application: another program has taken it, and its calls."""
        self._log.error(
            "Another program has registered the Stasis application {app} and receives"
            " its calls now. This program has released its calls, and takes the"
            " application over again when the other one is gone. Give each program"
            " its own app.",
            app=self.address.app,
        )
        self.is_replaced = True
        self.reconciler.stop()
        self._abandon_calls()
        self._connection.stay_away()
        self.takeover.start(self._presence)
        self._application.replaced()

    def _abandon_calls(self) -> None:
        """End every call here, and leave it as it is in Asterisk."""
        self.sender.pause()
        self.stop_waiting()
        for call in list(self._registry.table(PreparedCall).values()):
            call.abandon()
        for shared in list(self._registry.table(Bridge).values()):
            shared.end()
        abandoned = list(self.outbound.values())
        for outbound in abandoned:
            outbound.abandon()
        for bridge in list(self.bridges.values()):
            bridge.abandon()
        # The listeners have to learn of the end before the outcomes fire.
        for channel in list(self.channels.values()):
            channel.end()
        for outbound in abandoned:
            outbound.fire_abandoned()

    def _opened(self) -> None:
        self.connected_since = self.clock.seconds()
        if self._context.measurements is not None:
            self._context.measurements.connected()
        self._admission.connection_opened()
        Deferred.fromCoroutine(self._prepare()).addErrback(
            lambda failure: self._log.failure(
                "Preparing the connection failed", failure
            )
        )

    async def _prepare(self) -> None:
        """Probe the transport, resume the calls, and set the event filter."""
        probed = self.requests.probe()
        self.sender.resume()
        self.reconciler.start()
        await probed
        if self.is_connected:
            await self.events.resume()
            await self._ask_version()
        if self.is_connected and self._on_ready is not None:
            self._on_ready()

    async def _ask_version(self) -> None:
        request = Request(
            method="GET", path=("asterisk", "info"), query={"only": "system"}
        )
        try:
            body = await self.requests.send(request)
            info = decode_response(request, body, _AsteriskInfo)
        except (AriError, CancelledError) as error:
            self._log.debug(
                "Could not read the version of Asterisk: {error}", error=error
            )
        else:
            version = self.address.conceal(info.system.version)
            self.asterisk_version = printable(version)

    async def _filter_events(self) -> None:
        """Have Asterisk send only the events that have a handler.

        This is also the first request that needs the right to write.
        """
        needed = set(self._dispatcher.handlers)
        if self.requests.in_use is Transport.WEBSOCKET:
            # The request's response, over the same websocket, says the same.
            needed.discard(events.PlaybackStarted)
        names = {kind.__name__ for kind in needed}.union(self.events.types)
        request = Request(
            method="PUT",
            path=("applications", self.address.app, "eventFilter"),
            body={"allowed": [{"type": name} for name in sorted(names)]},
        )
        try:
            await self.requests.send(request)
        except UnauthorizedError as error:
            self._refused(error)
        except (AriError, CancelledError) as error:
            self._log.debug(
                "Could not set the event filter; Asterisk sends all events: {error}",
                error=error,
            )

    def _refused(self, error: UnauthorizedError) -> None:
        """Close the connection: Asterisk lets this user do nothing, or only read."""
        self._connection.refuse(self._diagnose(error))

    def _diagnose(self, error: UnauthorizedError) -> Diagnosis:
        return diagnose_refusal(error.status or 0, error.message, self.address)

    async def _check_access(self) -> Diagnosis | None:
        """Find out, without an effect, whether Asterisk lets this user write."""
        try:
            await self.requests.send(WRITE_NOTHING)
        except UnauthorizedError as error:
            return self._diagnose(error)
        except AriError:
            # 404: there is no such playback. Other problems show at the handshake.
            pass
        return None

    def _lost(self) -> None:
        self.connected_since = None
        self.reconciler.stop()
        self.events.pause()
        self.sender.pause()
        self.requests.fail_pending()
        for channel in list(self.channels.values()):
            channel.disconnected()
        if self.channels and self.running:
            self._log.warn(
                "Calls waiting for the connection to Asterisk: {count}",
                count=len(self.channels),
            )


def _application_of(
    application: IStasisApplication | None,
    on_call: CallHandler | None,
    *,
    clock: Any,  # noqa: ANN401 - the reactor
) -> IStasisApplication:
    if application is None:
        return CoroutineApplication(on_call or send_back, clock=clock)
    if on_call is not None:
        raise TypeError("AriClient takes either an application or on_call")
    return application
