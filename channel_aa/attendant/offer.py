"""What the callers of an attendant are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.digits import DigitMap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from channel_aa.attendant.caller import CustomAction
    from channel_aa.attendant.flow import CallFlow
    from channel_aa.attendant.menu import Menu


class Offer:
    """A call flow, ready for use, and what else a call needs to follow it.

    It never changes: calls in progress keep theirs when the flow is replaced.

    Args:
        flow: the menus, routes and schedules.
        actions: what the embedding program registered, by name.
        now: tells the date and time, with its time zone.
    """

    def __init__(
        self,
        flow: CallFlow,
        *,
        actions: Mapping[str, CustomAction],
        now: Callable[[], datetime],
    ) -> None:
        self.flow = flow
        self.actions = actions
        self.now = now
        self.digit_maps = {name: _digit_map(each) for name, each in flow.menus.items()}


def _digit_map(menu: Menu) -> DigitMap:
    extensions = menu.extensions
    if extensions is None:
        return DigitMap(menu.options)
    return DigitMap(menu.options, extensions.pattern, extensions.deny)
