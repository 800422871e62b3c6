"""Which keys of a menu must not be shown: PINs, and what else is ``secret``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.dialogue.digits import Match

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.dialogue.digits import MatchResult
    from channel_aa.menus.actions import Action
    from channel_aa.menus.menu import Menu

MASKED_KEYS = "(secret)"
"""What is shown in place of secret keys, however many there are."""


class SecretKeys:
    """Which keys of a menu must not be shown.

    Args:
        menu: the menu.
        resolve: returns the action that a name refers to.

    Attributes:
        options: those of the secret options.
        extensions: whether the numbers of extensions are.
    """

    def __init__(self, menu: Menu, resolve: Callable[[Action], Action]) -> None:
        extensions = menu.extensions
        self.options = frozenset(
            keys
            for keys, action in menu.options.items()
            if menu.secret or resolve(action).secret
        )
        self.extensions = menu.secret or (
            extensions is not None and resolve(extensions.action).secret
        )

    def __bool__(self) -> bool:
        """Whether any keys are: those that are not entered yet may be the beginning."""
        return bool(self.options) or self.extensions

    def shown(self, entry: MatchResult) -> str:
        """Return what to show of an entry: the keys, or `MASKED_KEYS`.

        Wrong keys are masked wherever any are secret: they may be nearly right.
        """
        is_secret = {
            Match.OPTION: entry.digits in self.options,
            Match.EXTENSION: self.extensions,
        }.get(entry.kind, bool(self))
        return MASKED_KEYS if is_secret else entry.digits
