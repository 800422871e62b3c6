"""``channel-aa status`` as a user runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.utils import getProcessOutputAndValue

from channel_aa.service.status_server import StatusServer
from real_asterisk.harness import free_port
from tests.support.statuses import a_status
from tests.support.waiting import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase


class Ended(NamedTuple):
    """The command's outputs and exit code."""

    output: str
    errors: list[str]
    code: int


class StatusHarness:
    """A folder with a configuration file and a socket."""

    def __init__(self, reactor: PosixReactorBase, folder: Path) -> None:
        self.reactor = reactor
        self.file = folder / "twistd.conf"
        self.listen = f"unix:{folder}/status"
        self.file.write_text(f'[status]\nlisten = "{self.listen}"\n', "utf-8")

    async def status(self) -> Ended:
        running = getProcessOutputAndValue(
            sys.executable,
            ("-m", "channel_aa.commands", "status", str(self.file)),
            reactor=self.reactor,
        )
        out, err, code = await running.addTimeout(TIMEOUT_SECONDS, self.reactor)
        return Ended(out.decode(), err.decode().splitlines(), code)


@pytest.fixture
def harness(reactor: PosixReactorBase) -> Iterator[StatusHarness]:
    with TemporaryDirectory(prefix="aa-") as name:
        yield StatusHarness(reactor, Path(name))


@pytest.mark.parametrize("serving", [True, False])
@pytest_twisted.ensureDeferred
async def test_status_is_printed_and_exit_code_tells_whether_it_serves(
    harness: StatusHarness, *, serving: bool
) -> None:
    server = StatusServer(lambda: a_status(serving=serving), reactor=harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert ended.code == (0 if serving else 1)
    assert ended.errors == (
        [] if serving else ["not serving: Nothing listens at localhost:8088."]
    )
    status = json.loads(ended.output)
    assert status["serving"] is serving
    assert status["asterisk"]["version"] == "22.10.1"
    assert ended.output.count("\n") > 20  # formatted for people


@pytest_twisted.ensureDeferred
async def test_missing_daemon_is_one_error_line(harness: StatusHarness) -> None:
    ended = await harness.status()
    assert ended.code == 1
    assert ended.output == ""
    (line,) = ended.errors
    assert line.startswith(f"channel-aa: no daemon answers at {harness.listen} (")
    assert line.endswith("check that it runs with this file")


@pytest_twisted.ensureDeferred
async def test_file_without_endpoint_is_an_error_with_remedy(
    harness: StatusHarness,
) -> None:
    harness.file.write_text("", "utf-8")
    ended = await harness.status()
    assert (ended.code, ended.output) == (1, "")
    (line,) = ended.errors
    assert line.startswith(f"channel-aa: {harness.file}: status.listen: is not set")


@pytest_twisted.ensureDeferred
async def test_errors_of_the_file_are_printed(harness: StatusHarness) -> None:
    harness.file.write_text("[status]\nlisten = 1\nlistn = 1\n", "utf-8")
    ended = await harness.status()
    assert ended.code == 1
    assert len(ended.errors) == 2


@pytest.mark.parametrize(
    "error",
    ["[menus.main\n", '[menus.main]\nprompt = "no-list"\n', "[attendant]\nx = 1"],
)
@pytest.mark.parametrize("is_before", [True, False])
@pytest_twisted.ensureDeferred
async def test_error_elsewhere_in_the_file_is_only_noted(
    harness: StatusHarness, error: str, *, is_before: bool
) -> None:
    """The daemon runs with what the file was before."""
    text = harness.file.read_text("utf-8")
    parts = (error, text) if is_before else (text, error)
    harness.file.write_text("\n".join(parts), "utf-8")
    server = StatusServer(a_status, reactor=harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert json.loads(ended.output)["serving"] is True
    assert ended.code == 0
    (note,) = ended.errors
    assert note.startswith(f"{harness.file}: has errors, so a reload or a restart")
    assert note.endswith(f"run: channel-aa check {harness.file}")


@pytest_twisted.ensureDeferred
async def test_password_need_not_be_readable(harness: StatusHarness) -> None:
    text = harness.file.read_text("utf-8")
    harness.file.write_text(f'[asterisk]\npassword_file = "gone"\n{text}', "utf-8")
    server = StatusServer(a_status, reactor=harness.reactor)
    await server.listen(harness.listen)
    ended = await harness.status()
    await server.close()
    assert (ended.code, ended.errors) == (0, [])


@pytest_twisted.ensureDeferred
async def test_unsupported_endpoint_is_an_error(harness: StatusHarness) -> None:
    harness.file.write_text('[status]\nlisten = "systemd:domain=UNIX:index=0"\n')
    ended = await harness.status()
    assert ended.code == 1
    assert "supports unix:PATH" in ended.errors[0]


class SilentProtocol(Protocol):
    """Sends nothing."""


class OtherHttpProtocol(Protocol):
    """Answers over HTTP with the JSON of another program."""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        (SilentProtocol, "did not answer within"),
        (OtherHttpProtocol, "is not the status of"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_invalid_answer_is_an_error(
    harness: StatusHarness, peer: type[Protocol], words: str
) -> None:
    number = free_port()
    harness.file.write_text(
        f'[status]\nlisten = "tcp:{number}:interface=127.0.0.1"\n', "utf-8"
    )
    port = harness.reactor.listenTCP(
        number, Factory.forProtocol(peer), interface="127.0.0.1"
    )
    ended = await harness.status()
    await port.stopListening()
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert words in ended.errors[0]
