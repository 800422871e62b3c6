"""A client of the ARI room, callers, and what their listeners were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from channel_aa.ari import Address, AriClient
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.interfaces import IChannelListener, IStasisApplication
from tests.support.asterisk_harness import APP
from tests.support.attendant_harness import timers_of_ours, until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channel_aa.ari import Channel, Transport
    from channel_aa.interfaces import IChannel
    from tests.support.asterisk_harness import AsteriskHarness, Caller


@implementer(IChannelListener)
class Listener:
    """Writes down what a channel tells."""

    def __init__(self, *, arguments: Sequence[str], is_adopted: bool) -> None:
        self.arguments = tuple(arguments)
        self.is_adopted = is_adopted
        self.log: list[str] = []

    def dtmf_received(self, digit: str) -> None:
        self.log.append(f"dtmf {digit}")

    def reconnected(self) -> None:
        self.log.append("reconnected")

    def hung_up(self) -> None:
        self.log.append("hung up")

    def left(self) -> None:
        self.log.append("left")


@implementer(IStasisApplication)
class Application:
    """Takes every channel."""

    def __init__(self) -> None:
        self.listeners: dict[str, Listener] = {}
        self.entries = 0
        self.times_replaced = 0

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> Listener:
        self.entries += 1
        listener = Listener(arguments=arguments, is_adopted=adopted)
        self.listeners[channel.id] = listener
        return listener

    def replaced(self) -> None:
        self.times_replaced += 1


class ConnectedCall:
    """A caller, with both ends of the call."""

    def __init__(self, caller: Caller, channel: Channel) -> None:
        self.caller = caller
        self.channel = channel


class ClientHarness:
    """A client that serves a stage, until it is closed."""

    def __init__(self, stage: AsteriskHarness, transport: Transport) -> None:
        self.stage = stage
        self.transport = transport
        self.application = Application()
        self.client = self.make_client(self.application)
        self.clients = [self.client]

    @classmethod
    async def open(cls, stage: AsteriskHarness, transport: Transport) -> ClientHarness:
        """Start a client, whose requests go the way they are to."""
        party = cls(stage, transport)
        party.client.startService()
        await party.is_connected()
        return party

    def make_client(self, application: Application) -> AriClient:
        address = Address(
            url=self.stage.url,
            username=self.stage.username,
            password=self.stage.password,
            app=APP,
        )
        return AriClient(
            address, application, reactor=self.stage.reactor, transport=self.transport
        )

    async def start_another(self) -> AriClient:
        """Start another client, as the next run of the program would."""
        self.application = Application()
        self.client = self.make_client(self.application)
        self.clients.append(self.client)
        self.client.startService()
        await self.is_connected()
        return self.client

    async def is_connected(self) -> None:
        """Wait until the client is connected, and knows which calls there are."""
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
        """Cut the websocket, and wait until the client knows.

        Args:
            gap: how many seconds it stays away; None: for what it waits by itself.
        """
        if gap is not None:
            self.client._connection._backoff = Backoff(initial=gap, jitter=0.0)
        protocol = self.client._connection._protocol
        assert protocol is not None
        protocol.dropConnection(abort=True)
        await self.until(lambda: not self.client.is_connected, "the cut")

    async def call(self, extension: str = "1000") -> ConnectedCall:
        """Let somebody call, and answer."""
        caller = await self.stage.place_call(extension)
        channels = self.client.channels

        def found() -> list[Channel]:
            return [each for each in channels.values() if each.name == caller.name]

        await self.until(found, "the call")
        [channel] = found()
        await channel.answer()
        return ConnectedCall(caller, channel)

    def log(self, guest: ConnectedCall) -> list[str]:
        """What the caller's listener was told."""
        return self.application.listeners[guest.channel.id].log

    async def until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        await until(lambda: bool(is_so()), self.stage.reactor, what)

    async def rest(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Ask Asterisk itself."""
        return (await self.stage.ari.get(path)).json

    async def has_no_phones(self) -> None:
        """Wait until no phone and no bridge is left, in Asterisk and here."""

        async def nothing() -> bool:
            channels = await self.rest("/channels")
            phones = [each for each in channels if "@phones" in each["name"]]
            return not phones and not await self.rest("/bridges")

        await self.stage.until(nothing)
        client = self.client
        await self.until(
            lambda: not (client.outbound or client.bridges or client.bridge_members),
            "the end of all phones",
        )

    async def close(self) -> None:
        """Stop every client."""
        for client in self.clients:
            await client.stopService()
            for kind in ("channels", "playbacks", "recordings", "outbound"):
                assert not getattr(client, kind), kind
            assert not client.bridges
            assert not client.bridge_members
        assert not (timers := timers_of_ours(self.stage.reactor)), timers
