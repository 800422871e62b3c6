"""Finding what a request names; each function raises `RefusedError` otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.command_queue import CommandFailedError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.event_bus import Application
    from channel_aa.simulator.playbacks import Playback
    from channel_aa.simulator.state import PbxState

T = TypeVar("T")


def find_channel(state: PbxState, parameters: Parameters) -> Channel:
    """Find a channel."""
    return _found(state.channels.get(parameters.text("channelId")), "Channel")


def find_stasis_channel(state: PbxState, parameters: Parameters) -> Channel:
    """Find a channel that is in an application."""
    channel = find_channel(state, parameters)
    if channel.application is None:
        raise RefusedError(409, "Channel not in Stasis application")
    return channel


def find_usable_channel(state: PbxState, parameters: Parameters) -> Channel:
    """Find a channel in an application that is not an outbound one still ringing."""
    channel = find_stasis_channel(state, parameters)
    if not channel.is_in_valid_state:
        raise RefusedError(412, "Channel in invalid state")
    return channel


def find_playback(state: PbxState, parameters: Parameters) -> Playback:
    """Find a playback."""
    return _found(state.playbacks.find(parameters.text("playbackId")), "Playback")


def find_bridge(state: PbxState, parameters: Parameters) -> Bridge:
    """Find a bridge."""
    return _found(state.bridges.get(parameters.text("bridgeId")), "Bridge")


def find_application(state: PbxState, parameters: Parameters) -> Application:
    """Find an application."""
    return _found(
        state.bus.applications.get(parameters.text("applicationName")), "Application"
    )


def respond_when_done(
    command: Deferred[None], *, status: int = 500
) -> Deferred[Response]:
    """Answer when a command fires; with this status if the channel could not."""

    def failed(failure: Failure) -> Response:
        failure.trap(CommandFailedError)
        raise RefusedError(status, failure.getErrorMessage())

    return command.addCallbacks(lambda _: NO_CONTENT, failed)


def _found(thing: T | None, what: str) -> T:
    if thing is None:
        raise RefusedError(404, f"{what} not found")
    return thing
