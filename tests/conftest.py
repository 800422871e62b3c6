"""What the tests share: the reactor, a real Asterisk, and a look at the log."""

from __future__ import annotations

import gc
import os
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, cast

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from xdist.scheduler.loadscope import LoadScopeScheduling
from zope.interface import implementer

from real_asterisk.harness import Asterisk
from real_asterisk.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.logger import LogEvent
    from twisted.python.failure import Failure
    from xdist.remote import Producer

TOGETHER = ("tests/end_to_end/company/", "tests/end_to_end/faults/")
"""Folders whose tests share what would cost too much several times at once: a company's
premises, crowds of calls."""

_REQUIRED = os.environ.get("CHANNEL_AA_REQUIRE_ASTERISK") == "1"


class ByPlace(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Has a file's tests, or those of a folder of `TOGETHER`, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in TOGETHER:
            if nodeid.startswith(folder):
                return folder
        return nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByPlace:
    """Say which tests are in one process, where there are several."""
    return ByPlace(config, log)


@implementer(ILogObserver)
class LoggedFailures:
    """The failures that were logged during a test, and that it has to explain."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def __call__(self, event: LogEvent) -> None:
        """Observe the log."""
        if "log_failure" in event:
            self._failures.append(event["log_failure"])

    def flush(self, *errors: type[BaseException]) -> list[Failure]:
        """Return the failures of these types, all where none is given.

        They were expected, and the test does not fail for them.
        """
        # A Deferred tells of its unhandled failure when it is collected.
        gc.collect()
        expected = [
            each for each in self._failures if not errors or each.check(*errors)
        ]
        self._failures = [each for each in self._failures if each not in expected]
        return expected


@pytest.fixture(autouse=True)
def logged_failures(request: pytest.FixtureRequest) -> Iterator[LoggedFailures]:
    """Fail the test where a failure was logged that it has not flushed.

    A Deferred's failure that nobody handles goes to the log, and nowhere else.
    Trial's own test cases look after theirs.
    """
    failures = LoggedFailures()
    if request.cls is not None and issubclass(request.cls, SynchronousTestCase):
        yield failures
        return
    globalLogPublisher.addObserver(failures)
    try:
        yield failures
        unexpected = failures.flush()
    finally:
        globalLogPublisher.removeObserver(failures)
    if unexpected:
        traces = "\n".join(failure.getTraceback() for failure in unexpected)
        pytest.fail(f"logged, and not flushed:\n{traces}", pytrace=False)


@pytest.fixture(autouse=True)
def temporary_folder_of_trial(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Have trial's test cases make their files where pytest's are, and go."""
    if request.cls is not None and issubclass(request.cls, SynchronousTestCase):
        names = (str(tmp_path / str(number)) for number in count())
        monkeypatch.setattr(request.cls, "mktemp", lambda _self: next(names))


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later collection: there are many."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped, once for each reason, and what faults did."""
    for report in terminalreporter.stats.get("", []):
        for name, finding in report.user_properties:
            if name == "finding" and report.when == "teardown":
                terminalreporter.write_line(finding)
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]) for report in skipped)
    for reason, number in reasons.items():
        terminalreporter.write_line(f"{number} {reason}")


@pytest.fixture(scope="session")
def reactor() -> PosixReactorBase:
    """Return the reactor that pytest-twisted runs."""
    from twisted.internet import reactor as installed  # noqa: PLC0415 - installs it

    return cast("PosixReactorBase", installed)


def _usable(found: Installation) -> Installation:
    """Skip the test with the remedy, where this Asterisk cannot be started.

    With ``CHANNEL_AA_REQUIRE_ASTERISK=1`` the test fails instead.
    """
    problem = found.problem()
    if problem and _REQUIRED:
        pytest.fail(problem, pytrace=False)
    elif problem:
        pytest.skip(problem)
    return found


@pytest.fixture(scope="session")
def installation() -> Installation:
    """Find Asterisk 22, or skip the test with the remedy."""
    return _usable(Installation.default())


@pytest.fixture(scope="session")
def installation_of_16() -> Installation:
    """Find Asterisk 16, or skip the test with the remedy."""
    return _usable(Installation.of_16())


@pytest.fixture(scope="session")
def asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[Asterisk]:
    """Run one Asterisk for all tests that leave it as it was."""
    started: Asterisk = pytest_twisted.blockon(
        ensureDeferred(Asterisk.start(reactor, installation=installation))
    )
    yield started
    pytest_twisted.blockon(ensureDeferred(started.stop()))
