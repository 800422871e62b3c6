"""What the callers of an attendant are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.menus.actions import Named
from channel_aa.menus.digits import DigitMap
from channel_aa.menus.flow import Start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.menu import Menu


class CallPlan:
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
        self._named = {
            name: flow.resolve(Named(name=name))
            for name in (*flow.menus, *flow.actions)
        }
        self._entry = Start(self._named[flow.entry])

    def start(self, *, dialled: str, arguments: Sequence[str]) -> Start:
        """Tell where a call begins that comes now: see `CallFlow.start`."""
        if not self.flow.routes:
            return self._entry
        return self.flow.start(dialled=dialled, arguments=arguments, at=self.now())

    def resolve(self, action: Action) -> Action:
        """Tell what a name stands for; anything else is itself.

        Raises:
            KeyError: nothing has that name; only an embedding program's can be so.
        """
        return self._named[action.name] if isinstance(action, Named) else action


def _digit_map(menu: Menu) -> DigitMap:
    extensions = menu.extensions
    if extensions is None:
        return DigitMap(menu.options)
    return DigitMap(menu.options, extensions.pattern, extensions.deny)
