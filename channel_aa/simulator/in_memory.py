"""A way to a simulated Asterisk without a socket, for a client in the same process.

The rest of the simulator knows nothing of this project's client. This door is made
for it: an `AriClient` and what stands on it run as in production, from the bytes
of an event to the status of an answer, but on any `IReactorTime`. On a
`twisted.internet.task.Clock` whole calls take no time, and are the same each time;
`channel_aa.simulator.virtual_time` moves one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from channel_aa.ari import Address, AriClient, Transport
from channel_aa.simulator.direction import Direction, at_once
from channel_aa.simulator.in_memory_http import InMemorySender
from channel_aa.simulator.in_memory_websocket import InMemoryConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.wire.connection import EventsConnection
    from channel_aa.interfaces import IStasisApplication
    from channel_aa.simulator.simulator import Simulator

__all__ = ["Direction", "InMemoryLink", "at_once"]


class InMemoryLink:
    """Connects one program with a simulator, which need not be started.

    Nothing arrives in the turn of the reactor that it was sent in. What goes over
    the websocket keeps its order, in either direction; requests over HTTP and their
    answers overtake each other, and the websocket, as their delays have it.

    Args:
        simulator: the Asterisk. Its faults are made here, too: one that loses a
            request or an answer ends the exchange over HTTP, or the websocket.
        clock: what the client keeps time with: the simulator's ``reactor``.
        delay: how many seconds of the clock something takes; asked for each.
        retry_seconds: how long the client waits before it connects again.

    Attributes:
        http: what an `AriClient` takes as ``http``.
        is_cut: whether connections are refused.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        clock: IReactorTime,
        delay: Callable[[Direction], float] = at_once,
        retry_seconds: float = 1.0,
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.delay = delay
        self.retry_seconds = retry_seconds
        self.is_cut = False
        self.http = InMemorySender(self)
        self._connections: list[InMemoryConnection] = []

    def client(
        self,
        application: IStasisApplication,
        *,
        app: str = "channel-aa",
        transport: Transport = Transport.AUTO,
    ) -> AriClient:
        """Make the client of a Stasis application; it connects when it is started."""
        address = Address(
            url="http://simulator", username="asterisk", password="", app=app
        )
        return AriClient(
            address,
            application,
            reactor=self.clock,
            transport=transport,
            http=self.http,
            connection=self.connection,
        )

    def connection(
        self,
        address: Address,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_lost: Callable[[], None],
        reactor: object,
    ) -> EventsConnection:
        """Make what an `AriClient` takes for its events websocket.

        The arguments are those of
        `channel_aa.ari.wire.connection.EventsConnection`; time is kept
        with the line's clock, not the ``reactor``.
        """
        del reactor
        connection = InMemoryConnection(
            self,
            address.app,
            on_open=on_open,
            on_message=on_message,
            on_lost=on_lost,
        )
        self._connections.append(connection)
        return cast("EventsConnection", connection)

    def drop(self) -> None:
        """Drop the connections without a word, and all that is on its way.

        The client learns of it in a later turn, and connects again.
        """
        for connection in self._connections:
            connection.drop()
        self.http.drop()

    def cut(self) -> None:
        """Drop the connections, and refuse new ones until `mend`."""
        self.is_cut = True
        self.drop()

    def mend(self) -> None:
        """Let connections be made again."""
        self.is_cut = False
