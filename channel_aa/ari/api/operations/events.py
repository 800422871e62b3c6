"""The operations on events."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.ari.api.operation import (
    Body,
    Operation,
    Query,
    QueryList,
    Resource,
    Segment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twisted.internet.defer import Deferred

__all__ = [
    "Events",
]

_USER_EVENT = Operation(
    "events.user_event",
    "POST",
    "/events/user/{eventName}",
    type(None),
    Segment("eventName", "event_name", str),
    Query("application", "application", str, required=True),
    QueryList("source", "source", str),
    Body("variables", "variables", dict[str, Any]),
    since=("12.3.0",),
    idempotent=False,
)
_CLAIM_CHANNEL = Operation(
    "events.claim_channel",
    "POST",
    "/events/claim",
    type(None),
    Query("channelId", "channel_id", str, required=True),
    Query("application", "application", str, required=True),
    since=("20.17.0", "22.7.0", "23.1.0"),
    idempotent=False,
)


class Events(Resource):
    """The operations on events."""

    def user_event(
        self,
        *,
        event_name: str,
        application: str,
        source: str | Sequence[str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> Deferred[None]:
        """Send an event of the program's own to an application.

        ``POST /events/user/{eventName}``. ``source``: such as ``channel:ID``,
        ``bridge:ID``, ``endpoint:PJSIP/410``.
        """
        return self._call(_USER_EVENT, event_name, application, source, variables)

    def claim_channel(self, *, channel_id: str, application: str) -> Deferred[None]:
        """Claim a channel that was offered to all applications.

        ``POST /events/claim``. Needs Asterisk 20.17.0, 22.7.0, 23.1.0 or later.
        """
        return self._call(_CLAIM_CHANNEL, channel_id, application)
