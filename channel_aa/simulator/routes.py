"""Every request that the simulated Asterisk knows, in one table."""

from __future__ import annotations

from channel_aa.simulator import handlers
from channel_aa.simulator.api import Parameter, Route


def _optional(*names: str) -> list[Parameter]:
    return [Parameter(name=name) for name in names]


_MEDIA = Parameter(name="media", is_required=True, is_list=True)
_HOW_TO_PLAY = [_MEDIA, *_optional("lang", "offsetms", "skipms")]
_VARIABLE = Parameter(name="variable", is_required=True)

ROUTES = (
    Route(
        method="GET",
        path="/applications",
        nickname="list",
        handler=handlers.list_applications,
        returns="List[Application]",
    ),
    Route(
        method="GET",
        path="/applications/{applicationName}",
        nickname="get",
        handler=handlers.get_application,
        returns="Application",
    ),
    Route(
        method="PUT",
        path="/applications/{applicationName}/eventFilter",
        nickname="filter",
        handler=handlers.filter_events,
        returns="Application",
        parameters=[Parameter(name="filter", type="object", where="body")],
    ),
    Route(
        method="GET",
        path="/asterisk/info",
        nickname="getInfo",
        handler=handlers.get_info,
        returns="AsteriskInfo",
        parameters=[Parameter(name="only", is_list=True)],
    ),
    Route(
        method="GET",
        path="/asterisk/ping",
        nickname="ping",
        handler=handlers.ping,
        returns="AsteriskPing",
    ),
    Route(
        method="GET",
        path="/channels",
        nickname="list",
        handler=handlers.list_channels,
        returns="List[Channel]",
    ),
    Route(
        method="GET",
        path="/channels/{channelId}",
        nickname="get",
        handler=handlers.get_channel,
        returns="Channel",
    ),
    Route(
        method="DELETE",
        path="/channels/{channelId}",
        nickname="hangup",
        handler=handlers.hang_up,
        parameters=_optional("reason_code", "reason"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/answer",
        nickname="answer",
        handler=handlers.answer,
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/continue",
        nickname="continueInDialplan",
        handler=handlers.continue_in_dialplan,
        parameters=_optional("context", "extension", "priority", "label"),
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/ring",
        nickname="ring",
        handler=handlers.ring,
    ),
    Route(
        method="DELETE",
        path="/channels/{channelId}/ring",
        nickname="ringStop",
        handler=handlers.ring,
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/play",
        nickname="play",
        handler=handlers.play,
        returns="Playback",
        parameters=[*_HOW_TO_PLAY, *_optional("playbackId")],
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/play/{playbackId}",
        nickname="playWithId",
        handler=handlers.play,
        returns="Playback",
        parameters=_HOW_TO_PLAY,
    ),
    Route(
        method="GET",
        path="/channels/{channelId}/variable",
        nickname="getChannelVar",
        handler=handlers.get_variable,
        returns="Variable",
        parameters=[_VARIABLE],
    ),
    Route(
        method="POST",
        path="/channels/{channelId}/variable",
        nickname="setChannelVar",
        handler=handlers.set_variable,
        parameters=[_VARIABLE, *_optional("value")],
    ),
    Route(
        method="GET",
        path="/events",
        nickname="eventWebsocket",
        handler=handlers.upgrade,
        returns="Message",
        parameters=[
            Parameter(name="app", is_required=True, is_list=True),
            Parameter(name="subscribeAll", type="boolean"),
        ],
    ),
    Route(
        method="GET",
        path="/playbacks/{playbackId}",
        nickname="get",
        handler=handlers.get_playback,
        returns="Playback",
    ),
    Route(
        method="DELETE",
        path="/playbacks/{playbackId}",
        nickname="stop",
        handler=handlers.stop_playback,
    ),
    Route(
        method="POST",
        path="/playbacks/{playbackId}/control",
        nickname="control",
        handler=handlers.control_playback,
        parameters=[Parameter(name="operation", is_required=True)],
    ),
    Route(
        method="GET",
        path="/sounds",
        nickname="list",
        handler=handlers.list_sounds,
        returns="List[Sound]",
        parameters=_optional("lang", "format"),
    ),
    Route(
        method="GET",
        path="/sounds/{soundId}",
        nickname="get",
        handler=handlers.get_sound,
        returns="Sound",
    ),
)
