"""The benchmark's command line; see ``benchmarks/run --help``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks import asterisk, chart, machine, profiling, report, soak, targets
from benchmarks.day import CALLS as CALLS_IN_A_DAY
from benchmarks.day import day
from benchmarks.measure import Plan, measure
from benchmarks.process import ProcessError
from benchmarks.programs import PROGRAMS, WEBSOCKET, MissingError
from benchmarks.results import Result, result_of
from real_asterisk.installation import Installation

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from benchmarks.programs import Program

_CALLS = (100, 300, 500, 1000, 2000)
_CALLS_ON_ASTERISK = (10, 50, 100)
_OUTPUT = Path(__file__).parents[1] / "docs/performance"
_DESCRIPTION = """\
Measures channel-aa against thousands of simulated callers, and beside it the same
attendant on Node.js. Each program runs by itself on one core, the load on another.

Prints what was measured, and on what, as Markdown, and writes it to OUTPUT:
results.md, results.json, results.svg. Let nothing else run meanwhile.
"""


def main() -> None:
    """Run the benchmark that the options select."""
    options = _options()
    try:
        if options.profile:
            _profile(options)
        elif options.asterisk:
            react(
                lambda reactor: Deferred.fromCoroutine(_on_asterisk(reactor, options))
            )
        elif options.day:
            for calls in options.calls or (CALLS_IN_A_DAY,):
                for line in day(calls):
                    _print(line)
        elif options.soak:
            for program in _prepared(options.programs or [WEBSOCKET]):
                for line in soak.soak(program):
                    _print(line)
        else:
            _compare(options)
    except ProcessError as error:
        sys.exit(f"benchmarks/run: {error}")


def _compare(options: Namespace) -> None:
    programs = _prepared(options.programs or PROGRAMS)
    described = machine.describe()
    plan = Plan(seconds=options.seconds)
    results: list[Result] = []
    for program in programs:
        for calls in options.calls or _CALLS:
            print(f"{program.title}, {calls} calls", file=sys.stderr, flush=True)
            try:
                results.append(result_of(measure(program, calls, plan)))
            except ProcessError as error:
                _print(f"{program.title}, {calls} calls: no result: {error}")
    results.sort(key=lambda result: result.calls)
    titles = {program.name: program.title for program in PROGRAMS}
    verdicts = targets.judge(results)
    text = report.tables(results, verdicts, titles=titles, machine=described)
    _print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    record = {"machine": described, "plan": plan, "results": results}
    written = msgspec.json.format(msgspec.json.encode(record), indent=2)
    (options.output / "results.json").write_bytes(written + b"\n")
    (options.output / "results.md").write_text(f"# A run of the benchmark\n\n{text}")
    if results:
        drawn = chart.draw(results, titles=titles)
        (options.output / "results.svg").write_text(drawn)


async def _on_asterisk(reactor: Any, options: Namespace) -> None:  # noqa: ANN401
    problem = Installation.default().problem()
    if problem:
        sys.exit(f"benchmarks/run: {problem}")
    programs = _prepared(options.programs or PROGRAMS)
    numbers = options.calls or _CALLS_ON_ASTERISK
    for key, value in machine.describe().items():
        _print(f"- {key}: {value}")
    outcomes = await asterisk.measure(reactor, programs, numbers, options.seconds)
    _print(f"\n{asterisk.tables(outcomes)}")


def _profile(options: Namespace) -> None:
    profile = {"sample": profiling.sample, "count": profiling.count_calls}
    for program in options.programs or [WEBSOCKET]:
        for calls in options.calls or _CALLS:
            plan = Plan(seconds=options.seconds)
            for line in profile[options.profile](program, calls, plan):
                _print(line)


def _prepared(programs: Sequence[Program]) -> list[Program]:
    """Return the programs that can run here; print which cannot, and why."""
    available = []
    for program in programs:
        try:
            program.prepare()
        except MissingError as problem:
            _print(f"{program.title} is left out: {problem}")
        else:
            available.append(program)
    return available


def _options() -> Namespace:
    parser = ArgumentParser(
        prog="benchmarks/run",
        description=_DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--calls",
        type=_numbers,
        default=None,
        help="how many calls at once, with commas between:"
        f" {','.join(map(str, _CALLS))} by default",
    )
    parser.add_argument(
        "--programs",
        type=_programs,
        default=None,
        help="which programs, with commas between:"
        f" {','.join(program.name for program in PROGRAMS)} by default",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=Plan.seconds,
        help="how long to measure each, 10 by default; getting there takes 6 more",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=_OUTPUT,
        help="the folder for what it writes; docs/performance by default",
    )
    parser.add_argument(
        "--soak",
        action="store_true",
        help=f"let {soak.CALLS} calls come and go, and see what they leave in memory",
    )
    parser.add_argument(
        "--day",
        action="store_true",
        help=f"let {CALLS_IN_A_DAY} calls come and go in a day of simulated time, and"
        " see what they leave; of another number of --calls, if given",
    )
    parser.add_argument(
        "--asterisk",
        action="store_true",
        help="on a real Asterisk, which scripts/install-asterisk installs; by default"
        f" with {','.join(map(str, _CALLS_ON_ASTERISK))} calls",
    )
    parser.add_argument(
        "--profile",
        choices=("sample", "count"),
        help="show where the time goes, by function: sampled from outside with py-spy,"
        " which is installed for it, or each call counted by cProfile, which slows it"
        " down",
    )
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    numbers = [int(part) if part.isdecimal() else 0 for part in text.split(",")]
    if not all(numbers):
        raise ArgumentTypeError(f"not numbers of calls: {text!r}")
    return numbers


def _programs(text: str) -> list[Program]:
    by_name = {program.name: program for program in PROGRAMS}
    unknown = [name for name in text.split(",") if name not in by_name]
    if unknown:
        raise ArgumentTypeError(f"no such programs: {', '.join(unknown)}")
    return [by_name[name] for name in text.split(",")]


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
