"""The operations on endpoints."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.api.models import Endpoint
from channel_aa.ari.api.operation import Body, Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred

__all__ = [
    "Endpoints",
]

_LIST = Operation(
    "endpoints.list",
    "GET",
    "/endpoints",
    tuple[Endpoint, ...],
    since=("12.0.0",),
    idempotent=True,
)
_SEND_MESSAGE = Operation(
    "endpoints.send_message",
    "PUT",
    "/endpoints/sendMessage",
    type(None),
    Query("to", "to", str, required=True),
    Query("from", "from_", str, required=True),
    Query("body", "body", str),
    Body("variables", "variables", dict[str, str]),
    since=("13.0.0",),
    idempotent=False,
)
_REFER = Operation(
    "endpoints.refer",
    "POST",
    "/endpoints/refer",
    type(None),
    Query("to", "to", str, required=True),
    Query("from", "from_", str, required=True),
    Query("refer_to", "refer_to", str, required=True),
    Query("to_self", "to_self", bool),
    Body("variables", "variables", dict[str, str]),
    since=("18.20.0", "20.5.0"),
    idempotent=False,
)
_LIST_BY_TECH = Operation(
    "endpoints.list_by_tech",
    "GET",
    "/endpoints/{tech}",
    tuple[Endpoint, ...],
    Segment("tech", "tech", str),
    since=("12.0.0",),
    idempotent=True,
)
_GET = Operation(
    "endpoints.get",
    "GET",
    "/endpoints/{tech}/{resource}",
    Endpoint,
    Segment("tech", "tech", str),
    Segment("resource", "resource", str),
    since=("12.0.0",),
    idempotent=True,
)
_SEND_MESSAGE_TO_ENDPOINT = Operation(
    "endpoints.send_message_to_endpoint",
    "PUT",
    "/endpoints/{tech}/{resource}/sendMessage",
    type(None),
    Segment("tech", "tech", str),
    Segment("resource", "resource", str),
    Query("from", "from_", str, required=True),
    Query("body", "body", str),
    Body("variables", "variables", dict[str, str]),
    since=("13.0.0",),
    idempotent=False,
)
_REFER_TO_ENDPOINT = Operation(
    "endpoints.refer_to_endpoint",
    "POST",
    "/endpoints/{tech}/{resource}/refer",
    type(None),
    Segment("tech", "tech", str),
    Segment("resource", "resource", str),
    Query("from", "from_", str, required=True),
    Query("refer_to", "refer_to", str, required=True),
    Query("to_self", "to_self", bool),
    Body("variables", "variables", dict[str, str]),
    since=("18.20.0", "20.5.0"),
    idempotent=False,
)


class Endpoints(Resource):
    """The operations on endpoints."""

    def list(self) -> Deferred[tuple[Endpoint, ...]]:
        """Read all endpoints.

        ``GET /endpoints``.
        """
        return self._call(_LIST)

    def send_message(
        self,
        *,
        to: str,
        from_: str,
        body: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Deferred[None]:
        """Send a text message to an address.

        ``PUT /endpoints/sendMessage``.
        """
        return self._call(_SEND_MESSAGE, to, from_, body, variables)

    def refer(
        self,
        *,
        to: str,
        from_: str,
        refer_to: str,
        to_self: bool | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Deferred[None]:
        """Have a party call another one (SIP REFER).

        ``POST /endpoints/refer``. ``to_self``: by default false. Needs Asterisk
        18.20.0, 20.5.0 or later.
        """
        return self._call(_REFER, to, from_, refer_to, to_self, variables)

    def list_by_tech(self, *, tech: str) -> Deferred[tuple[Endpoint, ...]]:
        """Read the endpoints of one technology.

        ``GET /endpoints/{tech}``.
        """
        return self._call(_LIST_BY_TECH, tech)

    def get(self, *, tech: str, resource: str) -> Deferred[Endpoint]:
        """Read an endpoint.

        ``GET /endpoints/{tech}/{resource}``.
        """
        return self._call(_GET, tech, resource)

    def send_message_to_endpoint(
        self,
        *,
        tech: str,
        resource: str,
        from_: str,
        body: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Deferred[None]:
        """Send a text message to an endpoint.

        ``PUT /endpoints/{tech}/{resource}/sendMessage``.
        """
        return self._call(
            _SEND_MESSAGE_TO_ENDPOINT, tech, resource, from_, body, variables
        )

    def refer_to_endpoint(
        self,
        *,
        tech: str,
        resource: str,
        from_: str,
        refer_to: str,
        to_self: bool | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Deferred[None]:
        """Have an endpoint call another one (SIP REFER).

        ``POST /endpoints/{tech}/{resource}/refer``. ``to_self``: by default false.
        Needs Asterisk 18.20.0, 20.5.0 or later.
        """
        return self._call(
            _REFER_TO_ENDPOINT, tech, resource, from_, refer_to, to_self, variables
        )
