"""The default menu's sounds, where Asterisk does not have them.

They are in Asterisk's packages of extra sounds, which Debian does not have.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "press-1": {"en": "Press one."},
        "or": {"en": "Or,"},
        "press-2": {"en": "Press two."},
        "option-is-invalid": {"en": "That option is invalid."},
        "are-you-still-there": {"en": "Are you still there?"},
    }
)
"""What the sounds say, by name and language."""

CORE_SOUNDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "press-1": ("vm-press", "digits/1"),
        "or": (),
        "press-2": ("vm-press", "digits/2"),
        "option-is-invalid": ("pm-invalid-option",),
        "are-you-still-there": ("please-try-again",),
    }
)
"""Core sounds to play instead, which every Asterisk has in several languages."""
