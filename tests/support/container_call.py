"""A call to the attendant in a container, for ``scripts/try-container``.

    python -m tests.support.container_call FOLDER START HEALTH RUN...

FOLDER is mounted at ``/etc/channel-aa``; START and HEALTH are the image's commands that
start it and check its health; RUN runs a command in it, as the user of the image.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.utils import getProcessOutputAndValue

from channel_aa.demo import CALLER, SOUNDS, DaemonProcess
from channel_aa.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

USER = "10001"
"""The user id of the image."""

SECONDS = 60
SCRIPT = "hear or, press 1, hear digits/1, hear press-1, wait 0.2, hangup"
CONFIGURATION = """
[asterisk]
url = "{url}"
[status]
listen = "unix:/var/lib/channel-aa/status"
"""


async def run(
    reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorProcess and more at once
    folder: Path,
    commands: Sequence[str],
    program: Sequence[str],
) -> None:
    """Run the container, and call its attendant.

    Args:
        reactor: the reactor.
        folder: for the configuration.
        commands: the two commands of the image.
        program: what runs a command in the container.
    """
    start, health = (each.split() for each in commands)
    simulator = Simulator(reactor=reactor, sounds=SOUNDS, default_sound_seconds=0.7)
    await simulator.start()
    file = folder / "twistd.conf"
    file.write_text(CONFIGURATION.format(url=simulator.url))
    file.chmod(0o644)
    daemon = DaemonProcess()
    reactor.spawnProcess(daemon, program[0], [*program, *start], env=os.environ)
    await daemon.ready.addTimeout(SECONDS, reactor)
    await simulator.call(name=CALLER).run(SCRIPT)
    out, err, code = await getProcessOutputAndValue(
        program[0], [*program[1:], *health], env=os.environ, reactor=reactor
    )
    if code != 0:
        raise SystemExit(f"{' '.join(health)}: {code}: {(out + err).decode()}")
    # Buildah does not pass signals on.
    kill = ["-TERM", "-u", USER, "-f", "^/opt/channel-aa/bin/python3 .*/twistd"]
    await getProcessOutputAndValue("pkill", kill, env=os.environ, reactor=reactor)
    ended = await daemon.ended.addTimeout(SECONDS, reactor)
    if "SIGKILL" in str(ended):
        raise SystemExit(f"The attendant did not end in order: {ended}")
    await simulator.stop()


def main() -> None:
    """Run the command line."""
    folder, start, health, *program = sys.argv[1:]
    react(
        lambda reactor: Deferred.fromCoroutine(
            run(reactor, Path(folder), (start, health), program)
        )
    )


if __name__ == "__main__":
    main()
