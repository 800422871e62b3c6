"""What the simulated Asterisk plays and records when it is asked.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from channel_aa.simulator.api import (
    NO_CONTENT,
    Parameter,
    RefusedError,
    Response,
    Route,
    optional,
    required,
)
from channel_aa.simulator.lookups import a_playback, usable_channel
from channel_aa.simulator.playbacks import ControlRefusedError, Playback
from channel_aa.simulator.recordings import TERMINATORS, Limits, Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator.api import Given
    from channel_aa.simulator.recordings import StoredRecording
    from channel_aa.simulator.state import PbxState

_CONTROLS: dict[str, Callable[[Playback], None]] = {
    "restart": Playback.restart,
    "pause": Playback.pause,
    "unpause": Playback.unpause,
    "reverse": Playback.reverse,
    "forward": Playback.forward,
}

_FORMATS = frozenset({"alaw", "gsm", "sln", "ulaw", "wav"})


def play(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/play and …/play/{playbackId}."""
    channel = usable_channel(world, given)
    media = given.texts("media")
    if not media:
        raise RefusedError(500, "Failed to queue media for playback")
    playback = Playback(
        world,
        channel,
        playback_id=given.text("playbackId") or str(uuid4()),
        media=media,
        language=given.text("lang") or channel.language,
        skip_ms=given.number("skipms", 3000),
    )
    asked_for = playback.snapshot()
    world.add_playback(playback)
    channel.play(playback)
    is_idle = world.thread_delay is None
    return Response(status=201, content=asked_for, events_are_first=is_idle)


def get_playback(world: PbxState, given: Given) -> Response:
    """GET /playbacks/{playbackId}."""
    return Response(content=a_playback(world, given).snapshot())


def stop_playback(world: PbxState, given: Given) -> Response:
    """DELETE /playbacks/{playbackId}."""
    return _control(a_playback(world, given), Playback.stop)


def control_playback(world: PbxState, given: Given) -> Response:
    """POST /playbacks/{playbackId}/control."""
    operation = given.text("operation")
    if not operation:
        raise RefusedError(400, "Missing operation")
    playback = a_playback(world, given)
    if operation not in _CONTROLS:
        raise RefusedError(400, f"Invalid operation {operation}")
    return _control(playback, _CONTROLS[operation])


def _control(playback: Playback, operation: Callable[[Playback], None]) -> Response:
    try:
        operation(playback)
    except ControlRefusedError as error:
        raise RefusedError(error.status, str(error)) from error
    return NO_CONTENT


