"""The operations on the states of devices."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from channel_aa.ari.api.models import DeviceState
from channel_aa.ari.api.operation import Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "DeviceStates",
]

_LIST = Operation(
    "device_states.list",
    "GET",
    "/deviceStates",
    tuple[DeviceState, ...],
    since=("12.0.0",),
    idempotent=True,
)
_GET = Operation(
    "device_states.get",
    "GET",
    "/deviceStates/{deviceName}",
    DeviceState,
    Segment("deviceName", "device_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_UPDATE = Operation(
    "device_states.update",
    "PUT",
    "/deviceStates/{deviceName}",
    type(None),
    Segment("deviceName", "device_name", str),
    Query(
        "deviceState",
        "device_state",
        Literal[
            "NOT_INUSE",
            "INUSE",
            "BUSY",
            "INVALID",
            "UNAVAILABLE",
            "RINGING",
            "RINGINUSE",
            "ONHOLD",
        ],
        required=True,
    ),
    since=("12.0.0",),
    idempotent=True,
)
_DELETE = Operation(
    "device_states.delete",
    "DELETE",
    "/deviceStates/{deviceName}",
    type(None),
    Segment("deviceName", "device_name", str),
    since=("12.0.0",),
    idempotent=True,
)


class DeviceStates(Resource):
    """The operations on the states of devices."""

    def list(self) -> Deferred[tuple[DeviceState, ...]]:
        """Read the devices that ARI controls.

        ``GET /deviceStates``.
        """
        return self._call(_LIST)

    def get(self, *, device_name: str) -> Deferred[DeviceState]:
        """Read the state of a device.

        ``GET /deviceStates/{deviceName}``.
        """
        return self._call(_GET, device_name)

    def update(
        self,
        *,
        device_name: str,
        device_state: Literal[
            "NOT_INUSE",
            "INUSE",
            "BUSY",
            "INVALID",
            "UNAVAILABLE",
            "RINGING",
            "RINGINUSE",
            "ONHOLD",
        ],
    ) -> Deferred[None]:
        """Set the state of a device, whose name begins with Stasis:.

        ``PUT /deviceStates/{deviceName}``.
        """
        return self._call(_UPDATE, device_name, device_state)

    def delete(self, *, device_name: str) -> Deferred[None]:
        """Forget a device that `update` has made.

        ``DELETE /deviceStates/{deviceName}``.
        """
        return self._call(_DELETE, device_name)
