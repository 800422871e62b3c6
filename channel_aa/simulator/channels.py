"""One call's channel: the commands it works off, its way in and out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from channel_aa.simulator.interfaces import IChannelListener
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.timers import Timer
    from channel_aa.simulator.world import Application, World

HANGUP_NORMAL = 16
_SOFT_HANGUP_EXPLICIT = 32
_BLIND_STATES = frozenset({"Down", "Rsrvd", "Ringing"})


class CommandFailedError(Exception):
    """The channel could not carry out a command."""


class Channel:
    """A channel, seen from Asterisk's side.

    What an application asks of a channel is a command; the channel's thread
    carries them out one after the other, and a playback holds up what is behind
    it. Here `act` stands for that thread: one action runs to its end before the
    next begins, whoever asks for it and from wherever.
    """

    def __init__(
        self,
        world: World,
        *,
        channel_id: str,
        name: str,
        state: str,
        extension: str,
        listener: IChannelListener,
        dialplan_seconds: float = 0.0,
    ) -> None:
        self.id = channel_id
        self.name = name
        self.state = state
        self.listener = listener
        self.application: Application | None = None
        self.is_hung_up = False
        self.variables: dict[str, str] = {}
        self._world = world
        self._created = world.timestamp()
        self._dialplan_seconds = dialplan_seconds
        self._context = "default"
        self._extension = extension
        self._priority = 1
        self._app_name = ""
        self._app_data = ""
        self._commands: deque[Callable[[], None]] = deque()
        self._actions: deque[Callable[[], None]] = deque()
        self._is_acting = False
        self._playback: Playback | None = None
        self._leave_for: tuple[str, str, int] | None = None
        self._dialplan: Timer | None = None
        self._outcome = ""

    def snapshot(self) -> dict[str, Any]:
        """Describe the channel as Asterisk does."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": {"name": "", "number": ""},
            "connected": {"name": "", "number": ""},
            "accountcode": "",
            "dialplan": {
                "context": self._context,
                "exten": self._extension,
                "priority": self._priority,
                "app_name": self._app_name,
                "app_data": self._app_data,
            },
            "creationtime": self._created,
            "language": "en",
        }

    @property
    def is_in_valid_state(self) -> bool:
        """Whether an application may do anything but hang up: not an outbound call."""
        return self.state not in _BLIND_STATES

    @property
    def is_silent(self) -> bool:
        """Whether nothing plays and nothing waits to be played."""
        return self._playback is None and not self._commands

    def enter(self, application_name: str, arguments: Sequence[str]) -> None:
        """Come to the dialplan's ``Stasis(application,argument,…)``."""
        world = self._world
        world.publish_to_all("ChannelCreated", {"channel": self.snapshot()})
        self._app_name = "Stasis"
        self._app_data = ",".join((application_name, *arguments))
        dialplan = {
            "dialplan_app": self._app_name,
            "dialplan_app_data": self._app_data,
            "channel": self.snapshot(),
        }
        world.publish_to_all("ChannelDialplan", dialplan)
        self._set_status("")
        application = world.applications.get(application_name)
        if application is None or application.send is None:
            self._set_status("FAILED")
            self.act(self._run_the_dialplan)
            return
        self.application = application
        application.channels[self.id] = self
        entry = {"args": list(arguments), "channel": self.snapshot()}
        world.publish(application, "StasisStart", entry)

    def press(self, digit: str, *, duration_ms: int = 100) -> None:
        """Take a key that the caller pressed."""
        self.act(lambda: self._receive_key(digit, duration_ms))

    def hang_up(self, *, outcome: str, cause: int, is_soft: bool) -> None:
        """End the call.

        Args:
            outcome: how the call ended, for the listener.
            cause: the hangup cause, after Q.850.
            is_soft: whether Asterisk ends it, not the caller.
        """
        self.act(lambda: self._hang_up(outcome, cause, is_soft=is_soft))

    def hang_up_on_request(self) -> None:
        """End the call because an application asked for it."""
        self.hang_up(
            outcome="hung up by application",
            cause=_SOFT_HANGUP_EXPLICIT,
            is_soft=True,
        )

    def answer(self) -> Deferred[None]:
        """Answer, once what was asked for before is done.

        Errors: `CommandFailedError`.
        """
        return self._wait_for(self._answer, "Failed to answer channel")

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        """Set a variable, once what was asked for before is done.

        An empty value removes the variable. Errors: `CommandFailedError`.
        """
        return self._wait_for(
            lambda: self._set_variable(name, value), "Failed to set channel variable"
        )

    def play(self, playback: Playback) -> None:
        """Play it, once what was asked for before is done."""

        def begin() -> None:
            self._playback = playback
            playback.begin()

        if not self._put(begin):
            self._world.forget_playback(playback)

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> None:
        """Leave the application, once what was asked for before is done.

        With nothing given, for the priority after the one it came from.
        """
        if priority is None:
            stays = not context and not extension
            priority = self._priority + 1 if stays else 1
        extension = extension or ("s" if context else self._extension)
        place = (context or self._context, extension, priority)

        def leave() -> None:
            self._leave_for = place

        self._put(leave)

    def playback_over(self) -> None:
        """Go on: the current playback has come to its end."""
        self._playback = None

    def forget(self) -> None:
        """Vanish without a word: Asterisk has stopped."""
        self._commands.clear()
        self._playback = None
        self.application = None
        self.is_hung_up = True
        self.listener.channel_gone("forgotten by Asterisk")

    def act(self, action: Callable[[], None]) -> None:
        """Do this, after what is being done already; then go on with commands."""
        self._actions.append(action)
        if self._is_acting:
            return
        self._is_acting = True
        try:
            while self._actions:
                self._actions.popleft()()
                self._work()
        finally:
            self._is_acting = False

    def _work(self) -> None:
        while self._commands and self._playback is None:
            self._commands.popleft()()
        leaves = self.is_hung_up or self._leave_for is not None
        if leaves and self.is_silent and self.application is not None:
            self._leave(self.application)

    def _put(self, command: Callable[[], None]) -> bool:
        """Line a command up; False where the channel takes no more of them."""
        if self.application is None or self._leave_for is not None:
            return False
        delay = self._world.thread_delay
        wakes = self.is_silent
        self._commands.append(command)
        if delay is None:
            self.act(_nothing)
        elif wakes:
            self._world.timers.later(delay, lambda: self.act(_nothing))
        return True

    def _wait_for(self, command: Callable[[], None], error: str) -> Deferred[None]:
        done: Deferred[None] = Deferred()

        def carry_out() -> None:
            try:
                command()
            except CommandFailedError:
                done.errback()
            else:
                done.callback(None)

        if not self._put(carry_out):
            done.errback(CommandFailedError(error))
        return done

    def _receive_key(self, digit: str, duration_ms: int) -> None:
        if self.is_hung_up:
            return
        event = {
            "digit": digit,
            "duration_ms": duration_ms,
            "channel": self.snapshot(),
        }
        self._world.publish(self.application, "ChannelDtmfReceived", event)

    def _answer(self) -> None:
        if self.is_hung_up:
            raise CommandFailedError("Failed to answer channel")
        if self.state != "Up":
            self.state = "Up"
            event = {"channel": self.snapshot()}
            self._world.publish(self.application, "ChannelStateChange", event)

    def _set_variable(self, name: str, value: str) -> None:
        if value:
            self.variables[name] = value
        else:
            self.variables.pop(name, None)
        event = {"variable": name, "value": value, "channel": self.snapshot()}
        self._world.publish(self.application, "ChannelVarset", event)

    def _set_status(self, status: str) -> None:
        """Set STASISSTATUS: the channel's own application is not told."""
        self.variables["STASISSTATUS"] = status
        event = {
            "variable": "STASISSTATUS",
            "value": status,
            "channel": self.snapshot(),
        }
        self._world.publish_to_all("ChannelVarset", event)

    def _hang_up(self, outcome: str, cause: int, *, is_soft: bool) -> None:
        if self.is_hung_up:
            return
        self.is_hung_up = True
        self._outcome = self._outcome or outcome
        event: dict[str, Any] = {"cause": cause}
        if is_soft:
            event["soft"] = True
        event["channel"] = self.snapshot()
        self._world.publish(self.application, "ChannelHangupRequest", event)
        if self.application is None:
            self._destroy()
        elif self._playback is not None:
            self._playback.hang_up()

    def _leave(self, application: Application) -> None:
        self._set_status("SUCCESS")
        event = {"channel": self.snapshot()}
        self._world.publish(application, "StasisEnd", event)
        self.application = None
        self._world.channel_left(self, application)
        if self.is_hung_up:
            self._destroy()
        else:
            self._run_the_dialplan()

    def _run_the_dialplan(self) -> None:
        """Be elsewhere in the dialplan, which then ends the call."""
        if self._leave_for is None:
            self._priority += 1
        else:
            self._context, self._extension, self._priority = self._leave_for
        self._app_name = self._app_data = ""
        place = f"{self._context},{self._extension},{self._priority}"
        self._outcome = f"continued in dialplan at {place}"
        if self._dialplan_seconds:
            timers = self._world.timers
            self._dialplan = timers.later(self._dialplan_seconds, self._end_of_dialplan)
        else:
            self._end_of_dialplan()

    def _end_of_dialplan(self) -> None:
        self._dialplan = None
        self.hang_up(outcome="", cause=HANGUP_NORMAL, is_soft=True)

    def _destroy(self) -> None:
        if self._dialplan is not None:
            self._dialplan.cancel()
        event = {
            "cause": HANGUP_NORMAL,
            "cause_txt": "Normal Clearing",
            "channel": self.snapshot(),
        }
        self._world.publish_to_all("ChannelDestroyed", event)
        self._world.forget_channel(self)
        self.listener.channel_gone(self._outcome)


def _nothing() -> None:
    """Do nothing: what the channel does next is enough."""
