"""Runs a script in a simulated call: keys are pressed when it is the caller's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from channel_aa.commands.transcript import Kind
from channel_aa.simulator import ScriptError
from channel_aa.simulator.script import (
    Ended,
    HangUp,
    Hear,
    Press,
    SetPhone,
    Silence,
    Speak,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.commands.simulated_call import SimulatedCall
    from channel_aa.commands.transcript import Entry
    from channel_aa.simulator.script import Step

TURN_SECONDS = 0.3
"""How long nothing is heard until it is the caller's turn; in prompts it is less."""

TALK_SECONDS = 5.0
"""How long the caller speaks with a phone until it is the caller's turn."""

PATIENCE = 600.0
"""How many seconds the caller waits for anything but the end of the call."""

MAX_CALL_SECONDS = 2 * 86_400.0
"""How many seconds the caller waits for that; no file allows more than a day."""

_IN_TURN = (Press, Speak, HangUp)
"""The steps that wait for the caller's turn."""

_AT_ONCE_AFTER = (Wait, Hear, Silence, Speak)
"""The steps behind which the next one is carried out at once."""


class ScriptRunner:
    """Runs the script of the caller of a simulated call.

    The caller is polite: keys are pressed, and the phone is hung up, when it is the
    caller's turn: something has happened since the last key, nothing is heard any
    more, and no phone rings; or some time into a conversation. Only behind ``wait``,
    ``hear``, ``silence`` and ``speak`` that is done at once, so that ``hear or, 2``
    interrupts the sound ``or``.

    Args:
        call: the call, which has begun.
        clock: keeps the time.
    """

    def __init__(self, call: SimulatedCall, *, clock: IReactorTime) -> None:
        self._call = call
        self._clock = clock
        self._has_happened = False
        self._waiting: Deferred[None] | None = None

    def update(self, entry: Entry | None) -> None:
        """Receive a new entry of the transcript; None: something else changed."""
        if entry is not None and entry.kind in {Kind.SOUND, Kind.ACTION}:
            self._has_happened = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def run(self, steps: Sequence[Step]) -> None:
        """Carry out all steps; then wait for the caller's turn, and hang up.

        Raises:
            ScriptError: see `SimulatedCaller.run`.
        """
        caller = self._call.caller
        await caller.run(steps, prepare=self._prepare)
        try:
            await self._wait_for_turn()
        except ScriptError as error:
            raise ScriptError(f"after the last step: {error}") from None
        if not caller.is_over:
            caller.hang_up()

    async def _prepare(self, step: Step, previous: Step | None) -> float:
        """Wait for the caller's turn, if the step needs it; return the patience."""
        if isinstance(step, SetPhone):
            needs_turn = isinstance(previous, _IN_TURN)
        else:
            needs_turn = isinstance(step, _IN_TURN) and not isinstance(
                previous, _AT_ONCE_AFTER
            )
        if needs_turn:
            await self._wait_for_turn()
        if isinstance(step, Press):
            self._has_happened = False
        return MAX_CALL_SECONDS if isinstance(step, Ended) else PATIENCE

    async def _wait_for_turn(self) -> None:
        """Wait until it is the caller's turn, or the call is over."""
        transcript = self._call.transcript
        caller = self._call.caller
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
                what = "no sound is played, and no phone rings"
                if transcript.is_quiet:
                    what = "something has happened since the last key"
                raise ScriptError(
                    f"waited {PATIENCE:g} seconds until {what}: {caller.situation}"
                )

    async def _changes_within(self, seconds: float) -> bool:
        """Wait until something changes; return whether it did in time."""
        changed: Deferred[None] = Deferred()
        self._waiting = changed
        timer = self._clock.callLater(seconds, self.update, None)
        await changed
        in_time = timer.active()
        if in_time:
            timer.cancel()
        return in_time
