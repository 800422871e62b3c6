"""Channel variables and functions: what is read and set by a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channel_aa.simulator.channels import Channel

_FUNCTION = re.compile(r"([A-Z_]+)\((.*)\)")


class UnknownFunctionError(Exception):
    """There is no such function, or it cannot be read."""


class Variables:
    """Reads and sets the variables and the functions of channels."""

    def read(self, channel: Channel, name: str) -> str | None:
        """Read a variable or a function; None where it is not set.

        Raises:
            UnknownFunctionError: there is no such function.
        """
        if not name.endswith(")"):
            return {**_of_asterisk(channel), **channel.variables}.get(name)
        function = _FUNCTION.fullmatch(name)
        if function is None:
            raise UnknownFunctionError(name)
        return _call(channel, *function.groups())

    def write(self, channel: Channel, name: str, value: str | None) -> None:
        """Set a variable or a function; None: remove it.

        A function that is unknown is passed over.
        """
        function = _FUNCTION.fullmatch(name)
        value, is_removed = value or "", value is None
        if function is None:
            if is_removed:
                channel.variables.pop(name, None)
            else:
                channel.variables[name] = value
            channel.say("ChannelVarset", {"variable": name, "value": value})
            return
        match function.groups():
            case ("CALLERID", part):
                channel.caller = channel.caller.changed(part, value)
                presentation = "Presentation Allowed, Not Screened"
                told = {
                    "caller_presentation": 0,
                    "caller_presentation_txt": presentation,
                }
                channel.say("ChannelCallerId", told)
            case ("CHANNEL", "language"):
                channel.language = value


def _of_asterisk(channel: Channel) -> dict[str, str]:
    """Variables that Asterisk itself sets."""
    place = channel.place
    return {
        "CHANNEL": channel.name,
        "UNIQUEID": channel.id,
        "CONTEXT": place.context,
        "EXTEN": place.extension,
        "PRIORITY": str(place.priority),
    }


def _call(channel: Channel, function: str, argument: str) -> str:
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
