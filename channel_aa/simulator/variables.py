"""Channel variables and dialplan functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from channel_aa.simulator.caller_id import CallerId
    from channel_aa.simulator.dialplan import DialplanLocation

_FUNCTION = re.compile(r"([A-Z_]+)\((.*)\)")


class UnknownFunctionError(Exception):
    """There is no such function, or it cannot be read."""


class HasVariables(Protocol):
    """A channel, as far as its variables and functions need it."""

    id: str
    name: str
    state: str
    language: str
    caller: CallerId
    location: DialplanLocation
    variables: dict[str, str]

    def publish(self, event_type: str, fields: Mapping[str, Any]) -> None:
        """Send an event of the channel to its subscribers."""


def read_variable(channel: HasVariables, name: str) -> str | None:
    """Read a variable or a function; None: it is not set.

    Raises:
        UnknownFunctionError: there is no such function.
    """
    if not name.endswith(")"):
        return {**_of_asterisk(channel), **channel.variables}.get(name)
    function = _FUNCTION.fullmatch(name)
    if function is None:
        raise UnknownFunctionError(name)
    return _call(channel, *function.groups())


def write_variable(channel: HasVariables, name: str, value: str | None) -> None:
    """Set a variable or a function; None: remove it.

    An unknown function is ignored.
    """
    function = _FUNCTION.fullmatch(name)
    value, is_removed = value or "", value is None
    if function is None:
        if is_removed:
            channel.variables.pop(name, None)
        else:
            channel.variables[name] = value
        channel.publish("ChannelVarset", {"variable": name, "value": value})
        return
    match function.groups():
        case ("CALLERID", part):
            channel.caller = channel.caller.changed(part, value)
            fields = {
                "caller_presentation": 0,
                "caller_presentation_txt": "Presentation Allowed, Not Screened",
            }
            channel.publish("ChannelCallerId", fields)
        case ("CHANNEL", "language"):
            channel.language = value


def _of_asterisk(channel: HasVariables) -> dict[str, str]:
    """Variables that Asterisk itself sets."""
    location = channel.location
    return {
        "CHANNEL": channel.name,
        "UNIQUEID": channel.id,
        "CONTEXT": location.context,
        "EXTEN": location.extension,
        "PRIORITY": str(location.priority),
    }


def _call(channel: HasVariables, function: str, argument: str) -> str:
    match function:
        case "CALLERID":
            return channel.caller.read(argument)
        case "CHANNEL":
            of_channel = {
                "language": channel.language,
                "name": channel.name,
                "state": channel.state,
                "uniqueid": channel.id,
            }
            if argument in of_channel:
                return of_channel[argument]
    raise UnknownFunctionError(function)
