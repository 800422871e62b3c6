"""ARI's operations on channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.channel_state import ChannelSetup
from channel_aa.simulator.dialplan import CallerId, connected_line, read_variable
from channel_aa.simulator.playbacks import Playback
from channel_aa.simulator.recordings import TERMINATORS, Recording
from channel_aa.simulator.responses import RefusedError, Response
from channel_aa.simulator.simulated_phone import SimulatedPhone

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.simulator.channels import Channel


route = Router()

_ORIGINATE = "endpoint! app appArgs callerId timeout originator formats"
_CREATE = "endpoint! app! appArgs channelId originator formats"
_PLAY = "media[]! lang"
_RING_SECONDS = 30
_RECORDING_FORMATS = frozenset({"alaw", "gsm", "sln", "ulaw", "wav"})
_HANGUP_CAUSES = {
    "normal": 16,
    "busy": 17,
    "congestion": 34,
    "no_answer": 19,
    "timeout": 102,
    "rejected": 21,
    "unallocated": 1,
    "normal_unspecified": 31,
    "number_incomplete": 28,
    "codec_mismatch": 58,
    "interworking": 127,
    "failure": 38,
    "answered_elsewhere": 26,
}
"""The cause (Q.850) that a hangup gets from each ``reason``."""


@route("GET /channels", "list", "List[Channel]")
def list_channels(request: Request) -> list[dict[str, Any]]:
    """List the channels."""
    return [each.snapshot() for each in request.state.channels.values()]


@route("POST /channels", "originate", "Channel", query=f"{_ORIGINATE} channelId")
@route("POST /channels/{channelId}", "originateWithId", "Channel", query=_ORIGINATE)
def originate(request: Request) -> dict[str, Any]:
    """Dial a phone."""
    phone = _new_phone(request)
    phone.dial(request.number("timeout", _RING_SECONDS))
    return phone.channel.snapshot()


@route("POST /channels/create", "create", "Channel", query=_CREATE)
def create(request: Request) -> dict[str, Any]:
    """Create the channel of a phone, which `dial` dials."""
    phone = _new_phone(request)
    phone.create()
    return phone.channel.snapshot()


@route("POST /channels/{channelId}/dial", "dial", query="caller timeout")
def dial(request: Request) -> None:
    """Dial a phone whose channel `create` has created."""
    channel = _stasis_channel(request)
    if channel.state != "Down":
        raise RefusedError(409, "Channel is not in the 'Down' state")
    if isinstance(channel.listener, SimulatedPhone):
        channel.listener.dial(request.number("timeout", 0))


def _new_phone(request: Request) -> SimulatedPhone:
    endpoint, application = request.text("endpoint"), request.text("app")
    if not endpoint:
        raise RefusedError(400, "Endpoint must be specified")
    if not application:
        raise RefusedError(400, "Application or extension must be specified")
    technology, _, resource = endpoint.partition("/")
    if not technology or not resource:
        raise RefusedError(400, "Invalid endpoint specified")
    originator = _originator(request)
    channel_id = request.text("channelId")
    if channel_id in request.state.channels:
        raise RefusedError(409, "Channel with given unique ID already exists")
    behaviour = request.state.phones.find(endpoint)
    is_reachable = behaviour is not None and behaviour.is_reachable
    if technology != "Local" and not is_reachable:
        raise RefusedError(500, "Allocation failed", key="error")
    extension, _, context = resource.partition("@")
    caller = CallerId.parse(request.text("callerId"))
    shown = originator.caller if originator and caller == CallerId() else caller
    variables = request.pairs("variables")
    setup = ChannelSetup(
        channel_id=channel_id,
        name=f"{endpoint}-",
        state="Down",
        context=context or "default",
        extension=extension,
        caller=caller,
        connected=connected_line(shown, variables),
        language=originator.language if originator else "en",
        variables=variables,
    )
    arguments = request.text("appArgs")
    return SimulatedPhone(
        request.state,
        setup,
        behaviour,
        endpoint=endpoint,
        application=application,
        arguments=arguments.split(",") if arguments else (),
    )


def _originator(request: Request) -> Channel | None:
    name = request.text("originator")
    if not name:
        return None
    if request.text("formats"):
        message = "Originator and formats can't both be specified"
        raise RefusedError(400, message)
    originator = request.state.channels.get(name)
    if originator is None:
        raise RefusedError(400, "Provided originator channel was not found")
    return originator


@route("GET /channels/{channelId}", "get", "Channel")
def get_channel(request: Request) -> dict[str, Any]:
    """Describe a channel."""
    return _channel(request).snapshot()


@route("DELETE /channels/{channelId}", "hangup", query="reason")
def hang_up(request: Request) -> None:
    """Hang a channel up."""
    channel = _channel(request)
    reason = request.text("reason") or "normal"
    if reason not in _HANGUP_CAUSES:
        raise RefusedError(400, "Invalid reason for hangup reason provided")
    channel.hang_up_on_request(final_cause=_HANGUP_CAUSES[reason])


@route("POST /channels/{channelId}/answer", "answer")
def answer(request: Request) -> Deferred[None]:
    """Answer a channel."""
    return _usable_channel(request).answer()


@route("POST /channels/{channelId}/ring", "ring")
def ring(request: Request) -> None:
    """Indicate ringing to a channel."""
    _usable_channel(request).indicate("ringing")


@route("DELETE /channels/{channelId}/ring", "ringStop")
def stop_ringing(request: Request) -> None:
    """Stop `ring`."""
    _usable_channel(request).stop_indicating("ringing")


@route("POST /channels/{channelId}/moh", "startMoh", query="mohClass")
def start_music(request: Request) -> None:
    """Play music on hold; whether the class exists is not checked."""
    channel = _usable_channel(request)
    channel.indicate(f"music:{request.text('mohClass') or 'default'}")


@route("DELETE /channels/{channelId}/moh", "stopMoh")
def stop_music(request: Request) -> None:
    """Stop `start_music`."""
    _usable_channel(request).stop_indicating("music:")


@route("POST /channels/{channelId}/dtmf", "sendDTMF", query="dtmf!")
def send_dtmf(request: Request) -> None:
    """Send DTMF to a channel; the phone at its end hears it."""
    _usable_channel(request)
    if not request.text("dtmf"):
        raise RefusedError(400, "DTMF is required")


@route(
    "POST /channels/{channelId}/continue",
    "continueInDialplan",
    query="context extension priority label",
)
def continue_in_dialplan(request: Request) -> None:
    """Return a channel to the dialplan."""
    channel = _usable_channel(request)
    label = request.text("label")
    if label and not label.isdecimal():
        raise RefusedError(404, "Requested label can not be found")
    priority = request.number("label" if label else "priority", 0)
    if label and not priority:
        raise RefusedError(400, "Requested priority is illegal")
    channel.continue_in_dialplan(
        context=request.text("context"),
        extension=request.text("extension"),
        priority=priority or None,
    )


@route(
    "POST /channels/{channelId}/play", "play", "Playback", query=f"{_PLAY} playbackId"
)
@route(
    "POST /channels/{channelId}/play/{playbackId}",
    "playWithId",
    "Playback",
    query=_PLAY,
)
def play(request: Request) -> Response:
    """Play media on a channel."""
    channel = _usable_channel(request)
    media = request.texts("media")
    if not media:
        raise RefusedError(500, "Failed to queue media for playback")
    playback = Playback(
        channel,
        request.state.playbacks,
        media,
        playback_id=request.text("playbackId"),
        language=request.text("lang"),
    )
    queued = playback.snapshot()
    channel.start(playback)
    return Response(status=201, content=queued, events_are_first=True)


@route(
    "POST /channels/{channelId}/record",
    "record",
    "LiveRecording",
    query="name! format! maxDurationSeconds maxSilenceSeconds ifExists beep"
    " terminateOn",
)
def record(request: Request) -> Response:
    """Record a channel."""
    channel = _usable_channel(request)
    name, kind = request.text("name"), request.text("format")
    _check_recording(request, name=name, kind=kind)
    recording = Recording(
        channel,
        request.state.recordings,
        name=name,
        kind=kind,
        max_seconds=request.number("maxDurationSeconds", 0),
        max_silence=request.number("maxSilenceSeconds", 0),
        terminator=request.text("terminateOn") or "none",
        beep=request.flag("beep"),
    )
    queued = recording.snapshot()
    channel.start(recording)
    return Response(status=201, content=queued)


def _check_recording(request: Request, *, name: str, kind: str) -> None:
    """Refuse what cannot be recorded, in the order that Asterisk looks at it."""
    if not name or ".." in name.split("/"):
        raise RefusedError(500, "Error parsing request")
    for parameter, message in (
        ("maxDurationSeconds", "max_duration_seconds cannot be negative"),
        ("maxSilenceSeconds", "max_silence_seconds cannot be negative"),
    ):
        if request.number(parameter, 0) < 0:
            raise RefusedError(400, message)
    if (request.text("terminateOn") or "none") not in TERMINATORS:
        raise RefusedError(400, "terminateOn invalid")
    if_exists = request.text("ifExists") or "fail"
    if if_exists not in {"fail", "overwrite", "append"}:
        raise RefusedError(400, "ifExists invalid")
    if kind not in _RECORDING_FORMATS:
        raise RefusedError(422, "specified format is unknown on this system")
    is_stored = name in request.state.sounds.recordings and if_exists == "fail"
    if is_stored or name in request.state.recordings:
        message = f"Recording '{name}' already exists and can not be overwritten"
        raise RefusedError(409, message)


@route(
    "GET /channels/{channelId}/variable", "getChannelVar", "Variable", query="variable!"
)
def get_variable(request: Request) -> dict[str, Any]:
    """Read a variable or a function of a channel."""
    name = request.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = request.state.channels.get(request.text("channelId"))
    if channel is None:
        raise RefusedError(404, "Provided channel was not found")
    value = read_variable(channel, name)
    if value is None:
        raise RefusedError(404, "Provided variable was not found")
    return {"value": value}


@route("POST /channels/{channelId}/variable", "setChannelVar", query="variable! value")
def set_variable(request: Request) -> Deferred[None]:
    """Set a variable or a function of a channel."""
    name = request.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = _stasis_channel(request)
    value = request.text("value") if request.has("value") else None
    return channel.set_variable(name, value)


def _channel(request: Request) -> Channel:
    return require(request.state.channels.get(request.text("channelId")), "Channel")


def _stasis_channel(request: Request) -> Channel:
    """Find a channel that is in an application."""
    channel = _channel(request)
    if channel.application is None:
        raise RefusedError(409, "Channel not in Stasis application")
    return channel


def _usable_channel(request: Request) -> Channel:
    """Find a channel in an application that is not an outbound one still ringing."""
    channel = _stasis_channel(request)
    if not channel.is_in_valid_state:
        raise RefusedError(412, "Channel in invalid state")
    return channel
