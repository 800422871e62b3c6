"""A channel: its commands, its hangup, entering and leaving an application."""

# ruff: noqa: N805 - the methods of a zope Interface are written without self

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from zope.interface import Interface

from channel_aa.simulator.channel_state import ChannelSetup, ChannelState
from channel_aa.simulator.command_queue import Activity, CommandQueue
from channel_aa.simulator.dialplan import write_variable
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.dialplan import DialplanLocation
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
    26: "Answered elsewhere",
    34: "Circuit/channel congestion",
}


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


class Channel(ChannelState):
    """A channel, seen from Asterisk's side; its listener is its far end.

    It removes itself from the registry, the channels that exist by id, at its end. A
    command that returns a Deferred fires when it was carried out, or with
    `RefusedError`.

    Attributes:
        environment: what it depends on.
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
        super().__init__(environment.bus, setup)
        self.environment = environment
        self.listener = listener
        self.bridge: SupportsChannels | None = None
        self.is_hung_up = False
        self.speaks_until = 0.0
        self.on_hangup: Callable[[], None] = lambda: None
        self.indications = Indications(listener)
        self._registry = registry
        self._queue = CommandQueue(when_idle=self._leave_if_due)
        self._leave_for: DialplanLocation | None = None
        self._dialplan_seconds = setup.dialplan_seconds
        self._dialplan_timer: IDelayedCall | None = None
        self._cause = HANGUP_NORMAL
        self._outcome = ""

    def enter(self, application_name: str, arguments: Sequence[str]) -> None:
        """Enter the dialplan's ``Stasis(application,argument,…)``."""
        self.app_name = "Stasis"
        self.app_data = ",".join((application_name, *arguments))
        dialplan = {"dialplan_app": self.app_name, "dialplan_app_data": self.app_data}
        self.publish_to_subscriptions("ChannelDialplan", dialplan)
        self.set_status("")
        application = self.bus.applications.get(application_name)
        if application is None or application.send is None:
            self.set_status("FAILED")
            self.act(self._run_the_dialplan)
            return
        self.application = application
        application.channels.add(self.id)
        entry = {"args": list(arguments), "channel": self.snapshot()}
        self.bus.send_to(application, "StasisStart", entry)

    def replace_with(self, other: Channel) -> None:
        """Let another channel take its place, in the application and in the bridge.

        The application gets no more events of this one, but for its ``StasisEnd`` and
        what an application is subscribed to.

        Raises:
            ValueError: it is in no application.
        """
        application, bridge = self.application, self.bridge
        if application is None:
            raise ValueError(f"{self.name} is in no application, and cannot transfer")
        self.environment.timers.cancel(other._dialplan_timer)
        other._outcome = ""
        other.application = application
        application.channels.add(other.id)
        other.app_name, other.app_data = "Stasis", application.name
        start = {"args": [], "channel": other.snapshot()}
        start["replace_channel"] = self.snapshot()
        self.bus.send_to(application, "StasisStart", start)
        self.is_replaced = True
        if bridge is None:
            # Its place is the dialplan's Stasis.
            other.app_data, other.location = self.app_data, self.location
            return
        self.leave_bridge()
        other.bridge = bridge
        bridge.add(other)

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
        cause: int | None,
        is_soft: bool = False,
        final_cause: int | None = None,
    ) -> None:
        """End the call.

        Args:
            outcome: how the call ended, for the listener.
            cause: the hangup cause, after Q.850, of the ``ChannelHangupRequest``; None:
                there is no such event.
            is_soft: whether Asterisk ends it, not the caller.
            final_cause: that of the ``ChannelDestroyed``; None: the same.
        """

        def hang_up() -> None:
            if self.is_hung_up:
                return
            self.is_hung_up = True
            self._outcome = self._outcome or outcome
            self._cause = final_cause or cause or 0
            if cause is not None:
                soft = {"soft": True} if is_soft else {}
                self.publish("ChannelHangupRequest", {"cause": cause, **soft})
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

    def answer(self) -> Deferred[None]:
        """Answer, after the commands before."""
        error = RefusedError(500, "Failed to answer channel")

        def answer() -> None:
            if self.is_hung_up:
                raise error
            self.change_state("Up")

        return self._run_in_turn(answer, error)

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

    def _leave(self, application: Application) -> None:
        self.leave_bridge()
        self.indications.stop()
        self.bus.send_to(application, "StasisEnd", {"channel": self.snapshot()})
        if self.is_replaced:
            self.unsubscribe(application)
        self.set_status("SUCCESS")
        self.application = None
        application.channels.discard(self.id)
        self.bus.drop_if_unused(application)
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
        self.publish_to_subscriptions("ChannelDestroyed", cause)
        del self._registry[self.id]
        for application in tuple(self.subscriptions.values()):
            self.unsubscribe(application)
        self.listener.channel_gone(self._outcome)
