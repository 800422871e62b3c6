"""ARI's operations on Asterisk itself, its sounds, endpoints and events websocket."""

from __future__ import annotations

from typing import Any

from channel_aa.simulator.api import Request, Router
from channel_aa.simulator.event_bus import ENTITY_ID
from channel_aa.simulator.responses import RefusedError

route = Router()


@route("GET /asterisk/info", "getInfo", "AsteriskInfo", query="only[]")
def get_info(request: Request) -> dict[str, Any]:
    """Describe Asterisk itself."""
    started = request.state.started
    info = {
        "build": {
            "os": "Linux",
            "kernel": "simulated",
            "machine": "simulated",
            "options": "",
            "date": started,
            "user": "simulator",
        },
        "system": {"version": request.state.version, "entity_id": ENTITY_ID},
        "config": {
            "name": "",
            "default_language": "en",
            "setid": {"user": "", "group": ""},
        },
        "status": {"startup_time": started, "last_reload_time": started},
    }
    only = request.texts("only") or info
    return {name: info[name] for name in only if name in info}


@route("GET /asterisk/ping", "ping", "AsteriskPing")
def ping(request: Request) -> dict[str, Any]:
    """Answer with a pong."""
    now = request.state.bus.timestamp()
    return {"ping": "pong", "timestamp": now, "asterisk_id": ENTITY_ID}


@route("GET /sounds", "list", "List[Sound]")
def list_sounds(request: Request) -> list[dict[str, Any]]:
    """List the sounds."""
    sounds = request.state.sounds
    return [_sound(name) for name in sounds.names()]


@route("GET /sounds/{soundId}", "get", "Sound")
def get_sound(request: Request) -> dict[str, Any]:
    """Describe a sound."""
    name = request.text("soundId")
    if request.state.sounds.length(name) is None:
        raise RefusedError(404, "Sound not found")
    return _sound(name)


def _sound(name: str) -> dict[str, Any]:
    return {"id": name, "formats": [{"language": "en", "format": "slin"}]}


@route("GET /endpoints", "list", "List[Endpoint]")
@route("GET /endpoints/{tech}", "listByTech", "List[Endpoint]")
def list_endpoints(request: Request) -> list[dict[str, Any]]:
    """List the endpoints, of all technologies or of one."""
    technology = request.text("tech")
    found = _endpoints(request, technology)
    if technology and not found:
        raise RefusedError(404, f"No Endpoints found - invalid tech {technology}")
    return found


@route("GET /endpoints/{tech}/{resource}", "get", "Endpoint")
def get_endpoint(request: Request) -> dict[str, Any]:
    """Describe an endpoint."""
    for endpoint in _endpoints(request, request.text("tech")):
        if endpoint["resource"] == request.text("resource"):
            return endpoint
    raise RefusedError(404, "Endpoint not found")


def _endpoints(request: Request, technology: str) -> list[dict[str, Any]]:
    """Describe the endpoints of a technology, in any case; empty: of every one."""
    return [
        {
            "technology": known,
            "resource": resource,
            "state": "online" if phone.is_reachable else "offline",
            "channel_ids": [],
        }
        for known, resource, phone in request.state.phones.known()
        if technology.lower() in {"", known.lower()}
    ]


@route("GET /events", "eventWebsocket", "Message", query="app[]! subscribeAll")
def open_websocket(_request: Request) -> None:
    """Refuse a request without an upgrade; websockets are opened elsewhere."""
    raise RefusedError(426, "Upgrade Required")
