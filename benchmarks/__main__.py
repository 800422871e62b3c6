"""The benchmark's command line; see ``benchmarks/run --help``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from benchmarks import profiling
from benchmarks.measure import Plan, measure
from benchmarks.process import ProcessError
from benchmarks.programs import PROGRAMS
from benchmarks.results import result_of

_CALLS = "100,300,500,1000,2000"


def main() -> None:
    """Read the options, and measure."""
    names = ",".join(program.name for program in PROGRAMS)
    parser = ArgumentParser(prog="benchmarks/run")
    parser.add_argument("--calls", default=_CALLS)
    parser.add_argument("--programs", default=names)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--profile", choices=["sample", "count"])
    options = parser.parse_args()
    numbers = [int(number) for number in options.calls.split(",")]
    wanted = options.programs.split(",")
    programs = [program for program in PROGRAMS if program.name in wanted]
    plan = Plan(seconds=options.seconds)
    for number in numbers:
        for program in programs:
            if options.profile:
                profile = {
                    "sample": profiling.sample,
                    "count": profiling.count_calls,
                }[options.profile]
                for line in profile(program, number, plan):
                    print(line)
                continue
            try:
                result = result_of(measure(program, number, plan))
            except ProcessError as error:
                sys.exit(str(error))
            stop, silence = result.stop_delay, result.silence
            print(
                f"{program.name} {number} calls: core {result.core:.2f}"
                f" (load {result.load_core:.2f})"
                f" {result.requests_a_second:.0f} req/s"
                f" {result.cpu_ms_a_request:.3f} ms/req"
                f" stop {stop.median:.2f} {stop.p99:.2f} {stop.longest:.2f} ms"
                f" silence {silence.median:.2f} {silence.p99:.2f} ms"
                f" keys {result.keys} lost {result.keys_lost}"
                f" nothing {result.keys_interrupting_nothing}/{result.keys_in_prompt}"
                f" {result.kib_a_call:.1f} KiB/call refused {dict(result.refused)}"
                f" blocked {result.blocked_seconds:.3f}"
            )


if __name__ == "__main__":
    main()
