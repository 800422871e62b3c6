"""A real Asterisk with many calls, the daemon, and a faulty network between them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import treq

from channel_aa.ari.outbound import is_outbound
from channel_aa.ari.two_party_bridge import BRIDGE_PREFIX
from channel_aa.service.status import Status
from real_asterisk.harness import Asterisk, free_port
from tests.support.asterisk_harness import APP, RealAsteriskHarness
from tests.support.call_load import CallLoad
from tests.support.process import TWISTD, DaemonProcess, PythonProcess
from tests.support.proxy import Proxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from tests.support.call_load import LoadCall

CALLS = 50
DRAIN_SECONDS = 10
"""The daemon's ``drain_timeout``."""

OPERATOR = "Local/operator@phones/n"
"""The phone that the dialplan dials for calls that leave: they stay there.

With ``/n``, Asterisk keeps the Local channels. It has crashed when many of them were
optimized away at once (22.10.1).
"""

_CONFIG = """\
[asterisk]
url = "{url}"

[attendant]
drain_timeout = {drain_seconds}
max_calls = {max_calls}

[status]
listen = "tcp:{status_port}:interface=127.0.0.1"


[menus.main]
prompt = ["press-1", "or", "press-2"]
# No prompt is repeated because of a timeout.
timeout = 600

[menus.main.options]
1 = {{ play = ["you-entered", "digits/{{digits}}"] }}
3 = {{ dial = "Local/answers@phones" }}
4 = {{ dial = "Local/rings@phones", ring = 60 }}
9 = {{ continue = {{ context = "channel-aa", extension = "operator" }} }}
"""


class _Daemon(DaemonProcess):
    """A daemon that connects again as soon as after a connection of a minute.

    The tests cut one connection after another.
    """

    _SETUP = "from channel_aa.ari.wire import connection; connection.STABLE_SECONDS = 0"
    command = (
        *PythonProcess.command,
        *("-c", f"{_SETUP}; {TWISTD[1]}"),
        *DaemonProcess.command[DaemonProcess.command.index("-n") :],
    )


@dataclass(frozen=True)
class FaultOutcome:
    """What a fault did to the calls, for the table at the end of the run.

    Attributes:
        fault: what happened.
        calls: the number of calls that heard a sound afterwards.
        lost: the number of calls that were lost.
        seconds: after how many seconds the last call heard a sound.
    """

    fault: str
    calls: int
    lost: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.fault}: {self.calls} calls, {self.lost} lost, the last one hears"
            f" something after {self.seconds:.2f} s"
        )


OUTCOMES: list[FaultOutcome] = []
"""The outcomes of this process's tests so far."""


