"""Channels and bridges of ours that nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from channel_aa.ari.wire.errors import AriError, ConnectionLostError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.retry import RetryingSender


class Cleanup:
    """Has Asterisk hang up phones and remove bridges.

    What is not answered is asked again, after a lost connection too. What is left all
    the same is found, and removed, at the next connection.

    Args:
        sender: what carries the requests.
    """

    _log = Logger()

    def __init__(self, sender: RetryingSender) -> None:
        self._sender = sender
        self._waiting: dict[tuple[str, str], list[Deferred[None]]] = {}

    def remove(self, kind: str, name: str) -> Deferred[None]:
        """Remove something; fires when it is gone, or cannot be removed.

        Args:
            kind: ``channels`` or ``bridges``.
            name: its id.
        """
        path = (kind, name)
        done: Deferred[None] = Deferred()
        if path in self._waiting:
            self._waiting[path].append(done)
            return done
        self._waiting[path] = [done]
        self._sender.send(Request(method="DELETE", path=path), again=True).addErrback(
            self._not_removed
        ).addCallback(self._finished, path)
        return done

    def is_removing(self, kind: str, name: str) -> bool:
        """Tell whether something is being removed."""
        return (kind, name) in self._waiting

    def finish(self) -> Deferred[None]:
        """Tell when all that is being removed now is gone."""
        waits: list[Deferred[None]] = []
        for waiting in self._waiting.values():
            wait: Deferred[None] = Deferred()
            waiting.append(wait)
            waits.append(wait)
        return DeferredList(waits, consumeErrors=True).addCallback(lambda _: None)

    def _finished(self, _answer: bytes | None, path: tuple[str, str]) -> None:
        for done in self._waiting.pop(path):
            done.callback(None)

    def _not_removed(self, failure: Failure) -> None:
        # It is gone already; or there is no connection, and none is waited for.
        if failure.check(NotFoundError, ConnectionLostError, CancelledError):
            return
        if failure.check(AriError):
            self._log.error("Something is left behind: {error}", error=failure.value)
        else:
            self._log.failure("Cleaning up failed", failure)
