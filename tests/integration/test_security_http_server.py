"""Clients of the daemon's HTTP servers that send slowly, too much, or never read."""

from __future__ import annotations

import socket
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from treq.client import HTTPClient
from twisted.internet.task import deferLater
from twisted.web.client import Agent

from channel_aa.http_server import CLIENT_CONNECTIONS, CONNECTIONS, HttpServer
from channel_aa.service.status_server import StatusPage
from channel_aa.speech.sound_page import SoundPage
from tests.support.process import resident_kib
from tests.support.statuses import a_status
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.http_server import Page

SECONDS = 60
NAME = "a" * 64 + ".wav"
SOUND = bytes(16 << 20)

MAX_KIB = 32 * 1024
"""The most memory that clients may use; unread answers took 1.6 GB in a minute."""


@pytest.fixture
def sound_page() -> Iterator[SoundPage]:
    with TemporaryDirectory() as folder:
        Path(folder, NAME).write_bytes(SOUND)
        yield SoundPage(lambda: Path(folder))


@asynccontextmanager
async def running_server(reactor: PosixReactorBase, page: Page) -> AsyncIterator[int]:
    """Serve the page on loopback; yield the port."""
    server = HttpServer(page, purpose="requests", reactor=reactor)
    await server.listen("tcp:0:interface=127.0.0.1")
    try:
        yield server.port
    finally:
        await server.close()


async def request(reactor: PosixReactorBase, port: int, path: str = "/") -> bytes:
    client = HTTPClient(Agent(reactor))
    response = await client.get(f"http://127.0.0.1:{port}{path}")
    assert response.code == 200
    body: bytes = await response.content().addTimeout(SECONDS, reactor)
    return body


def connect(port: int, stack: ExitStack) -> socket.socket:
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    client.settimeout(0)
    return client


def send(client: socket.socket, data: bytes) -> None:
    """Send what the server takes."""
    with suppress(BlockingIOError, ConnectionError):
        client.send(data)


def is_answered(client: socket.socket) -> bool:
    """Tell whether the server has sent something, without reading it."""
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False


def is_closed(client: socket.socket) -> bool:
    """Tell whether the server has closed a connection over which it sends nothing."""
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest_twisted.ensureDeferred
async def test_pipelined_requests_that_are_never_read_are_not_answered(
    reactor: PosixReactorBase,
) -> None:
    requests = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000
    before = resident_kib()
    page = StatusPage(a_status)
    async with running_server(reactor, page) as port:
        with ExitStack() as stack:
            clients = [connect(port, stack) for _ in range(CLIENT_CONNECTIONS)]
            for _ in range(50):
                for client in clients:
                    send(client, requests)
                await deferLater(reactor, 0.01)
            assert resident_kib() - before < MAX_KIB
            received = clients[0].recv(1 << 20)
            assert received.count(b"HTTP/1.1 200 OK") == 1
            assert b"Connection: close" in received


@pytest_twisted.ensureDeferred
async def test_connections_that_stay_open_keep_nobody_out(
    reactor: PosixReactorBase,
) -> None:
    async with running_server(reactor, StatusPage(a_status)) as port:
        with ExitStack() as stack:
            clients = []
            for _ in range(2 * CONNECTIONS):
                client = connect(port, stack)
                send(client, b"GET / HTTP/1.1\r\n")
                clients.append(client)
                await deferLater(reactor, 0)
            await request(reactor, port)
            for client in clients:
                send(client, b"X")
            await request(reactor, port)
            still_open = [not is_closed(client) for client in clients]
            assert sum(still_open) < CLIENT_CONNECTIONS
            assert not any(still_open[:-CLIENT_CONNECTIONS])


@pytest_twisted.ensureDeferred
async def test_file_that_is_never_read_stays_on_the_disk(
    reactor: PosixReactorBase, sound_page: SoundPage
) -> None:
    before = resident_kib()
    async with running_server(reactor, sound_page) as port:
        with ExitStack() as stack:
            clients = [connect(port, stack) for _ in range(CLIENT_CONNECTIONS)]
            for client in clients:
                send(client, f"GET /{NAME} HTTP/1.0\r\n\r\n".encode())
            await until(reactor, lambda: all(map(is_answered, clients)), "answers")
            assert resident_kib() - before < MAX_KIB
        assert await request(reactor, port, f"/{NAME}") == SOUND
