"""The programs that are compared: each serves the same calls in its own way."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

APP = "channel-aa"


@dataclass(frozen=True)
class Program:
    """A program under test.

    Attributes:
        name: what the tables call it.
        title: what it is, in a few words.
        transport: what its ``[asterisk]`` table says of the transport; empty: the
            program is not ours.
    """

    name: str
    title: str
    transport: str = ""

    def command(self, url: str, folder: Path) -> list[str]:
        """Say how to run it.

        Args:
            url: where Asterisk is.
            folder: where its configuration and its log may be written.
        """
        config = folder / "twistd.conf"
        transport = f'transport = "{self.transport}"\n' if self.transport else ""
        config.write_text(f'[asterisk]\nurl = "{url}"\n{transport}')
        return twistd("--logfile", str(folder / "program.log"), config=config)


AUTO = Program("auto", "channel-aa, as it comes")
"""The transport that it chooses by itself."""

PROGRAMS: Sequence[Program] = (
    Program("http", "channel-aa, requests over HTTP", transport="http"),
    Program("websocket", "channel-aa, requests over the websocket", "websocket"),
    AUTO,
)


def twistd(*options: str, config: Path) -> list[str]:
    """Say how a user runs the daemon; ``options`` are twistd's own."""
    script = Path(sys.executable).with_name("twistd")
    return [
        *(str(script), "--nodaemon", "--pidfile=", *options),
        *("channel-aa", "--config", str(config)),
    ]
