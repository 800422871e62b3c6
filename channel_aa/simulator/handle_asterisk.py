"""What the simulated Asterisk says of itself and of applications when it is asked.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import (
    Parameter,
    RefusedError,
    Response,
    Route,
)
from channel_aa.simulator.bridges import Bridge
from channel_aa.simulator.lookups import an_application
from channel_aa.simulator.state import ENTITY_ID

if TYPE_CHECKING:
    from channel_aa.simulator.api import Given
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState


def list_applications(world: PbxState, _given: Given) -> Response:
    """GET /applications."""
    return Response(content=[each.snapshot() for each in world.applications.values()])


def get_application(world: PbxState, given: Given) -> Response:
    """GET /applications/{applicationName}."""
    application = an_application(world, given)
    return Response(content=application.snapshot())


def filter_events(world: PbxState, given: Given) -> Response:
    """PUT /applications/{applicationName}/eventFilter."""
    application = an_application(world, given)
    application.filter(
        allowed=given.types("allowed"), disallowed=given.types("disallowed")
    )
    return Response(content=application.snapshot())


def subscribe(world: PbxState, given: Given) -> Response:
    """POST /applications/{applicationName}/subscription."""
    application = an_application(world, given)
    for source in _sources(world, given):
        if isinstance(source, Bridge):
            source.be_watched_by(application)
        elif source is None:
            raise RefusedError(422, "Event source does not exist")
        else:
            world.watch(application, source)
    return Response(content=application.snapshot())


def unsubscribe(world: PbxState, given: Given) -> Response:
    """DELETE /applications/{applicationName}/subscription."""
    application = an_application(world, given)
    for source in _sources(world, given):
        if isinstance(source, Bridge):
            source.be_watched_no_more_by(application)
        elif source is None:
            raise RefusedError(422, "Event source was not subscribed to")
        else:
            world.watch_no_more(application, source)
    return Response(content=application.snapshot())


def _sources(world: PbxState, given: Given) -> list[Channel | Bridge | None]:
    """Find the channels and the bridges that are named; there is nothing else here."""
    named = [each.partition(":") for each in given.texts("eventSource")]
    if not named:
        raise RefusedError(400, "Missing parameter eventSource")
    found: list[Channel | Bridge | None] = []
    for scheme, _, name in named:
        match scheme:
            case "channel":
                found.append(world.channels.get(name))
            case "bridge":
                found.append(world.bridges.get(name))
            case _:
                raise RefusedError(400, "Invalid event source URI scheme")
    return found


def get_info(world: PbxState, given: Given) -> Response:
    """GET /asterisk/info."""
    started = world.started
    info = {
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
    only = given.texts("only") or info
    return Response(content={name: info[name] for name in only if name in info})


def ping(world: PbxState, _given: Given) -> Response:
    """GET /asterisk/ping."""
    now = world.timestamp()
    content = {"ping": "pong", "timestamp": now, "asterisk_id": ENTITY_ID}
    return Response(content=content)


def upgrade(_world: PbxState, _given: Given) -> Response:
    """GET /events: served where the websockets are, not here."""
    raise RefusedError(426, "Upgrade Required")


_SOURCE = [Parameter(name="eventSource", is_required=True, is_list=True)]

ROUTES = (
    Route(
        method="GET",
        path="/applications",
        nickname="list",
        handler=list_applications,
        returns="List[Application]",
    ),
    Route(
        method="GET",
        path="/applications/{applicationName}",
        nickname="get",
        handler=get_application,
        returns="Application",
    ),
    Route(
        method="PUT",
        path="/applications/{applicationName}/eventFilter",
        nickname="filter",
        handler=filter_events,
        returns="Application",
        parameters=[Parameter(name="filter", type="object", where="body")],
    ),
    Route(
        method="POST",
        path="/applications/{applicationName}/subscription",
        nickname="subscribe",
        handler=subscribe,
        returns="Application",
        parameters=_SOURCE,
    ),
    Route(
        method="DELETE",
        path="/applications/{applicationName}/subscription",
        nickname="unsubscribe",
        handler=unsubscribe,
        returns="Application",
        parameters=_SOURCE,
    ),
    Route(
        method="GET",
        path="/asterisk/info",
        nickname="getInfo",
        handler=get_info,
        returns="AsteriskInfo",
        parameters=[Parameter(name="only", is_list=True)],
    ),
    Route(
        method="GET",
        path="/asterisk/ping",
        nickname="ping",
        handler=ping,
        returns="AsteriskPing",
    ),
    Route(
        method="GET",
        path="/events",
        nickname="eventWebsocket",
        handler=upgrade,
        returns="Message",
        parameters=[
            Parameter(name="app", is_required=True, is_list=True),
            Parameter(name="subscribeAll", type="boolean"),
        ],
    ),
)
