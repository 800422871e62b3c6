"""The languages that callers hear at each place of a call flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.menus.actions import Language
from channel_aa.problems import path_of

if TYPE_CHECKING:
    from channel_aa.menus.flow import CallFlow


class Languages:
    """The languages that the sounds at a place are played in.

    Args:
        flow: the call flow.
        default: the language of calls whose language the flow does not set.
    """

    def __init__(self, flow: CallFlow, default: str) -> None:
        self._of_menus = {
            f"{path_of('menus', name)}.": menu.language
            for name, menu in flow.menus.items()
            if menu.language
        }
        chosen = [route.language for route in flow.routes]
        chosen += [
            each.action.language
            for each in flow.all_actions()
            if isinstance(each.action, Language)
        ]
        self._elsewhere = {default, *filter(None, chosen)}

    def at(self, place: str) -> set[str]:
        """Return the languages of calls at a place of the file."""
        for menu, language in self._of_menus.items():
            if place.startswith(menu):
                return {language}
        return self._elsewhere
