"""ARI's operations on recordings and playbacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.recordings import Recording
    from channel_aa.simulator.sounds import StoredRecording

route = Router()


@route("GET /recordings/stored", "listStored", "List[StoredRecording]")
def list_recordings(request: Request) -> list[dict[str, Any]]:
    """List the stored recordings, those being made included."""
    return [each.snapshot() for each in _on_disk(request).values()]


@route("GET /recordings/stored/{recordingName}", "getStored", "StoredRecording")
def get_recording(request: Request) -> dict[str, Any]:
    """Describe a stored recording."""
    return _stored(request).snapshot()


@route("DELETE /recordings/stored/{recordingName}", "deleteStored")
def delete_recording(request: Request) -> None:
    """Delete a stored recording."""
    request.state.sounds.recordings.pop(_stored(request).name, None)


@route("POST /recordings/stored/{recordingName}/copy", "copyStored", "StoredRecording")
def copy_recording(request: Request) -> dict[str, Any]:
    """Copy a stored recording, unless there is one of the other name."""
    name = request.text("destinationRecordingName").lstrip("/")
    original = _stored(request)
    if name in _on_disk(request):
        message = "A recording with the same name already exists on the system"
        raise RefusedError(409, message)
    copy = replace(original, name=name)
    request.state.sounds.recordings[name] = copy
    return copy.snapshot()


@route("GET /recordings/live/{recordingName}", "getLive", "LiveRecording")
def get_live_recording(request: Request) -> dict[str, Any]:
    """Describe a recording that is being made."""
    return _live(request).snapshot()


@route("DELETE /recordings/live/{recordingName}", "cancel")
def cancel_recording(request: Request) -> None:
    """Stop a recording and discard it."""
    recording = _live(request)
    recording.channel.act(recording.cancel)


@route("POST /recordings/live/{recordingName}/stop", "stop")
def stop_recording(request: Request) -> None:
    """Stop a recording and store it."""
    recording = _live(request)
    recording.channel.act(recording.stop)


@route("GET /playbacks/{playbackId}", "get", "Playback")
def get_playback(request: Request) -> dict[str, Any]:
    """Describe a playback."""
    return _playback(request).snapshot()


@route("DELETE /playbacks/{playbackId}", "stop")
def stop_playback(request: Request) -> None:
    """Stop a playback."""
    _playback(request).stop()


def _live(request: Request) -> Recording:
    live = request.state.recordings
    return require(live.get(request.text("recordingName")), "Recording")


def _on_disk(request: Request) -> dict[str, StoredRecording]:
    """Return the recordings that have a file: stored ones, and those being made."""
    live = request.state.recordings.values()
    being_made = [each.so_far() for each in live if each.state == "recording"]
    stored = request.state.sounds.recordings
    return {**stored, **{each.name: each for each in being_made}}


def _stored(request: Request) -> StoredRecording:
    return require(_on_disk(request).get(request.text("recordingName")), "Recording")


def _playback(request: Request) -> Playback:
    wanted = request.text("playbackId")
    playbacks = request.state.playbacks
    found = next((each for each in playbacks if each.id == wanted), None)
    return require(found, "Playback")
