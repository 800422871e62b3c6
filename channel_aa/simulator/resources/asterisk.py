"""ARI's operations on Asterisk itself.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import Response
from channel_aa.simulator.event_bus import ENTITY_ID
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /asterisk/info", "getInfo", "AsteriskInfo", query="only[]")
def get_info(state: PbxState, parameters: Parameters) -> Response:
    """Describe Asterisk itself."""
    started = state.started
    info = {
        "build": {
            "os": "Linux",
            "kernel": "simulated",
            "machine": "simulated",
            "options": "",
            "date": started,
            "user": "simulator",
        },
        "system": {"version": state.version, "entity_id": ENTITY_ID},
        "config": {
            "name": "",
            "default_language": "en",
            "setid": {"user": "", "group": ""},
        },
        "status": {"startup_time": started, "last_reload_time": started},
    }
    only = parameters.texts("only") or info
    return Response(content={name: info[name] for name in only if name in info})


@ROUTER.route("GET /asterisk/ping", "ping", "AsteriskPing")
def ping(state: PbxState, _parameters: Parameters) -> Response:
    """Answer with a pong."""
    now = state.bus.timestamp()
    content = {"ping": "pong", "timestamp": now, "asterisk_id": ENTITY_ID}
    return Response(content=content)
