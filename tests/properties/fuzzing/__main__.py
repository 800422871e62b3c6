"""Fuzz for a number of minutes, and measure: ``python -m tests.properties.fuzzing 60``.

Every test of this folder gets the same time, in batches of as many examples as a test
has. Where one fails, its traceback is printed, and it goes on with the next batch.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import TestCase, TestLoader, TestResult, TestSuite

from tests.support.process import resident_kib

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM_UP_SHARE = 0.2
"""The part of each test's time after which memory counts."""


class Measurement:
    """Runs a test again and again, and measures its examples.

    Attributes:
        examples: their number.
        longest: seconds of processor time that the longest of them took.
        growth: KiB that the process has grown after the warm-up.
        failures: tracebacks.
    """

    def __init__(self, test: TestCase) -> None:
        self.examples = 0
        self.longest = 0.0
        self.growth = 0
        self.failures: list[str] = []
        self._test = test
        function: Any = getattr(type(test), test.id().rpartition(".")[2])
        self._handle = function.hypothesis
        self._inner = self._handle.inner_test

    def run(self, seconds: float) -> None:
        """Run the test for some seconds of real time, whole batches."""
        began = time.monotonic()
        warm = 0
        self._handle.inner_test = self._timed
        while (elapsed := time.monotonic() - began) < seconds:
            if not warm and elapsed > WARM_UP_SHARE * seconds:
                warm = self._resident_kib()
            result = TestResult()
            self._test.run(result)
            for _, traceback in result.failures + result.errors:
                self.failures.append(traceback)
                print(traceback, flush=True)
        self.growth = self._resident_kib() - (warm or self._resident_kib())
        self._handle.inner_test = self._inner

    def _resident_kib(self) -> int:
        gc.collect()
        return resident_kib()

    def _timed(self, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the test's
        began = time.thread_time()
        try:
            self._inner(*args, **kwargs)
        finally:
            self.examples += 1
            self.longest = max(self.longest, time.thread_time() - began)


def fuzz_tests(suite: TestSuite) -> Iterator[TestCase]:
    """Yield the tests that hypothesis gives examples to."""
    for each in suite:
        if isinstance(each, TestSuite):
            yield from fuzz_tests(each)
        elif hasattr(getattr(each, each.id().rpartition(".")[2]), "hypothesis"):
            yield each


def main(minutes: float, pattern: str = "test_*.py") -> int:
    """Fuzz; return 1 if an example failed."""
    root = Path(__file__).parents[3]
    suite = TestLoader().discover(str(Path(__file__).parent), pattern, str(root))
    tests = [*fuzz_tests(suite)]
    failed = False
    for test in tests:
        measurement = Measurement(test)
        measurement.run(minutes * 60 / len(tests))
        failed |= bool(measurement.failures)
        print(
            f"{test.id()}: {measurement.examples} examples,"
            f" longest {measurement.longest * 1000:.0f} ms,"
            f" growth {measurement.growth / 1024:.1f} MiB,"
            f" {len(measurement.failures)} failures",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