class FaultHarness:
    """An Asterisk, the daemon, the proxy between them, and calls.

    Made by `open`, ended by `close`.

    Attributes:
        backend: the Asterisk, past the proxy.
        load: the calls.
        proxy: the daemon reaches Asterisk through it.
        daemon: its current run.
        is_clean: whether there are no calls, and nothing is left of earlier ones.
    """

    backend: RealAsteriskHarness
    load: CallLoad
    daemon: DaemonProcess

    def __init__(
        self, reactor: PosixReactorBase, asterisk: Asterisk, *, max_calls: int
    ) -> None:
        self.reactor = reactor
        self.asterisk = asterisk
        self.proxy = Proxy(reactor, asterisk.port)
        self._folder = TemporaryDirectory(prefix="channel-aa-faults-")
        self._max_calls = max_calls
        self._status_port = 0
        self.is_clean = True
        self._runs: list[DaemonProcess] = []

    @classmethod
    async def open(
        cls,
        reactor: PosixReactorBase,
        installation: Installation,
        *,
        max_calls: int = 0,
    ) -> FaultHarness:
        """Start Asterisk and the daemon.

        Args:
            reactor: the reactor that the test runs on.
            installation: which Asterisk.
            max_calls: the daemon's ``max_calls``; 0: no limit.
        """
        asterisk = await Asterisk.start(
            reactor, installation=installation, operator=OPERATOR
        )
        harness = cls(reactor, asterisk, max_calls=max_calls)
        try:
            await harness.open_websockets()
            await harness.start_daemon()
            while not await harness._is_over_websocket():
                await harness.daemon.kill()
                harness.proxy.opened.clear()
                await harness.start_daemon()
        except BaseException:
            await harness.close()
            raise
        return harness

    async def open_websockets(self) -> None:
        """Open the websockets of the callers and of all events."""
        self.backend = await RealAsteriskHarness.open(self.reactor, self.asterisk)
        events = await self.backend.listen_to_everything()
        self.load = CallLoad(self.backend, events)

    async def start_daemon(self) -> None:
        """Start the daemon, and wait until it is connected."""
        connections = self.connections
        file = self._write_file()
        self.daemon = _Daemon.start(self.reactor, "-c", str(file))
        self._runs.append(self.daemon)
        await self.until_reconnected(connections)

    async def _is_over_websocket(self) -> bool:
        """Say whether requests use the websocket: on a busy machine they may not."""
        await self.daemon.prints("Requests go over")
        return "Requests go over the websocket" in self.daemon.output

    @property
    def connections(self) -> int:
        """How many times the daemon has opened its websocket."""
        return len(self.proxy.opened)

    async def until_reconnected(self, before: int) -> float:
        """Wait for another connection than those before; return when it was opened."""
        return await self.proxy.opens(before)

    async def place_calls(self, number: int = CALLS) -> list[LoadCall]:
        """Place a number of calls, and wait until each hears the menu."""
        calls = await self.load.place(number)
        await self.load.all_hear(calls, 0.0, "press-1")
        return calls

    async def assert_no_call_lost(
        self,
        fault: str,
        calls: Sequence[LoadCall],
        *,
        since: float,
        or_silence: bool = False,
    ) -> None:
        """Check that each call that was not hung up is served.

        Each is in the application, hears a sound, presses a key, and gets an answer.
        How soon is reported and not checked: it depends on how busy the machine is. A
        bound is checked in virtual time, in `tests.properties.models`.

        Args:
            fault: what happened, for the table.
            calls: the calls.
            since: when the fault was over, in the reactor's time.
            or_silence: whether a call whose prompt was over by then need hear none.
        """
        try:
            seconds = await self.load.all_hear(calls, since, or_silence=or_silence)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self._describe()}") from None
        lost = await self.lost(calls)
        self.report(fault, seconds, lost=len(lost))
        assert not lost, f"no longer in the application: {lost}"
        await self.assert_keys_answered(calls)

    async def _describe(self) -> str:
        """Describe the state of the daemon and of Asterisk, for an error message."""
        state = (await self.backend.ari.get(f"/applications/{APP}")).json
        log = "\n".join(self.daemon.lines[:40])
        return (
            f"websockets opened: {self.proxy.opened}\napplication: {state}\n"
            f"the daemon's log begins:\n{log}"
        )

    async def lost(self, calls: Sequence[LoadCall]) -> set[str]:
        """Return the ids of the calls that exist, and are not in the application."""
        state = (await self.backend.ari.get(f"/applications/{APP}")).json
        served = {call.id for call in calls if call.is_served}
        return served - set(state["channel_ids"])

    def report(self, fault: str, seconds: Sequence[float], *, lost: int = 0) -> None:
        """Add a line to the table at the end of the run.

        Args:
            fault: what happened.
            seconds: after how many seconds each call heard a sound.
            lost: the number of calls that were lost.
        """
        longest = max(seconds, default=0.0)
        OUTCOMES.append(FaultOutcome(fault, len(seconds), lost, longest))

    async def assert_keys_answered(self, calls: Sequence[LoadCall]) -> None:
        """Check that each call that is served presses a key and gets an answer."""
        served = [call for call in calls if call.is_served]
        pressed = self.load.press("1", served)
        await self.load.all_hear(served, pressed, "you-entered")

    async def phones(self) -> list[str]:
        """List the channel ids of the phones that the daemon has dialled."""
        channels = (await self.backend.ari.get("/channels")).json
        return [each["id"] for each in channels if is_outbound(each["id"])]

    async def conversations(self) -> int:
        """Count the daemon's bridges with two channels."""
        bridges = (await self.backend.ari.get("/bridges")).json
        ours = [bridge for bridge in bridges if bridge["id"].startswith(BRIDGE_PREFIX)]
        return sum(len(bridge["channels"]) == 2 for bridge in ours)

    async def until_conversations(self, number: int) -> None:
        """Wait until there is this number of conversations."""

        async def is_reached() -> bool:
            return await self.conversations() == number

        await until(self.reactor, is_reached, f"{number} conversations")

    async def until_phones(self, number: int) -> None:
        """Wait until this number of phones is dialled."""

        async def is_reached() -> bool:
            return len(await self.phones()) == number

        await until(self.reactor, is_reached, f"{number} phones")

    def received(self, key: str, calls: Sequence[LoadCall]) -> list[LoadCall]:
        """Return the calls whose key the daemon has received.

        A key pressed while there is no connection is lost.
        """
        logged = {line.partition("] ")[2] for line in self.daemon.lines}
        return [
            call for call in calls if f"Channel {call.name} entered {key}" in logged
        ]

    async def received_in_the_end(
        self, key: str, calls: Sequence[LoadCall]
    ) -> list[LoadCall]:
        """Return the same, once all keys are pressed and their events handled."""
        await self.load.until(
            lambda: all(key in call.keys for call in calls), "each to press a key"
        )
        # The events of another call come after those of the keys.
        await self.place_calls(1)
        return self.received(key, calls)

    async def hang_up_all(self) -> None:
        """Hang up all calls, and check that nothing is left of them."""
        self.proxy.heal()
        self.load.hang_up(call for call in self.load.calls if not call.is_gone)
        await until(self.reactor, self._asterisk_is_idle, "no call left in Asterisk")
        if self.daemon.is_running:
            await until(
                self.reactor, self._daemon_is_idle, "no call left in the daemon"
            )
            self.is_clean = True

    async def close(self) -> None:
        """End everything, and check that the daemon had no faults."""
        try:
            for daemon in self._runs:
                await daemon.kill()
            for events in self.backend.ari.websockets:
                if not events.closed.called:
                    events.dropConnection(abort=True)
                    await events.closed
            await self.proxy.close()
        finally:
            await self.asterisk.stop()
            self._folder.cleanup()
        for daemon in self._runs:
            # pytest shows it if the test fails.
            sys.stdout.write("\n".join(["The daemon:", *daemon.lines, ""]))
        assert not [daemon for daemon in self._runs if daemon.fault_lines]

    async def status(self) -> Status:
        """Get the daemon's status."""
        url = f"http://127.0.0.1:{self._status_port}/"
        reactor: Any = self.reactor  # treq has a type of its own for it
        response = await treq.get(url, reactor=reactor, persistent=False)
        return msgspec.json.decode(await treq.content(response), type=Status)

    def _write_file(self) -> Path:
        # Another run may still use its own.
        self._status_port = free_port()
        config = Path(self._folder.name, "twistd.conf")
        config.write_text(
            _CONFIG.format(
                url=self.proxy.url,
                drain_seconds=DRAIN_SECONDS,
                max_calls=self._max_calls,
                status_port=self._status_port,
            )
        )
        return config

    async def _daemon_is_idle(self) -> bool:
        status = await self.status()
        return not status.calls.now and not status.requests.pending

    async def _asterisk_is_idle(self) -> bool:
        for resource in ("/channels", "/bridges"):
            if (await self.backend.ari.get(resource)).json:
                return False
        state = (await self.backend.ari.get(f"/applications/{APP}")).json
        return not state.get("channel_ids")
