"""What the load sees of a program, from Asterisk's side of the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Record:
    """Counts and times of one measuring window; times in seconds.

    A key belongs to the window that it was pressed in, whenever its fate shows.

    Attributes:
        requests: requests received.
        refused: those of them answered with an error, by the status.
        events: events sent.
        calls_entered: calls that entered the application.
        calls_ended: calls whose caller hung up.
        calls_unanswered: those of them that nobody had answered.
        calls_sent_away: calls that the program hung up or sent on.
        keys: keys pressed.
        keys_lost: those of them that no feedback was played to.
        keys_in_sound: keys pressed while any sound was heard.
        keys_interrupting_nothing: those of them whose sound the program did not stop:
            it was heard to its end, and nobody asked for less.
        stop_delays: from a key that was sent to the request to stop the sound that
            was heard then, arriving; also where that sound was over meanwhile.
        silences: from the end of a prompt's sound to the request for its next one; 0
            where that was there before.
        blocked_seconds: the longest time that the program did not read its events.
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
        """Count an answer that is an error."""
        self.refused[str(status)] = self.refused.get(str(status), 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Give everything, for another process."""
        return dict(vars(self))
