"""The load as a program, told what to do line by line.

It prints a line of JSON at the beginning (``url``), one when somebody listens, and
one in answer to each command on its standard input:

- ``calls N SECONDS``: place N calls, spread over so many seconds, and keep as many;
  answered when they are there.
- ``measure``: begin a measuring window.
- ``measured``: end it; callers press no more keys.
- ``count``: say how many calls there were, without ending anything.
- ``report``: wait for what is outstanding, a second at most, hang everybody up, and
  say what the window has seen.

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
from benchmarks.load.calls import QUIET_SECONDS, Habits
from benchmarks.load.record import Record
from benchmarks.load.server import Server

if TYPE_CHECKING:
    from typing import Any

_TICK_SECONDS = 0.01


class Load:
    """Carries the commands out."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._asterisk = asterisk
        self._window = Record()
        self._seconds = 0.0
        self._cpu_seconds = 0.0

    async def obey(self, command: str, *arguments: str) -> dict[str, Any]:
        """Carry one command out, and give the answer to it."""
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
                self._asterisk.be_quiet()
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
        """Spread the calls over the time, and their ends over the time they last."""
        asterisk = self._asterisk
        began = asterisk.loop.time()
        whole = asterisk.habits.call_seconds
        for index in range(number):
            await asyncio.sleep(began + seconds * index / number - asterisk.loop.time())
            asterisk.place_call(whole * (1 + (index * 7919) % number) / number)

    async def _settle(self) -> None:
        asterisk = self._asterisk
        for _ in range(int(QUIET_SECONDS / _TICK_SECONDS)):
            if not asterisk.has_unheeded_keys:
                break
            await asyncio.sleep(_TICK_SECONDS)
        asterisk.hang_up_all()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(f"{msgspec.json.encode(answer).decode()}\n")
    sys.stdout.flush()


async def run(app: str, habits: Habits, *, serves_requests_on_websocket: bool) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    # Whatever a call leaves is free without it, and its pauses would be measured.
    gc.disable()
    asterisk = Asterisk(app, habits, loop=loop)
    server = Server(
        asterisk,
        serves_requests_on_websocket=serves_requests_on_websocket,
        on_listening=lambda: _say({"listening": app}),
    )
    await server.start()
    _say({"url": server.url})
    load = Load(asterisk)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := await commands.readline():
        _say(await load.obey(*line.decode().split()))


def main() -> None:
    """Read the options, and run."""
    usual = Habits()
    parser = ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--app", default="channel-aa")
    parser.add_argument("--call-seconds", type=float, default=usual.call_seconds)
    parser.add_argument("--sound-seconds", type=float, default=usual.sound_seconds)
    parser.add_argument("--key-seconds", type=float, nargs=2, default=usual.key_seconds)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--no-requests-on-websocket", action="store_true")
    options = parser.parse_args()
    shortest, longest = options.key_seconds
    habits = Habits(
        call_seconds=options.call_seconds,
        key_seconds=(shortest, longest),
        sound_seconds=options.sound_seconds,
        seed=options.seed,
    )
    asyncio.run(
        run(
            options.app,
            habits,
            serves_requests_on_websocket=not options.no_requests_on_websocket,
        )
    )


if __name__ == "__main__":
    main()
