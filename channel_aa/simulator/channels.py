"""A channel: its state, its commands, entering and leaving an application."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from zope.interface import Interface

from channel_aa.simulator.command_queue import Activity, CommandQueue
from channel_aa.simulator.dialplan import (
    CallerId,
    DialplanLocation,
    variable_name,
    write_variable,
)
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.environment import Environment
    from channel_aa.simulator.event_bus import Application

HANGUP_NORMAL = 16
_SOFT_HANGUP_EXPLICIT = 32
_CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    HANGUP_NORMAL: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    34: "Circuit/channel congestion",
}
_BLIND_STATES = frozenset({"Down", "Rsrvd", "Ringing"})


class IChannelListener(Interface):
    """The far end of a channel: a caller, or a phone that was dialled."""

    def sound_started(media: str) -> None:
        """Hear a sound begin."""

    def sound_ended(media: str, how: str) -> None:
        """Hear it end: ``done``, ``stopped`` or ``failed``."""

    def channel_gone(outcome: str) -> None:
        """Learn that the channel is gone; nothing else is called after that."""


class Indications:
    """At most one of ``ringing``, ``music:CLASS``, ``voice:PJSIP/410`` at a time."""

    def __init__(self, listener: IChannelListener) -> None:
        self._listener = listener
        self._current = ""

    def start(self, indication: str) -> None:
        """Start one, in the place of the current one."""
        if self._current != indication:
            self.stop()
            self._current = indication
            self._listener.sound_started(indication)

    def stop(self, indication: str = "") -> None:
        """Stop the current one, if its name begins so; by default whatever it is."""
        ending = self._current
        if ending and ending.startswith(indication):
            self._current = ""
            self._listener.sound_ended(ending, "stopped")


class SupportsChannels(Protocol):
    """A bridge, as far as a channel knows it."""

    def add(self, channel: Channel) -> None:
        """Add a channel."""

    def remove(self, channel: Channel) -> None:
        """Remove a channel."""


@dataclass(frozen=True, kw_only=True)
class ChannelSetup:
    """What a channel begins with.

    Args:
        channel_id: empty: any.
        name: a number is appended to one that ends with ``-``.
        state: ``Ring`` for a call that comes in, ``Down``, ….
        context: the context that it enters the dialplan in.
        extension: the extension that was dialled.
        caller: who is at the far end.
        connected: who is connected to that.
        dialplan_seconds: how long it stays in the dialplan outside of applications.
    """

    channel_id: str = ""
    name: str = "PJSIP/alice-"
    state: str = "Ring"
    context: str = "default"
    extension: str = "1000"
    caller: CallerId = field(default_factory=CallerId)
    connected: CallerId = field(default_factory=CallerId)
    language: str = "en"
    variables: Mapping[str, str] = field(default_factory=dict)
    dialplan_seconds: float = 0.0


class Channel:
    """A channel, seen from Asterisk's side; its listener is its far end.

    It removes itself from the registry, the channels that exist by id, at its end. A
    command that returns a Deferred fires when it was carried out, or with
    `RefusedError`.

    Attributes:
        environment: what it depends on.
        application: the Stasis application that it is in.
        bridge: the bridge that it is in.
        indications: what is heard on it, apart from playbacks.
        speaks_until: until when the caller speaks, by the timers' clock.
        on_hangup: called once, after the ``ChannelHangupRequest``.
    """

    def __init__(
        self,
        environment: Environment,
        registry: dict[str, Channel],
        setup: ChannelSetup,
        listener: IChannelListener,
    ) -> None:
        self.id = setup.channel_id
        self.name = setup.name
        self.state = setup.state
        self.listener = listener
        self.application: Application | None = None
        self.bridge: SupportsChannels | None = None
        self.is_hung_up = False
        self.variables = {
            variable_name(name): value for name, value in setup.variables.items()
        }
        self.caller = setup.caller
        self.language = setup.language
        self.location = DialplanLocation(setup.context, setup.extension, 1)
        self.app_name = ""
        self.app_data = ""
        self.speaks_until = 0.0
        self.on_hangup: Callable[[], None] = lambda: None
        self.indications = Indications(listener)
        self.environment = environment
        self._registry = registry
        self._bus = environment.bus
        self._connected = setup.connected
        self._created = self._bus.timestamp()
        self._subscriptions: dict[str, Application] = {}
        self._queue = CommandQueue(when_idle=self._leave_if_due)
        self._leave_for: DialplanLocation | None = None
        self._dialplan_seconds = setup.dialplan_seconds
        self._dialplan_timer: IDelayedCall | None = None
        self._cause = HANGUP_NORMAL
        self._outcome = ""

    def snapshot(self) -> dict[str, Any]:
        """Describe the channel as Asterisk does."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": self.caller.snapshot(),
            "connected": self._connected.snapshot(),
            "accountcode": "",
            "dialplan": {
                **self.location.snapshot(),
                "app_name": self.app_name,
                "app_data": self.app_data,
            },
            "creationtime": self._created,
            "language": self.language,
        }

    @property
    def device(self) -> str:
        """The device that it belongs to: ``PJSIP/alice``."""
        return self.name.rpartition("-")[0]

    @property
    def is_in_valid_state(self) -> bool:
        """Whether it is not an outbound channel that still rings."""
        return self.state not in _BLIND_STATES

    @property
    def subscribers(self) -> tuple[Application, ...]:
        """The applications that get its events."""
        own = self.application
        if not self._subscriptions:
            return () if own is None else (own,)
        others = (each for each in self._subscriptions.values() if each is not own)
        return tuple(others) if own is None else (own, *others)

    def subscribe(self, application: Application) -> None:
        """Send its events to an application for as long as it exists."""
        self._subscriptions[application.name] = application
        application.subscribed_channels.add(self.id)

    def unsubscribe(self, application: Application) -> None:
        """Undo `subscribe`."""
        self._subscriptions.pop(application.name, None)
        application.subscribed_channels.discard(self.id)
        self._bus.drop_if_unused(application)

    def enter(self, application_name: str, arguments: Sequence[str]) -> None:
        """Enter the dialplan's ``Stasis(application,argument,…)``."""
        self.app_name = "Stasis"
        self.app_data = ",".join((application_name, *arguments))
        dialplan = {"dialplan_app": self.app_name, "dialplan_app_data": self.app_data}
        self._publish_to_subscriptions("ChannelDialplan", dialplan)
        self._set_status("")
        application = self._bus.applications.get(application_name)
        if application is None or application.send is None:
            self._set_status("FAILED")
            self.act(self._run_the_dialplan)
            return
        self.application = application
        application.channels.add(self.id)
        entry = {"args": list(arguments), "channel": self.snapshot()}
        self._bus.send_to(application, "StasisStart", entry)

    def press(self, digit: str, *, duration_ms: int = 100) -> None:
        """Receive a key that the caller pressed."""

        def receive() -> None:
            if self.is_hung_up:
                return
            key = {"digit": digit, "duration_ms": duration_ms}
            self.publish("ChannelDtmfReceived", key)
            if self._queue.activity is not None:
                self._queue.activity.key_pressed(digit)

        self.act(receive)

    def hang_up(
        self,
        *,
        outcome: str,
        cause: int,
        is_soft: bool,
        final_cause: int = HANGUP_NORMAL,
    ) -> None:
        """End the call.

        Args:
            outcome: how the call ended, for the listener.
            cause: the hangup cause, after Q.850, of the ``ChannelHangupRequest``.
            is_soft: whether Asterisk ends it, not the caller.
            final_cause: that of the ``ChannelDestroyed``.
        """

        def hang_up() -> None:
            if self.is_hung_up:
                return
            self.is_hung_up = True
            self._outcome = self._outcome or outcome
            self._cause = final_cause
            fields = {"cause": cause, "soft": True} if is_soft else {"cause": cause}
            self.publish("ChannelHangupRequest", fields)
            self.indications.stop()
            self.on_hangup()
            if self.application is None:
                self._destroy()
            elif self._queue.activity is not None:
                self._queue.activity.hang_up()

        self.act(hang_up)

    def hang_up_on_request(self, *, final_cause: int = HANGUP_NORMAL) -> None:
        """End the call because an application asked for it."""
        self.hang_up(
            outcome="hung up by application",
            cause=_SOFT_HANGUP_EXPLICIT,
            is_soft=True,
            final_cause=final_cause,
        )

    def vanish(self, *, outcome: str, cause: int) -> None:
        """End without a ``ChannelHangupRequest``: it was in no application yet."""

        def vanish() -> None:
            if not self.is_hung_up:
                self.is_hung_up = True
                self._outcome, self._cause = outcome, cause
                self._destroy()

        self.act(vanish)

    def answer(self) -> Deferred[None]:
        """Answer, after the commands before."""
        error = RefusedError(500, "Failed to answer channel")

        def answer() -> None:
            if self.is_hung_up:
                raise error
            self.change_state("Up")

        return self._run_in_turn(answer, error)

    def change_state(self, state: str) -> None:
        """Change the state: ``Ringing``, ``Up``."""
        if self.state != state:
            self.state = state
            self.publish("ChannelStateChange", {})

    def set_variable(self, name: str, value: str | None) -> Deferred[None]:
        """Set a variable or a function, after the commands before; None: remove it."""
        return self._run_in_turn(
            lambda: write_variable(self, name, value),
            RefusedError(500, "Failed to set channel variable"),
        )

    def start(self, activity: Activity) -> None:
        """Play or record, after the commands before."""

        def begin() -> None:
            self._queue.activity = activity
            if self.bridge is None:
                self.indications.stop()
            activity.begin()

        if not self._put(begin):
            activity.discard()

    def indicate(self, indication: str) -> None:
        """Start ``ringing`` or ``music:CLASS``, after the commands before."""
        self._put(lambda: self.indications.start(indication))

    def stop_indicating(self, indication: str) -> None:
        """Stop an indication whose name begins so, after the commands before."""
        self._put(lambda: self.indications.stop(indication))

    def enter_bridge(self, bridge: SupportsChannels) -> Deferred[None]:
        """Enter a bridge, after the commands before."""

        def enter() -> None:
            self.leave_bridge()
            self.indications.stop()
            self.bridge = bridge
            bridge.add(self)

        error = RefusedError(422, "Channel not in Stasis application")
        return self._run_in_turn(enter, error)

    def leave_bridge_in_turn(self) -> Deferred[None]:
        """Leave the bridge, after the commands before."""
        error = RefusedError(422, "Channel not in this bridge")
        return self._run_in_turn(self.leave_bridge, error)

    def leave_bridge(self) -> None:
        """Leave the bridge at once, if it is in one."""
        bridge, self.bridge = self.bridge, None
        if bridge is not None:
            bridge.remove(self)

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> None:
        """Leave the application, after the commands before.

        Without arguments it continues at the priority after the one it came from.
        """
        location = self.location.moved(
            context=context, extension=extension, priority=priority
        )

        def leave() -> None:
            self._leave_for = location

        self._put(leave)

    def activity_over(self) -> None:
        """Continue: the activity has ended."""
        self._queue.activity = None

    def speak(self, seconds: float) -> None:
        """Let the caller speak for so many seconds from now on."""
        self.speaks_until = self.environment.timers.now + seconds
        if self._queue.activity is not None:
            self._queue.activity.voice_changed()

    def forget(self) -> None:
        """End without an event: Asterisk has stopped."""
        self._queue.clear()
        self.application = None
        self.is_hung_up = True
        self.listener.channel_gone("forgotten by Asterisk")

    def act(self, action: Callable[[], None]) -> None:
        """Run this behind the actions under way; then continue with the commands."""
        self._queue.act(action)

    def later(self, seconds: float, action: Callable[[], None]) -> IDelayedCall:
        """Call `act` in so many simulated seconds; `Timers.cancel` takes the result."""
        return self.environment.timers.later(seconds, lambda: self.act(action))

    def send_event(self, event_type: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Send an event to its subscribers."""
        self._bus.publish(event_type, fields, to=self.subscribers)

    def publish(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Send an event that describes the channel to its subscribers."""
        self.send_event(event_type, **fields, channel=self.snapshot())

    def _publish_to_subscriptions(
        self, event_type: str, fields: Mapping[str, Any]
    ) -> None:
        """Send an event that the application does not get that the channel is in."""
        event = {**fields, "channel": self.snapshot()}
        self._bus.publish(event_type, event, to=tuple(self._subscriptions.values()))

    def _leave_if_due(self) -> None:
        leaves = self.is_hung_up or self._leave_for is not None
        if leaves and self._queue.is_idle and self.application is not None:
            self._leave(self.application)

    def _put(self, command: Callable[[], None]) -> bool:
        """Append a command; False: the channel takes no more of them."""
        if self.application is None or self._leave_for is not None:
            return False
        self._queue.put(command)
        return True

    def _run_in_turn(
        self, command: Callable[[], None], error: RefusedError
    ) -> Deferred[None]:
        """Append a command; fires when it was carried out.

        Errors: `RefusedError`, where the command raises it; this one if the channel
        takes no more commands.
        """
        done: Deferred[None] = Deferred()

        def carry_out() -> None:
            try:
                command()
            except RefusedError:
                done.errback()
            else:
                done.callback(None)

        if not self._put(carry_out):
            done.errback(error)
        return done

    def _set_status(self, status: str) -> None:
        """Set STASISSTATUS; the channel's own application gets no event of it."""
        self.variables["STASISSTATUS"] = status
        fields = {"variable": "STASISSTATUS", "value": status}
        self._publish_to_subscriptions("ChannelVarset", fields)

    def _leave(self, application: Application) -> None:
        self.leave_bridge()
        self.indications.stop()
        self._bus.send_to(application, "StasisEnd", {"channel": self.snapshot()})
        self._set_status("SUCCESS")
        self.application = None
        application.channels.discard(self.id)
        self._bus.drop_if_unused(application)
        if self.is_hung_up:
            self._destroy()
        else:
            self._run_the_dialplan()

    def _run_the_dialplan(self) -> None:
        """Continue in the dialplan, which then ends the call."""
        self.location = self._leave_for or self.location.after
        self._leave_for = None
        self.app_name = self.app_data = ""
        self._outcome = f"continued in dialplan at {self.location}"

        def hang_up() -> None:
            self.hang_up(outcome="", cause=HANGUP_NORMAL, is_soft=True)

        if self._dialplan_seconds:
            self._dialplan_timer = self.environment.timers.later(
                self._dialplan_seconds, hang_up
            )
        else:
            hang_up()

    def _destroy(self) -> None:
        self.environment.timers.cancel(self._dialplan_timer)
        cause = {"cause": self._cause, "cause_txt": _CAUSES.get(self._cause, "Unknown")}
        self._publish_to_subscriptions("ChannelDestroyed", cause)
        del self._registry[self.id]
        for application in tuple(self._subscriptions.values()):
            self.unsubscribe(application)
        self.listener.channel_gone(self._outcome)
