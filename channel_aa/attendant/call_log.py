"""Log lines about the whole of a call, made of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.call_events import CallEnded, EndReason
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


def log_call(event: CallEvent) -> None:
    """Observe an event, and log how a call has ended, and where."""
    if not isinstance(event, CallEnded) or event.reason not in _ENDS:
        return
    if event.destination:
        where = f" at {event.destination}"
    elif event.partner:
        where = f" in a conversation with {event.partner}"
    elif event.menus:
        where = f" in the menu {event.menus[-1]}"
    else:
        where = ""
    _log.info(
        "{channel}: {how}{where} after {seconds} s",
        channel=event.channel,
        how=_ENDS[event.reason],
        where=where,
        seconds=round(event.seconds),
    )
