"""The way of a call through the menus: which one it is in, and how it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.menu_session import MenuSession

if TYPE_CHECKING:
    from channel_aa.attendant.call_plan import CallPlan


class MenuHistory:
    """The menus that a call has entered, from the first to the one it is in.

    A menu is there once: who enters it again has come back to it. So there are never
    more than the call flow has.

    Args:
        offer: what the caller is offered.

    Attributes:
        visit: the visit of the menu that the call is in; ``None`` before the first.
    """

    def __init__(self, offer: CallPlan) -> None:
        self.visit: MenuSession | None = None
        self._offer = offer
        self._menus: list[str] = []

    def enter(self, menu: str) -> MenuSession:
        """Enter a menu, whose greeting is heard."""
        if menu in self._menus:
            del self._menus[self._menus.index(menu) :]
        self._menus.append(menu)
        return self._enter_last(is_greeted=True)

    def back(self) -> MenuSession | None:
        """Enter the menu before this one anew; the first menu has none before it."""
        if len(self._menus) > 1:
            self._menus.pop()
        return self._enter_last(is_greeted=False) if self._menus else None

    def top(self) -> MenuSession | None:
        """Enter the first menu anew."""
        del self._menus[1:]
        return self._enter_last(is_greeted=False) if self._menus else None

    def _enter_last(self, *, is_greeted: bool) -> MenuSession:
        name = self._menus[-1]
        self.visit = MenuSession(
            self._offer.flow.menus[name],
            self._offer.digit_maps[name],
            is_greeted=is_greeted,
        )
        return self.visit
