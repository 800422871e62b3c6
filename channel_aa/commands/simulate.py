"""``channel-aa simulate``: a call to the attendant without Asterisk or a phone."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.internet.task import Clock

from channel_aa.commands.call_audio import CallAudio
from channel_aa.commands.cli import CommandError, add_file, load_file, run_in_reactor
from channel_aa.commands.expectation import (
    difference,
    happened,
    is_met,
    read_expectation,
)
from channel_aa.commands.player import Player
from channel_aa.commands.script_runner import ScriptRunner
from channel_aa.commands.simulated_call import CallData, SimulatedCall
from channel_aa.simulator.dialplan import CallerId
from channel_aa.simulator.in_memory import wait_for
from channel_aa.simulator.phone_behaviour import ScriptError
from channel_aa.simulator.script import parse_phone, parse_script
from channel_aa.terminal import KEYS_EXPLAINED, Keyboard, single_keys

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from typing import Any

    from channel_aa.commands.cli import Subparsers
    from channel_aa.commands.transcript import Entry
    from channel_aa.menus.flow import CallFlow

_DAYS = 86400
_EPILOG = """\
Without --press you are the caller: 0-9, * and # press keys, Ctrl-D hangs up. With it
the call runs in virtual time, and is repeatable. Its steps, separated by commas:
  12#                    press keys      wait 12              let seconds pass
  hear press-2           wait for it     silence 3            wait for silence
  speak 4                for 4 seconds   hang up
  phone PJSIP/410 busy   from now on     ended                until the call is over
Keys are pressed when the prompt is over; after wait, hear, silence, speak at once.
Phones answer, unless set to: busy, no answer, congested, unreachable, declines.

--expect is the expected transcript, separated by commas: sounds and its other lines.
"..." matches any number of lines. If the call differs, the exit code is 1.

