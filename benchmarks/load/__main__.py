"""The load as a program with commands on its standard input.

It prints a line of JSON at the start (``url``), one when a program opens the events
websocket (``listening``), and one as the answer to each command:

- ``calls N SECONDS``: place N calls within these seconds, and keep that number;
  answered when they are placed.
- ``measure``: begin a measuring window.
- ``measured``: end the window; callers press no more keys.
- ``count``: return the number of calls that have ended.
- ``report``: wait for feedback to keys, a second at most, hang up all calls, and
  return the record of the window.

It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from argparse import ArgumentParser
from typing import TYPE_CHECKING

import msgspec

from benchmarks.load.asterisk import Asterisk
from benchmarks.load.calls import QUIET_SECONDS, CallerBehaviour
from benchmarks.load.record import Record
from benchmarks.load.server import Server

if TYPE_CHECKING:
    from typing import Any

_TICK_SECONDS = 0.01


class Load:
    """Executes the commands."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._asterisk = asterisk
        self._window = Record()
        self._seconds = 0.0
        self._cpu_seconds = 0.0

    async def execute(self, command: str, *arguments: str) -> dict[str, Any]:
        """Execute a command, and return its answer."""
        match command, arguments:
            case "calls", [number, seconds]:
                await self._place_calls(int(number), float(seconds))
            case "measure", []:
                self._asterisk.record = self._window = Record()
                self._seconds = -time.monotonic()
                self._cpu_seconds = -time.process_time()
            case "measured", []:
                self._seconds += time.monotonic()
                self._cpu_seconds += time.process_time()
                self._asterisk.record = Record()
                self._asterisk.stop_keys()
            case "count", []:
                return {"calls": self._asterisk.calls_made - len(self._asterisk.calls)}
            case "report", []:
                await self._settle()
                return {
                    **self._window.as_json(),
                    "seconds": self._seconds,
                    "load_cpu_seconds": self._cpu_seconds,
                }
            case _:
                return {"error": f"no such command: {command}"}
        return {"done": command}

    async def _place_calls(self, number: int, seconds: float) -> None:
        """Place calls at regular intervals, with ends at regular intervals."""
        asterisk = self._asterisk
        began = asterisk.loop.time()
        whole = asterisk.behaviour.call_seconds
        for index in range(number):
            await asyncio.sleep(began + seconds * index / number - asterisk.loop.time())
            asterisk.place_call(whole * (1 + (index * 7919) % number) / number)

    async def _settle(self) -> None:
        asterisk = self._asterisk
        for _ in range(int(QUIET_SECONDS / _TICK_SECONDS)):
            if not asterisk.has_keys_without_feedback:
                break
            await asyncio.sleep(_TICK_SECONDS)
        asterisk.hang_up_all()


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(f"{msgspec.json.encode(answer).decode()}\n")
    sys.stdout.flush()


async def run(
    app: str, behaviour: CallerBehaviour, *, serves_requests_on_websocket: bool
) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    # Calls leave no cycles, and the pauses of collections would be measured.
    gc.disable()
    asterisk = Asterisk(app, behaviour, loop=loop)
    server = Server(
        asterisk,
        serves_requests_on_websocket=serves_requests_on_websocket,
        on_listening=lambda: _print({"listening": app}),
    )
    await server.start()
    _print({"url": server.url})
    load = Load(asterisk)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        _print(await load.execute(*line.decode().split()))


def main() -> None:
    """Parse the options, and run the load."""
    defaults = CallerBehaviour()
    parser = ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--app", default="channel-aa")
    parser.add_argument("--call-seconds", type=float, default=defaults.call_seconds)
    parser.add_argument("--sound-seconds", type=float, default=defaults.sound_seconds)
    parser.add_argument(
        "--key-seconds", type=float, nargs=2, default=defaults.key_seconds
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--no-requests-on-websocket", action="store_true")
    options = parser.parse_args()
    shortest, longest = options.key_seconds
    behaviour = CallerBehaviour(
        call_seconds=options.call_seconds,
        key_seconds=(shortest, longest),
        sound_seconds=options.sound_seconds,
        seed=options.seed,
    )
    asyncio.run(
        run(
            options.app,
            behaviour,
            serves_requests_on_websocket=not options.no_requests_on_websocket,
        )
    )


if __name__ == "__main__":
    main()
