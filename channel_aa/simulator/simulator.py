"""The simulator: a simulated Asterisk behind its HTTP server, and its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater

from channel_aa.simulator.api import Api
from channel_aa.simulator.callers import SimulatedCaller
from channel_aa.simulator.channel_state import ChannelSetup
from channel_aa.simulator.dialplan import CallerId
from channel_aa.simulator.faults import Faults
from channel_aa.simulator.http import AriResource, Connections
from channel_aa.simulator.phone_behaviour import Phones
from channel_aa.simulator.routes import ROOT
from channel_aa.simulator.simulated_phone import SimulatedPhone
from channel_aa.simulator.sounds import Sounds
from channel_aa.simulator.state import PbxState
from channel_aa.simulator.websocket import EventsFactory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from twisted.internet.address import IPv4Address
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IListeningPort

    from channel_aa.simulator.channels import IChannelListener
    from channel_aa.simulator.phone_behaviour import PhoneBehaviour

VERSIONS = {True: "22.10.1", False: "20.13.0"}
"""The version it claims to be: with requests over the websocket, and without."""


class Simulator:
    """A simulated Asterisk: an ARI server, and callers to script.

    Args:
        reactor: keeps the time and opens sockets.
        sounds: how many seconds each sound lasts: ``{"press-1": 0.8}``. A
            recording is named with its scheme: ``recording:greeting``.
        default_sound_seconds: how many seconds every other sound lasts. None:
            no other sound exists.
        missing_sounds: names of sounds that do not exist all the same.
        speed: every duration is divided by it, sounds and callers' waits alike.
        serves_requests_over_websocket: whether it serves requests on the events
            websocket, as Asterisk does since 20.14, 21.9 and 22.4; else it ignores
            them.
        username: the user of the API.
        password: and its password.
        phones: how each phone behaves, or how that is written (see
            `channel_aa.simulator.phone_behaviour`), by its endpoint: ``PJSIP/410``,
            ``PJSIP/4*``, ``*`` for all others.

    Attributes:
        faults: the faults to inject.
        state: everything that exists in it.
        api: serves the requests.
        server: makes the protocol of each connection to it.
        credentials: username and password.
        port: the port it listens on, or listened on last.
        serves_requests_over_websocket: as above.
    """

    def __init__(
        self,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
        sounds: Mapping[str, float] | None = None,
        default_sound_seconds: float | None = 0.5,
        missing_sounds: Collection[str] = (),
        speed: float = 1.0,
        serves_requests_over_websocket: bool = True,
        username: str = "asterisk",
        password: str = "asterisk",  # noqa: S107 - it protects nothing: no Asterisk
        phones: Mapping[str, PhoneBehaviour | str] | None = None,
    ) -> None:
        self.faults = Faults()
        self.serves_requests_over_websocket = serves_requests_over_websocket
        self._reactor = reactor
        self.state = PbxState(
            clock=reactor,
            sounds=Sounds(
                seconds=sounds or {},
                default_seconds=default_sound_seconds,
                missing=frozenset(missing_sounds),
            ),
            faults=self.faults,
            speed=speed,
            version=VERSIONS[serves_requests_over_websocket],
            phones=Phones(phones or {}),
        )
        self.api = Api(self.state, ROOT)
        self._events = EventsFactory(
            self.state.bus,
            self.api,
            serves_requests=serves_requests_over_websocket,
            reactor=reactor,
        )
        self._resource = AriResource(
            self.state, self.api, self._events, credentials=f"{username}:{password}"
        )
        self.server = Connections(self._resource, reactor=reactor)
        self.credentials = username, password
        self._listening: IListeningPort | None = None
        self._interface = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Its URL: ``http://127.0.0.1:8088``."""
        return f"http://{self._interface}:{self.port}"

    @property
    def live_channels(self) -> int:
        """How many channels exist, in an application or not."""
        return len(self.state.channels)

    @property
    def live_playbacks(self) -> int:
        """How many playbacks play, or wait to be played."""
        return len(self.state.playbacks)

    @property
    def phones(self) -> Phones:
        """The phones that can be dialled; they may be changed at any time."""
        return self.state.phones

    @property
    def dialled_phones(self) -> Sequence[SimulatedPhone]:
        """The phones that ring or are in a call, in the order they were dialled."""
        listeners = [each.listener for each in self.state.channels.values()]
        return [each for each in listeners if isinstance(each, SimulatedPhone)]

    @property
    def open_websockets(self) -> int:
        """How many websockets are open."""
        return len(self._events.sockets)

    @property
    def requests(self) -> int:
        """How many requests have come so far, over HTTP and websockets."""
        return self.api.requests

    @property
    def open_connections(self) -> int:
        """How many connections are open, websockets included."""
        return len(self.server.protocols)

    def listening(self, app: str = "channel-aa") -> Deferred[None]:
        """Fire as soon as an application has a websocket."""
        return self.state.bus.when_registered(app)

    async def start(self, port: int = 0, interface: str = "127.0.0.1") -> None:
        """Begin to listen.

        Args:
            port: where; 0: where it listened before, else any free port.
            interface: the address to listen on.
        """
        self._interface = interface
        self._listening = self._reactor.listenTCP(
            port or self.port, self.server, interface=interface
        )
        address = self._listening.getHost()
        self.port = cast("IPv4Address", address).port

    async def stop(self) -> None:
        """Stop listening, drop every connection, forget every channel.

        Nothing of it is left in the reactor then; it can be started again.
        """
        listening, self._listening = self._listening, None
        if listening is not None:
            await maybeDeferred(listening.stopListening)
        self.forget()
        self.server.abort_all()
        while self.server.protocols:
            await deferLater(self._reactor, 0.0)

    def forget(self) -> None:
        """Lose everything but stored recordings, as at a restart, with no event."""
        self.state.clear()

    def drop_connections(self) -> None:
        """Drop every connection, websockets included, without a closing handshake."""
        self.server.abort_all()

    def close_websockets(self, code: int = 1000) -> None:
        """Close every websocket with a closing handshake and this code."""
        for socket in tuple(self._events.sockets):
            # Its sendClose would refuse the codes that are a server's to send.
            socket.sendCloseFrame(code=code)

    def call(
        self,
        *,
        name: str = "PJSIP/alice-",
        extension: str = "1000",
        app: str = "channel-aa",
        args: Sequence[str] = (),
        dialplan_seconds: float = 0.0,
        observer: IChannelListener | None = None,
        caller_name: str = "",
        caller_number: str = "",
        caller_presentation: str = "allowed_not_screened",
        language: str = "en",
    ) -> SimulatedCaller:
        """Place a call: its channel enters the dialplan's ``Stasis(app,args…)``.

        Args:
            name: the channel's name; by default ``PJSIP/alice-00000001`` for the
                first call, and so on.
            extension: what was dialled.
            app: the Stasis application.
            args: its arguments.
            dialplan_seconds: how long the dialplan keeps the channel once it has
                left the application, or where no websocket has that application;
                then the call ends.
            observer: learns what the caller hears, and of the end of the call.
            caller_name: the name of the caller.
            caller_number: the number of the caller.
            caller_presentation: whether name and number may be shown, as
                ``CALLERID(pres)`` reads: ``prohib_not_screened`` if they are withheld.
            language: the language of the channel.
        """
        setup = ChannelSetup(
            name=name,
            extension=extension,
            caller=CallerId(caller_name, caller_number, caller_presentation),
            language=language,
            dialplan_seconds=dialplan_seconds,
        )
        caller = SimulatedCaller(self.state, setup, observer=observer)
        caller.channel.enter(app, args)
        return caller
