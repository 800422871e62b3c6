"""TLS to a real Asterisk."""

from __future__ import annotations

import signal
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.logger import LogLevel

from channel_aa.settings import AsteriskSettings, Settings
from real_asterisk.harness import Asterisk
from real_asterisk.installation import FILES
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import running_service
from tests.support.certificates import Authority
from tests.support.loopback import resolving_to_loopback
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

HTTP_CONF = f"""
tlsenable=yes
tlsbindaddr=127.0.0.1:{{port}}
tlscertfile={FILES}/etc/server.pem
tlsprivatekey={FILES}/etc/server.key
"""


@pytest.fixture(autouse=True)
def localhost(reactor: PosixReactorBase) -> Iterator[None]:
    """Resolve ``localhost`` without ``/etc/hosts``, too."""
    with resolving_to_loopback(reactor):
        yield


class TlsAsterisk:
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
async def tls_asterisk(
    reactor: PosixReactorBase,
    installation: Installation,
    issue: Callable[[Authority], object] = lambda ca: ca.issue("localhost"),
    *,
    extra: str = "",
) -> AsyncIterator[TlsAsterisk]:
    asterisk = Asterisk(reactor, installation=installation)
    try:
        tls = TlsAsterisk(asterisk, issue, extra)
        await asterisk.boot()
        yield tls
    finally:
        await asterisk.stop()


@pytest_twisted.ensureDeferred
async def test_calls_are_served_over_tls(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with tls_asterisk(reactor, installation) as tls:
        backend = await RealAsteriskHarness.open(reactor, tls.asterisk)
        settings = AsteriskSettings(url=tls.url, ca_file=tls.authority.ca_file)
        async with running_service(reactor, Settings(asterisk=settings)) as (
            service,
            log,
        ):
            await until(reactor, lambda: service.is_connected, "a connection")
            caller = await backend.place_call("1000")
            await until(reactor, lambda: service.live["playbacks"] == 1, "a sound")
            await caller.press("1")
            await caller.hang_up()
            await until(reactor, lambda: not any(service.live.values()), "its end")
            assert log.texts(level=LogLevel.error) == []
            assert log.texts(level=LogLevel.warn) == []
        await backend.close()


@pytest_twisted.ensureDeferred
async def test_verification_can_be_disabled(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with tls_asterisk(reactor, installation) as tls:
        settings = AsteriskSettings(url=tls.url, verify=False)
        async with running_service(reactor, Settings(asterisk=settings)) as (
            service,
            log,
        ):
            await until(reactor, lambda: service.is_connected, "a connection")
            [line] = log.texts(level=LogLevel.error)
            assert "is not verified" in line


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
            ["not signed by a trusted authority", "ca_file"],
        ),
    ],
    ids=["expired", "another name", "another authority"],
)
@pytest_twisted.ensureDeferred
async def test_invalid_certificate_is_reported(
    reactor: PosixReactorBase,
    installation: Installation,
    issue: Callable[[Authority], object],
    words: list[str],
) -> None:
    async with tls_asterisk(reactor, installation, issue) as tls:
        settings = AsteriskSettings(url=tls.url, ca_file=tls.authority.ca_file)
        async with running_service(reactor, Settings(asterisk=settings)) as (
            service,
            log,
        ):
            await until(
                reactor, lambda: log.texts(level=LogLevel.error) != [], "an error"
            )
            [line] = log.texts(level=LogLevel.error)
            assert "No TLS connection to localhost:" in line
            for word in words:
                assert word in line
            assert not service.is_connected


@pytest_twisted.ensureDeferred
async def test_frozen_asterisk_is_noticed(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    """A stopped process neither resets nor refuses connections."""
    async with tls_asterisk(reactor, installation) as tls:
        settings = AsteriskSettings(url=tls.url, ca_file=tls.authority.ca_file)
        async with running_service(reactor, Settings(asterisk=settings)) as (
            service,
            log,
        ):
            await until(reactor, lambda: service.is_connected, "a connection")
            process = tls.asterisk._transport
            process.signalProcess("STOP")
            try:
                await until(reactor, lambda: not service.is_connected, seconds=15.0)
                [line] = log.texts(level=LogLevel.error)
                assert "not even the reply to a ping" in line
            finally:
                process.signalProcess(signal.SIGCONT)
            await until(reactor, lambda: service.is_connected, "a connection again")
