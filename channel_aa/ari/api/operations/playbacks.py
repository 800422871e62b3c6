"""The operations on playbacks."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from channel_aa.ari.api.models import Playback
from channel_aa.ari.api.operation import Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "Playbacks",
]

_GET = Operation(
    "playbacks.get",
    "GET",
    "/playbacks/{playbackId}",
    Playback,
    Segment("playbackId", "playback_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_STOP = Operation(
    "playbacks.stop",
    "DELETE",
    "/playbacks/{playbackId}",
    type(None),
    Segment("playbackId", "playback_id", str),
    since=("12.0.0",),
    idempotent=True,
)
_CONTROL = Operation(
    "playbacks.control",
    "POST",
    "/playbacks/{playbackId}/control",
    type(None),
    Segment("playbackId", "playback_id", str),
    Query(
        "operation",
        "operation",
        Literal["restart", "pause", "unpause", "reverse", "forward"],
        required=True,
    ),
    since=("12.0.0",),
    idempotent=False,
)


class Playbacks(Resource):
    """The operations on playbacks."""

    def get(self, *, playback_id: str) -> Deferred[Playback]:
        """Read a playback that is not over.

        ``GET /playbacks/{playbackId}``.
        """
        return self._call(_GET, playback_id)

    def stop(self, *, playback_id: str) -> Deferred[None]:
        """Stop a playback.

        ``DELETE /playbacks/{playbackId}``.
        """
        return self._call(_STOP, playback_id)

    def control(
        self,
        *,
        playback_id: str,
        operation: Literal["restart", "pause", "unpause", "reverse", "forward"],
    ) -> Deferred[None]:
        """Pause, wind or restart a playback.

        ``POST /playbacks/{playbackId}/control``.
        """
        return self._call(_CONTROL, playback_id, operation)
