"""A call to the attendant on the simulator: ``python -m channel_aa.demo``.

Starts the daemon as in production, ``twistd channel-aa`` in a process of its own,
against the simulator in this one. Between them are real sockets.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.stdio import StandardIO
from twisted.internet.task import react
from zope.interface import implementer

from channel_aa.attendant.call_log import log_call
from channel_aa.simulator import IChannelListener, ScriptError, Simulator
from channel_aa.terminal import KEYS_EXPLAINED, Keyboard, single_keys

if TYPE_CHECKING:
    from typing import Any, TextIO

    from twisted.internet.error import ProcessDone, ProcessTerminated
    from twisted.python.failure import Failure

CALLER = "PJSIP/alice-00000001"
SOUNDS = {
    "press-1": 1.0,
    "or": 0.5,
    "press-2": 1.0,
    "you-entered": 1.0,
    "option-is-invalid": 1.5,
    "are-you-still-there": 1.5,
}
"""The sounds of the default menu, in seconds."""

SCRIPT = (
    "hear or, press 1, hear digits/1, hear press-2, press 2, hear digits/2,"
    " hear press-1, wait 0.5, press 8, hear are-you-still-there, wait 1, hangup"
)
SILENCE_SECONDS = 10.0
MAX_SPEED = 100
START_SECONDS = 30.0
"""How long the daemon may take to start and connect."""

_LOG_LINE = re.compile(r"^\S+ \[(?P<namespace>[\w.]+)#(?P<level>\w+)\] (?P<text>.*)$")
_QUIET_LEVELS = {"debug", "info"}


class DaemonError(Exception):
    """The daemon ended before the call was over."""


class DaemonProcess(ProcessProtocol):
    """The process of the daemon; prints its log without times and namespaces.

    The lines of calls go to standard output, warnings and errors to standard error.
    """

    def __init__(self) -> None:
        self.ready: Deferred[None] = Deferred()
        """Fires when the daemon is connected to Asterisk."""
        self.ended: Deferred[int | str] = Deferred()
        """Fires with the exit status; a signal's name where one killed it."""
        self._unfinished = b""

    def outReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Print each complete line of the log."""
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            self._print(line.decode(errors="replace"))

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Print what the daemon writes before it can log."""
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        """Fire `ended`."""
        end = cast("ProcessDone | ProcessTerminated", reason.value)
        if not self.ready.called:
            self.ready.errback(DaemonError("the daemon ended before it was connected"))
        if end.signal:
            self.ended.callback(Signals(end.signal).name)
        else:
            self.ended.callback(end.exitCode or 0)

    def _print(self, line: str) -> None:
        record = _LOG_LINE.match(line)
        if record is None or record["level"] not in _QUIET_LEVELS:
            _print_line(line, file=sys.stderr)
        elif record["namespace"] == log_call.__module__:
            pass  # the demo says itself how the call ends
        elif record["namespace"].startswith("channel_aa.attendant."):
            _print_line(record["text"])
        elif record["text"].startswith("Connected to"):
            self.ready.callback(None)


@implementer(IChannelListener)
class PrintingObserver:
    """Prints what the caller hears."""

    def sound_started(self, media: str) -> None:
        """Print a sound that begins."""
        _print_line(f"  > {media.removeprefix('sound:')}")

    def sound_ended(self, media: str, how: str) -> None:
        """Print that a sound did not play to its end."""
        if how != "done":
            _print_line(f"  x {media.removeprefix('sound:')} ({how})")

    def channel_gone(self, outcome: str) -> None:
        """Print how the call ended."""
        _print_line(f"  - {outcome}")


async def play_by_script(simulator: Simulator) -> None:
    """Run a scripted caller through the whole session."""
    await simulator.call(name=CALLER).run(SCRIPT)


async def play_by_hand(simulator: Simulator) -> None:
    """Let the user of the terminal be the caller."""
    _print_line(KEYS_EXPLAINED)
    caller = simulator.call(name=CALLER, observer=PrintingObserver())
    with single_keys():
        keyboard = StandardIO(Keyboard(press=caller.press, hang_up=caller.hang_up))
        await caller.ended
        keyboard.loseConnection()


async def run(
    reactor: Any,  # noqa: ANN401 - IReactorTime, IReactorTCP and more at once
    *,
    speed: float,
    by_hand: bool,
) -> None:
    """Run the demo.

    Args:
        reactor: the reactor to run it in.
        speed: how many times faster than real time.
        by_hand: whether the user of the terminal is the caller.

    Raises:
        SystemExit: the call or the daemon failed; the message says how.
    """
    play = play_by_hand if by_hand else play_by_script
    simulator = Simulator(
        reactor=reactor, sounds=SOUNDS, default_sound_seconds=0.7, speed=speed
    )
    await simulator.start()
    daemon = DaemonProcess()
    with TemporaryDirectory() as folder:
        command = _command(_write_configuration(folder, simulator.url, speed))
        process = reactor.spawnProcess(daemon, command[0], command, env=None)
        try:
            await daemon.ready.addTimeout(START_SECONDS, reactor)
            await play(simulator)
        except (DaemonError, ScriptError, DeferredTimeoutError) as error:
            raise SystemExit(f"The call failed: {error}") from None
        finally:
            if not daemon.ended.called:
                process.signalProcess("TERM")
            status = await daemon.ended
            await simulator.stop()
    # twistd, once stopped in order, ends by the signal that stopped it.
    if status not in {0, "SIGTERM"}:
        raise SystemExit(f"The daemon ended with status {status}")


def _write_configuration(folder: str, url: str, speed: float) -> Path:
    """Write a twistd.conf whose timeout is divided by the speed."""
    config = Path(folder, "twistd.conf")
    config.write_text(
        f"""
[asterisk]
url = "{url}"

[menus.main]
prompt = ["press-1", "or", "press-2"]
timeout = {SILENCE_SECONDS / speed}

[menus.main.options]
1 = {{ play = ["you-entered", "digits/{{digits}}"] }}
2 = {{ play = ["you-entered", "digits/{{digits}}"] }}
"""
    )
    return config


def _command(config: Path) -> list[str]:
    """Return the command that runs ``twistd`` with this interpreter."""
    run_twistd = "from twisted.scripts.twistd import run; run()"
    twistd = [sys.executable, "-c", run_twistd, "--nodaemon", "--pidfile="]
    return [*twistd, "channel-aa", "--config", str(config)]


def _print_line(line: str, *, file: TextIO | None = None) -> None:
    print(line, file=file, flush=True)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed <= MAX_SPEED:
        raise ArgumentTypeError(f"a number above 0, and up to {MAX_SPEED}")
    return speed


def main() -> None:
    """Run the demo."""
    parser = ArgumentParser(
        prog="python -m channel_aa.demo",
        description=(
            "Calls the attendant on a simulated Asterisk: the caller presses 1, 2 and"
            " 8, is silent for 10 seconds, and hangs up. Prints the attendant's log,"
            " and exits with code 0 when the call is over."
        ),
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        help=f"how many times faster than real time the demo runs, up to {MAX_SPEED}",
    )
    parser.add_argument(
        "--by-hand",
        action="store_true",
        help="be the caller: 0-9, * and # press keys, h hangs up",
    )
    options = parser.parse_args()
    if options.by_hand and not sys.stdin.isatty():
        parser.error("--by-hand needs a terminal to read keys from")
    react(
        lambda reactor: Deferred.fromCoroutine(
            run(reactor, speed=options.speed, by_hand=options.by_hand)
        )
    )


if __name__ == "__main__":
    main()
