"""ARI's operations on recordings and playbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.responses import Response

if TYPE_CHECKING:
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.recordings import Recording
    from channel_aa.simulator.sounds import StoredRecording

ROUTER = Router()


@ROUTER.route("GET /recordings/stored", "listStored", "List[StoredRecording]")
def list_recordings(request: Request) -> Response:
    """List the stored recordings, those being made included."""
    recordings = request.state.recordings.on_disk().values()
    return Response(content=[each.snapshot() for each in recordings])


@ROUTER.route("GET /recordings/stored/{recordingName}", "getStored", "StoredRecording")
def get_recording(request: Request) -> Response:
    """Describe a stored recording."""
    return Response(content=_stored(request).snapshot())


@ROUTER.route("DELETE /recordings/stored/{recordingName}", "deleteStored")
def delete_recording(request: Request) -> None:
    """Delete a stored recording."""
    request.state.recordings.stored.pop(_stored(request).name, None)


@ROUTER.route("GET /recordings/live/{recordingName}", "getLive", "LiveRecording")
def get_live_recording(request: Request) -> Response:
    """Describe a recording that is being made."""
    return Response(content=_live(request).snapshot())


@ROUTER.route("DELETE /recordings/live/{recordingName}", "cancel")
def cancel_recording(request: Request) -> None:
    """Stop a recording and discard it."""
    recording = _live(request)
    recording.channel.act(recording.cancel)


@ROUTER.route("POST /recordings/live/{recordingName}/stop", "stop")
def stop_recording(request: Request) -> None:
    """Stop a recording and store it."""
    recording = _live(request)
    recording.channel.act(recording.stop)


@ROUTER.route("GET /playbacks/{playbackId}", "get", "Playback")
def get_playback(request: Request) -> Response:
    """Describe a playback."""
    return Response(content=_playback(request).snapshot())


@ROUTER.route("DELETE /playbacks/{playbackId}", "stop")
def stop_playback(request: Request) -> None:
    """Stop a playback."""
    _playback(request).stop()


def _live(request: Request) -> Recording:
    live = request.state.recordings.live
    return require(live.get(request.text("recordingName")), "Recording")


def _stored(request: Request) -> StoredRecording:
    on_disk = request.state.recordings.on_disk()
    return require(on_disk.get(request.text("recordingName")), "Recording")


def _playback(request: Request) -> Playback:
    playback = request.state.playbacks.find(request.text("playbackId"))
    return require(playback, "Playback")
