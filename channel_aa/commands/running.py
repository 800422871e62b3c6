"""A reactor for the length of one subcommand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


def run_in_reactor(task: Callable[[Any], Coroutine[Deferred[Any], Any, int]]) -> int:
    """Run a coroutine in the reactor, and give its exit code.

    Args:
        task: called with the running reactor.

    Raises:
        KeyboardInterrupt: the user had enough of it; whatever else the task raises.
    """
    # Only a subcommand that needs the reactor installs it.
    from twisted.internet import reactor  # noqa: PLC0415

    outcomes: list[int | Failure] = []

    def end(outcome: int | Failure) -> None:
        outcomes.append(outcome)
        # The task may have ended at once: then the reactor is not quite running yet.
        reactor.callLater(0, reactor.stop)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(task(reactor)).addBoth(end))
    reactor.run()
    if not outcomes:
        raise KeyboardInterrupt
    outcome = outcomes[0]
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome
