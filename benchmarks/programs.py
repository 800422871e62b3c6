"""The programs that are compared: each serves the same calls in its own way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

APP = "channel-aa"
_NODE = Path(__file__).parent / "node"
_INSTALL_SECONDS = 300


class MissingError(Exception):
    """A program cannot be run here; the message says what would help."""


class Program(Protocol):
    """A program under test."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""

    def prepare(self) -> None:
        """Install what it needs, where that is not there yet.

        Raises:
            MissingError: that is not possible here.
        """

    def command(self, url: str, folder: Path) -> list[str]:
        """Say how to run it.

        Args:
            url: where Asterisk is.
            folder: where its configuration and its log may be written.
        """


@dataclass(frozen=True)
class Daemon:
    """``twistd channel-aa``, as users run it, with the default menu.

    Attributes:
        transport: how its requests travel, as in twistd.conf.
    """

    name: str
    title: str
    transport: str

    def prepare(self) -> None:
        """Do nothing: it is installed with the benchmark."""

    def command(self, url: str, folder: Path) -> list[str]:
        """Say how to run it; see `Program.command`."""
        config = folder / "twistd.conf"
        asterisk = {"url": url, "app": APP, "transport": self.transport}
        lines = [f'{key} = "{value}"' for key, value in asterisk.items()]
        config.write_text("\n".join(["[asterisk]", *lines, ""]))
        log = folder / "program.log"
        return [
            str(Path(sys.executable).with_name("twistd")),
            *("--nodaemon", "--pidfile=", "--logfile", str(log)),
            *("channel-aa", "--config", str(config)),
        ]


@dataclass(frozen=True)
class NodeProgram:
    """The same menu on npm's ``ari-client``."""

    name: str = "node"
    title: str = "Node.js, npm's ari-client"

    def prepare(self) -> None:
        """Let npm install ``ari-client`` into ``benchmarks/node``."""
        for tool in ("node", "npm"):
            if shutil.which(tool) is None:
                raise MissingError(
                    f"{tool} is not installed: apt-get install nodejs npm"
                )
        # What npm writes last.
        if (_NODE / "node_modules/.package-lock.json").exists():
            return
        npm = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],  # noqa: S607 - the user's own
            cwd=_NODE,
            check=False,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
        if npm.returncode:
            raise MissingError(f"npm could not install ari-client: {npm.stderr}")

    def command(self, url: str, folder: Path) -> list[str]:
        """Say how to run it; see `Program.command`. Its output is its log."""
        del folder
        return [shutil.which("node") or "node", str(_NODE / "attendant.js"), url, APP]


HTTP = Daemon("http", "channel-aa over HTTP", transport="http")
WEBSOCKET = Daemon("websocket", "channel-aa over the websocket", transport="websocket")
NODE = NodeProgram()

PROGRAMS: tuple[Program, ...] = (HTTP, WEBSOCKET, NODE)
"""All of them, in the order of the tables."""
