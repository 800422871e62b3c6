"""The callers at the far end of simulated channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from channel_aa.simulator.channels import HANGUP_NORMAL, IChannelListener
from channel_aa.simulator.phone_behaviour import KEYS, ScriptError
from channel_aa.simulator.script import (
    Ended,
    HangUp,
    Hear,
    Press,
    SetPhone,
    Silence,
    Speak,
    Wait,
    parse_script,
)
from channel_aa.simulator.simulated_phone import transfer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from channel_aa.simulator.channel_state import ChannelSetup
    from channel_aa.simulator.script import Step
    from channel_aa.simulator.simulated_phone import SimulatedPhone
    from channel_aa.simulator.state import PbxState

T = TypeVar("T")

KEY_SECONDS = 0.15
"""From one key of a `Press` to the next: the tone and the gap after it."""

_EPSILON = 1e-4
"""Seconds that a reading of the clock may be off."""


@dataclass(kw_only=True)
class HeardSound:
    """A sound that a caller heard; times are seconds since the call began.

    `media` is a media URI, ``ringing``, ``music:CLASS``, or ``voice:PJSIP/410`` for a
    conversation. `how` it ended: ``done``, ``stopped`` or ``failed``; empty while it
    plays.
    """

    media: str
    started: float
    ended: float | None = None
    how: str = ""


@implementer(IChannelListener)
class SimulatedCaller:
    """A caller, and what it heard. All times are simulated seconds.

    Args:
        state: where its channel is made, and its script changes phones.
        observer: learns what the caller hears, and of the end of the call.

    Attributes:
        heard: every sound that it heard, in order.
        outcome: how the call ended, see `ended`; empty until then.
    """

    def __init__(
        self,
        state: PbxState,
        setup: ChannelSetup,
        *,
        observer: IChannelListener | None = None,
    ) -> None:
        self.heard: list[HeardSound] = []
        self.outcome = ""
        self.channel = state.new_channel(setup, self)
        self._timers = state.timers
        self._observer = observer
        self._state = state
        self._began = self._timers.now
        self._waiting: list[Deferred[None]] = []
        self._awaiting_end: list[Deferred[str]] = []
        self._heard_up_to = 0

    @property
    def name(self) -> str:
        """The channel's name."""
        return self.channel.name

    @property
    def status(self) -> str:
        """The dialplan's STASISSTATUS: empty in the application, SUCCESS, FAILED."""
        return self.channel.variables.get("STASISSTATUS", "")

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables of its channel."""
        return self.channel.variables

    @property
    def is_over(self) -> bool:
        """Whether the call is over."""
        return bool(self.outcome)

    @property
    def situation(self) -> str:
        """What the caller heard last, and how the call ended, if it has: for errors."""
        heard = "the caller heard nothing"
        if self.heard:
            last = self.heard[-1]
            sound = last.media.removeprefix("sound:")
            heard = f"the caller last heard {sound}, at {last.started:.1f} seconds"
        return f"{heard}; the call is over, {self.outcome}" if self.is_over else heard

    @property
    def ended(self) -> Deferred[str]:
        """A new Deferred that fires with the call's `outcome` when it is over.

        The outcomes: ``hung up by caller``, ``hung up by application``,
        ``continued in dialplan at CONTEXT,EXTENSION,PRIORITY``, ``transferred to
        ENDPOINT`` and ``forgotten by Asterisk``.
        """
        ended: Deferred[str] = Deferred(self._awaiting_end.remove)
        if self.is_over:
            ended.callback(self.outcome)
        else:
            self._awaiting_end.append(ended)
        return ended

    def press(self, keys: str) -> None:
        """Press keys, all at once.

        Raises:
            ValueError: there is no such key.
        """
        if not KEYS.issuperset(keys):
            raise ValueError(f"keys are 0-9, *, # and A-D, not {keys!r}")
        for key in keys:
            self._heard_up_to = len(self.heard)
            self.channel.press(key)

    def speak(self, seconds: float) -> None:
        """Speak for so many seconds: what a recording records."""
        self.channel.speak(seconds)

    def hang_up(self) -> None:
        """End the call."""
        self.channel.hang_up(outcome="hung up by caller", cause=HANGUP_NORMAL)

    def transfer(self, endpoint: str, *, attended: bool = False) -> SimulatedPhone:
        """Transfer the other party of the conversation to a phone; see `transfer`."""
        return transfer(self._state, self.channel, endpoint, attended=attended)

    def be_replaced_by(self, other: SimulatedCaller) -> None:
        """Transfer another caller, attended, to where this one is; then hang up.

        Raises:
            ValueError: this one is in no application.
        """
        self.channel.replace_with(other.channel)
        self.hang_up()

    def run(
        self,
        script: str | Sequence[Step],
        *,
        patience: float = 30.0,
        prepare: Callable[[Step, Step | None], Awaitable[float]] | None = None,
    ) -> Deferred[None]:
        """Carry out a script, step by step; see `channel_aa.simulator.script`.

        Args:
            script: the steps, or how they are written.
            patience: the seconds that a step may wait for its condition.
            prepare: awaited before each step, with the step and the one before;
                returns the patience with this step.

        Errors: `ScriptError`, if the condition of a step is not met in time, or cannot
        be met because the call is over. It names the step, what it waited for and how
        long, and what the caller heard last.
        """
        steps = parse_script(script) if isinstance(script, str) else script
        return Deferred.fromCoroutine(self._run(steps, patience, prepare))

    def sound_started(self, media: str) -> None:
        """Hear a sound begin."""
        self.heard.append(HeardSound(media=media, started=self._now))
        if self._observer is not None:
            self._observer.sound_started(media)
        self._wake()

    def sound_ended(self, media: str, how: str) -> None:
        """Hear a sound end."""
        for heard in reversed(self.heard):
            if heard.ended is None and heard.media == media:
                heard.ended, heard.how = self._now, how
                break
        if self._observer is not None:
            self._observer.sound_ended(media, how)
        self._wake()

    def channel_gone(self, outcome: str) -> None:
        """Learn that the call is over."""
        self.outcome = outcome
        if self._observer is not None:
            self._observer.channel_gone(outcome)
        self._wake()
        awaiting, self._awaiting_end = self._awaiting_end, []
        for ended in awaiting:
            ended.callback(outcome)

    @property
    def _now(self) -> float:
        return self._timers.now - self._began

    async def _run(
        self,
        steps: Sequence[Step],
        patience: float,
        prepare: Callable[[Step, Step | None], Awaitable[float]] | None,
    ) -> None:
        previous: Step | None = None
        for number, step in enumerate(steps, start=1):
            try:
                if prepare is not None:
                    patience = await prepare(step, previous)
                await self._do(step, patience)
            except ScriptError as error:
                raise ScriptError(f"step {number} ({step}): {error}") from None
            previous = step

    async def _do(self, step: Step, patience: float) -> None:
        match step:
            case Press(keys):
                await self._press_in_turn(keys)
            case Wait(seconds):
                await self._pass_time(seconds)
            case Hear(sound):
                await self._wait_until(
                    lambda: 0.0 if self._has_heard(step) else inf,
                    patience,
                    what=f"the sound {sound}",
                )
            case Silence(seconds):
                began = self._now
                await self._wait_until(
                    lambda: self._silent_since(began),
                    patience,
                    what=f"{seconds:g} seconds of silence",
                    seconds=seconds,
                )
            case Speak(seconds):
                self.speak(seconds)
                await self._pass_time(seconds)
            case SetPhone(endpoint, behaviour):
                self._state.phones.change(endpoint, behaviour)
            case HangUp():
                self.hang_up()
            case Ended():
                await self._wait_until(
                    lambda: 0.0 if self.is_over else inf,
                    patience,
                    what="the end of the call",
                )

    async def _press_in_turn(self, keys: str) -> None:
        for position, key in enumerate(keys):
            if position:
                await self._pass_time(KEY_SECONDS)
            if self.is_over:
                raise ScriptError(f"cannot press {key}: {self.situation}")
            self.press(key)

    async def _pass_time(self, seconds: float) -> None:
        """Let time pass, at most until the call is over."""
        until = self._now + seconds
        while not self.is_over and self._now < until - _EPSILON:
            await self._wait_for_change(until - self._now)

    async def _wait_until(
        self,
        met_since: Callable[[], float],
        patience: float,
        *,
        what: str,
        seconds: float = 0.0,
    ) -> None:
        """Wait until a condition has been met for so many seconds; inf: it is not."""
        began = self._now
        deadline = began + patience + seconds
        while self._now < (due := met_since() + seconds) - _EPSILON:
            if self.is_over or self._now >= deadline - _EPSILON:
                waited = f"waited {self._now - began:.1f} seconds for {what}"
                raise ScriptError(f"{waited}: {self.situation}")
            await self._wait_for_change(min(due, deadline) - self._now)

    def _silent_since(self, began: float) -> float:
        """Return since when nothing is heard; inf: something is."""
        ends = (inf if each.ended is None else each.ended for each in self.heard)
        return max([began, *ends])

    def _has_heard(self, step: Hear) -> bool:
        for position in range(self._heard_up_to, len(self.heard)):
            if step.matches(self.heard[position].media):
                self._heard_up_to = position + 1
                return True
        return False

    def _wait_for_change(self, within: float) -> Deferred[None]:
        """Wait until something has changed, or at most so many seconds."""
        changed: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(changed)
        timer = self._timers.later(within, self._wake)

        def stop(result: T) -> T:
            self._timers.cancel(timer)
            return result

        return changed.addBoth(stop)

    def _wake(self) -> None:
        """Let every step that waits check its condition again."""
        for changed in tuple(self._waiting):
            if changed in self._waiting:
                self._waiting.remove(changed)
                changed.callback(None)
