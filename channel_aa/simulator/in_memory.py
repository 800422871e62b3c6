"""A link to a simulated Asterisk without a socket, for a client in the same process.

An `AriClient` and what stands on it run as in production: its own websocket and HTTP
client talk to the simulator's own server, but over memory and on any `IReactorTime`.
On a `twisted.internet.task.Clock` whole calls take no time, and are the same each
time; `channel_aa.simulator.virtual_time` moves one.

This module alone of the simulator imports the ARI client, to make one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Transport
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.http import HttpSender
from channel_aa.simulator.in_memory_transport import (
    SERVER,
    Direction,
    InMemoryEndpoint,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.interfaces import IStasisApplication
    from channel_aa.simulator.simulator import Simulator

__all__ = ["Direction", "InMemoryLink"]


def _at_once(_direction: Direction) -> float:
    """Take no time, as on a loopback interface."""
    return 0.0


class InMemoryLink:
    """Connects one program with a simulator, which need not be started.

    What goes over the websocket keeps its order, in either direction; requests over
    HTTP and their answers overtake each other, and the websocket, by their delays.

    Args:
        simulator: the simulated Asterisk.
        clock: keeps the client's time: the simulator's ``reactor``.
        delay: returns the seconds that something takes; called for each.
        retry_seconds: how long the client waits before it connects again.

    Attributes:
        delay: as above; it may be replaced.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        clock: IReactorTime,
        delay: Callable[[Direction], float] = _at_once,
        retry_seconds: float = 1.0,
    ) -> None:
        self.delay = delay
        self._simulator = simulator
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._http, self._websocket = (
            InMemoryEndpoint(
                simulator.server,
                clock=clock,
                delay=self._delay_of,
                to_server=to_server,
                to_client=to_client,
            )
            for to_server, to_client in (
                (Direction.REQUEST, Direction.ANSWER),
                (Direction.MESSAGE_TO_ASTERISK, Direction.MESSAGE_FROM_ASTERISK),
            )
        )

    def client(
        self,
        application: IStasisApplication,
        *,
        app: str = "channel-aa",
        transport: Transport = Transport.AUTO,
    ) -> AriClient:
        """Make the client of a Stasis application; it connects when it is started."""
        username, password = self._simulator.credentials
        address = Address(
            url=f"http://{SERVER.host}:{SERVER.port}",
            username=username,
            password=password,
            app=app,
        )
        # Without chance, so that a run is the same each time.
        backoff = Backoff(
            initial=self._retry_seconds, maximum=self._retry_seconds, jitter=0.0
        )
        return AriClient(
            address,
            application,
            reactor=self._clock,
            transport=transport,
            http=HttpSender(address, reactor=self._clock, endpoint=self._http),
            connection=partial(
                EventsConnection, endpoint=self._websocket, backoff=backoff
            ),
        )

    def drop(self) -> None:
        """Drop the connections, and all that is on its way.

        The client learns of it in a later turn, and connects again.
        """
        self._websocket.drop()
        self._http.drop()

    def cut(self) -> None:
        """Drop the connections, and refuse new ones until `mend`."""
        self._http.is_cut = self._websocket.is_cut = True
        self.drop()

    def mend(self) -> None:
        """Accept connections again."""
        self._http.is_cut = self._websocket.is_cut = False

    def _delay_of(self, direction: Direction) -> float:
        return self.delay(direction)
