"""A drill: an Asterisk with many callers, the daemon, and what goes wrong between."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import treq

from channel_aa.ari.bridge import BRIDGE_PREFIX
from channel_aa.ari.outbound import is_outbound
from channel_aa.service.status import Status
from real_asterisk.harness import Asterisk, free_port
from tests.support.asterisk_harness import APP, RealAsteriskHarness
from tests.support.call_load import CallLoad
from tests.support.fault_daemon import Daemon
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from tests.support.call_load import Call

CALLS = 50
DRAIN_SECONDS = 10
"""How long the daemon lets calls finish when it is stopped."""

OPERATOR = "Local/operator@phones"
"""Who takes the calls that go on in the dialplan: they stay there."""

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
# Nobody hears anything again just because the time is up.
timeout = 600

[menus.main.options]
1 = {{ play = ["you-entered", "digits/{{digits}}"] }}
3 = {{ dial = "Local/answers@phones" }}
4 = {{ dial = "Local/rings@phones", ring = 60 }}
9 = {{ continue = {{ context = "channel-aa", extension = "operator" }} }}
"""


@dataclass(frozen=True)
class Finding:
    """What a fault did to the calls, for the table at the end of the run."""

    fault: str
    calls: int
    lost: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.fault}: {self.calls} calls, {self.lost} lost, the last one hears"
            f" something after {self.seconds:.2f} s"
        )


FINDINGS: list[Finding] = []


