"""A terminal that a program under test believes in."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, *command: str) -> None:
        self.screen = ""
        self._master, slave = pty.openpty()
        self._program = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)

    def lines(self) -> Iterator[str]:
        """Give each line that is shown, until the program ends."""
        unfinished = ""
        while True:
            try:
                unfinished += os.read(self._master, 1024).decode()
            except OSError:  # a terminal's way to say that nobody writes any more
                return
            *lines, unfinished = unfinished.split("\r\n")
            yield from lines

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def close(self) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._master)

    def status(self) -> int:
        return self._program.wait(SECONDS)
