"""A simulated Asterisk without sockets: its state, a clock, and its events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twisted.internet.task import Clock

from channel_aa.simulator.callers import SimulatedCaller
from channel_aa.simulator.channel_state import ChannelSetup
from channel_aa.simulator.faults import Faults
from channel_aa.simulator.playbacks import Playback
from channel_aa.simulator.sounds import Sounds
from channel_aa.simulator.state import PbxState

if TYPE_CHECKING:
    from channel_aa.simulator.channels import Channel, IChannelListener


class SimulatedPbx:
    """The state of a simulator, one caller, and the events of one application.

    `published` are the events of the application in short: ``"PlaybackStarted a"`` for
    the playback ``a``.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        sounds: Sounds | None = None,
        app: str = "channel-aa",
        dialplan_seconds: float = 0.0,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.faults = Faults()
        self.events: list[dict[str, Any]] = []
        self.state = PbxState(
            clock=self.clock,
            sounds=sounds or Sounds(seconds={"long": 5.0}, missing={"missing"}),
            faults=self.faults,
            speed=speed,
        )
        self.state.bus.register("channel-aa", self.receive)
        self._dialplan_seconds = dialplan_seconds
        self.caller = self.call(app)

    @property
    def channel(self) -> Channel:
        return self.caller.channel

    def call(
        self, app: str, observer: IChannelListener | None = None
    ) -> SimulatedCaller:
        """Place a call, and use its caller from now on."""
        self.caller = SimulatedCaller(
            self.state,
            ChannelSetup(dialplan_seconds=self._dialplan_seconds),
            observer=observer,
        )
        self.channel.enter(app, ())
        return self.caller

    def receive(self, event: bytes) -> None:
        self.events.append(json.loads(event))

    @property
    def published(self) -> list[str]:
        return [self._summarize(event) for event in self.events]

    def forget_events(self) -> None:
        self.events.clear()

    def play(self, playback_id: str, *media: str) -> Playback:
        playback = Playback(
            self.channel, self.state.playbacks, media, playback_id=playback_id
        )
        self.channel.start(playback)
        return playback

    def pass_time(self, seconds: float, *, steps: int = 20) -> None:
        for _ in range(steps):
            self.clock.advance(seconds / steps)

    @staticmethod
    def _summarize(event: dict[str, Any]) -> str:
        summary: str = event["type"]
        if "playback" in event:
            summary += f" {event['playback']['id']}"
        if event["type"] == "PlaybackFinished":
            summary += f" {event['playback']['state']}"
        if "digit" in event:
            summary += f" {event['digit']}"
        return summary
