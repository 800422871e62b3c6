"""ARI's description of itself in Swagger 1.2, generated from the routes."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from channel_aa.simulator.api import Route

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
StasisStart args:List[string] channel:Channel
"""
# A type of event and its fields in each line, each field with its type.


def describe(routes: Collection[Route], *, base_url: str) -> dict[str, dict[str, Any]]:
    """Generate every document, by its name below ``/api-docs/``.

    Args:
        routes: the operations to describe.
        base_url: where the API is served: ``http://127.0.0.1:8088/ari``.
    """
    versions = {
        "apiVersion": "2.0.0",
        "swaggerVersion": "1.2",
        "basePath": base_url,
    }
    names = sorted({route.resource for route in routes})
    documents: dict[str, dict[str, Any]] = {
        f"{name}.json": {
            **versions,
            "resourcePath": f"/api-docs/{name}.{{format}}",
            "apis": _describe_paths(each for each in routes if each.resource == name),
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