def record(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/record."""
    channel = usable_channel(world, given)
    name, kind = given.text("name"), given.text("format")
    _check_recording(world, given, name=name, kind=kind)
    recording = Recording(
        world,
        channel,
        name=name,
        kind=kind,
        limits=Limits(
            seconds=given.number("maxDurationSeconds", 0),
            silence=given.number("maxSilenceSeconds", 0),
            terminator=given.text("terminateOn") or "none",
        ),
        beep=given.flag("beep"),
    )
    asked_for = recording.snapshot()
    world.recordings.live[name] = recording
    channel.record(recording)
    return Response(status=201, content=asked_for)


def _check_recording(world: PbxState, given: Given, *, name: str, kind: str) -> None:
    """Refuse what cannot be recorded, in the order that Asterisk looks at it."""
    if not name or ".." in name.split("/"):
        raise RefusedError(500, "Error parsing request")
    for parameter, message in (
        ("maxDurationSeconds", "max_duration_seconds cannot be negative"),
        ("maxSilenceSeconds", "max_silence_seconds cannot be negative"),
    ):
        if given.number(parameter, 0) < 0:
            raise RefusedError(400, message)
    if (given.text("terminateOn") or "none") not in TERMINATORS:
        raise RefusedError(400, "terminateOn invalid")
    if_exists = given.text("ifExists") or "fail"
    if if_exists not in {"fail", "overwrite", "append"}:
        raise RefusedError(400, "ifExists invalid")
    if kind not in _FORMATS:
        raise RefusedError(422, "specified format is unknown on this system")
    recordings = world.recordings
    is_there = name in recordings.stored and if_exists == "fail"
    if is_there or name in recordings.live:
        message = f"Recording '{name}' already exists and can not be overwritten"
        raise RefusedError(409, message)


def list_recordings(world: PbxState, _given: Given) -> Response:
    """GET /recordings/stored."""
    there = world.recordings.on_disk().values()
    return Response(content=[each.snapshot() for each in there])


def get_recording(world: PbxState, given: Given) -> Response:
    """GET /recordings/stored/{recordingName}."""
    return Response(content=_stored(world, given).snapshot())


def delete_recording(world: PbxState, given: Given) -> Response:
    """DELETE /recordings/stored/{recordingName}."""
    world.recordings.stored.pop(_stored(world, given).name, None)
    return NO_CONTENT


def get_live_recording(world: PbxState, given: Given) -> Response:
    """GET /recordings/live/{recordingName}."""
    return Response(content=_live(world, given).snapshot())


def cancel_recording(world: PbxState, given: Given) -> Response:
    """DELETE /recordings/live/{recordingName}."""
    recording = _live(world, given)
    recording.channel.act(recording.cancel)
    return NO_CONTENT


def stop_recording(world: PbxState, given: Given) -> Response:
    """POST /recordings/live/{recordingName}/stop."""
    recording = _live(world, given)
    recording.channel.act(recording.stop)
    return NO_CONTENT


def _live(world: PbxState, given: Given) -> Recording:
    recording = world.recordings.live.get(given.text("recordingName"))
    if recording is None:
        raise RefusedError(404, "Recording not found")
    return recording


def _stored(world: PbxState, given: Given) -> StoredRecording:
    recording = world.recordings.on_disk().get(given.text("recordingName"))
    if recording is None:
        raise RefusedError(404, "Recording not found")
    return recording


def list_sounds(world: PbxState, _given: Given) -> Response:
    """GET /sounds."""
    return Response(content=[_sound(name) for name in world.sounds.names()])


def get_sound(world: PbxState, given: Given) -> Response:
    """GET /sounds/{soundId}."""
    name = given.text("soundId")
    if world.sounds.length(name) is None:
        raise RefusedError(404, "Sound not found")
    return Response(content=_sound(name))


def _sound(name: str) -> dict[str, object]:
    return {"id": name, "formats": [{"language": "en", "format": "slin"}]}


_MEDIA = Parameter(name="media", is_required=True, is_list=True)
_HOW_TO_PLAY = [_MEDIA, *optional("lang", "offsetms", "skipms")]

ROUTES = (
    Route(
        method="POST",
        path="/channels/{channelId}/play",
        nickname="play",
        handler=play,
        returns="Playback",
        parameters=[*_HOW_TO_PLAY, *optional("playbackId")],
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/play/{playbackId}",
        nickname="playWithId",
        handler=play,
        returns="Playback",
        parameters=_HOW_TO_PLAY,
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/record",
        nickname="record",
        handler=record,
        returns="LiveRecording",
        parameters=[
            *required("name", "format"),
            *optional("maxDurationSeconds", "maxSilenceSeconds"),
            *optional("ifExists", "beep", "terminateOn"),
        ],
    ),
    Route(
        method="GET",
        path="/playbacks/{playbackId}",
        nickname="get",
        handler=get_playback,
        returns="Playback",
    ),
    Route(
        method="DELETE",
        path="/playbacks/{playbackId}",
        nickname="stop",
        handler=stop_playback,
    ),
    Route(
        method="POST",
        path="/playbacks/{playbackId}/control",
        nickname="control",
        handler=control_playback,
        parameters=required("operation"),
    ),
    Route(
        method="GET",
        path="/recordings/stored",
        nickname="listStored",
        handler=list_recordings,
        returns="List[StoredRecording]",
    ),
    Route(
        method="GET",
        path="/recordings/stored/{recordingName}",
        nickname="getStored",
        handler=get_recording,
        returns="StoredRecording",
    ),
    Route(
        method="DELETE",
        path="/recordings/stored/{recordingName}",
        nickname="deleteStored",
        handler=delete_recording,
    ),
    Route(
        method="GET",
        path="/recordings/live/{recordingName}",
        nickname="getLive",
        handler=get_live_recording,
        returns="LiveRecording",
    ),
    Route(
        method="DELETE",
        path="/recordings/live/{recordingName}",
        nickname="cancel",
        handler=cancel_recording,
    ),
    Route(
        method="POST",
        path="/recordings/live/{recordingName}/stop",
        nickname="stop",
        handler=stop_recording,
    ),
    Route(
        method="GET",
        path="/sounds",
        nickname="list",
        handler=list_sounds,
        returns="List[Sound]",
        parameters=optional("lang", "format"),
    ),
    Route(
        method="GET",
        path="/sounds/{soundId}",
        nickname="get",
        handler=get_sound,
        returns="Sound",
    ),
)
