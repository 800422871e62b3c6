"""Tells the dialplan, and Asterisk's CDR, the way of a call through the menus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.attendant.context import CallContext

PATH_VARIABLE = "CHANNEL_AA_PATH"
"""The channel variable with the way of the call: ``main:2>sales:1``."""

CDR_VARIABLE = "CDR(userfield)"
"""The field of Asterisk's CDR that gets it, too, with ``cdr_userfield``."""


def path_variables(call: CallContext) -> dict[str, str]:
    """Return the variables that tell the way of a call; empty before the first step."""
    text = str(call.path)
    if not text:
        return {}
    variables = {PATH_VARIABLE: text}
    if call.plan.flow.cdr_userfield:
        variables[CDR_VARIABLE] = text
    return variables


async def report_to_cdr(call: CallContext) -> None:
    """Write the way of a call into its CDR, before it may end without the dialplan.

    Raises:
        ChannelGoneError: the caller has hung up.
    """
    if call.plan.flow.cdr_userfield and (variables := path_variables(call)):
        await call.set_variable(*assignment(variables))


def assignment(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the name and the value that set several variables in one request."""
    if len(variables) == 1:
        return next(iter(variables.items()))
    return f"ARRAY({','.join(variables)})", ",".join(variables.values())
