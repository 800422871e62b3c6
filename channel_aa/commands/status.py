"""``channel-aa status``: the status of the daemon that runs with a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.error import ConnectError
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from channel_aa.ari.wire.http_limits import AnswerTooLongError, Body, ConnectionFactory
from channel_aa.commands.cli import CommandError, add_file, run_in_reactor
from channel_aa.config import load_status_endpoint
from channel_aa.logs import printable
from channel_aa.service.status import Status
from channel_aa.service.status_server import client_endpoint

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from twisted.internet.interfaces import IStreamClientEndpoint

    from channel_aa.commands.cli import Subparsers


SECONDS = 5.0
"""How long the whole response may take, its body included."""

_NO_STATUS = (
    AnswerTooLongError,
    RecursionError,
    UnicodeDecodeError,
    msgspec.MsgspecError,
)


class UnsupportedEndpointError(CommandError):
    """The status endpoint is of a type that this command cannot connect to."""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "status",
        help="print the status of a running daemon",
        description=(
            "Prints the status of the daemon that runs with this file, as JSON. The"
            " file has to set [status] listen."
        ),
        epilog=(
            "The exit code is 0 if the daemon serves calls: it is connected, and"
            " neither replaced nor stopping. Otherwise, or without a response, it is"
            " 1."
        ),
    )
    add_file(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Request the status, and print it."""
    where, problems = load_status_endpoint(arguments.file.absolute())
    if problems:
        print(
            f"{arguments.file}: has errors, so a reload or a restart would reject it;"
            f" run: channel-aa check {arguments.file}",
            file=sys.stderr,
        )
    if not where:
        raise CommandError(
            f"{arguments.file}: status.listen: is not set, so no daemon serves a"
            ' status; write [status] and listen = "unix:/run/channel-aa/status", and'
            " restart or reload the daemon"
        )
    return run_in_reactor(lambda reactor: _print(where, reactor=reactor))


async def _print(where: str, *, reactor: Any) -> int:  # noqa: ANN401 - several interfaces
    status = await request_status(where, reactor=reactor)
    # In ASCII: the terminal must not get control characters of another program.
    print(json.dumps(msgspec.to_builtins(status), indent=2))
    if status.asterisk.problem:
        print(printable(f"not serving: {status.asterisk.problem}"), file=sys.stderr)
    return 0 if status.serving else 1


async def request_status(
    where: str,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> Status:
    """Request the status of a daemon.

    Args:
        where: its ``[status] listen``.
        reactor: the reactor.

    Raises:
        UnsupportedEndpointError: its type is not supported.
        CommandError: there is no answer, or not the one of a daemon.
    """
    try:
        endpoint = client_endpoint(where, reactor)
    except ValueError as error:
        raise UnsupportedEndpointError(f"status.listen: {error}") from error
    response = Deferred.fromCoroutine(_get(endpoint, reactor=reactor))
    try:
        content = await response.addTimeout(SECONDS, reactor, _time_out)
        return msgspec.json.decode(content, type=Status)
    except ConnectError as error:
        raise CommandError(
            f"no daemon answers at {where} ({error}); check that it runs with this file"
        ) from error
    except DeferredTimeoutError as error:
        raise CommandError(
            f"the daemon at {where} did not answer within {SECONDS:g} s: it hangs, or"
            " is overloaded"
        ) from error
    except ResponseFailed as error:
        raise CommandError(
            f"{where} gave no whole HTTP response; check that it is the daemon's"
            " status endpoint"
        ) from error
    except _NO_STATUS as error:
        raise CommandError(
            f"the response from {where} is not the status of a channel-aa of this"
            f" version: {error}"
        ) from error


def _time_out(_cancelled: object, seconds: float) -> Failure:
    # A cancelled request fails in several ways, depending on its progress.
    return Failure(DeferredTimeoutError(seconds))


async def _get(endpoint: IStreamClientEndpoint, *, reactor: Any) -> bytes:  # noqa: ANN401
    """Request the status; the response is limited, and is not decompressed."""
    pool = HTTPConnectionPool(reactor, persistent=False)
    pool._factory = ConnectionFactory  # noqa: SLF001 - the only way to limit the headers
    agent = Agent.usingEndpointFactory(reactor, _OneEndpoint(endpoint), pool=pool)
    response = await agent.request(b"GET", b"http://localhost/")
    body = Body()
    response.deliverBody(body)
    return await body.whole


@implementer(IAgentEndpointFactory)
class _OneEndpoint:
    """Connects to one endpoint, whatever a URL says."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:  # noqa: ARG002, N802 - Twisted's
        return self._endpoint
