"""ARI's operations on channels.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.caller_id import CallerId
from channel_aa.simulator.recordings import TERMINATORS, Limits
from channel_aa.simulator.resources.lookups import (
    find_channel,
    find_stasis_channel,
    find_usable_channel,
    respond_when_done,
)
from channel_aa.simulator.routing import Router
from channel_aa.simulator.simulated_phone import SimulatedPhone
from channel_aa.simulator.variables import UnknownFunctionError, read_variable

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState

ROUTER = Router()

_ORIGINATE = "endpoint! app appArgs callerId timeout originator formats"
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


@ROUTER.route("GET /channels", "list", "List[Channel]")
def list_channels(state: PbxState, _parameters: Parameters) -> Response:
    """List the channels."""
    return Response(content=[each.snapshot() for each in state.channels.values()])


@ROUTER.route("POST /channels", "originate", "Channel", query=f"{_ORIGINATE} channelId")
@ROUTER.route(
    "POST /channels/{channelId}", "originateWithId", "Channel", query=_ORIGINATE
)
def originate(state: PbxState, parameters: Parameters) -> Response:
    """Dial a phone."""
    endpoint, application = parameters.text("endpoint"), parameters.text("app")
    if not endpoint:
        raise RefusedError(400, "Endpoint must be specified")
    if not application:
        raise RefusedError(400, "Application or extension must be specified")
    technology, _, resource = endpoint.partition("/")
    if not technology or not resource:
        raise RefusedError(400, "Invalid endpoint specified")
    originator = _originator(state, parameters)
    channel_id = parameters.text("channelId")
    if channel_id in state.channels:
        raise RefusedError(409, "Channel with given unique ID already exists")
    behaviour = state.phones.find(endpoint)
    is_reachable = behaviour is not None and behaviour.is_reachable
    if technology != "Local" and not is_reachable:
        raise RefusedError(500, "Allocation failed", key="error")
    arguments = parameters.text("appArgs")
    phone = SimulatedPhone(
        state.factory,
        state.dialled_phones,
        behaviour,
        endpoint=endpoint,
        channel_id=channel_id,
        application=application,
        arguments=arguments.split(",") if arguments else (),
        caller_id=CallerId.parse(parameters.text("callerId")),
        language=originator.language if originator else "en",
        variables=parameters.pairs("variables"),
    )
    phone.dial(parameters.number("timeout", _RING_SECONDS))
    return Response(content=phone.channel.snapshot())


def _originator(state: PbxState, parameters: Parameters) -> Channel | None:
    name = parameters.text("originator")
    if not name:
        return None
    if parameters.text("formats"):
        message = "Originator and formats can't both be specified"
        raise RefusedError(400, message)
    originator = state.channels.get(name)
    if originator is None:
        raise RefusedError(400, "Provided originator channel was not found")
    return originator


@ROUTER.route("GET /channels/{channelId}", "get", "Channel")
def get_channel(state: PbxState, parameters: Parameters) -> Response:
    """Describe a channel."""
    return Response(content=find_channel(state, parameters).snapshot())


@ROUTER.route("DELETE /channels/{channelId}", "hangup", query="reason_code reason")
def hang_up(state: PbxState, parameters: Parameters) -> Response:
    """Hang a channel up."""
    channel = find_channel(state, parameters)
    reason = parameters.text("reason") or "normal"
    if reason not in _HANGUP_CAUSES:
        raise RefusedError(400, "Invalid reason for hangup reason provided")
    channel.hang_up_on_request(final_cause=_HANGUP_CAUSES[reason])
    return NO_CONTENT


@ROUTER.route("POST /channels/{channelId}/answer", "answer")
def answer(state: PbxState, parameters: Parameters) -> Deferred[Response]:
    """Answer a channel."""
    return respond_when_done(find_usable_channel(state, parameters).answer())


@ROUTER.route("POST /channels/{channelId}/ring", "ring")
def ring(state: PbxState, parameters: Parameters) -> Response:
    """Indicate ringing to a channel."""
    find_usable_channel(state, parameters).indicate("ringing")
    return NO_CONTENT


@ROUTER.route("DELETE /channels/{channelId}/ring", "ringStop")
def stop_ringing(state: PbxState, parameters: Parameters) -> Response:
    """Stop `ring`."""
    find_usable_channel(state, parameters).stop_indicating("ringing")
    return NO_CONTENT


@ROUTER.route("POST /channels/{channelId}/moh", "startMoh", query="mohClass")
def start_music(state: PbxState, parameters: Parameters) -> Response:
    """Play music on hold; whether the class exists is not checked."""
    channel = find_usable_channel(state, parameters)
    channel.indicate(f"music:{parameters.text('mohClass') or 'default'}")
    return NO_CONTENT


@ROUTER.route("DELETE /channels/{channelId}/moh", "stopMoh")
def stop_music(state: PbxState, parameters: Parameters) -> Response:
    """Stop `start_music`."""
    find_usable_channel(state, parameters).stop_indicating("music:")
    return NO_CONTENT


@ROUTER.route(
    "POST /channels/{channelId}/dtmf",
    "sendDTMF",
    query="dtmf before between duration after",
)
def send_dtmf(state: PbxState, parameters: Parameters) -> Response:
    """Send DTMF to a channel; the phone at its end hears it."""
    find_usable_channel(state, parameters)
    if not parameters.text("dtmf"):
        raise RefusedError(400, "DTMF is required")
    return NO_CONTENT


@ROUTER.route(
    "POST /channels/{channelId}/continue",
    "continueInDialplan",
    query="context extension priority label",
)
def continue_in_dialplan(state: PbxState, parameters: Parameters) -> Response:
    """Return a channel to the dialplan."""
    channel = find_usable_channel(state, parameters)
    label = parameters.text("label")
    if label and not label.isdecimal():
        raise RefusedError(404, "Requested label can not be found")
    priority = parameters.number("label" if label else "priority", 0)
    if label and not priority:
        raise RefusedError(400, "Requested priority is illegal")
    channel.continue_in_dialplan(
        context=parameters.text("context"),
        extension=parameters.text("extension"),
        priority=priority or None,
    )
    return NO_CONTENT


@ROUTER.route(
    "POST /channels/{channelId}/play",
    "play",
    "Playback",
    query="media[]! lang offsetms skipms playbackId",
)
@ROUTER.route(
    "POST /channels/{channelId}/play/{playbackId}",
    "playWithId",
    "Playback",
    query="media[]! lang offsetms skipms",
)
def play(state: PbxState, parameters: Parameters) -> Response:
    """Play media on a channel."""
    channel = find_usable_channel(state, parameters)
    media = parameters.texts("media")
    if not media:
        raise RefusedError(500, "Failed to queue media for playback")
    playback = state.factory.new_playback(
        channel,
        media,
        playback_id=parameters.text("playbackId"),
        language=parameters.text("lang"),
    )
    queued = playback.snapshot()
    channel.start(playback)
    is_idle = state.environment.thread_delay is None
    return Response(status=201, content=queued, events_are_first=is_idle)


@ROUTER.route(
    "POST /channels/{channelId}/record",
    "record",
    "LiveRecording",
    query="name! format! maxDurationSeconds maxSilenceSeconds ifExists beep"
    " terminateOn",
)
def record(state: PbxState, parameters: Parameters) -> Response:
    """Record a channel."""
    channel = find_usable_channel(state, parameters)
    name, kind = parameters.text("name"), parameters.text("format")
    _check_recording(state, parameters, name=name, kind=kind)
    recording = state.factory.new_recording(
        channel,
        name=name,
        kind=kind,
        limits=Limits(
            seconds=parameters.number("maxDurationSeconds", 0),
            silence=parameters.number("maxSilenceSeconds", 0),
            terminator=parameters.text("terminateOn") or "none",
        ),
        beep=parameters.flag("beep"),
    )
    queued = recording.snapshot()
    channel.start(recording)
    return Response(status=201, content=queued)


def _check_recording(
    state: PbxState, parameters: Parameters, *, name: str, kind: str
) -> None:
    """Refuse what cannot be recorded, in the order that Asterisk looks at it."""
    if not name or ".." in name.split("/"):
        raise RefusedError(500, "Error parsing request")
    for parameter, message in (
        ("maxDurationSeconds", "max_duration_seconds cannot be negative"),
        ("maxSilenceSeconds", "max_silence_seconds cannot be negative"),
    ):
        if parameters.number(parameter, 0) < 0:
            raise RefusedError(400, message)
    if (parameters.text("terminateOn") or "none") not in TERMINATORS:
        raise RefusedError(400, "terminateOn invalid")
    if_exists = parameters.text("ifExists") or "fail"
    if if_exists not in {"fail", "overwrite", "append"}:
        raise RefusedError(400, "ifExists invalid")
    if kind not in _RECORDING_FORMATS:
        raise RefusedError(422, "specified format is unknown on this system")
    recordings = state.recordings
    is_stored = name in recordings.stored and if_exists == "fail"
    if is_stored or name in recordings.live:
        message = f"Recording '{name}' already exists and can not be overwritten"
        raise RefusedError(409, message)


@ROUTER.route(
    "GET /channels/{channelId}/variable", "getChannelVar", "Variable", query="variable!"
)
def get_variable(state: PbxState, parameters: Parameters) -> Response:
    """Read a variable or a function of a channel."""
    name = parameters.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = state.channels.get(parameters.text("channelId"))
    if channel is None:
        raise RefusedError(404, "Provided channel was not found")
    try:
        value = read_variable(channel, name)
    except UnknownFunctionError as error:
        raise RefusedError(500, "Unable to read provided function") from error
    if value is None:
        raise RefusedError(404, "Provided variable was not found")
    return Response(content={"value": value})


@ROUTER.route(
    "POST /channels/{channelId}/variable", "setChannelVar", query="variable! value"
)
def set_variable(state: PbxState, parameters: Parameters) -> Deferred[Response]:
    """Set a variable or a function of a channel."""
    name = parameters.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = find_stasis_channel(state, parameters)
    value = parameters.text("value") if parameters.has("value") else None
    return respond_when_done(channel.set_variable(name, value))
