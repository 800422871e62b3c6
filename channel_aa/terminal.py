"""A terminal whose keys are those of the caller's phone."""

from __future__ import annotations

import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twisted.internet.protocol import Protocol

from channel_aa.simulator.phone_behaviour import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.simulator.callers import SimulatedCaller

KEYS_EXPLAINED = "Keys: 0-9 * # press themselves, h and Ctrl-D hang up."


class Keyboard(Protocol):
    """Turns the terminal's keys into the caller's."""

    def __init__(self, caller: SimulatedCaller) -> None:
        self._caller = caller

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Press the keys that were typed; ``h`` and Ctrl-D hang up."""
        for key in data.decode(errors="replace").upper():
            if self._caller.is_over:
                return
            if key in KEYS:
                self._caller.press(key)
            elif key in "H\x04":
                self._caller.hang_up()


@contextmanager
def single_keys() -> Iterator[None]:
    """Read each key of the terminal at once, without echo."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
