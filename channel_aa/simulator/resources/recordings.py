"""ARI's operations on recordings.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.recordings import Recording
    from channel_aa.simulator.sounds import StoredRecording
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /recordings/stored", "listStored", "List[StoredRecording]")
def list_recordings(state: PbxState, _parameters: Parameters) -> Response:
    """List the stored recordings, those being made included."""
    recordings = state.recordings.on_disk().values()
    return Response(content=[each.snapshot() for each in recordings])


@ROUTER.route("GET /recordings/stored/{recordingName}", "getStored", "StoredRecording")
def get_recording(state: PbxState, parameters: Parameters) -> Response:
    """Describe a stored recording."""
    return Response(content=_stored(state, parameters).snapshot())


@ROUTER.route("DELETE /recordings/stored/{recordingName}", "deleteStored")
def delete_recording(state: PbxState, parameters: Parameters) -> Response:
    """Delete a stored recording."""
    state.recordings.stored.pop(_stored(state, parameters).name, None)
    return NO_CONTENT


@ROUTER.route("GET /recordings/live/{recordingName}", "getLive", "LiveRecording")
def get_live_recording(state: PbxState, parameters: Parameters) -> Response:
    """Describe a recording that is being made."""
    return Response(content=_live(state, parameters).snapshot())


@ROUTER.route("DELETE /recordings/live/{recordingName}", "cancel")
def cancel_recording(state: PbxState, parameters: Parameters) -> Response:
    """Stop a recording and discard it."""
    recording = _live(state, parameters)
    recording.channel.act(recording.cancel)
    return NO_CONTENT


@ROUTER.route("POST /recordings/live/{recordingName}/stop", "stop")
def stop_recording(state: PbxState, parameters: Parameters) -> Response:
    """Stop a recording and store it."""
    recording = _live(state, parameters)
    recording.channel.act(recording.stop)
    return NO_CONTENT


def _live(state: PbxState, parameters: Parameters) -> Recording:
    recording = state.recordings.live.get(parameters.text("recordingName"))
    if recording is None:
        raise RefusedError(404, "Recording not found")
    return recording


def _stored(state: PbxState, parameters: Parameters) -> StoredRecording:
    recording = state.recordings.on_disk().get(parameters.text("recordingName"))
    if recording is None:
        raise RefusedError(404, "Recording not found")
    return recording
