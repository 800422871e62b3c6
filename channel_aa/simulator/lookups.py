"""What a request is about: found, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.command_queue import CommandFailedError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Given
    from channel_aa.simulator.applications import Application
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.state import PbxState

T = TypeVar("T")


def any_channel(world: PbxState, given: Given) -> Channel:
    """Find a channel.

    Raises:
        RefusedError: it is not there.
    """
    return _found(world.channels.get(given.text("channelId")), "Channel")


def own_channel(world: PbxState, given: Given) -> Channel:
    """Find a channel that is in an application.

    Raises:
        RefusedError: it is not there, or in none.
    """
    channel = any_channel(world, given)
    if channel.application is None:
        raise RefusedError(409, "Channel not in Stasis application")
    return channel


def usable_channel(world: PbxState, given: Given) -> Channel:
    """Find a channel in an application that is not an outbound one still ringing.

    Raises:
        RefusedError: it is not there, in none, or still rings.
    """
    channel = own_channel(world, given)
    if not channel.is_in_valid_state:
        raise RefusedError(412, "Channel in invalid state")
    return channel


def a_playback(world: PbxState, given: Given) -> Playback:
    """Find a playback.

    Raises:
        RefusedError: it is not there.
    """
    return _found(world.find_playback(given.text("playbackId")), "Playback")


def a_bridge(world: PbxState, given: Given) -> Bridge:
    """Find a bridge.

    Raises:
        RefusedError: it is not there.
    """
    return _found(world.bridges.get(given.text("bridgeId")), "Bridge")


def an_application(world: PbxState, given: Given) -> Application:
    """Find an application.

    Raises:
        RefusedError: it is not there.
    """
    return _found(world.applications.get(given.text("applicationName")), "Application")


def when_done(command: Deferred[None], *, status: int = 500) -> Deferred[Response]:
    """Answer when a channel has carried a command out.

    Args:
        command: fires then.
        status: that of the answer where the channel could not.
    """

    def failed(failure: Failure) -> Response:
        failure.trap(CommandFailedError)
        raise RefusedError(status, failure.getErrorMessage())

    return command.addCallbacks(lambda _: NO_CONTENT, failed)


def _found(thing: T | None, what: str) -> T:
    if thing is None:
        raise RefusedError(404, f"{what} not found")
    return thing
