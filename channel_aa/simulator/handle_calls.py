"""What the simulated Asterisk connects when it is asked: telephones and bridges.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from twisted.internet.defer import FirstError, gatherResults

from channel_aa.simulator.api import (
    NO_CONTENT,
    RefusedError,
    Response,
    Route,
    optional,
    required,
)
from channel_aa.simulator.bridges import TYPES, Bridge
from channel_aa.simulator.caller_id import CallerId
from channel_aa.simulator.lookups import a_bridge, when_done
from channel_aa.simulator.simulated_phone import SimulatedPhone

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Given
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.phone_behaviour import PhoneBehaviour
    from channel_aa.simulator.state import PbxState

_RING_SECONDS = 30


def originate(world: PbxState, given: Given) -> Response:
    """POST /channels and …/{channelId}."""
    endpoint, application = given.text("endpoint"), given.text("app")
    if not endpoint:
        raise RefusedError(400, "Endpoint must be specified")
    if not application:
        raise RefusedError(400, "Application or extension must be specified")
    technology, _, resource = endpoint.partition("/")
    if not technology or not resource:
        raise RefusedError(400, "Invalid endpoint specified")
    originator = _originator(world, given)
    channel_id = given.text("channelId")
    if channel_id in world.channels:
        raise RefusedError(409, "Channel with given unique ID already exists")
    phone = world.phones.find(endpoint)
    is_there = phone is not None and phone.is_reachable
    if technology != "Local" and not is_there:
        raise RefusedError(500, "Allocation failed", key="error")
    arguments = given.text("appArgs")
    telephone = SimulatedPhone(
        world,
        phone,
        endpoint=endpoint,
        channel_id=channel_id,
        application=application,
        arguments=arguments.split(",") if arguments else (),
        shows=CallerId.parse(given.text("callerId")),
        language=originator.language if originator else "en",
        variables=given.pairs("variables"),
    )
    world.telephones[telephone.channel.id] = telephone
    telephone.ring(given.number("timeout", _RING_SECONDS))
    return Response(content=telephone.channel.snapshot())


def _originator(world: PbxState, given: Given) -> Channel | None:
    name = given.text("originator")
    if not name:
        return None
    if given.text("formats"):
        message = "Originator and formats can't both be specified"
        raise RefusedError(400, message)
    originator = world.channels.get(name)
    if originator is None:
        raise RefusedError(400, "Provided originator channel was not found")
    return originator


def list_bridges(world: PbxState, _given: Given) -> Response:
    """GET /bridges."""
    return Response(content=[each.snapshot() for each in world.bridges.values()])


def create_bridge(world: PbxState, given: Given) -> Response:
    """POST /bridges and …/{bridgeId}."""
    bridge_id = given.text("bridgeId") or str(uuid4())
    if bridge_id in world.bridges:
        message = f"Bridge with id '{bridge_id}' already exists"
        raise RefusedError(409, message)
    types = given.texts("type") or ["mixing"]
    if not TYPES.issuperset(types):
        raise RefusedError(500, "Unable to create bridge")
    kind = "holding" if "holding" in types else "mixing"
    bridge = Bridge(world, bridge_id=bridge_id, name=given.text("name"), kind=kind)
    world.bridges[bridge_id] = bridge
    bridge.create()
    return Response(content=bridge.snapshot())


def get_bridge(world: PbxState, given: Given) -> Response:
    """GET /bridges/{bridgeId}."""
    return Response(content=a_bridge(world, given).snapshot())


def destroy_bridge(world: PbxState, given: Given) -> Response:
    """DELETE /bridges/{bridgeId}."""
    bridge = a_bridge(world, given)
    del world.bridges[bridge.id]
    bridge.destroy()
    return NO_CONTENT


def add_channels(world: PbxState, given: Given) -> Deferred[Response]:
    """POST /bridges/{bridgeId}/addChannel."""
    bridge = a_bridge(world, given)
    channels = _channels(world, given)
    return _all_done([each.join(bridge) for each in channels])


def remove_channels(world: PbxState, given: Given) -> Deferred[Response]:
    """POST /bridges/{bridgeId}/removeChannel."""
    bridge = a_bridge(world, given)
    channels = _channels(world, given)
    if any(each.bridge is not bridge for each in channels):
        raise RefusedError(422, "Channel not in this bridge")
    return _all_done([each.part() for each in channels])


def _channels(world: PbxState, given: Given) -> list[Channel]:
    names = given.texts("channel")
    if not names:
        raise RefusedError(400, "Missing parameter channel")
    channels = [world.channels.get(name) for name in names]
    found = [each for each in channels if each is not None]
    if len(found) < len(names):
        raise RefusedError(400, "Channel not found")
    if any(each.application is None for each in found):
        raise RefusedError(422, "Channel not in Stasis application")
    return found


def _all_done(commands: list[Deferred[None]]) -> Deferred[Response]:
    """Answer when all channels have done so; each is asked behind its own sounds."""

    def unwrap(failure: Failure) -> Failure:
        error = failure.value
        return error.subFailure if isinstance(error, FirstError) else failure

    everyone = gatherResults(commands, consumeErrors=True)
    return when_done(everyone.addCallbacks(lambda _: None, unwrap), status=422)


def list_endpoints(world: PbxState, _given: Given) -> Response:
    """GET /endpoints."""
    return Response(content=[_endpoint(*each) for each in world.phones.known()])


def list_endpoints_of(world: PbxState, given: Given) -> Response:
    """GET /endpoints/{tech}."""
    technology = given.text("tech")
    found = [
        _endpoint(*each)
        for each in world.phones.known()
        if each[0].lower() == technology.lower()
    ]
    if not found:
        message = f"No Endpoints found - invalid tech {technology}"
        raise RefusedError(404, message)
    return Response(content=found)


def get_endpoint(world: PbxState, given: Given) -> Response:
    """GET /endpoints/{tech}/{resource}."""
    technology, resource = given.text("tech"), given.text("resource")
    for known in world.phones.known():
        if (known[0].lower(), known[1]) == (technology.lower(), resource):
            return Response(content=_endpoint(*known))
    raise RefusedError(404, "Endpoint not found")


def _endpoint(
    technology: str, resource: str, phone: PhoneBehaviour
) -> dict[str, object]:
    return {
        "technology": technology,
        "resource": resource,
        "state": "online" if phone.is_reachable else "offline",
        "channel_ids": [],
    }


_HOW_TO_RING = [
    *required("endpoint"),
    *optional("app", "appArgs", "callerId", "timeout", "originator", "formats"),
]
_CHANNELS = required("channel")

ROUTES = (
    Route(
        method="POST",
        path="/channels",
        nickname="originate",
        handler=originate,
        returns="Channel",
        parameters=[*_HOW_TO_RING, *optional("channelId")],
    ),
    Route(
        method="POST",
        path="/channels/{channelId}",
        nickname="originateWithId",
        handler=originate,
        returns="Channel",
        parameters=_HOW_TO_RING,
    ),
    Route(
        method="GET",
        path="/bridges",
        nickname="list",
        handler=list_bridges,
        returns="List[Bridge]",
    ),
    Route(
        method="POST",
        path="/bridges",
        nickname="create",
        handler=create_bridge,
        returns="Bridge",
        parameters=optional("type", "bridgeId", "name"),
    ),
    Route(
        method="GET",
        path="/bridges/{bridgeId}",
        nickname="get",
        handler=get_bridge,
        returns="Bridge",
    ),
    Route(
        method="POST",
        path="/bridges/{bridgeId}",
        nickname="createWithId",
        handler=create_bridge,
        returns="Bridge",
        parameters=optional("type", "name"),
    ),
    Route(
        method="DELETE",
        path="/bridges/{bridgeId}",
        nickname="destroy",
        handler=destroy_bridge,
    ),
    Route(
        method="POST",
        path="/bridges/{bridgeId}/addChannel",
        nickname="addChannel",
        handler=add_channels,
        parameters=_CHANNELS,
    ),
    Route(
        method="POST",
        path="/bridges/{bridgeId}/removeChannel",
        nickname="removeChannel",
        handler=remove_channels,
        parameters=_CHANNELS,
    ),
    Route(
        method="GET",
        path="/endpoints",
        nickname="list",
        handler=list_endpoints,
        returns="List[Endpoint]",
    ),
    Route(
        method="GET",
        path="/endpoints/{tech}",
        nickname="listByTech",
        handler=list_endpoints_of,
        returns="List[Endpoint]",
    ),
    Route(
        method="GET",
        path="/endpoints/{tech}/{resource}",
        nickname="get",
        handler=get_endpoint,
        returns="Endpoint",
    ),
)
