"""What the simulated Asterisk holds: applications, channels, playbacks, time.

No sockets here: an application is whoever takes its events as bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred, succeed

from channel_aa.simulator.applications import Application
from channel_aa.simulator.channels import Channel
from channel_aa.simulator.phone_behaviour import Phones
from channel_aa.simulator.recordings import Recordings
from channel_aa.simulator.sounds import Sound
from channel_aa.simulator.timers import Timers
from channel_aa.simulator.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.caller_id import CallerId
    from channel_aa.simulator.faults import Faults
    from channel_aa.simulator.interfaces import IChannelListener
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.simulated_phone import SimulatedPhone
    from channel_aa.simulator.sounds import Sounds

ENTITY_ID = "02:00:00:00:00:01"
"""The simulated Asterisk's own id: the ``asterisk_id`` of each event."""

_encode = msgspec.json.Encoder().encode


class PbxState:
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
        phones: the telephones that applications can ring; None: there are none.
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
        phones: Phones | None = None,
    ) -> None:
        self.version = version
        self.sounds = sounds
        self.faults = faults
        self.thread_delay = thread_delay
        self.clock = clock
        self.timers = Timers(clock, speed=speed)
        self.applications: dict[str, Application] = {}
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.phones = phones or Phones()
        self.telephones: dict[str, SimulatedPhone] = {}
        self.recordings = Recordings()
        self.variables = Variables()
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
        channel_id: str = "",
        context: str = "default",
        caller: CallerId | None = None,
        connected: CallerId | None = None,
        language: str = "en",
        variables: Mapping[str, str] | None = None,
        state: str = "Ring",
        dialplan_seconds: float = 0.0,
    ) -> Channel:
        """Make a channel; it is in no application yet.

        A name that ends with ``-`` gets a number behind it.
        """
        self._channels_made += 1
        name = name or "PJSIP/alice-"
        number = f"{self._channels_made:08x}" if name.endswith("-") else ""
        channel = Channel(
            self,
            channel_id=channel_id
            or f"{int(self.clock.seconds())}.{self._channels_made}",
            name=f"{name}{number}",
            state=state,
            extension=extension,
            listener=listener,
            context=context,
            caller=caller,
            connected=connected,
            language=language,
            variables=variables,
            dialplan_seconds=dialplan_seconds,
        )
        self.channels[channel.id] = channel
        self.publish_to_all("ChannelCreated", {"channel": channel.snapshot()})
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
            self.drop_if_unused(application)

    def publish(
        self, event_type: str, fields: Mapping[str, Any], *, to: Iterable[Application]
    ) -> None:
        """Send an event to applications, and to those that hear everything."""
        if not to and not self._listening_to_all:
            return
        if self.faults.drops(event_type):
            return
        for application in to:
            self._send(application, event_type, fields)
        for listening in self._listening_to_all.values():
            if listening not in to:
                self._send(listening, event_type, fields)

    def tell(
        self, application: Application, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        """Send an event to one application; those that hear everything do not."""
        if not self.faults.drops(event_type):
            self._send(application, event_type, fields)

    def publish_to_all(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Send an event to the applications that hear everything, only."""
        self.publish(event_type, fields, to=())

    def find_sound(self, media: str) -> Sound | None:
        """Look up a media URI; see `Sounds.find`. What was recorded here is there."""
        scheme, _, name = media.partition(":")
        stored = self.recordings.stored.get(name) if scheme == "recording" else None
        if stored is None:
            return self.sounds.find(media)
        # One with nothing in it cannot be played.
        return Sound(stored.seconds or None)

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
        self.drop_if_unused(application)

    def watch(self, application: Application, channel: Channel) -> None:
        """Have an application hear of a channel for all of its life."""
        channel.watchers[application.name] = application
        application.watched[channel.id] = channel

    def watch_no_more(self, application: Application, channel: Channel) -> None:
        """End `watch`."""
        channel.watchers.pop(application.name, None)
        application.watched.pop(channel.id, None)
        self.drop_if_unused(application)

    def telephone_gone(self, telephone: SimulatedPhone) -> None:
        """Know a telephone that is rung no longer."""
        self.telephones.pop(telephone.channel.id, None)

    def forget_channel(self, channel: Channel) -> None:
        """Know a channel no longer."""
        del self.channels[channel.id]
        for application in tuple(channel.watchers.values()):
            self.watch_no_more(application, channel)

    def drop_if_unused(self, application: Application) -> None:
        """Know an application no longer where it has nothing."""
        if not application.is_in_use:
            self.applications.pop(application.name, None)

    def forget_everything(self) -> None:
        """Be as after a restart: no channel, no application, and nothing said of it."""
        self.timers.cancel_all()
        channels = tuple(self.channels.values())
        self.channels.clear()
        self.applications.clear()
        self.bridges.clear()
        self.recordings.live.clear()
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
