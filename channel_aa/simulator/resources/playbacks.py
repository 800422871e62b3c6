"""ARI's operations on playbacks.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response, Router
from channel_aa.simulator.playbacks import ControlRefusedError, Playback
from channel_aa.simulator.resources.lookups import find_playback

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.state import PbxState

ROUTER = Router()

_CONTROLS: dict[str, Callable[[Playback], None]] = {
    "restart": Playback.restart,
    "pause": Playback.pause,
    "unpause": Playback.unpause,
    "reverse": Playback.reverse,
    "forward": Playback.forward,
}


@ROUTER.route("GET", "/playbacks/{playbackId}", nickname="get", returns="Playback")
def get_playback(state: PbxState, parameters: Parameters) -> Response:
    """Describe a playback."""
    return Response(content=find_playback(state, parameters).snapshot())


@ROUTER.route("DELETE", "/playbacks/{playbackId}", nickname="stop")
def stop_playback(state: PbxState, parameters: Parameters) -> Response:
    """Stop a playback."""
    return _control(find_playback(state, parameters), Playback.stop)


@ROUTER.route(
    "POST", "/playbacks/{playbackId}/control", nickname="control", required="operation"
)
def control_playback(state: PbxState, parameters: Parameters) -> Response:
    """Pause, resume or move a playback."""
    operation = parameters.text("operation")
    if not operation:
        raise RefusedError(400, "Missing operation")
    playback = find_playback(state, parameters)
    if operation not in _CONTROLS:
        raise RefusedError(400, f"Invalid operation {operation}")
    return _control(playback, _CONTROLS[operation])


def _control(playback: Playback, operation: Callable[[Playback], None]) -> Response:
    try:
        operation(playback)
    except ControlRefusedError as error:
        raise RefusedError(error.status, str(error)) from error
    return NO_CONTENT
