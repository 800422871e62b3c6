"""Lets a simulated caller do one step after the other, each at its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.commands.script import ACTS, SetPhone
from channel_aa.commands.transcript import Kind
from channel_aa.simulator.script import (
    Ended,
    Hear,
    Press,
    ScriptError,
    Silence,
    Speak,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.commands.script import Step
    from channel_aa.commands.simulated_call import SimulatedCall
    from channel_aa.commands.transcript import Entry

TURN_SECONDS = 0.3
"""How long nothing is heard until it is the caller's turn; in prompts it is less."""

TALK_SECONDS = 5.0
"""How long the caller speaks with a phone until it is the caller's turn."""

PATIENCE = 600.0
"""How long the caller waits for anything, but for the end of the call."""

MAX_CALL_SECONDS = 2 * 86_400.0
"""How long the caller waits for that; no file allows a call more than a day."""

_AT_ONCE_AFTER = (Wait, Hear, Silence, Speak)


class ScriptRunner:
    """Directs the caller of a rehearsal.

    It is the caller's turn when something has happened since the last key, nothing is
    heard any more, and no phone rings; or some time into a conversation.

    Args:
        rehearsal: the call, which has begun.
        clock: what it keeps time with.
    """

    def __init__(self, rehearsal: SimulatedCall, *, clock: IReactorTime) -> None:
        self._rehearsal = rehearsal
        self._clock = clock
        self._has_happened = False
        self._waiting: Deferred[None] | None = None

    def see(self, entry: Entry | None) -> None:
        """Take note that something has happened, or changed."""
        if entry is not None and entry.kind in {Kind.SOUND, Kind.ACTION}:
            self._has_happened = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def direct(self, steps: Sequence[Step]) -> None:
        """Do all steps; then wait for the caller's turn, and hang up.

        Raises:
            ScriptError: the call was over before, or what a step waits for does not
                come; it names the step.
        """
        before: Step | None = None
        for number, step in enumerate(steps, start=1):
            try:
                await self._do(step, before)
            except ScriptError as error:
                raise ScriptError(f"step {number} ({step}): {error}") from None
            before = step
        await self._turn()
        caller = self._rehearsal.caller
        if not caller.is_over:
            caller.hang_up()

    async def _do(self, step: Step, before: Step | None) -> None:
        if isinstance(step, SetPhone):
            if isinstance(before, ACTS):
                await self._turn()
            self._rehearsal.set_phone(step.endpoint, step.phone)
            return
        if isinstance(step, ACTS) and not isinstance(before, _AT_ONCE_AFTER):
            await self._turn()
        if isinstance(step, Press):
            self._has_happened = False
        patience = MAX_CALL_SECONDS if isinstance(step, Ended) else PATIENCE
        try:
            await self._rehearsal.caller.run([step], patience=patience)
        except ScriptError as error:
            # It counts the steps of its own script, of one.
            reason = str(error).removeprefix(f"step 1 ({step}): ")
            raise ScriptError(reason) from None

    async def _turn(self) -> None:
        """Wait until it is the caller's turn, or the call is over."""
        transcript = self._rehearsal.transcript
        caller = self._rehearsal.caller
        deadline = self._clock.seconds() + PATIENCE
        while not caller.is_over:
            talks = transcript.is_in_conversation
            is_quiet = talks or (transcript.is_quiet and self._has_happened)
            wait = TALK_SECONDS if talks else TURN_SECONDS
            if not is_quiet:
                wait = deadline - self._clock.seconds()
            if not await self._changes_within(wait):
                if is_quiet:
                    return
                raise ScriptError(f"waited {PATIENCE:g} seconds for the caller's turn")

    async def _changes_within(self, seconds: float) -> bool:
        """Wait until something changes; tell whether it did in time."""
        changed: Deferred[None] = Deferred()
        self._waiting = changed
        timer = self._clock.callLater(seconds, self.see, None)
        await changed
        in_time = timer.active()
        if in_time:
            timer.cancel()
        return in_time
