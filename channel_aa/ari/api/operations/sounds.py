"""The operations on sounds."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
# ruff: noqa: A002 - the names are Asterisk's
from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.api.models import Sound
from channel_aa.ari.api.operation import Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "Sounds",
]

_LIST = Operation(
    "sounds.list",
    "GET",
    "/sounds",
    tuple[Sound, ...],
    Query("lang", "lang", str),
    Query("format", "format", str),
    since=("12.0.0",),
    idempotent=True,
)
_GET = Operation(
    "sounds.get",
    "GET",
    "/sounds/{soundId}",
    Sound,
    Segment("soundId", "sound_id", str),
    since=("12.0.0",),
    idempotent=True,
)


class Sounds(Resource):
    """The operations on sounds."""

    def list(
        self, *, lang: str | None = None, format: str | None = None
    ) -> Deferred[tuple[Sound, ...]]:
        """Read all sounds.

        ``GET /sounds``.
        """
        return self._call(_LIST, lang, format)

    def get(self, *, sound_id: str) -> Deferred[Sound]:
        """Read the text and the formats of a sound.

        ``GET /sounds/{soundId}``.
        """
        return self._call(_GET, sound_id)
