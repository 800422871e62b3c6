"""Log lines about the whole of a call, made of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.call_events import CallEnded, CallerIdentified, EndReason
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from channel_aa.attendant.call_events import CallEvent

_log = Logger()
_ENDS = {
    EndReason.CALLER: "the caller hung up",
    EndReason.ATTENDANT: "hung up by an action",
    EndReason.DIALPLAN: "continued in the dialplan",
    EndReason.LIMIT: "hung up at max_call_seconds",
    EndReason.LOOP: "continued in the dialplan because of max_forwards",
    EndReason.STOPPING: "released because the attendant stops",
    EndReason.ERROR: "continued in the dialplan after an error",
    EndReason.REPLACED: "released to the program that has taken over the application",
}
"""How the log says each reason. A call refused because of an overload logs nothing:
there may be very many."""


LOGGED = frozenset({CallerIdentified, CallEnded})
"""The events that `log_call` logs."""


def log_call(event: CallEvent) -> None:
    """Log who calls, and how and where a call has ended."""
    if isinstance(event, CallerIdentified):
        _log.info(
            "{channel}: call from {caller} to {dialled}{route}",
            channel=event.channel,
            caller=_caller(event),
            dialled=event.dialled or "no number",
            route="" if event.route is None else f", routes[{event.route}]",
        )
    elif isinstance(event, CallEnded) and event.reason in _ENDS:
        _log.info(
            "{channel}: {how}{where} after {seconds} s",
            channel=event.channel,
            how=_ENDS[event.reason],
            where=_where(event),
            seconds=round(event.seconds),
        )


def _caller(event: CallerIdentified) -> str:
    if event.is_withheld:
        return "a withheld number"
    name = f'"{event.name}" ' if event.name else ""
    return f"{name}<{event.number}>" if event.number else f"{name}without a number"


def _where(event: CallEnded) -> str:
    if event.destination:
        return f" at {event.destination}"
    if event.partner:
        return f" in a conversation with {event.partner}"
    return f" in the menu {event.menus[-1]}" if event.menus else ""
