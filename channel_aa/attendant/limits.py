"""How often is too often, and what is said until then; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.menus.sounds import Prompt

MAX_ACTIONS_WITHOUT_KEY = 100
"""How many actions may follow one another before a caller presses a key.

Menus that lead to each other at their limits, and actions that name each other, go
round for as long as the call may take otherwise, with nobody there, perhaps.
"""


def is_reached(count: int, limit: int) -> bool:
    """Tell whether a limit is reached; one of 0 never is."""
    return 0 < limit <= count


def escalated(prompts: Sequence[Prompt], count: int) -> Prompt:
    """Give the prompt for the first time, the second, …; the last one repeats.

    Args:
        prompts: in this order; nothing is said where there is none.
        count: 1 is the first time.
    """
    return prompts[min(count, len(prompts)) - 1] if prompts else ()


class ActionLoopError(Exception):
    """So many actions have followed one another that nobody can be there."""

    def __init__(self) -> None:
        super().__init__(
            f"{MAX_ACTIONS_WITHOUT_KEY} actions have followed one another without a"
            " key; the call goes on in the dialplan. Do they lead to each other?"
        )
