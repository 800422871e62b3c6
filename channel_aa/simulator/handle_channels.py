"""What the simulated Asterisk does with channels when it is asked.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import (
    NO_CONTENT,
    RefusedError,
    Response,
    Route,
    optional,
    required,
)
from channel_aa.simulator.lookups import (
    any_channel,
    own_channel,
    usable_channel,
    when_done,
)
from channel_aa.simulator.variables import UnknownFunctionError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.simulator.api import Given
    from channel_aa.simulator.state import PbxState

_REASONS = {
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
"""What a hangup may be given for a reason, and the cause it then has, after Q.850."""


def list_channels(world: PbxState, _given: Given) -> Response:
    """GET /channels."""
    return Response(content=[each.snapshot() for each in world.channels.values()])


def get_channel(world: PbxState, given: Given) -> Response:
    """GET /channels/{channelId}."""
    return Response(content=any_channel(world, given).snapshot())


def hang_up(world: PbxState, given: Given) -> Response:
    """DELETE /channels/{channelId}."""
    channel = any_channel(world, given)
    reason = given.text("reason") or "normal"
    if reason not in _REASONS:
        raise RefusedError(400, "Invalid reason for hangup reason provided")
    channel.hang_up_on_request(final_cause=_REASONS[reason])
    return NO_CONTENT


def answer(world: PbxState, given: Given) -> Deferred[Response]:
    """POST /channels/{channelId}/answer."""
    return when_done(usable_channel(world, given).answer())


def ring(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/ring."""
    usable_channel(world, given).indicate("ringing")
    return NO_CONTENT


def ring_no_more(world: PbxState, given: Given) -> Response:
    """DELETE /channels/{channelId}/ring."""
    usable_channel(world, given).indicate_no_more("ringing")
    return NO_CONTENT


def play_music(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/moh: of a class that is not there, nothing."""
    channel = usable_channel(world, given)
    channel.indicate(f"music:{given.text('mohClass') or 'default'}")
    return NO_CONTENT


def play_music_no_more(world: PbxState, given: Given) -> Response:
    """DELETE /channels/{channelId}/moh."""
    usable_channel(world, given).indicate_no_more("music:")
    return NO_CONTENT


def send_keys(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/dtmf: whoever has the telephone hears them."""
    usable_channel(world, given)
    if not given.text("dtmf"):
        raise RefusedError(400, "DTMF is required")
    return NO_CONTENT


def continue_in_dialplan(world: PbxState, given: Given) -> Response:
    """POST /channels/{channelId}/continue."""
    channel = usable_channel(world, given)
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


def get_variable(world: PbxState, given: Given) -> Response:
    """GET /channels/{channelId}/variable."""
    name = given.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = world.channels.get(given.text("channelId"))
    if channel is None:
        raise RefusedError(404, "Provided channel was not found")
    try:
        value = world.variables.read(channel, name)
    except UnknownFunctionError as error:
        raise RefusedError(500, "Unable to read provided function") from error
    if value is None:
        raise RefusedError(404, "Provided variable was not found")
    return Response(content={"value": value})


def set_variable(world: PbxState, given: Given) -> Deferred[Response]:
    """POST /channels/{channelId}/variable."""
    name = given.text("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = own_channel(world, given)
    value = given.text("value") if given.has("value") else None
    return when_done(channel.set_variable(name, value))


ROUTES = (
    Route(
        method="GET",
        path="/channels",
        nickname="list",
        handler=list_channels,
        returns="List[Channel]",
    ),
    Route(
        method="GET",
        path="/channels/{channelId}",
        nickname="get",
        handler=get_channel,
        returns="Channel",
    ),
    Route(
        method="DELETE",
        path="/channels/{channelId}",
        nickname="hangup",
        handler=hang_up,
        parameters=optional("reason_code", "reason"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/answer",
        nickname="answer",
        handler=answer,
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/continue",
        nickname="continueInDialplan",
        handler=continue_in_dialplan,
        parameters=optional("context", "extension", "priority", "label"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/dtmf",
        nickname="sendDTMF",
        handler=send_keys,
        parameters=optional("dtmf", "before", "between", "duration", "after"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/moh",
        nickname="startMoh",
        handler=play_music,
        parameters=optional("mohClass"),
    ),
    Route(
        method="DELETE",
        path="/channels/{channelId}/moh",
        nickname="stopMoh",
        handler=play_music_no_more,
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/ring",
        nickname="ring",
        handler=ring,
    ),
    Route(
        method="DELETE",
        path="/channels/{channelId}/ring",
        nickname="ringStop",
        handler=ring_no_more,
    ),
    Route(
        method="GET",
        path="/channels/{channelId}/variable",
        nickname="getChannelVar",
        handler=get_variable,
        returns="Variable",
        parameters=required("variable"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/variable",
        nickname="setChannelVar",
        handler=set_variable,
        parameters=[*required("variable"), *optional("value")],
    ),
)
