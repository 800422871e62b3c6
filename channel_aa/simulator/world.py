"""What the simulated Asterisk holds: applications, channels, playbacks, time.

No sockets here: an application is whoever takes its events as bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred, succeed

from channel_aa.simulator.channels import Channel
from channel_aa.simulator.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.interfaces import IChannelListener
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.sounds import Sounds

ENTITY_ID = "02:00:00:00:00:01"
"""The simulated Asterisk's own id: the ``asterisk_id`` of each event."""

_encode = msgspec.json.Encoder().encode


class Application:
    """A Stasis application: known while it is listened to or has channels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.channels: dict[str, Channel] = {}
        self.send: Callable[[bytes], None] | None = None
        self.hears_everything = False
        self._allowed: list[str] = []
        self._disallowed: list[str] = []

    def filter(
        self, *, allowed: list[str] | None = None, disallowed: list[str] | None = None
    ) -> None:
        """Hear only those types that are allowed (none named: all), and not disallowed.

        What is None stays as it is; both None: everything is heard.
        """
        if allowed is None and disallowed is None:
            allowed = disallowed = []
        self._allowed = self._allowed if allowed is None else allowed
        self._disallowed = self._disallowed if disallowed is None else disallowed

    def hears(self, event_type: str) -> bool:
        """Say whether events of this type pass its filter."""
        is_allowed = not self._allowed or event_type in self._allowed
        return is_allowed and event_type not in self._disallowed

    def snapshot(self) -> dict[str, Any]:
        """Describe the application as Asterisk does."""
        return {
            "name": self.name,
            "channel_ids": list(self.channels),
            "bridge_ids": [],
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [{"type": each} for each in self._allowed],
            "events_disallowed": [{"type": each} for each in self._disallowed],
        }


class World:
    """Everything in the simulated Asterisk.

    Args:
        clock: what time is kept with.
        sounds: what there is to play.
        faults: what is to go wrong.
        speed: every duration is divided by it.
        thread_delay: simulated seconds until a channel with nothing to do starts
            on a command. None: it starts at once, and a request to play is
            answered a moment after that.
        version: which Asterisk it claims to be.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        sounds: Sounds,
        faults: Faults,
        speed: float = 1.0,
        thread_delay: float | None = None,
        version: str = "22.10.1",
    ) -> None:
        self.version = version
        self.sounds = sounds
        self.faults = faults
        self.thread_delay = thread_delay
        self.clock = clock
        self.timers = Timers(clock, speed=speed)
        self.applications: dict[str, Application] = {}
        self.channels: dict[str, Channel] = {}
        self._playbacks: dict[str, list[Playback]] = {}
        self._listening_to_all: dict[str, Application] = {}
        self._awaiting: dict[str, list[Deferred[None]]] = {}
        self._channels_made = 0
        self.started = self.timestamp()

    def timestamp(self) -> str:
        """Say what time it is, as Asterisk writes it."""
        now = datetime.fromtimestamp(self.clock.seconds(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "+0000")

    def new_channel(
        self,
        *,
        name: str,
        extension: str,
        listener: IChannelListener,
        state: str = "Ring",
        dialplan_seconds: float = 0.0,
    ) -> Channel:
        """Make a channel; it is in no application yet."""
        self._channels_made += 1
        channel = Channel(
            self,
            channel_id=f"{int(self.clock.seconds())}.{self._channels_made}",
            name=name or f"PJSIP/alice-{self._channels_made:08x}",
            state=state,
            extension=extension,
            listener=listener,
            dialplan_seconds=dialplan_seconds,
        )
        self.channels[channel.id] = channel
        return channel

    def listen(
        self, name: str, send: Callable[[bytes], None], *, to_everything: bool = False
    ) -> None:
        """Send an application's events there, and nowhere else any more."""
        application = self.applications.get(name)
        if application is None:
            application = self.applications[name] = Application(name)
        elif application.send is not None:
            self._send(application, "ApplicationReplaced", {})
        application.send = send
        if to_everything:
            self._listening_to_all[name] = application
        for listening in self._awaiting.pop(name, ()):
            listening.callback(None)

    def listening(self, name: str) -> Deferred[None]:
        """Fire as soon as somebody listens to an application's events."""
        application = self.applications.get(name)
        if application is not None and application.send is not None:
            return succeed(None)
        awaiting = self._awaiting.setdefault(name, [])
        listening: Deferred[None] = Deferred(awaiting.remove)
        awaiting.append(listening)
        return listening

    def stop_listening(self, name: str, send: Callable[[bytes], None]) -> None:
        """Send an application's events nowhere, where they went there."""
        application = self.applications.get(name)
        if application is not None and application.send == send:
            application.send = None
            self._listening_to_all.pop(name, None)
            self._drop_if_unused(application)

    def publish(
        self,
        application: Application | None,
        event_type: str,
        fields: Mapping[str, Any],
    ) -> None:
        """Send an event to an application, and to those that hear everything."""
        if self.faults.drops(event_type):
            return
        if application is not None:
            self._send(application, event_type, fields)
        for listening in self._listening_to_all.values():
            if listening is not application:
                self._send(listening, event_type, fields)

    def publish_to_all(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Send an event to the applications that hear everything, only."""
        if self._listening_to_all:
            self.publish(None, event_type, fields)

    def add_playback(self, playback: Playback) -> None:
        """Know a playback; Asterisk does not refuse an id that is in use."""
        self._playbacks.setdefault(playback.id, []).append(playback)

    def find_playback(self, playback_id: str) -> Playback | None:
        """Find the first playback of this id."""
        playbacks = self._playbacks.get(playback_id)
        return playbacks[0] if playbacks else None

    def playbacks(self) -> Iterator[Playback]:
        """List what plays or waits to be played."""
        return chain.from_iterable(self._playbacks.values())

    def forget_playback(self, playback: Playback) -> None:
        """Know a playback no longer."""
        playbacks = self._playbacks[playback.id]
        playbacks.remove(playback)
        if not playbacks:
            del self._playbacks[playback.id]

    def channel_left(self, channel: Channel, application: Application) -> None:
        """Have a channel no longer in an application."""
        del application.channels[channel.id]
        self._drop_if_unused(application)

    def forget_channel(self, channel: Channel) -> None:
        """Know a channel no longer."""
        del self.channels[channel.id]

    def forget_everything(self) -> None:
        """Be as after a restart: no channel, no application, and nothing said of it."""
        self.timers.cancel_all()
        channels = tuple(self.channels.values())
        self.channels.clear()
        self.applications.clear()
        self._playbacks.clear()
        self._listening_to_all.clear()
        for channel in channels:
            channel.forget()

    def response(self, app: str, fields: Mapping[str, Any]) -> bytes | None:
        """Make the message that answers a request over a websocket.

        Args:
            app: the first application of the websocket.
            fields: what it says.

        Returns:
            The message; None where the application does not hear it.
        """
        application = self.applications.get(app)
        is_filtered = application is not None and not application.hears("RESTResponse")
        if is_filtered or self.faults.drops("RESTResponse"):
            return None
        return self._message("RESTResponse", app, fields)

    def _send(
        self, application: Application, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        if application.send is not None and application.hears(event_type):
            application.send(self._message(event_type, application.name, fields))

    def _message(self, kind: str, app: str, fields: Mapping[str, Any]) -> bytes:
        message = {
            "type": kind,
            "timestamp": self.timestamp(),
            **fields,
            "asterisk_id": ENTITY_ID,
            "application": app,
        }
        return _encode(message)

    def _drop_if_unused(self, application: Application) -> None:
        if application.send is None and not application.channels:
            self.applications.pop(application.name, None)
