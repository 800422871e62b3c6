"""A client as a whole program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

if TYPE_CHECKING:
    from channel_aa.ari.client import AriClient


def run(client: AriClient) -> None:
    """Run the reactor with a client, until the program is interrupted or terminated.

    The log goes to standard output. Programs that have more than a client use it as
    the `IService` that it is.

    Args:
        client: the client, with the global reactor.

    Raises:
        SystemExit: the client was stopped.
    """

    def main(reactor: Any) -> Deferred[None]:  # noqa: ANN401 - IReactorCore and more
        globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
        client.startService()
        reactor.addSystemEventTrigger("before", "shutdown", client.stopService)
        return Deferred()

    react(main)
