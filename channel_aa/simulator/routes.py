"""Every operation of ARI, and its description of those that the simulator models.

An operation that is not modelled is answered with 501, so that it is not mistaken for
one that Asterisk refuses.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import PathNode, Route
from channel_aa.simulator.resources import (
    applications,
    asterisk,
    bridges,
    channels,
    recordings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

ROUTES = (
    *applications.route.routes,
    *asterisk.route.routes,
    *bridges.route.routes,
    *channels.route.routes,
    *recordings.route.routes,
)
"""The operations that are modelled."""

_UNMODELLED = """\
/asterisk/config/dynamic/{configClass}/{objectType}/{id} GET PUT DELETE
/asterisk/logging GET
/asterisk/logging/{logChannelName} POST DELETE
/asterisk/logging/{logChannelName}/rotate PUT
/asterisk/modules GET
/asterisk/modules/{moduleName} GET POST PUT DELETE
/asterisk/variable GET POST
/bridges/{bridgeId}/moh POST DELETE
/bridges/{bridgeId}/play POST
/bridges/{bridgeId}/play/{playbackId} POST
/bridges/{bridgeId}/record POST
/bridges/{bridgeId}/variable GET POST
/bridges/{bridgeId}/variables GET POST
/bridges/{bridgeId}/videoSource DELETE
/bridges/{bridgeId}/videoSource/{channelId} POST
/channels/externalMedia POST
/channels/{channelId}/hold POST DELETE
/channels/{channelId}/move POST
/channels/{channelId}/mute POST DELETE
/channels/{channelId}/progress POST
/channels/{channelId}/redirect POST
/channels/{channelId}/rtp_statistics GET
/channels/{channelId}/silence POST DELETE
/channels/{channelId}/snoop POST
/channels/{channelId}/snoop/{snoopId} POST
/channels/{channelId}/transfer_progress POST
/channels/{channelId}/variables GET POST
/deviceStates GET
/deviceStates/{deviceName} GET PUT DELETE
/endpoints/refer POST
/endpoints/sendMessage PUT
/endpoints/{tech}/{resource}/refer POST
/endpoints/{tech}/{resource}/sendMessage PUT
/events/claim POST
/events/user/{eventName} POST
/mailboxes GET
/mailboxes/{mailboxName} GET PUT DELETE
/playbacks/{playbackId}/control POST
/recordings/live/{recordingName}/mute POST DELETE
/recordings/live/{recordingName}/pause POST DELETE
/recordings/stored/{recordingName}/file GET
"""
# A path and its methods in each line, as Asterisk 22.10.1 describes them at /api-docs.

_EVENTS = """\
ApplicationReplaced
BridgeCreated bridge:Bridge
BridgeDestroyed bridge:Bridge
ChannelCallerId caller_presentation:int caller_presentation_txt:string channel:Channel
ChannelCreated channel:Channel
ChannelDestroyed cause:int cause_txt:string channel:Channel
ChannelDialplan channel:Channel dialplan_app:string dialplan_app_data:string
ChannelDtmfReceived digit:string duration_ms:int channel:Channel
ChannelEnteredBridge bridge:Bridge channel:Channel
ChannelHangupRequest cause:int soft:boolean channel:Channel
ChannelLeftBridge bridge:Bridge channel:Channel
ChannelStateChange channel:Channel
ChannelVarset variable:string value:string channel:Channel
Dial dialstatus:string dialstring:string forward:string peer:Channel
PlaybackContinuing playback:Playback
PlaybackFinished playback:Playback
PlaybackStarted playback:Playback
RecordingFailed recording:LiveRecording
RecordingFinished recording:LiveRecording
RecordingStarted recording:LiveRecording
StasisEnd channel:Channel
StasisStart args:List[string] channel:Channel replace_channel:Channel
"""
# A type of event and its fields in each line, each field with its type.

UNMODELLED = frozenset(
    (method, path)
    for path, *methods in map(str.split, _UNMODELLED.splitlines())
    for method in methods
)
"""Method and path of each operation that is answered with 501."""

OPERATIONS = UNMODELLED | {(each.method, each.path) for each in ROUTES}
"""Method and path of every operation of Asterisk 22.10.1."""

ROOT = PathNode()
"""All operations by path; those that are not modelled have no handler."""

for _route in ROUTES:
    ROOT.add(_route)
for _method, _path in UNMODELLED:
    ROOT.add(Route(_method, _path))


def describe(base_url: str) -> dict[str, dict[str, Any]]:
    """Generate ARI's description of itself in Swagger 1.2.

    Args:
        base_url: where the API is served: ``http://127.0.0.1:8088/ari``.

    Returns:
        Every document, by its name below ``/api-docs/``.
    """
    versions = {
        "apiVersion": "2.0.0",
        "swaggerVersion": "1.2",
        "basePath": base_url,
    }
    names = sorted({route.resource for route in ROUTES})
    documents: dict[str, dict[str, Any]] = {
        f"{name}.json": {
            **versions,
            "resourcePath": f"/api-docs/{name}.{{format}}",
            "apis": _describe_paths(each for each in ROUTES if each.resource == name),
            "models": _describe_events() if name == "events" else {},
        }
        for name in names
    }
    resources = [
        {"path": f"/api-docs/{name}.{{format}}", "description": name} for name in names
    ]
    documents["resources.json"] = {**versions, "apis": resources}
    return documents


def _describe_paths(routes: Iterable[Route]) -> list[dict[str, Any]]:
    by_path = attrgetter("path")
    return [
        {"path": path, "operations": [_describe_route(route) for route in same_path]}
        for path, same_path in groupby(sorted(routes, key=by_path), key=by_path)
    ]


def _describe_route(route: Route) -> dict[str, Any]:
    in_path = [f"{name}!" for name in route.names_in_path]
    parameters = [
        {
            "name": name.rstrip("[]!"),
            "paramType": where,
            "required": "!" in name,
            "allowMultiple": "[]" in name,
            "dataType": "string",
        }
        for where, names in (("path", in_path), ("query", route.query.split()))
        for name in names
    ]
    return {
        "httpMethod": route.method,
        "nickname": route.nickname,
        "responseClass": route.returns,
        "parameters": parameters,
    }


def _describe_events() -> dict[str, Any]:
    described = {}
    for event_type, *fields in map(str.split, _EVENTS.splitlines()):
        types = (field.split(":") for field in fields)
        properties = {name: {"type": type_} for name, type_ in types}
        described[event_type] = {"id": event_type, "properties": properties}
    return described
