"""Programs whose coroutines are calls: a client on an Asterisk, and the examples."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channel_aa.ari import Address, AriClient
from channel_aa.ari.api.events import PlaybackStarted
from tests.support.asterisk_harness import APP
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_aa.ari import CallHandler
    from tests.support.asterisk_harness import AsteriskHarness

EXAMPLES = Path(__file__).parents[2] / "examples/ari"


def example(name: str) -> Any:  # noqa: ANN401 - a module
    """Load a program of ``examples/ari``, anew each time."""
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def address_of(backend: AsteriskHarness) -> Address:
    """Return the address of an Asterisk, for the application of the tests."""
    return Address(
        url=backend.url, username=backend.username, password=backend.password, app=APP
    )


class Program:
    """A running client of a program.

    Attributes:
        client: the client.
        heard: the names of the sounds that have begun.
    """

    def __init__(self, backend: AsteriskHarness, client: AriClient) -> None:
        self.reactor = backend.reactor
        self.client = client
        self.heard: list[str] = []
        self.client.events.on(PlaybackStarted, self._started)

    def _started(self, event: PlaybackStarted) -> None:
        self.heard.append(event.playback.media_uri.removeprefix("sound:"))

    @classmethod
    @asynccontextmanager
    async def running(
        cls, backend: AsteriskHarness, program: CallHandler | AriClient
    ) -> AsyncIterator[Program]:
        """Run a client, or one with a coroutine function for each call."""
        if not isinstance(program, AriClient):
            program = AriClient(
                address_of(backend), on_call=program, reactor=backend.reactor
            )
        running = cls(backend, program)
        program.startService()
        await program.when_connected()
        try:
            yield running
        finally:
            await program.stopService()

    async def hears(self, *sounds: str) -> None:
        """Wait until the last sounds are these."""
        await until(
            self.reactor,
            lambda: self.heard[-len(sounds) :] == list(sounds),
            f"the sounds {sounds}",
        )

    async def is_over(self) -> None:
        """Wait until no call is left."""
        await until(self.reactor, lambda: not self.client.channels, "the end of calls")
