"""The status endpoint on real sockets."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import pytest
import pytest_twisted
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import LogLevel, capturedLogs
from twisted.web.client import Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from channel_aa.service.status import Status
from channel_aa.service.status_server import client_endpoint
from real_asterisk.harness import free_port
from tests.support.statuses import a_status, status_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from twisted.internet.interfaces import IStreamClientEndpoint
    from twisted.internet.posixbase import PosixReactorBase
    from twisted.python.failure import Failure

    from channel_aa.http_server import HttpServer

SECONDS = 60


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder whose path is short enough for a Unix socket."""
    with TemporaryDirectory(prefix="aa-") as name:
        yield Path(name)


@asynccontextmanager
async def running_server(
    reactor: PosixReactorBase, where: str, status: Status | None = None
) -> AsyncIterator[HttpServer]:
    server = status_server(lambda: status or a_status(), reactor)
    await server.listen(where)
    try:
        yield server
    finally:
        await server.close()


@implementer(IAgentEndpointFactory)
class FixedEndpointFactory:
    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self.endpoint = endpoint

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:  # noqa: N802 - Twisted's name
        return self.endpoint


async def request(
    reactor: PosixReactorBase,
    where: str,
    method: str = "GET",
    host: str = "localhost",
) -> tuple[int, bytes]:
    agent = Agent.usingEndpointFactory(
        reactor, FixedEndpointFactory(client_endpoint(where, reactor))
    )
    client = HTTPClient(agent)
    waiting = client.request(method, f"http://{host}/")
    answer = await waiting.addTimeout(SECONDS, reactor)
    return answer.code, await answer.content()


class RecordingProtocol(Protocol):
    """A connection that records the received bytes and its end."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self.ended.callback(None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def leave_socket(path: Path) -> None:
    """Create what a killed daemon leaves: its socket, and Twisted's lock.

    The lock's process id exists: in a container, all daemons have the same one.
    """
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    path.with_suffix(".lock").symlink_to(str(os.getpid()))
    assert path.is_socket()


@pytest_twisted.ensureDeferred
async def test_status_is_the_same_over_tcp_and_a_unix_socket(
    reactor: PosixReactorBase, folder: Path
) -> None:
    tcp = f"tcp:{free_port()}:interface=127.0.0.1"
    unix = f"unix:{folder}/status"
    async with running_server(reactor, tcp), running_server(reactor, unix):
        for where in (tcp, unix):
            code, body = await request(reactor, where)
            assert code == 200
            assert msgspec.json.decode(body, type=Status) == a_status()


@pytest_twisted.ensureDeferred
async def test_any_host_is_answered_over_a_unix_socket(
    reactor: PosixReactorBase, folder: Path
) -> None:
    where = f"unix:{folder}/status"
    async with running_server(reactor, where):
        assert (await request(reactor, where, host="monitoring"))[0] == 200


@pytest_twisted.ensureDeferred
async def test_http_status_tells_whether_it_serves(
    reactor: PosixReactorBase, folder: Path
) -> None:
    where = f"unix:{folder}/status"
    async with running_server(reactor, where, a_status(serving=False)):
        assert (await request(reactor, where))[0] == 503
        assert await request(reactor, where, "HEAD") == (503, b"")


@pytest_twisted.ensureDeferred
async def test_other_methods_are_refused(
    reactor: PosixReactorBase, folder: Path
) -> None:
    where = f"unix:{folder}/status"
    async with running_server(reactor, where):
        assert (await request(reactor, where, "POST"))[0] == 405
        assert (await request(reactor, where, "DELETE"))[0] == 405


@pytest_twisted.ensureDeferred
async def test_request_with_a_body_is_dropped(
    reactor: PosixReactorBase, folder: Path
) -> None:
    where = f"unix:{folder}/status"
    async with running_server(reactor, where):
        raw = await client_endpoint(where, reactor).connect(
            Factory.forProtocol(RecordingProtocol)
        )
        assert isinstance(raw, RecordingProtocol)
        assert raw.transport is not None
        raw.transport.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
        )
        raw.transport.write(b"x" * 100_000)
        await raw.ended.addTimeout(SECONDS, reactor)


@pytest_twisted.ensureDeferred
async def test_socket_has_the_configured_mode(
    reactor: PosixReactorBase, folder: Path
) -> None:
    path = folder / "status"
    async with running_server(reactor, f"unix:{path}:mode=660"):
        assert mode(path) == 0o660
    assert names(folder) == []


@pytest_twisted.ensureDeferred
async def test_socket_is_for_user_and_group_by_default(
    reactor: PosixReactorBase, folder: Path
) -> None:
    path = folder / "status"
    async with running_server(reactor, f"unix:{path}"):
        assert mode(path) == 0o660


@pytest_twisted.ensureDeferred
async def test_stale_socket_is_replaced(
    reactor: PosixReactorBase, folder: Path
) -> None:
    path = folder / "status"
    leave_socket(path)
    where = f"unix:{path}"
    async with running_server(reactor, where):
        assert (await request(reactor, where))[0] == 200


@pytest_twisted.ensureDeferred
async def test_socket_in_use_is_kept_and_the_error_logged(
    reactor: PosixReactorBase, folder: Path
) -> None:
    where = f"unix:{folder}/status"
    async with running_server(reactor, where, a_status(serving=False)):
        with capturedLogs() as logged:
            async with running_server(reactor, where):
                assert (await request(reactor, where))[0] == 503
        errors = [each for each in logged if each["log_level"] is LogLevel.error]
        assert [each["where"] for each in errors] == [where]
        assert (await request(reactor, where))[0] == 503


# Twisted does not close the socket that it could not bind.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", ["bogus:1", "unix:/no/such/folder/status"])
@pytest_twisted.ensureDeferred
async def test_failure_to_listen_is_logged(
    reactor: PosixReactorBase, where: str
) -> None:
    with capturedLogs() as logged:
        async with running_server(reactor, where):
            pass
    assert [each["where"] for each in logged if each["log_level"] is LogLevel.error]


@pytest_twisted.ensureDeferred
async def test_endpoint_can_be_changed(reactor: PosixReactorBase, folder: Path) -> None:
    first, second = f"unix:{folder}/first", f"unix:{folder}/second"
    async with running_server(reactor, first) as server:
        await server.listen(second)
        assert names(folder) == ["second"]
        assert (await request(reactor, second))[0] == 200
        await server.listen("")
        assert names(folder) == []
