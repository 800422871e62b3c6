"""An ARI client: events in, requests out, channels and playbacks in between."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari import events
from channel_aa.ari.channels import Channel
from channel_aa.ari.connection import EventsConnection
from channel_aa.ari.errors import AriError, NotFoundError
from channel_aa.ari.http import HttpSender
from channel_aa.ari.playbacks import Playback, PlaybackAlarms
from channel_aa.ari.requests import Request
from channel_aa.ari.transports import Transport, Transports
from channel_aa.ari.websocket_sender import WebSocketSender
from channel_aa.interfaces import PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from channel_aa.ari.address import Address
    from channel_aa.ari.requests import IRequestSender
    from channel_aa.interfaces import IStasisApplication


class _ApplicationState(msgspec.Struct):
    channel_ids: tuple[str, ...] = ()


class AriClient(Service):
    """Serves a Stasis application: a connection to Asterisk, and what lives on it.

    As an `IService` it connects when it starts, connects again whenever the
    connection is lost, and closes everything when it stops.

    Args:
        address: which Asterisk, as whom, for which application.
        application: told of every channel that enters.
        reactor: the reactor to connect and to keep time with.
        transport: which way requests take; see `Transports`.
        http: what carries requests over HTTP; replaced in tests.
        connection: makes the events websocket from the callbacks of
            `EventsConnection`; replaced in tests.

    Attributes:
        channels: the channels in the application now, by their id.
        playbacks: the playbacks asked for and not over yet, by their id.
        requests: what carries the requests.
        alarms: what tells playbacks that they have been quiet for long.
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
        self.alarms = PlaybackAlarms(reactor)
        self.channels: dict[str, Channel] = {}
        self.playbacks: dict[str, Playback] = {}
        self._application = application
        self._connection = connection(
            address,
            on_open=self._opened,
            on_message=self._received,
            on_lost=self._lost,
            reactor=reactor,
        )
        self.requests = Transports(
            transport,
            http=http or HttpSender(address, reactor=reactor),
            websocket=WebSocketSender(self._connection.send, clock=reactor),
            clock=reactor,
        )
        self._malformed_kinds: set[str] = set()
        # Asterisk does not refuse an id used before, by an earlier run of this
        # program for example: it would play both.
        self._playback_prefix = uuid4().hex
        self._playback_numbers = count(1)
        self._handlers: Mapping[type[events.Event], Callable[[Any], None]] = {
            events.StasisStart: self._stasis_start,
            events.StasisEnd: self._channel_ended,
            events.ChannelDestroyed: self._channel_ended,
            events.ChannelHangupRequest: self._hangup_request,
            events.ChannelDtmfReceived: self._dtmf_received,
            events.PlaybackStarted: self._playback_started,
            events.PlaybackFinished: self._playback_finished,
            events.ApplicationReplaced: self._application_replaced,
            events.RESTResponse: self.requests.answered,
        }

    @property
    def is_connected(self) -> bool:
        """Whether the events websocket is open."""
        return self._connection.is_open

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start to connect."""
        super().startService()
        self._connection.start()

    async def _stop(self) -> None:
        await self._connection.stop()
        for channel in list(self.channels.values()):
            channel.left()
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
        ``/ari/channels/{channelId}``. Errors: those of `channel_aa.ari.errors`; a
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
        return f"{self._playback_prefix}-{next(self._playback_numbers)}"

    def _opened(self) -> None:
        Deferred.fromCoroutine(self._get_ready()).addErrback(
            lambda failure: self._log.failure("Getting ready failed", failure)
        )

    async def _get_ready(self) -> None:
        way_is_known = self.requests.opened()
        if self.channels:
            await self._catch_up()
        await way_is_known
        if self.is_connected:
            await self._filter_events()

    async def _filter_events(self) -> None:
        """Have Asterisk send no events that nobody here needs."""
        needed = set(self._handlers)
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

    async def _catch_up(self) -> None:
        """Find out what became of the channels while there was no connection."""
        channels = list(self.channels.values())
        playbacks = list(self.playbacks.values())
        request = Request(method="GET", path=("applications", self.address.app))
        try:
            answer = await self.requests.send(request)
            alive = msgspec.json.decode(answer, type=_ApplicationState).channel_ids
        except NotFoundError:
            alive = ()
        except (AriError, msgspec.MsgspecError) as error:
            self._log.error(
                "Asterisk did not say which calls are left: {error}", error=error
            )
            return
        except CancelledError:
            return  # The service stops.
        still_ours = frozenset(alive)
        for channel in channels:
            if channel.id not in still_ours:
                channel.left()
        for playback in playbacks:
            if playback.id in self.playbacks:
                playback.check()

    def _lost(self) -> None:
        self.requests.lost()
        if self.channels and self.running:
            self._log.warn(
                "Calls that wait for the connection to come back: {count}",
                count=len(self.channels),
            )

    def _received(self, payload: bytes) -> None:
        try:
            event = events.decode(payload)
        except events.MalformedEventError as error:
            if error.kind not in self._malformed_kinds:
                self._malformed_kinds.add(error.kind)
                self._log.error(
                    "Dropped a malformed event, and will drop others of its kind"
                    " silently: {error}",
                    error=error,
                )
            return
        handler = self._handlers.get(type(event))
        if handler is None:
            return
        try:
            handler(event)
        except Exception:  # noqa: BLE001 - one event's fault must not end the others
            self._log.failure("Handling {event} failed", event=type(event).__name__)

    def _stasis_start(self, event: events.StasisStart) -> None:
        if event.channel.id in self.channels:
            return
        channel = Channel(self, event.channel)
        self.channels[channel.id] = channel
        try:
            channel.listener = self._application.channel_entered(channel, event.args)
        except Exception:  # noqa: BLE001 - nobody takes the call: it must not stay
            self._log.failure("Nobody attends to {channel}", channel=channel.name)
            channel.continue_in_dialplan().addErrback(
                lambda failure: self._log.error(
                    "{channel} could not go on in the dialplan: {error}",
                    channel=channel.name,
                    error=failure.value,
                )
            )

    def _channel_ended(self, event: events.StasisEnd | events.ChannelDestroyed) -> None:
        channel = self.channels.get(event.channel.id)
        if channel is not None:
            channel.left()

    def _hangup_request(self, event: events.ChannelHangupRequest) -> None:
        channel = self.channels.get(event.channel.id)
        if channel is not None:
            channel.hung_up()

    def _dtmf_received(self, event: events.ChannelDtmfReceived) -> None:
        channel = self.channels.get(event.channel.id)
        if channel is not None:
            channel.dtmf_received(event.digit)

    def _playback_started(self, event: events.PlaybackStarted) -> None:
        playback = self.playbacks.get(event.playback.id)
        if playback is not None:
            playback.started()

    def _playback_finished(self, event: events.PlaybackFinished) -> None:
        playback = self.playbacks.get(event.playback.id)
        if playback is None:
            return
        if event.playback.state == "done":
            playback.ended(PlaybackEnd.DONE)
        else:
            playback.ended(
                PlaybackEnd.FAILED,
                "Asterisk could not play it. Is that sound installed, for the"
                " channel's language?",
            )

    def _application_replaced(self, _event: events.ApplicationReplaced) -> None:
        self._log.error(
            "Another program has taken the application name {app}: this one gets no"
            " more events. Give each program its own app, then restart this one.",
            app=self.address.app,
        )
