"""All of ARI: its operations, models and events, as Asterisk 22 describes them.

`Api` has the operations, by resource; `AriClient.api` is one. The modules `models`,
`events` and `operations` are made by ``scripts/generate-ari``.
"""

# ruff: noqa: PLC0415 - a program imports only the resources that it uses
from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from channel_aa.ari.api.operation import (
    ArgumentError,
    ReportedVariable,
    UnsupportedOperationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.ari.api.operations.applications import Applications
    from channel_aa.ari.api.operations.asterisk import Asterisk
    from channel_aa.ari.api.operations.bridges import Bridges
    from channel_aa.ari.api.operations.channels import Channels
    from channel_aa.ari.api.operations.device_states import DeviceStates
    from channel_aa.ari.api.operations.endpoints import Endpoints
    from channel_aa.ari.api.operations.events import Events
    from channel_aa.ari.api.operations.mailboxes import Mailboxes
    from channel_aa.ari.api.operations.playbacks import Playbacks
    from channel_aa.ari.api.operations.recordings import Recordings
    from channel_aa.ari.api.operations.sounds import Sounds
    from channel_aa.ari.wire.retry import RetryingSender

__all__ = ["Api", "ArgumentError", "ReportedVariable", "UnsupportedOperationError"]


class Api:
    """The operations of ARI, by resource.

    Each takes keyword arguments, and returns a `Deferred` with the result as a model of
    `channel_aa.ari.api.models`. An argument that is None is not sent. Requests are
    held while there is no connection; see `RetryingSender`. One that may have been
    executed is sent again only if that changes nothing.

    Errors: `AriError`, also if the result is not as Asterisk describes it;
    `UnsupportedOperationError` if this version of Asterisk lacks the operation.

    Raises `ArgumentError`, from each operation at once, if an argument is wrong.

    Args:
        sender: carries the requests.
        version: returns the version of Asterisk; an empty text while it is unknown.
    """

    def __init__(self, sender: RetryingSender, version: Callable[[], str]) -> None:
        self._sender = sender
        self._version = version

    @cached_property
    def applications(self) -> Applications:
        """The operations on applications."""
        from channel_aa.ari.api.operations.applications import Applications

        return Applications(self._sender, self._version)

    @cached_property
    def asterisk(self) -> Asterisk:
        """The operations on Asterisk itself."""
        from channel_aa.ari.api.operations.asterisk import Asterisk

        return Asterisk(self._sender, self._version)

    @cached_property
    def bridges(self) -> Bridges:
        """The operations on bridges."""
        from channel_aa.ari.api.operations.bridges import Bridges

        return Bridges(self._sender, self._version)

    @cached_property
    def channels(self) -> Channels:
        """The operations on channels."""
        from channel_aa.ari.api.operations.channels import Channels

        return Channels(self._sender, self._version)

    @cached_property
    def device_states(self) -> DeviceStates:
        """The operations on device states."""
        from channel_aa.ari.api.operations.device_states import DeviceStates

        return DeviceStates(self._sender, self._version)

    @cached_property
    def endpoints(self) -> Endpoints:
        """The operations on endpoints."""
        from channel_aa.ari.api.operations.endpoints import Endpoints

        return Endpoints(self._sender, self._version)

    @cached_property
    def events(self) -> Events:
        """The operations on events."""
        from channel_aa.ari.api.operations.events import Events

        return Events(self._sender, self._version)

    @cached_property
    def mailboxes(self) -> Mailboxes:
        """The operations on mailboxes."""
        from channel_aa.ari.api.operations.mailboxes import Mailboxes

        return Mailboxes(self._sender, self._version)

    @cached_property
    def playbacks(self) -> Playbacks:
        """The operations on playbacks."""
        from channel_aa.ari.api.operations.playbacks import Playbacks

        return Playbacks(self._sender, self._version)

    @cached_property
    def recordings(self) -> Recordings:
        """The operations on recordings."""
        from channel_aa.ari.api.operations.recordings import Recordings

        return Recordings(self._sender, self._version)

    @cached_property
    def sounds(self) -> Sounds:
        """The operations on sounds."""
        from channel_aa.ari.api.operations.sounds import Sounds

        return Sounds(self._sender, self._version)
