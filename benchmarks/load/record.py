"""The record of a program's behaviour, as Asterisk sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Record:
    """Counts and times of one measuring window; times in seconds.

    A key counts in the window that it was pressed in, even if its result comes later.

    Attributes:
        requests: requests received.
        refused: requests answered with an error, by the status.
        events: events sent.
        calls_entered: calls that entered the application.
        calls_ended: calls whose caller hung up.
        calls_unanswered: calls whose caller hung up before the answer.
        calls_sent_away: calls that the program hung up or continued.
        keys: keys pressed.
        keys_lost: keys without feedback.
        keys_in_sound: keys pressed while a sound played.
        keys_interrupting_nothing: keys whose sound the program did not stop, so that
            it played to its end.
        stop_delays: the times from sending a key to the request to stop its sound,
            even if the sound has ended meanwhile.
        silences: the times from the end of a prompt's sound to the request for the
            next one; 0 if that was queued.
        blocked_seconds: the longest time in which the program did not read events.
    """

    requests: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    events: int = 0
    calls_entered: int = 0
    calls_ended: int = 0
    calls_unanswered: int = 0
    calls_sent_away: int = 0
    keys: int = 0
    keys_lost: int = 0
    keys_in_sound: int = 0
    keys_interrupting_nothing: int = 0
    stop_delays: list[float] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)
    blocked_seconds: float = 0.0

    def refuse(self, status: int) -> None:
        """Count an error response."""
        self.refused[str(status)] = self.refused.get(str(status), 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Return all fields."""
        return dict(vars(self))
