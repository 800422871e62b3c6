"""ARI's operations on the events websocket.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import RefusedError
from channel_aa.simulator.routing import Parameter, Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters, Response
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route(
    "GET /events",
    "eventWebsocket",
    "Message",
    others=[Parameter(name="subscribeAll", type="boolean")],
    query="app[]!",
)
def open_websocket(_state: PbxState, _parameters: Parameters) -> Response:
    """Refuse a request without an upgrade; websockets are opened elsewhere."""
    raise RefusedError(426, "Upgrade Required")