class FaultHarness:
    """Everything that a fault test needs; made by `open`, ended by `close`.

    Attributes:
        crowd: the callers.
        proxy: what the daemon reaches Asterisk through.
        daemon: its current run.
        is_as_new: whether nobody calls, and nothing is left of those who did.
    """

    crowd: CallLoad
    daemon: Daemon

    def __init__(
        self, reactor: PosixReactorBase, asterisk: Asterisk, *, max_calls: int
    ) -> None:
        self.reactor = reactor
        self.asterisk = asterisk
        self.proxy = Proxy(reactor, asterisk.port)
        self._folder = TemporaryDirectory(prefix="channel-aa-drill-")
        self._max_calls = max_calls
        self._status_port = 0
        self.is_as_new = True
        self._runs: list[Daemon] = []

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
            reactor: the reactor that all runs on.
            installation: which Asterisk.
            max_calls: how many calls the daemon takes; 0: all.
        """
        asterisk = await Asterisk.start(
            reactor, installation=installation, operator=OPERATOR
        )
        drill = cls(reactor, asterisk, max_calls=max_calls)
        try:
            await drill.watch()
            await drill.start_daemon()
            while not await drill._is_over_websocket():
                await drill.daemon.kill()
                drill.proxy.opened.clear()
                await drill.start_daemon()
        except BaseException:
            await drill.close()
            raise
        return drill

    async def watch(self) -> None:
        """Open the websockets of the callers and of the onlooker."""
        self.stage = await RealAsteriskHarness.open(self.reactor, self.asterisk)
        self.crowd = CallLoad(
            self.reactor,
            phones=self.stage._phones,
            onlooker=await self.stage.ari.listen("onlooker", subscribeAll="true"),
        )

    async def start_daemon(self) -> None:
        """Start the daemon, and wait until it is connected."""
        connections = self.connections
        self.daemon = Daemon.start(self.reactor, self._configure())
        self._runs.append(self.daemon)
        await self.reconnected(connections)

    async def _is_over_websocket(self) -> bool:
        """Say whether requests go that way: on a busy machine they may not."""
        await self.daemon.prints("Requests go over")
        return "Requests go over the websocket" in self.daemon.said

    @property
    def connections(self) -> int:
        """How many times the daemon has opened its websocket so far."""
        return len(self.proxy.opened)

    async def reconnected(self, before: int) -> float:
        """Wait for one connection more than there were before; tell when it was."""
        return await self.proxy.opens(before)

    async def callers(self, number: int = CALLS) -> list[Call]:
        """Let so many call, and wait until each hears the menu."""
        calls = await self.crowd.place(number)
        await self.crowd.all_hear(calls, 0.0, "press-1")
        return calls

    async def nobody_is_lost(
        self,
        fault: str,
        calls: Sequence[Call],
        *,
        since: float,
    ) -> None:
        """Check that each caller whose channel is there is attended to.

        Each is in the application, hears something, presses a key, and is heard. How
        soon is told, not judged: it depends on how busy the machine is. What the
        daemon itself waits is held in virtual time; see `tests.model`.

        Args:
            fault: what happened, for the table.
            calls: who called.
            since: when that was over, by the reactor.
        """
        seconds = await self.crowd.all_hear(calls, since)
        lost = await self.lost(calls)
        self.tell(fault, seconds, lost=len(lost))
        assert not lost, f"no longer in the application: {lost}"
        await self.everybody_is_heard(calls)

    async def lost(self, calls: Sequence[Call]) -> set[str]:
        """Say which of the calls are there, and not in the application."""
        state = (await self.stage.ari.get(f"/applications/{APP}")).json
        served = {call.id for call in calls if call.is_served}
        return served - set(state["channel_ids"])

    def tell(self, fault: str, seconds: Sequence[float], *, lost: int = 0) -> None:
        """Put a line into the table at the end of the run.

        Args:
            fault: what happened.
            seconds: after how long each caller heard something.
            lost: how many of them were lost.
        """
        longest = max(seconds, default=0.0)
        FINDINGS.append(Finding(fault, len(seconds), lost, longest))

    async def everybody_is_heard(self, calls: Sequence[Call]) -> None:
        """Check that each caller who is there can press a key, and gets an answer."""
        served = [call for call in calls if call.is_served]
        pressed = self.crowd.press("1", served)
        await self.crowd.all_hear(served, pressed, "you-entered")

    async def phones(self) -> list[str]:
        """List the ids of the phones that the daemon has dialled."""
        channels = (await self.stage.ari.get("/channels")).json
        return [each["id"] for each in channels if is_outbound(each["id"])]

    async def conversations(self) -> int:
        """Count the bridges that a caller and a phone are in."""
        bridges = (await self.stage.ari.get("/bridges")).json
        ours = [bridge for bridge in bridges if bridge["id"].startswith(BRIDGE_PREFIX)]
        return sum(len(bridge["channels"]) == 2 for bridge in ours)

    async def has_conversations(self, number: int) -> None:
        """Wait until there are so many, and no bridge of ours beside them."""

        async def are_there() -> bool:
            return await self.conversations() == number

        await self.stage.until(are_there)

    async def has_phones(self, number: int) -> None:
        """Wait until so many phones are dialled."""

        async def are_there() -> bool:
            return len(await self.phones()) == number

        await self.stage.until(are_there)

    def heard(self, key: str, calls: Sequence[Call]) -> list[Call]:
        """Say whose key the daemon has heard: one that comes in the gap is lost."""
        said = {line.partition("] ")[2] for line in self.daemon.lines}
        return [call for call in calls if f"Channel {call.name} entered {key}" in said]

    async def heard_in_the_end(self, key: str, calls: Sequence[Call]) -> list[Call]:
        """Say whose key the daemon has heard, once no key is on its way any more."""
        await self.crowd.until(
            lambda: all(key in call.keys for call in calls), "each to press a key"
        )
        # Its event comes after those of the keys.
        await self.callers(1)
        return self.heard(key, calls)

    async def is_empty(self) -> None:
        """Have everybody hang up, and check that nothing is left of the calls."""
        self.proxy.heal()
        self.crowd.hang_up(call for call in self.crowd.calls if not call.is_gone)
        await self.stage.until(self._is_bare)
        if self.daemon.is_running:
            await self.stage.until(self._is_idle)
            self.is_as_new = True

    async def close(self) -> None:
        """End everything, and check that the daemon never complained of itself."""
        try:
            for daemon in self._runs:
                await daemon.kill()
            for events in self.stage.ari._opened:
                if not events.closed.called:
                    events.dropConnection(abort=True)
                    await events.closed
            await self.proxy.close()
        finally:
            await self.asterisk.stop()
            self._folder.cleanup()
        for daemon in self._runs:
            # Shown where the test failed.
            sys.stdout.write("\n".join(["The daemon:", *daemon.lines, ""]))
        assert not [daemon for daemon in self._runs if daemon.complaints]

    async def status(self) -> Status:
        """Ask the daemon how it is."""
        url = f"http://127.0.0.1:{self._status_port}/"
        reactor: Any = self.reactor  # treq has a type of its own for it
        response = await treq.get(url, reactor=reactor, persistent=False)
        return msgspec.json.decode(await treq.content(response), type=Status)

    def _configure(self) -> Path:
        # Another run may be there, and have its own.
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

    async def _is_idle(self) -> bool:
        status = await self.status()
        return not status.calls.now and not status.requests.pending

    async def _is_bare(self) -> bool:
        for resource in ("/channels", "/bridges"):
            if (await self.stage.ari.get(resource)).json:
                return False
        state = (await self.stage.ari.get(f"/applications/{APP}")).json
        return not state.get("channel_ids")
