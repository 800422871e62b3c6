"""A client as a whole program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from channel_aa.ari.client import AriClient


def run(
    client: AriClient,
    main: Callable[[AriClient], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Run the reactor with a client, until the program is interrupted or terminated.

    The log goes to standard output. Programs that have more than a client use it as
    the `IService` that it is.

    Args:
        client: the client, with the global reactor.
        main: a coroutine function, which is called with the client once it is
            connected. The program ends when it returns.

    Raises:
        SystemExit: the client was stopped. The status is 1, after a traceback, if
            `main` has raised an error.
    """

    def begin(reactor: Any) -> Deferred[None]:  # noqa: ANN401 - IReactorCore and more
        globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
        client.startService()
        reactor.addSystemEventTrigger("before", "shutdown", client.stopService)
        return Deferred() if main is None else Deferred.fromCoroutine(call(main))

    async def call(main: Callable[[AriClient], Coroutine[Any, Any, object]]) -> None:
        await client.when_connected()
        await main(client)

    react(begin)
