"""TLS to a real Asterisk, and what is noticed of one that stands still."""

from __future__ import annotations

import signal
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.task import deferLater
from twisted.logger import LogLevel

from channel_aa.config import AsteriskSettings, Settings
from channel_aa.service import AttendantService
from real_asterisk.harness import Asterisk
from real_asterisk.installation import FILES
from tests.support.ari_fakes import LogRecorder
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import until
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

HTTP_CONF = f"""
tlsenable=yes
tlsbindaddr=127.0.0.1:{{port}}
tlscertfile={FILES}/etc/server.pem
tlsprivatekey={FILES}/etc/server.key
"""


class Secured:
    """An Asterisk that serves TLS, and the authority that signed its certificate."""

    def __init__(
        self, asterisk: Asterisk, issue: Callable[[Authority], object], extra: str
    ) -> None:
        folder = Path(asterisk._folder.name) / "etc"
        self.asterisk = asterisk
        self.authority = Authority(folder)
        issue(self.authority)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"https://localhost:{port}"
        with (folder / "http.conf").open("a") as file:
            file.write(HTTP_CONF.format(port=port) + extra)


@asynccontextmanager
async def secured(
    reactor: PosixReactorBase,
    installation: Installation,
    issue: Callable[[Authority], object] = lambda ca: ca.issue("localhost"),
    *,
    extra: str = "",
) -> AsyncIterator[Secured]:
    asterisk = Asterisk(reactor, installation=installation)
    try:
        made = Secured(asterisk, issue, extra)
        await asterisk.boot()
        yield made
    finally:
        await asterisk.stop()


@asynccontextmanager
async def serving(
    reactor: PosixReactorBase, asterisk: AsteriskSettings
) -> AsyncIterator[tuple[AttendantService, LogRecorder]]:
    log = LogRecorder()
    service = AttendantService(Settings(asterisk=asterisk), reactor=reactor)
    service.startService()
    try:
        yield service, log
    finally:
        await service.stopService()
        log.stop()


async def within(
    seconds: float, reactor: PosixReactorBase, is_so: Callable[[], bool]
) -> None:
    deadline = reactor.seconds() + seconds
    while not is_so():
        assert reactor.seconds() < deadline
        await deferLater(reactor, 0.05)


@pytest_twisted.ensureDeferred
async def test_calls_are_served_over_tls(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with secured(reactor, installation) as made:
        stage = await RealAsteriskHarness.open(reactor, made.asterisk)
        settings = AsteriskSettings(url=made.url, ca_file=made.authority.ca_file)
        async with serving(reactor, settings) as (service, log):
            await until(lambda: service.is_connected, reactor, "a connection")
            caller = await stage.place_call("1000")
            await until(lambda: service.live["playbacks"] == 1, reactor, "a sound")
            await caller.press("1")
            await caller.hang_up()
            await until(lambda: not any(service.live.values()), reactor, "its end")
            assert log.texts(level=LogLevel.error) == []
            assert log.texts(level=LogLevel.warn) == []
        await stage.close()


@pytest_twisted.ensureDeferred
async def test_nothing_is_verified_where_that_is_asked_for(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with secured(reactor, installation) as made:
        settings = AsteriskSettings(url=made.url, verify=False)
        async with serving(reactor, settings) as (service, log):
            await until(lambda: service.is_connected, reactor, "a connection")
            [line] = log.texts(level=LogLevel.error)
            assert "ANYBODY" in line


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        (
            lambda ca: ca.issue("localhost", ends_in=-timedelta(days=1)),
            ["expired on", "tlscertfile"],
        ),
        (
            lambda ca: ca.issue("pbx.example"),
            ["not for 'localhost' but for 'pbx.example'", "url"],
        ),
        (
            lambda ca: Authority(Path(ca.ca_file).parent, "other").issue("localhost"),
            ["nobody who is trusted", "ca_file"],
        ),
    ],
    ids=["expired", "another name", "another authority"],
)
@pytest_twisted.ensureDeferred
async def test_a_certificate_that_will_not_do_is_explained(
    reactor: PosixReactorBase,
    installation: Installation,
    issue: Callable[[Authority], object],
    words: list[str],
) -> None:
    async with secured(reactor, installation, issue) as made:
        settings = AsteriskSettings(url=made.url, ca_file=made.authority.ca_file)
        async with serving(reactor, settings) as (service, log):
            await until(
                lambda: log.texts(level=LogLevel.error) != [], reactor, "an error"
            )
            [line] = log.texts(level=LogLevel.error)
            assert "No TLS connection to localhost:" in line
            for word in words:
                assert word in line
            assert not service.is_connected


@pytest_twisted.ensureDeferred
async def test_an_asterisk_that_stands_still_is_noticed(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    """Nothing is reset, and nothing refused: it only says nothing any more."""
    async with secured(reactor, installation) as made:
        settings = AsteriskSettings(url=made.url, ca_file=made.authority.ca_file)
        async with serving(reactor, settings) as (service, log):
            await until(lambda: service.is_connected, reactor, "a connection")
            process = made.asterisk._transport
            process.signalProcess("STOP")
            try:
                await within(15.0, reactor, lambda: not service.is_connected)
                [line] = log.texts(level=LogLevel.error)
                assert "does not even answer a ping" in line
            finally:
                process.signalProcess(signal.SIGCONT)
            await until(lambda: service.is_connected, reactor, "a connection again")
