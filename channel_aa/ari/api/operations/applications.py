"""The operations on Stasis applications."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
# ruff: noqa: A002 - the names are Asterisk's
from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.api.models import Application
from channel_aa.ari.api.operation import (
    Operation,
    QueryList,
    Resource,
    Segment,
    WholeBody,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twisted.internet.defer import Deferred

__all__ = [
    "Applications",
]

_LIST = Operation(
    "applications.list",
    "GET",
    "/applications",
    tuple[Application, ...],
    since=("13.0.0",),
    idempotent=True,
)
_GET = Operation(
    "applications.get",
    "GET",
    "/applications/{applicationName}",
    Application,
    Segment("applicationName", "application_name", str),
    since=("13.0.0",),
    idempotent=True,
)
_SUBSCRIBE = Operation(
    "applications.subscribe",
    "POST",
    "/applications/{applicationName}/subscription",
    Application,
    Segment("applicationName", "application_name", str),
    QueryList("eventSource", "event_source", str, required=True),
    since=("13.0.0",),
    idempotent=True,
)
_UNSUBSCRIBE = Operation(
    "applications.unsubscribe",
    "DELETE",
    "/applications/{applicationName}/subscription",
    Application,
    Segment("applicationName", "application_name", str),
    QueryList("eventSource", "event_source", str, required=True),
    since=("13.0.0",),
    idempotent=True,
)
_FILTER = Operation(
    "applications.filter",
    "PUT",
    "/applications/{applicationName}/eventFilter",
    Application,
    Segment("applicationName", "application_name", str),
    WholeBody("filter", "filter", dict[str, tuple[dict[str, str], ...]]),
    since=("13.26.0", "16.3.0"),
    idempotent=True,
)


class Applications(Resource):
    """The operations on Stasis applications."""

    def list(self) -> Deferred[tuple[Application, ...]]:
        """Read all applications.

        ``GET /applications``.
        """
        return self._call(_LIST)

    def get(self, *, application_name: str) -> Deferred[Application]:
        """Read an application and its subscriptions.

        ``GET /applications/{applicationName}``.
        """
        return self._call(_GET, application_name)

    def subscribe(
        self, *, application_name: str, event_source: str | Sequence[str]
    ) -> Deferred[Application]:
        """Have the application get the events of sources.

        ``POST /applications/{applicationName}/subscription``. ``event_source``: such as
        ``channel:ID``, ``endpoint:PJSIP/410``, ``deviceState:X``.
        """
        return self._call(_SUBSCRIBE, application_name, event_source)

    def unsubscribe(
        self, *, application_name: str, event_source: str | Sequence[str]
    ) -> Deferred[Application]:
        """End subscriptions of the application.

        ``DELETE /applications/{applicationName}/subscription``. ``event_source``: such
        as ``channel:ID``, ``endpoint:PJSIP/410``, ``deviceState:X``.
        """
        return self._call(_UNSUBSCRIBE, application_name, event_source)

    def filter(
        self,
        *,
        application_name: str,
        filter: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    ) -> Deferred[Application]:
        """Set which types of events the application gets.

        ``PUT /applications/{applicationName}/eventFilter``. ``filter``: such as
        ``{"allowed": [{"type": "StasisStart"}]}``; a list that is not given stays as it
        is, without both all events are sent. Needs Asterisk 16.3.0 or later.
        """
        return self._call(_FILTER, application_name, filter)
