"""A channel in the dialplan: its caller ID, its location, variables and functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Protocol

from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALLER_ID = re.compile(r'\s*(?:"([^"]*)"|([^"<]*?))\s*(?:<([^>]*)>)?\s*')
_PRESENTATIONS = ("pres", "num-pres", "name-pres")
_FUNCTION = re.compile(r"([A-Z_]+)\((.*)\)")


@dataclass(frozen=True)
class CallerId:
    """A name and a number, which may be empty, and their presentation."""

    name: str = ""
    number: str = ""
    presentation: str = "allowed_not_screened"

    @classmethod
    def parse(cls, text: str) -> CallerId:
        """Read ``"Name" <number>``; what has no angle brackets is a number."""
        match = _CALLER_ID.fullmatch(text)
        quoted, plain, number = match.groups() if match else (None, text, None)
        if number is None and quoted is None:
            return cls(number=plain or "")
        return cls(name=quoted or plain or "", number=number or "")

    def __str__(self) -> str:
        return f'"{self.name}" <{self.number}>'

    def snapshot(self) -> dict[str, str]:
        """Describe it as Asterisk does."""
        return {"name": self.name, "number": self.number}

    def read(self, part: str) -> str:
        """Read what ``CALLERID(part)`` reads; empty if the part is unknown."""
        parts = {"name": self.name, "num": self.number, "number": self.number}
        parts |= dict.fromkeys(_PRESENTATIONS, self.presentation)
        return {**parts, "all": str(self)}.get(part, "")

    def changed(self, part: str, value: str) -> CallerId:
        """Return it with ``CALLERID(part)`` set; unchanged if the part is unknown."""
        match part:
            case "name":
                return replace(self, name=value)
            case "num" | "number":
                return replace(self, number=value)
            case "pres":
                return replace(self, presentation=value)
            case "all":
                parsed = self.parse(value)
                return replace(self, name=parsed.name, number=parsed.number)
            case _:
                return self


@dataclass(frozen=True)
class DialplanLocation:
    """A priority of an extension of a context."""

    context: str
    extension: str
    priority: int

    def __str__(self) -> str:
        return f"{self.context},{self.extension},{self.priority}"

    @property
    def after(self) -> DialplanLocation:
        """The next priority."""
        return replace(self, priority=self.priority + 1)

    def moved(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> DialplanLocation:
        """Return where ``continue`` leads; without arguments, the next priority."""
        if not context and not extension:
            return replace(self, priority=priority or self.priority + 1)
        return DialplanLocation(
            context or self.context,
            extension or ("s" if context else self.extension),
            priority or 1,
        )

    def snapshot(self) -> dict[str, Any]:
        """Describe it as Asterisk does."""
        return {
            "context": self.context,
            "exten": self.extension,
            "priority": self.priority,
        }


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
        RefusedError: there is no such function.
    """
    if not name.endswith(")"):
        return {**_of_asterisk(channel), **channel.variables}.get(name)
    function = _FUNCTION.fullmatch(name)
    if function is None:
        raise RefusedError(500, "Unable to read provided function")
    return _call(channel, *function.groups())


def write_variable(channel: HasVariables, name: str, value: str | None) -> None:
    """Set a variable or a function; None: remove it.

    An unknown function is ignored.
    """
    function = _FUNCTION.fullmatch(name)
    value, is_removed = value or "", value is None
    if function is None:
        name = variable_name(name)
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
        case ("CDR", "userfield"):
            channel.variables[name] = value
        case ("ARRAY", names):
            values = chain(value.split(","), repeat(""))
            for each, text in zip(names.split(","), values, strict=False):
                write_variable(channel, each, text)


def connected_line(shown: CallerId, variables: Mapping[str, str]) -> CallerId:
    """Return what a phone shows when ``CONNECTEDLINE(part,i)`` has been set."""
    for name, value in variables.items():
        function = _FUNCTION.fullmatch(name)
        if function is not None and function[1] == "CONNECTEDLINE":
            shown = shown.changed(function[2].partition(",")[0], value)
    return shown


def variable_name(name: str) -> str:
    """Return what a variable is read as that is set with this name.

    ``_`` or ``__`` before it makes it one that outbound channels inherit.
    """
    return name.removeprefix("_").removeprefix("_")


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
        case "CDR":
            return channel.variables.get(f"CDR({argument})", "")
        case "CHANNEL":
            of_channel = {
                "language": channel.language,
                "name": channel.name,
                "state": channel.state,
                "uniqueid": channel.id,
            }
            if argument in of_channel:
                return of_channel[argument]
    raise RefusedError(500, "Unable to read provided function")
