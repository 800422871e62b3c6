"""An `AriClient` on a real or simulated Asterisk, and its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.ari import Address, AriClient
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.interfaces import DialOutcome
from tests.support.asterisk_harness import APP
from tests.support.listeners import RecordingApplication
from tests.support.waiting import leftover_timers, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.ari import Channel, Transport
    from channel_aa.ari.outbound import OutboundChannel
    from tests.support.asterisk_harness import AsteriskHarness, Caller


class ConnectedCall:
    """A call that the client has answered: the caller, and the client's channel."""

    def __init__(self, caller: Caller, channel: Channel) -> None:
        self.caller = caller
        self.channel = channel


class ClientHarness:
    """A client in this process, on an Asterisk.

    Attributes:
        backend: the Asterisk.
        transport: how requests travel.
        client: the latest client.
        application: its application.
        clients: all clients so far.
    """

    def __init__(self, backend: AsteriskHarness, transport: Transport) -> None:
        self.backend = backend
        self.transport = transport
        self.application = RecordingApplication()
        self.client = self.make_client(self.application)
        self.clients = [self.client]

    @classmethod
    async def open(
        cls, backend: AsteriskHarness, transport: Transport
    ) -> ClientHarness:
        """Start a client, and wait until its requests use the transport."""
        harness = cls(backend, transport)
        harness.client.startService()
        await harness.until_connected()
        return harness

    @property
    def reactor(self) -> PosixReactorBase:
        """The reactor of Asterisk and client."""
        return self.backend.reactor

    def make_client(self, application: RecordingApplication) -> AriClient:
        address = Address(
            url=self.backend.url,
            username=self.backend.username,
            password=self.backend.password,
            app=APP,
        )
        return AriClient(
            address, application, reactor=self.backend.reactor, transport=self.transport
        )

    async def start_another(self) -> AriClient:
        """Start another client of the same application, as a restart would."""
        self.application = RecordingApplication()
        self.client = self.make_client(self.application)
        self.clients.append(self.client)
        self.client.startService()
        await self.until_connected()
        return self.client

    async def until_connected(self) -> None:
        """Wait until the client is connected, and has reconciled the calls."""
        client = self.client
        await self.until(
            lambda: (
                client.is_connected
                and client.requests.in_use is self.transport
                and not client.reconciler.is_running
                and client.asterisk_version != ""
            ),
            "a connection",
        )

    async def cut(self, *, gap: float | None = None) -> None:
        """Abort the websocket's connection, and wait until the client notices.

        Args:
            gap: the seconds until it connects again; None: its own back-off.
        """
        if gap is not None:
            self.client._connection._backoff = Backoff(initial=gap, jitter=0.0)
        protocol = self.client._connection._protocol
        assert protocol is not None
        protocol.dropConnection(abort=True)
        await self.until(lambda: not self.client.is_connected, "the loss")

    async def call(self, extension: str = "1000") -> ConnectedCall:
        """Place a call, and answer it."""
        caller = await self.backend.place_call(extension)
        channels = self.client.channels

        def found() -> list[Channel]:
            return [each for each in channels.values() if each.name == caller.name]

        await self.until(found, "the call")
        [channel] = found()
        await channel.answer()
        return ConnectedCall(caller, channel)

    async def connect(
        self, phone: str = "answers"
    ) -> tuple[ConnectedCall, OutboundChannel, Deferred[None]]:
        """Place a call, dial a phone, and connect both once it has answered.

        Args:
            phone: the name of a phone of the tests' dialplan.

        Returns:
            The call, the phone, and a Deferred that fires when they are separated.
        """
        call = await self.call()
        outbound = call.channel.dial(f"Local/{phone}@phones", ring_seconds=9)
        assert await outbound.outcome is DialOutcome.ANSWERED
        return call, outbound, outbound.connect()

    def log(self, call: ConnectedCall) -> list[str]:
        """Return the log of the listener of a call."""
        return self.application.listeners[call.channel.id].log

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition is true; see `tests.support.waiting.until`."""
        await until(self.reactor, condition, what)

    async def rest(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """GET a path from Asterisk, past the client."""
        return (await self.backend.ari.get(path)).json

    async def until_no_phones(self) -> None:
        """Wait until no phone and no bridge is left, in Asterisk and in the client."""

        async def are_gone() -> bool:
            channels = await self.rest("/channels")
            phones = [each for each in channels if "@phones" in each["name"]]
            return not phones and not await self.rest("/bridges")

        await self.until(are_gone, "the end of all phones in Asterisk")
        client = self.client
        await self.until(
            lambda: not (client.outbound or client.bridges or client.bridge_members),
            "the end of all phones in the client",
        )

    async def close(self) -> None:
        """Stop all clients, and check that nothing is left."""
        for client in self.clients:
            await client.stopService()
            for kind in ("channels", "playbacks", "recordings", "outbound"):
                assert not getattr(client, kind), kind
            assert not client.bridges
            assert not client.bridge_members
        assert not (timers := leftover_timers(self.reactor)), timers
