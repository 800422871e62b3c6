"""The removal of channels and bridges from Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from channel_aa.ari.wire.errors import AriError, ConnectionLostError, NotFoundError
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import HangupReason
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.retry import RetryingSender


def hangup_query(reason: HangupReason) -> dict[str, str]:
    """Return the query of the ``DELETE`` of a channel; ``normal`` is its default."""
    return {} if reason is HangupReason.NORMAL else {"reason": reason.value}


class Cleanup:
    """Hangs up outbound channels and removes bridges.

    A request without a response is sent again, after a lost connection too. What is
    not removed even so is found, and removed, after the next connection.

    Args:
        sender: carries the requests.
    """

    _log = Logger()

    def __init__(self, sender: RetryingSender) -> None:
        self._sender = sender
        self._removals: dict[tuple[str, str], list[Deferred[None]]] = {}

    def remove(
        self, kind: str, object_id: str, reason: HangupReason = HangupReason.NORMAL
    ) -> Deferred[None]:
        """Remove an object; fires when it is removed, or cannot be removed.

        Args:
            kind: ``channels`` or ``bridges``.
            object_id: its id.
            reason: why a channel is hung up. While it is being removed already, the
                reason of that counts.
        """
        path = (kind, object_id)
        done: Deferred[None] = Deferred()
        if path in self._removals:
            self._removals[path].append(done)
            return done
        self._removals[path] = [done]
        request = Request(method="DELETE", path=path, query=hangup_query(reason))
        self._sender.send(request, idempotent=True).addErrback(
            self._removal_failed, path
        ).addCallback(self._fire, path)
        return done

    def is_removing(self, kind: str, object_id: str) -> bool:
        """Tell whether an object is being removed."""
        return (kind, object_id) in self._removals

    def finish(self) -> Deferred[None]:
        """Fire when all objects that are being removed now are removed."""
        removals = [self.remove(*path) for path in self._removals]
        return DeferredList(removals, consumeErrors=True).addCallback(lambda _: None)

    def _fire(self, _answer: bytes | None, path: tuple[str, str]) -> None:
        for done in self._removals.pop(path):
            done.callback(None)

    def _removal_failed(self, failure: Failure, path: tuple[str, str]) -> None:
        # It does not exist, or there is no connection and requests are not held.
        if failure.check(NotFoundError, ConnectionLostError, CancelledError):
            return
        kind, object_id = path[0].removesuffix("s"), path[1]
        if failure.check(AriError):
            self._log.error(
                "Could not remove {kind} {id} from Asterisk: {error}",
                kind=kind,
                id=object_id,
                error=failure.value,
            )
        else:
            self._log.failure(
                "Removing {kind} {id} failed", failure, kind=kind, id=object_id
            )
