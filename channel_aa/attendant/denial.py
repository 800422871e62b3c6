"""Numbers that no caller may dial: ``deny`` of ``[attendant]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.logs import Logger
from channel_aa.menus.actions import with_digits
from channel_aa.menus.secret_keys import MASKED_KEYS

if TYPE_CHECKING:
    from channel_aa.attendant.context import CallContext

_log = Logger()


def may_dial(call: CallContext, text: str) -> bool:
    """Tell whether the call may dial a text with its digits; log it if not.

    Args:
        call: the call's context.
        text: an endpoint, or an extension of the dialplan, perhaps with ``{digits}``.
    """
    pattern = call.plan.flow.denied_by(text, call.digits)
    if not pattern:
        return True
    _log.warn(
        "Channel {channel} may not dial {number}: deny of [attendant] has {pattern}",
        channel=call.channel.name,
        number=MASKED_KEYS if call.is_secret else with_digits(text, call.digits),
        pattern=pattern,
    )
    return False
