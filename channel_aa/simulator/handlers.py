"""What the simulated Asterisk does when it is asked.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from channel_aa.simulator.api import (
    NO_CONTENT,
    RefusedError,
    Response,
)
from channel_aa.simulator.channels import CommandFailedError
from channel_aa.simulator.playbacks import ControlRefusedError, Playback
from channel_aa.simulator.world import ENTITY_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Given
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.world import World

_REASONS = frozenset(
    {
        "normal",
        "busy",
        "congestion",
        "no_answer",
        "timeout",
        "rejected",
        "unallocated",
        "normal_unspecified",
        "number_incomplete",
        "codec_mismatch",
        "interworking",
        "failure",
        "answered_elsewhere",
    }
)

_CONTROLS: dict[str, Callable[[Playback], None]] = {
    "restart": Playback.restart,
    "pause": Playback.pause,
    "unpause": Playback.unpause,
    "reverse": Playback.reverse,
    "forward": Playback.forward,
}


def _any_channel(world: World, given: Given) -> Channel:
    channel = world.channels.get(given.text("channelId"))
    if channel is None:
        raise RefusedError(404, "Channel not found")
    return channel


def _own_channel(world: World, given: Given) -> Channel:
    """Find a channel that is in an application."""
    channel = _any_channel(world, given)
    if channel.application is None:
        raise RefusedError(409, "Channel not in Stasis application")
    return channel


def _usable_channel(world: World, given: Given) -> Channel:
    """Find a channel in an application that is not an outbound one still ringing."""
    channel = _own_channel(world, given)
    if not channel.is_in_valid_state:
        raise RefusedError(412, "Channel in invalid state")
    return channel


def _playback(world: World, given: Given) -> Playback:
    playback = world.find_playback(given.text("playbackId"))
    if playback is None:
        raise RefusedError(404, "Playback not found")
    return playback


def _when_done(command: Deferred[None]) -> Deferred[Response]:
    def failed(failure: Failure) -> Response:
        failure.trap(CommandFailedError)
        raise RefusedError(500, failure.getErrorMessage())

    return command.addCallbacks(lambda _: NO_CONTENT, failed)


def list_channels(world: World, _given: Given) -> Response:
    """GET /channels."""
    return Response(content=[each.snapshot() for each in world.channels.values()])


def get_channel(world: World, given: Given) -> Response:
    """GET /channels/{channelId}."""
    return Response(content=_any_channel(world, given).snapshot())


def hang_up(world: World, given: Given) -> Response:
    """DELETE /channels/{channelId}."""
    channel = _any_channel(world, given)
    reason = given.text("reason")
    if reason and reason not in _REASONS:
        raise RefusedError(400, "Invalid reason for hangup reason provided")
    channel.hang_up_on_request()
    return NO_CONTENT


def answer(world: World, given: Given) -> Deferred[Response]:
    """POST /channels/{channelId}/answer."""
    return _when_done(_usable_channel(world, given).answer())


def ring(world: World, given: Given) -> Response:
    """POST and DELETE /channels/{channelId}/ring."""
    _usable_channel(world, given)
    return NO_CONTENT


def continue_in_dialplan(world: World, given: Given) -> Response:
    """POST /channels/{channelId}/continue."""
    channel = _usable_channel(world, given)
    label = given.text("label")
    if label and not label.isdecimal():
        raise RefusedError(404, "Requested label can not be found")
    priority = given.number("label" if label else "priority", 0)
    if label and not priority:
        raise RefusedError(400, "Requested priority is illegal")
    channel.continue_in_dialplan(
        context=given.text("context"),
        extension=given.text("extension"),
        priority=priority or None,
    )
    return NO_CONTENT


def play(world: World, given: Given) -> Response:
    """POST /channels/{channelId}/play and …/play/{playbackId}."""
    channel = _usable_channel(world, given)
    media = given.texts("media")
    if not media:
        raise RefusedError(500, "Failed to queue media for playback")
    playback = Playback(
        world,
        channel,
        playback_id=given.text("playbackId") or str(uuid4()),
        media=media,
        language=given.text("lang") or "en",
        skip_ms=given.number("skipms", 3000),
    )
    asked_for = playback.snapshot()
    world.add_playback(playback)
    channel.play(playback)
    is_idle = world.thread_delay is None
    return Response(status=201, content=asked_for, events_are_first=is_idle)


def get_variable(world: World, given: Given) -> Response:
    """GET /channels/{channelId}/variable."""
    name = given.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = world.channels.get(given.text("channelId"))
    if channel is None:
        raise RefusedError(404, "Provided channel was not found")
    if name.endswith(")"):
        raise RefusedError(500, "Unable to read provided function")
    value = channel.variables.get(name)
    if value is None:
        raise RefusedError(404, "Provided variable was not found")
    return Response(content={"value": value})


def set_variable(world: World, given: Given) -> Deferred[Response]:
    """POST /channels/{channelId}/variable."""
    name = given.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = _own_channel(world, given)
    return _when_done(channel.set_variable(name, given.text("value")))


def get_playback(world: World, given: Given) -> Response:
    """GET /playbacks/{playbackId}."""
    return Response(content=_playback(world, given).snapshot())


def stop_playback(world: World, given: Given) -> Response:
    """DELETE /playbacks/{playbackId}."""
    return _control(_playback(world, given), Playback.stop)


def control_playback(world: World, given: Given) -> Response:
    """POST /playbacks/{playbackId}/control."""
    operation = given.text("operation")
    if not operation:
        raise RefusedError(400, "Missing operation")
    playback = _playback(world, given)
    if operation not in _CONTROLS:
        raise RefusedError(400, f"Invalid operation {operation}")
    return _control(playback, _CONTROLS[operation])


def _control(playback: Playback, operation: Callable[[Playback], None]) -> Response:
    try:
        operation(playback)
    except ControlRefusedError as error:
        raise RefusedError(error.status, str(error)) from error
    return NO_CONTENT


def list_applications(world: World, _given: Given) -> Response:
    """GET /applications."""
    return Response(content=[each.snapshot() for each in world.applications.values()])


def get_application(world: World, given: Given) -> Response:
    """GET /applications/{applicationName}."""
    application = world.applications.get(given.text("applicationName"))
    if application is None:
        raise RefusedError(404, "Application not found")
    return Response(content=application.snapshot())


def filter_events(world: World, given: Given) -> Response:
    """PUT /applications/{applicationName}/eventFilter."""
    application = world.applications.get(given.text("applicationName"))
    if application is None:
        raise RefusedError(404, "Application not found")
    application.filter(
        allowed=given.types("allowed"), disallowed=given.types("disallowed")
    )
    return Response(content=application.snapshot())


def list_sounds(world: World, _given: Given) -> Response:
    """GET /sounds."""
    return Response(content=[_sound(name) for name in world.sounds.names()])


def get_sound(world: World, given: Given) -> Response:
    """GET /sounds/{soundId}."""
    name = given.text("soundId")
    if world.sounds.length(name) is None:
        raise RefusedError(404, "Sound not found")
    return Response(content=_sound(name))


def _sound(name: str) -> dict[str, object]:
    return {"id": name, "formats": [{"language": "en", "format": "slin"}]}


def get_info(world: World, _given: Given) -> Response:
    """GET /asterisk/info."""
    started = world.started
    return Response(
        content={
            "build": {
                "os": "Linux",
                "kernel": "simulated",
                "machine": "simulated",
                "options": "",
                "date": started,
                "user": "simulator",
            },
            "system": {"version": world.version, "entity_id": ENTITY_ID},
            "config": {
                "name": "",
                "default_language": "en",
                "setid": {"user": "", "group": ""},
            },
            "status": {"startup_time": started, "last_reload_time": started},
        }
    )


def ping(world: World, _given: Given) -> Response:
    """GET /asterisk/ping."""
    now = world.timestamp()
    content = {"ping": "pong", "timestamp": now, "asterisk_id": ENTITY_ID}
    return Response(content=content)


def upgrade(_world: World, _given: Given) -> Response:
    """GET /events: served where the websockets are, not here."""
    raise RefusedError(426, "Upgrade Required")
