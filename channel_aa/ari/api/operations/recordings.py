"""The operations on recordings."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.api.models import LiveRecording, StoredRecording
from channel_aa.ari.api.operation import Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "Recordings",
]

_LIST_STORED = Operation(
    "recordings.list_stored",
    "GET",
    "/recordings/stored",
    tuple[StoredRecording, ...],
    since=("12.0.0",),
    idempotent=True,
)
_GET_STORED = Operation(
    "recordings.get_stored",
    "GET",
    "/recordings/stored/{recordingName}",
    StoredRecording,
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_DELETE_STORED = Operation(
    "recordings.delete_stored",
    "DELETE",
    "/recordings/stored/{recordingName}",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_GET_STORED_FILE = Operation(
    "recordings.get_stored_file",
    "GET",
    "/recordings/stored/{recordingName}/file",
    bytes,
    Segment("recordingName", "recording_name", str),
    since=("14.0.0",),
    idempotent=True,
)
_COPY_STORED = Operation(
    "recordings.copy_stored",
    "POST",
    "/recordings/stored/{recordingName}/copy",
    StoredRecording,
    Segment("recordingName", "recording_name", str),
    Query("destinationRecordingName", "destination_recording_name", str, required=True),
    since=("12.5.0",),
    idempotent=False,
)
_GET_LIVE = Operation(
    "recordings.get_live",
    "GET",
    "/recordings/live/{recordingName}",
    LiveRecording,
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_CANCEL = Operation(
    "recordings.cancel",
    "DELETE",
    "/recordings/live/{recordingName}",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_STOP = Operation(
    "recordings.stop",
    "POST",
    "/recordings/live/{recordingName}/stop",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=False,
)
_PAUSE = Operation(
    "recordings.pause",
    "POST",
    "/recordings/live/{recordingName}/pause",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_UNPAUSE = Operation(
    "recordings.unpause",
    "DELETE",
    "/recordings/live/{recordingName}/pause",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_MUTE = Operation(
    "recordings.mute",
    "POST",
    "/recordings/live/{recordingName}/mute",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)
_UNMUTE = Operation(
    "recordings.unmute",
    "DELETE",
    "/recordings/live/{recordingName}/mute",
    type(None),
    Segment("recordingName", "recording_name", str),
    since=("12.0.0",),
    idempotent=True,
)


class Recordings(Resource):
    """The operations on recordings."""

    def list_stored(self) -> Deferred[tuple[StoredRecording, ...]]:
        """Read all stored recordings.

        ``GET /recordings/stored``.
        """
        return self._call(_LIST_STORED)

    def get_stored(self, *, recording_name: str) -> Deferred[StoredRecording]:
        """Read the format of a stored recording.

        ``GET /recordings/stored/{recordingName}``.
        """
        return self._call(_GET_STORED, recording_name)

    def delete_stored(self, *, recording_name: str) -> Deferred[None]:
        """Remove a stored recording.

        ``DELETE /recordings/stored/{recordingName}``.
        """
        return self._call(_DELETE_STORED, recording_name)

    def get_stored_file(self, *, recording_name: str) -> Deferred[bytes]:
        """Read the audio of a stored recording: its file.

        ``GET /recordings/stored/{recordingName}/file``. The result is binary.
        """
        return self._call(_GET_STORED_FILE, recording_name)

    def copy_stored(
        self, *, recording_name: str, destination_recording_name: str
    ) -> Deferred[StoredRecording]:
        """Copy a stored recording.

        ``POST /recordings/stored/{recordingName}/copy``.
        """
        return self._call(_COPY_STORED, recording_name, destination_recording_name)

    def get_live(self, *, recording_name: str) -> Deferred[LiveRecording]:
        """Read a recording in progress.

        ``GET /recordings/live/{recordingName}``.
        """
        return self._call(_GET_LIVE, recording_name)

    def cancel(self, *, recording_name: str) -> Deferred[None]:
        """Stop a recording, and discard it.

        ``DELETE /recordings/live/{recordingName}``.
        """
        return self._call(_CANCEL, recording_name)

    def stop(self, *, recording_name: str) -> Deferred[None]:
        """Stop a recording, and store it.

        ``POST /recordings/live/{recordingName}/stop``.
        """
        return self._call(_STOP, recording_name)

    def pause(self, *, recording_name: str) -> Deferred[None]:
        """Interrupt a recording.

        ``POST /recordings/live/{recordingName}/pause``.
        """
        return self._call(_PAUSE, recording_name)

    def unpause(self, *, recording_name: str) -> Deferred[None]:
        """Resume a recording, after `pause`.

        ``DELETE /recordings/live/{recordingName}/pause``.
        """
        return self._call(_UNPAUSE, recording_name)

    def mute(self, *, recording_name: str) -> Deferred[None]:
        """Record silence from now on.

        ``POST /recordings/live/{recordingName}/mute``.
        """
        return self._call(_MUTE, recording_name)

    def unmute(self, *, recording_name: str) -> Deferred[None]:
        """Record the audio again, after `mute`.

        ``DELETE /recordings/live/{recordingName}/mute``.
        """
        return self._call(_UNMUTE, recording_name)
