"""One call's channel: its state, what is asked of it, its way in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.simulator.caller_id import CallerId
from channel_aa.simulator.command_queue import CommandFailedError, CommandQueue
from channel_aa.simulator.dialplan import Dialplan
from channel_aa.simulator.dialplan_location import DialplanLocation
from channel_aa.simulator.indications import Indications

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from channel_aa.simulator.applications import Application
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.interfaces import IChannelListener
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.recordings import Recording
    from channel_aa.simulator.state import PbxState

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


class Channel:
    """A channel, seen from Asterisk's side.

    Attributes:
        application: the Stasis application it is in.
        watchers: the applications that hear of it for all of its life.
        bridge: the bridge it is in.
        hearing: what is heard on it, apart from sounds.
        speaks_until: until when its caller speaks, in the timers' seconds.
        when_hung_up: called once, after the ``ChannelHangupRequest``.
    """

    def __init__(
        self,
        world: PbxState,
        *,
        channel_id: str,
        name: str,
        state: str,
        extension: str,
        listener: IChannelListener,
        context: str = "default",
        caller: CallerId | None = None,
        connected: CallerId | None = None,
        language: str = "en",
        variables: Mapping[str, str] | None = None,
        dialplan_seconds: float = 0.0,
    ) -> None:
        self.id = channel_id
        self.name = name
        self.state = state
        self.listener = listener
        self.application: Application | None = None
        self.watchers: dict[str, Application] = {}
        self.bridge: Bridge | None = None
        self.is_hung_up = False
        self.variables: dict[str, str] = dict(variables or {})
        self.caller = caller or CallerId()
        self.language = language
        self.place = DialplanLocation(context, extension, 1)
        self.app_name = ""
        self.app_data = ""
        self.speaks_until = 0.0
        self.when_hung_up: Callable[[], None] = _nothing
        self._connected = connected or CallerId()
        self._world = world
        self._created = world.timestamp()
        self._thread = CommandQueue(
            world.timers,
            delay=lambda: world.thread_delay,
            when_idle=self._leave_if_due,
        )
        self.hearing = Indications(listener)
        self._leave_for: DialplanLocation | None = None
        self._dialplan = Dialplan(
            world.timers, seconds=dialplan_seconds, when_over=self._end_of_dialplan
        )
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
                **self.place.snapshot(),
                "app_name": self.app_name,
                "app_data": self.app_data,
            },
            "creationtime": self._created,
            "language": self.language,
        }

    @property
    def device(self) -> str:
        """The telephone that it belongs to: ``PJSIP/alice``."""
        return self.name.rpartition("-")[0]

    @property
    def is_in_valid_state(self) -> bool:
        """Whether an application may do anything but hang up: not an outbound call."""
        return self.state not in _BLIND_STATES

    @property
    def hearers(self) -> tuple[Application, ...]:
        """The applications that hear of it."""
        own = self.application
        if not self.watchers:
            return () if own is None else (own,)
        others = (each for each in self.watchers.values() if each is not own)
        return tuple(others) if own is None else (own, *others)

    def enter(self, application_name: str, arguments: Sequence[str]) -> None:
        """Come to the dialplan's ``Stasis(application,argument,…)``."""
        world = self._world
        self.app_name = "Stasis"
        self.app_data = ",".join((application_name, *arguments))
        dialplan = {"dialplan_app": self.app_name, "dialplan_app_data": self.app_data}
        self._tell_watchers("ChannelDialplan", dialplan)
        self._set_status("")
        application = world.applications.get(application_name)
        if application is None or application.send is None:
            self._set_status("FAILED")
            self.act(self._run_the_dialplan)
            return
        self.application = application
        application.channels[self.id] = self
        entry = {"args": list(arguments), "channel": self.snapshot()}
        world.tell(application, "StasisStart", entry)

    def press(self, digit: str, *, duration_ms: int = 100) -> None:
        """Take a key that the caller pressed."""
        self.act(lambda: self._receive_key(digit, duration_ms))

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
        self.act(lambda: self._hang_up(outcome, cause, final_cause, is_soft=is_soft))

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

        def end() -> None:
            if not self.is_hung_up:
                self.is_hung_up = True
                self._outcome, self._cause = outcome, cause
                self._destroy()

        self.act(end)

    def answer(self) -> Deferred[None]:
        """Answer, once what was asked for before is done.

        Errors: `CommandFailedError`.
        """
        return self._wait_for(self._answer, "Failed to answer channel")

    def change_state(self, state: str) -> None:
        """Be in another state: ``Ringing``, ``Up``."""
        if self.state != state:
            self.state = state
            self.say("ChannelStateChange", {})

    def is_answered_for_recording(self) -> bool:
        """Answer where that is possible; say whether it is answered."""
        if not self.is_hung_up:
            self.change_state("Up")
        return self.state == "Up"

    def set_variable(self, name: str, value: str | None) -> Deferred[None]:
        """Set a variable or a function, once what was asked for before is done.

        None: it is not set any more.

        Errors: `CommandFailedError`.
        """
        return self._wait_for(
            lambda: self._world.variables.write(self, name, value),
            "Failed to set channel variable",
        )

    def play(self, playback: Playback) -> None:
        """Play it, once what was asked for before is done."""
        if not self._put(lambda: self._begin(playback)):
            self._world.forget_playback(playback)

    def record(self, recording: Recording) -> None:
        """Record, once what was asked for before is done."""
        if not self._put(lambda: self._begin(recording)):
            self._world.recordings.forget_live(recording)

    def indicate(self, heard: str) -> None:
        """Let it hear ``ringing`` or ``music:CLASS``, behind what was asked before."""
        self._put(lambda: self.hearing.start(heard))

    def stop_indicating(self, heard: str) -> None:
        """End `indicate`, of what begins so."""
        self._put(lambda: self.hearing.stop(heard))

    def join(self, bridge: Bridge) -> Deferred[None]:
        """Enter a bridge, once what was asked for before is done.

        Errors: `CommandFailedError`.
        """

        def enter() -> None:
            self.leave_bridge()
            self.hearing.stop()
            self.bridge = bridge
            bridge.enter(self)

        return self._wait_for(enter, "Channel not in Stasis application")

    def part(self) -> Deferred[None]:
        """Leave the bridge, once what was asked for before is done.

        Errors: `CommandFailedError`.
        """
        return self._wait_for(self.leave_bridge, "Channel not in this bridge")

    def leave_bridge(self) -> None:
        """Leave the bridge at once, where it is in one."""
        bridge, self.bridge = self.bridge, None
        if bridge is not None:
            bridge.leave(self)

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> None:
        """Leave the application, once what was asked for before is done.

        With nothing given, for the priority after the one it came from.
        """
        place = self.place.moved(
            context=context, extension=extension, priority=priority
        )

        def leave() -> None:
            self._leave_for = place

        self._put(leave)

    def activity_over(self) -> None:
        """Go on: what it was busy with has come to its end."""
        self._thread.activity = None

    def speak(self, seconds: float) -> None:
        """Let its caller speak for so long from now on."""
        self.speaks_until = self._world.timers.now + seconds
        if self._thread.activity is not None:
            self._thread.activity.voice_changed()

    def forget(self) -> None:
        """Vanish without a word: Asterisk has stopped."""
        self._thread.clear()
        self.application = None
        self.is_hung_up = True
        self.listener.channel_gone("forgotten by Asterisk")

    def act(self, action: Callable[[], None]) -> None:
        """Do this, after what is being done already; then go on with commands."""
        self._thread.act(action)

    def say(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Tell of the channel those that hear of it."""
        event = {**fields, "channel": self.snapshot()}
        self._world.publish(event_type, event, to=self.hearers)

    def _tell_watchers(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Tell what an application is not told because the channel is in it."""
        event = {**fields, "channel": self.snapshot()}
        self._world.publish(event_type, event, to=tuple(self.watchers.values()))

    def _leave_if_due(self) -> None:
        leaves = self.is_hung_up or self._leave_for is not None
        if leaves and self._thread.is_silent and self.application is not None:
            self._leave(self.application)

    def _put(self, command: Callable[[], None]) -> bool:
        """Line a command up; False where the channel takes no more of them."""
        if self.application is None or self._leave_for is not None:
            return False
        self._thread.put(command)
        return True

    def _wait_for(self, command: Callable[[], None], error: str) -> Deferred[None]:
        if self.application is None or self._leave_for is not None:
            refused: Deferred[None] = Deferred()
            refused.errback(CommandFailedError(error))
            return refused
        return self._thread.wait_for(command)

    def _begin(self, activity: Playback | Recording) -> None:
        self._thread.activity = activity
        if self.bridge is None:
            self.hearing.stop()
        activity.begin()

    def _receive_key(self, digit: str, duration_ms: int) -> None:
        if self.is_hung_up:
            return
        self.say("ChannelDtmfReceived", {"digit": digit, "duration_ms": duration_ms})
        if self._thread.activity is not None:
            self._thread.activity.key_pressed(digit)

    def _answer(self) -> None:
        if self.is_hung_up:
            raise CommandFailedError("Failed to answer channel")
        self.change_state("Up")

    def _set_status(self, status: str) -> None:
        """Set STASISSTATUS: the channel's own application is not told."""
        self.variables["STASISSTATUS"] = status
        told = {"variable": "STASISSTATUS", "value": status}
        self._tell_watchers("ChannelVarset", told)

    def _hang_up(
        self, outcome: str, cause: int, final_cause: int, *, is_soft: bool
    ) -> None:
        if self.is_hung_up:
            return
        self.is_hung_up = True
        self._outcome = self._outcome or outcome
        self._cause = final_cause
        told = {"cause": cause, "soft": True} if is_soft else {"cause": cause}
        self.say("ChannelHangupRequest", told)
        self.hearing.stop()
        self.when_hung_up()
        if self.application is None:
            self._destroy()
        elif self._thread.activity is not None:
            self._thread.activity.hang_up()

    def _leave(self, application: Application) -> None:
        self.leave_bridge()
        self.hearing.stop()
        world = self._world
        world.tell(application, "StasisEnd", {"channel": self.snapshot()})
        self._set_status("SUCCESS")
        self.application = None
        world.channel_left(self, application)
        if self.is_hung_up:
            self._destroy()
        else:
            self._run_the_dialplan()

    def _run_the_dialplan(self) -> None:
        """Be elsewhere in the dialplan, which then ends the call."""
        self.place = self._leave_for or self.place.after
        self._leave_for = None
        self.app_name = self.app_data = ""
        self._outcome = f"continued in dialplan at {self.place}"
        self._dialplan.run()

    def _end_of_dialplan(self) -> None:
        self.hang_up(outcome="", cause=HANGUP_NORMAL, is_soft=True)

    def _destroy(self) -> None:
        self._dialplan.leave()
        cause = {"cause": self._cause, "cause_txt": _CAUSES.get(self._cause, "Unknown")}
        self._tell_watchers("ChannelDestroyed", cause)
        self._world.forget_channel(self)
        self.listener.channel_gone(self._outcome)


def _nothing() -> None:
    """Do nothing."""
