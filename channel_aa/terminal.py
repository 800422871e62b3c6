"""A terminal whose keys are those of the caller's phone."""

from __future__ import annotations

import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twisted.internet.protocol import Protocol

from channel_aa.dialogue.digits import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS_EXPLAINED = "Keys: 0-9 * # press themselves, h and Ctrl-D hang up."


class Keyboard(Protocol):
    """Turns the terminal's keys into the caller's.

    Args:
        press: presses a key of the phone.
        hang_up: hangs the phone up.
    """

    def __init__(
        self, *, press: Callable[[str], None], hang_up: Callable[[], None]
    ) -> None:
        self._press = press
        self._hang_up = hang_up

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Press the keys that were typed; ``h`` and Ctrl-D hang up."""
        for key in data.decode(errors="replace").upper():
            if key in KEYS:
                self._press(key)
            elif key in "H\x04":
                self._hang_up()


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
