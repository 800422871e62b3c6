"""ARI's operations on sounds.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /sounds", "list", "List[Sound]", query="lang format")
def list_sounds(state: PbxState, _parameters: Parameters) -> Response:
    """List the sounds."""
    return Response(content=[_sound(name) for name in state.environment.sounds.names()])


@ROUTER.route("GET /sounds/{soundId}", "get", "Sound")
def get_sound(state: PbxState, parameters: Parameters) -> Response:
    """Describe a sound."""
    name = parameters.text("soundId")
    if state.environment.sounds.length(name) is None:
        raise RefusedError(404, "Sound not found")
    return Response(content=_sound(name))


def _sound(name: str) -> dict[str, object]:
    return {"id": name, "formats": [{"language": "en", "format": "slin"}]}
