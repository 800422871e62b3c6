"""The programs that are compared."""

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
    """A program cannot run here; the message has the remedy."""


class Program(Protocol):
    """A program under test."""

    @property
    def name(self) -> str:
        """Its name in the tables."""

    @property
    def title(self) -> str:
        """A short description."""

    def prepare(self) -> None:
        """Install its dependencies, if they are missing.

        Raises:
            MissingError: it cannot run here.
        """

    def command(self, url: str, folder: Path) -> list[str]:
        """Return its command line.

        Args:
            url: the base URL of Asterisk's HTTP server.
            folder: the folder for its configuration and log.
        """


@dataclass(frozen=True)
class DaemonProgram:
    """``twistd channel-aa`` with the default menu.

    Attributes:
        transport: the setting ``asterisk.transport``.
    """

    name: str
    title: str
    transport: str

    def prepare(self) -> None:
        """Do nothing: it is installed."""

    def command(self, url: str, folder: Path) -> list[str]:
        """Return its command line; see `Program.command`."""
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
        # npm writes this file last.
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
        """Return its command line; see `Program.command`. It logs to its output."""
        del folder
        return [shutil.which("node") or "node", str(_NODE / "attendant.js"), url, APP]


HTTP = DaemonProgram("http", "channel-aa over HTTP", transport="http")
WEBSOCKET = DaemonProgram(
    "websocket", "channel-aa over the websocket", transport="websocket"
)
NODE = NodeProgram()

PROGRAMS: tuple[Program, ...] = (HTTP, WEBSOCKET, NODE)
"""All programs, in the order of the tables."""
