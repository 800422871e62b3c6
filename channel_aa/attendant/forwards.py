"""Calls that the attendant's own dialling leads back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.attendant.context import CallContext

FORWARDS_VARIABLE = "CHANNEL_AA_FORWARDS"
"""The channel variable that a dialled phone's channel has: the dials that led there.

They are separated by commas, the caller's own first; each is ``MENU>ENDPOINT``, or the
endpoint alone if no menu was entered before. Asterisk copies it to the channels that
Dial() creates for that phone, because `forward_variables` sets it with ``__``, and to
the far half of a Local channel.
"""

MAX_LENGTH = 8192
"""The most characters of `FORWARDS_VARIABLE` that are read; `MAX_FORWARDS` dials have
less."""

_LOCAL = "Local/"
_log = Logger()


class ForwardLimitError(Exception):
    """The call has come back to the attendant more than ``max_forwards`` times."""

    def __init__(self, forwards: Sequence[str]) -> None:
        way = ", ".join(map(_described, forwards))
        super().__init__(
            f"the attendant's own dialling has led the call back {len(forwards)} times,"
            f" more than max_forwards: {way}. The call continues in the dialplan. Check"
            " which of these phones leads to the attendant."
        )


async def check_forwards(call: CallContext) -> None:
    """Read the dials that led to a call, and check their number.

    A call that Asterisk itself has placed enters on a Local channel. The channel of
    any other caller cannot have the variable, so that such a call costs no request.

    Raises:
        ChannelGoneError: the caller has hung up.
        ForwardLimitError: there are more than ``max_forwards``.
    """
    if not call.channel.name.startswith(_LOCAL):
        return

    async def read() -> None:
        value = await call.channel.get_variable(FORWARDS_VARIABLE)
        forwards = value[:MAX_LENGTH].split(",")
        call.forwards = tuple(filter(None, forwards))

    await call.try_request(
        read(),
        _log.warn,
        "Could not find out whether the attendant itself has dialled {channel}:"
        " {error}",
    )
    if len(call.forwards) > call.plan.flow.max_forwards:
        raise ForwardLimitError(call.forwards)


def forward_variables(call: CallContext, endpoint: str) -> dict[str, str]:
    """Return the variables for the channel of a phone that is dialled for a call."""
    dialled = ">".join((*call.history.names[-1:], endpoint))
    return {f"__{FORWARDS_VARIABLE}": ",".join((*call.forwards, dialled))}


def _described(forward: str) -> str:
    menu, _, endpoint = forward.rpartition(">")
    return f"menu {menu} dialled {endpoint}" if menu else f"a route dialled {endpoint}"