examples:
  channel-aa simulate twistd.conf --at "2026-12-24 13:00" --did +441632960000
  channel-aa simulate twistd.conf --press "2,wait 12,*" --expect "...,hung up by caller"
  channel-aa simulate twistd.conf --press "phone PJSIP/410 busy, 3"
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "simulate",
        help=(
            "simulate a call to the attendant of a configuration file, without Asterisk"
        ),
        description=(
            "Calls the attendant of a configuration file on a simulated Asterisk, and"
            " prints what the caller hears."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    _add_call(parser)
    parser.add_argument(
        "--press",
        metavar="STEPS",
        help="the script of the caller, run without waiting; see below",
    )
    parser.add_argument(
        "--expect", metavar="EVENTS", help="the expected transcript; see below"
    )
    parser.add_argument(
        "--wav",
        metavar="FILE",
        type=Path,
        help="write what the caller hears; texts are spoken, sounds are those of DIR",
    )
    parser.add_argument(
        "--sounds",
        metavar="DIR",
        type=Path,
        help=(
            "the folder of sound files for --wav and --play; default: a tone for each"
            " sound"
        ),
    )
    parser.add_argument(
        "--play",
        action="store_true",
        help="play what you hear on this machine's loudspeaker; without --press",
    )
    parser.set_defaults(run=run)


def _add_call(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=_time,
        help=(
            'time of the call: "2026-12-24 13:00", in the time zone of the file\'s'
            " schedules, or this machine's; default: now"
        ),
    )
    parser.add_argument(
        "--did",
        metavar="NUMBER",
        default="1000",
        help="the dialled number; default: %(default)s",
    )
    parser.add_argument(
        "--argument",
        metavar="TEXT",
        action="append",
        default=[],
        help="an argument of the dialplan's Stasis(); may be repeated",
    )
    parser.add_argument(
        "--caller",
        metavar="WHO",
        type=CallerId.parse,
        default=CallerId(),
        help='the caller: "Name <number>", or a number',
    )
    parser.add_argument(
        "--phone",
        metavar="DOES",
        type=_phone,
        action="append",
        default=[],
        help='the behaviour of a phone: "PJSIP/410 busy"; may be repeated',
    )


def run(arguments: Namespace) -> int:
    """Simulate the call."""
    settings = load_file(arguments.file)
    flow = settings.flow
    if arguments.play and arguments.press is not None:
        raise CommandError("--play: cannot be combined with --press; use --wav")
    if arguments.sounds is not None and not arguments.sounds.is_dir():
        raise CommandError(f"--sounds: there is no folder {arguments.sounds}")
    needs_audio = arguments.wav or arguments.play
    audio = CallAudio(settings, arguments.sounds) if needs_audio else None
    phones = {each.endpoint: each.behaviour for each in arguments.phone}
    data = CallData(
        at=_moment(arguments.at, _zone_of(flow)),
        dialled=arguments.did,
        arguments=tuple(arguments.argument),
        caller_name=arguments.caller.name,
        caller_number=arguments.caller.number,
    )
    print(_heading(data))
    if arguments.press is None:
        with _player(audio if arguments.play else None) as player:
            call = _by_hand(flow, data, phones, audio, player)
    else:
        call = _by_script(flow, data, phones, audio, arguments.press)
    entries = call.transcript.entries
    if audio is not None:
        _write_audio(audio, call, arguments.wav)
    if arguments.expect is None:
        return 0
    expected, found = read_expectation(arguments.expect), happened(entries)
    if is_met(expected, found):
        return 0
    print(
        "The call differs from the expectation (-: expected, +: actual):",
        file=sys.stderr,
    )
    for line in difference(expected, found):
        print(line, file=sys.stderr)
    return 1


def _write_audio(audio: CallAudio, call: SimulatedCall, path: Path | None) -> None:
    """Write what was heard, if it is wanted, and say what could not be."""
    transcript = call.transcript
    seconds = transcript.entries[-1].at
    try:
        if path is not None:
            audio.write(path, transcript.heard.values(), seconds=seconds)
    except OSError as error:
        raise CommandError(f"--wav: {path}: {error.strerror}") from error
    for problem in audio.problems:
        print(f"{path}: {problem}" if path else problem, file=sys.stderr)


def _by_script(
    flow: CallFlow,
    data: CallData,
    phones: Mapping[str, str],
    audio: CallAudio | None,
    script: str,
) -> SimulatedCall:
    """Run a script as the caller, in virtual time."""
    try:
        steps = parse_script(script)
    except ScriptError as error:
        raise CommandError(f"--press: {error}") from error
    clock = Clock()

    async def run_call() -> None:
        await call.begin()
        try:
            await runner.run(steps)
            await call.caller.ended
        finally:
            await call.close()

    def write(entry: Entry | None) -> None:
        _show(entry)
        runner.update(entry)

    call = SimulatedCall(
        flow, data, reactor=clock, write=write, phones=phones, audio=audio
    )
    runner = ScriptRunner(call, clock=clock)
    try:
        wait_for(clock, Deferred.fromCoroutine(run_call()), seconds=7 * _DAYS)
    except ScriptError as error:
        raise CommandError(f"--press: {error}") from error
    return call


@contextmanager
def _player(audio: CallAudio | None) -> Iterator[Player | None]:
    """Make a player of sounds, and stop it at the end; None: for none."""
    if audio is None:
        yield None
        return
    with TemporaryDirectory(prefix="channel-aa-") as folder:
        player = Player(audio, Path(folder, "tone.wav"))
        try:
            yield player
        finally:
            player.stop()


def _by_hand(
    flow: CallFlow,
    data: CallData,
    phones: Mapping[str, str],
    audio: CallAudio | None,
    player: Player | None,
) -> SimulatedCall:
    """Let the user of the terminal be the caller."""
    if not sys.stdin.isatty():
        raise CommandError("no terminal to read keys from; use --press")
    calls: list[SimulatedCall] = []

    async def run_call(reactor: Any) -> int:  # noqa: ANN401 - several interfaces
        def write(entry: Entry | None) -> None:
            _show(entry)
            if player is not None:
                player.update(call.transcript.heard.values())

        call = SimulatedCall(
            flow, data, reactor=reactor, write=write, phones=phones, audio=audio
        )
        await call.begin()
        try:
            with single_keys():
                keys = Keyboard(press=call.caller.press, hang_up=call.caller.hang_up)
                keyboard = StandardIO(keys, reactor=reactor)
                await call.caller.ended
                keyboard.loseConnection()
        finally:
            await call.close()
        calls.append(call)
        return 0

    print(KEYS_EXPLAINED)
    run_in_reactor(run_call)
    return calls[0]


def _show(entry: Entry | None) -> None:
    if entry is not None:
        print(entry, flush=True)


def _heading(data: CallData) -> str:
    who = str(CallerId(data.caller_name, data.caller_number))
    caller = who if data.caller_name or data.caller_number else "somebody"
    arguments = f" ({', '.join(data.arguments)})" if data.arguments else ""
    when = f"{data.at:%a %Y-%m-%d %H:%M} {data.at.tzname()}"
    return f"{when}: {caller} calls {data.dialled}{arguments}"


def _zone_of(flow: CallFlow) -> tzinfo | None:
    """Return the time zone of the schedules; None: they have several, or none."""
    zones = {schedule.timezone for schedule in flow.schedules.values()}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def _moment(at: datetime | None, zone: tzinfo | None) -> datetime:
    if at is None:
        return datetime.now(UTC).astimezone(zone)
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=zone) if zone is not None else at.astimezone()


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a time; write it as in 2026-12-24 13:00"
        ) from None


def _phone(text: str) -> Any:  # noqa: ANN401 - what argparse keeps
    try:
        return parse_phone(text)
    except ScriptError as error:
        raise ArgumentTypeError(str(error)) from None
