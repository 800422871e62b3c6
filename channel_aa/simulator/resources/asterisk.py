"""ARI's operations on Asterisk itself, its sounds, endpoints and events websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import Request, Router
from channel_aa.simulator.event_bus import ENTITY_ID
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from channel_aa.simulator.phone_behaviour import PhoneBehaviour

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
def list_endpoints(request: Request) -> list[dict[str, Any]]:
    """List the endpoints."""
    return [_endpoint(*each) for each in request.state.phones.known()]


@route("GET /endpoints/{tech}", "listByTech", "List[Endpoint]")
def list_endpoints_by_technology(request: Request) -> list[dict[str, Any]]:
    """List the endpoints of a technology."""
    technology = request.text("tech")
    found = [
        _endpoint(*each)
        for each in request.state.phones.known()
        if each[0].lower() == technology.lower()
    ]
    if not found:
        raise RefusedError(404, f"No Endpoints found - invalid tech {technology}")
    return found


@route("GET /endpoints/{tech}/{resource}", "get", "Endpoint")
def get_endpoint(request: Request) -> dict[str, Any]:
    """Describe an endpoint."""
    technology, resource = request.text("tech"), request.text("resource")
    for known in request.state.phones.known():
        if (known[0].lower(), known[1]) == (technology.lower(), resource):
            return _endpoint(*known)
    raise RefusedError(404, "Endpoint not found")


def _endpoint(technology: str, resource: str, phone: PhoneBehaviour) -> dict[str, Any]:
    return {
        "technology": technology,
        "resource": resource,
        "state": "online" if phone.is_reachable else "offline",
        "channel_ids": [],
    }


@route("GET /events", "eventWebsocket", "Message", query="app[]! subscribeAll")
def open_websocket(_request: Request) -> None:
    """Refuse a request without an upgrade; websockets are opened elsewhere."""
    raise RefusedError(426, "Upgrade Required")
