"""ARI's operations on playbacks.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.playbacks import CannotStopError
from channel_aa.simulator.resources.lookups import find_playback
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /playbacks/{playbackId}", "get", "Playback")
def get_playback(state: PbxState, parameters: Parameters) -> Response:
    """Describe a playback."""
    return Response(content=find_playback(state, parameters).snapshot())


@ROUTER.route("DELETE /playbacks/{playbackId}", "stop")
def stop_playback(state: PbxState, parameters: Parameters) -> Response:
    """Stop a playback."""
    try:
        find_playback(state, parameters).stop()
    except CannotStopError as error:
        raise RefusedError(500, str(error)) from error
    return NO_CONTENT
