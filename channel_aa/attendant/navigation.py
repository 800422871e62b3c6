"""Where a call can go in a call flow, and where it has been."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from channel_aa.dialogue.digits import DigitMap
from channel_aa.menus.actions import Named
from channel_aa.menus.flow import Start
from channel_aa.menus.routes import RETURN_PREFIX
from channel_aa.menus.secret_keys import SecretKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.menu import Menu


MENU_SEPARATOR = "."
"""Separates the names of menus in one text; no name contains it."""

SILENCE, NO_MATCH = "ti"
"""What stands for keys if silence, or wrong keys, led on: the names of Asterisk's
extensions for that."""

SECRET = "secret"  # noqa: S105 - what stands for secret keys

MAX_PATH_LENGTH = 250
"""How long the text of a `CallPath` may be: Asterisk's field takes 255 characters."""

_MAX_STEPS = 64
_CUT = "...>"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.*#:-]")


def split_return(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Divide the arguments of ``Stasis`` into the user's own and a call's way back.

    Returns:
        The user's own, and the menus that the call had entered, the current one last.
        The shipped dialplan passes them as ``channel-aa-menu=main.sales`` when a caller
        comes back from voicemail or the directory; otherwise there are none.
    """
    own = [each for each in arguments if each.startswith(RETURN_PREFIX)]
    names = own[-1].removeprefix(RETURN_PREFIX).split(MENU_SEPARATOR) if own else []
    return (
        tuple(each for each in arguments if each not in own),
        tuple(filter(None, names)),
    )


class CallPlan:
    """A call flow with its names resolved and a `DigitMap` for each menu.

    It is immutable: calls in progress keep theirs when the flow is replaced.

    Args:
        flow: the menus, routes and schedules.
        now: returns the date and time, with a time zone.

    Attributes:
        digit_maps: what digits mean in each menu, by the menu's name.
        secret_keys: which keys of each menu must not be shown, by its name.
    """

    def __init__(self, flow: CallFlow, *, now: Callable[[], datetime]) -> None:
        self.flow = flow
        self.now = now
        self.digit_maps = {name: _digit_map(each) for name, each in flow.menus.items()}
        self.secret_keys = {
            name: SecretKeys(each, flow.resolve) for name, each in flow.menus.items()
        }
        self._named = {
            name: flow.resolve(Named(name=name))
            for name in (*flow.menus, *flow.actions)
        }
        self._entry = Start(self._named[flow.entry])

    def start(self, *, dialled: str, arguments: Sequence[str]) -> Start:
        """Find where a call that enters now begins: see `CallFlow.start`."""
        if not self.flow.routes:
            return self._entry
        return self.flow.start(dialled=dialled, arguments=arguments, at=self.now())

    def resolve(self, action: Action) -> Action:
        """Replace a `Named` by the action of that name; return others unchanged.

        Raises:
            KeyError: no menu and no action has that name. Configuration is checked
                for that, the result of a custom action is not.
        """
        return self._named[action.name] if isinstance(action, Named) else action


class MenuSession:
    """The state of one pass through a menu, which `run_menu` runs.

    Args:
        name: the menu's name.
        menu: the menu.
        digit_map: what digits mean in it.
        secret_keys: which of its keys must not be shown.
        is_greeted: whether the menu's greeting is played on entry.

    Attributes:
        noinputs: how often the caller has pressed no key in time.
        nomatches: how often the caller has entered an invalid option.
        is_new: whether the menu was not entered yet. It is false when the call comes
            back to the menu after an action.
    """

    def __init__(
        self,
        name: str,
        menu: Menu,
        digit_map: DigitMap,
        secret_keys: SecretKeys,
        *,
        is_greeted: bool,
    ) -> None:
        self.name = name
        self.menu = menu
        self.digit_map = digit_map
        self.secret_keys = secret_keys
        self.is_greeted = is_greeted
        self.noinputs = 0
        self.nomatches = 0
        self.is_new = True


class MenuHistory:
    """The menus that a call has entered, from the first to the current one.

    Entering a menu that is in the history goes back to it, so each menu is in it at
    most once.

    Args:
        plan: the call's plan.

    Attributes:
        session: the session of the current menu; ``None`` before the first.
    """

    def __init__(self, plan: CallPlan) -> None:
        self.session: MenuSession | None = None
        self._plan = plan
        self._menus: list[str] = []

    @property
    def names(self) -> Sequence[str]:
        """The names of the menus, from the first to the current one."""
        return tuple(self._menus)

    def restore(self, names: Sequence[str]) -> MenuSession | None:
        """Enter the last of these menus again, after the others.

        Menus that the plan does not have are left out.

        Returns:
            ``None``, and nothing is changed, if the plan does not have the last one.
        """
        known = self._plan.flow.menus
        if not names or names[-1] not in known:
            return None
        # Each once, as `enter` keeps them.
        self._menus = list(dict.fromkeys(name for name in names if name in known))
        return self._start_session(is_greeted=False)

    def enter(self, menu: str) -> MenuSession:
        """Enter a menu, with its greeting."""
        if menu in self._menus:
            del self._menus[self._menus.index(menu) :]
        self._menus.append(menu)
        return self._start_session(is_greeted=True)

    def back(self) -> MenuSession | None:
        """Enter the previous menu again, or the first one if there is none before it.

        Returns:
            ``None`` if the call was in no menu.
        """
        if len(self._menus) > 1:
            self._menus.pop()
        return self._start_session(is_greeted=False) if self._menus else None

    def top(self) -> MenuSession | None:
        """Enter the first menu again; ``None`` if the call was in no menu."""
        del self._menus[1:]
        return self._start_session(is_greeted=False) if self._menus else None

    def _start_session(self, *, is_greeted: bool) -> MenuSession:
        name = self._menus[-1]
        self.session = MenuSession(
            name,
            self._plan.flow.menus[name],
            self._plan.digit_maps[name],
            self._plan.secret_keys[name],
            is_greeted=is_greeted,
        )
        return self.session


def _digit_map(menu: Menu) -> DigitMap:
    extensions = menu.extensions
    if extensions is None:
        return DigitMap(menu.options)
    return DigitMap(menu.options, extensions.pattern, extensions.deny)


class CallPath:
    """The menus of a call, each with the keys that led on from it; the last ones."""

    def __init__(self) -> None:
        self._steps: deque[str] = deque(maxlen=_MAX_STEPS)

    def add(self, menu: str, keys: str) -> None:
        """Add a step: the menu, and the keys with which the caller has left it."""
        self._steps.append(f"{menu}:{keys}")

    def __str__(self) -> str:
        """Write it as in ``main:2>sales:1``; the beginning is left out if it is long.

        Only characters that a function of the dialplan takes for text are in it.
        """
        text = ">".join(_UNSAFE.sub("_", step) for step in self._steps)
        if len(text) <= MAX_PATH_LENGTH:
            return text
        kept = text[len(_CUT) - MAX_PATH_LENGTH :]
        return _CUT + kept.partition(">")[2]
