"""Channels that take the place of others: transfers and pickups.

Asterisk reports a transferred channel as a new channel with ``replace_channel``, and
the phone that picks up a ringing one as a new channel with the arguments of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.channel import Channel
from channel_aa.ari.outbound import OutboundChannel
from channel_aa.ari.two_party_bridge import BridgeMember
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_aa.ari.events import ChannelData
    from channel_aa.ari.registry import Registry

_log = Logger()


def replace(registry: Registry, old_id: str, new: ChannelData) -> bool:
    """Let a channel take the place of another in a conversation, or of a phone.

    Args:
        registry: the client's handles.
        old_id: the id of the channel that leaves.
        new: the channel that has entered.

    Returns:
        Whether there was such a channel.
    """
    outbound = registry.table(OutboundChannel).get(old_id)
    member = registry.table(BridgeMember).get(old_id)
    if outbound is None and member is None:
        return False
    if member is not None:
        member.bridge.replace(old_id, new.id)
    caller = registry.table(Channel).get(old_id)
    if outbound is not None:
        name = outbound.endpoint
        outbound.replaced_by(new.id)
        # A pickup of a channel with early media replaces it.
        if new.state == "Up" and outbound.is_ringing:
            outbound.answered()
    elif caller is not None:
        name = caller.name
        caller.replaced_by(new)
    else:
        name = old_id
    _log.info("{old} was transferred; {new} takes its place", old=name, new=new.name)
    return True


def picked_up(registry: Registry, arguments: Iterable[str]) -> OutboundChannel | None:
    """Return the ringing outbound channel whose call another phone has picked up.

    Args:
        registry: the client's handles.
        arguments: those with which the other phone's channel has entered.
    """
    table = registry.table(OutboundChannel)
    ringing = (table[each] for each in arguments if each in table)
    return next((each for each in ringing if each.is_ringing), None)
