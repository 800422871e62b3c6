"""What is known of Asterisk's sound files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.menus.sounds import related

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable


class AsteriskSounds:
    """Which sound files Asterisk has, and in which languages.

    Args:
        languages_of: asks Asterisk for the languages of a sound's file: empty without a
            file; ``None``: it cannot be known. A file without a language has the
            language "".
    """

    def __init__(
        self, languages_of: Callable[[str], Awaitable[frozenset[str] | None]]
    ) -> None:
        self._languages_of = languages_of
        self._languages: dict[str, frozenset[str]] = {}

    def has(self, name: str, language: str) -> bool | None:
        """Whether there is a file for a language; ``None``: it is not known.

        A file for ``en`` is there for ``en_GB``, too, and one without a language for
        every language.
        """
        languages = self._languages.get(name)
        if languages is None:
            return None
        return not languages.isdisjoint(related(language))

    def has_any(self, name: str) -> bool:
        """Whether there is a file in any language, as far as is known."""
        return self._languages.get(name) != frozenset()

    async def look_up(self, names: Iterable[str]) -> None:
        """Ask Asterisk for sounds, one after another; the errors are the request's."""
        for name in names:
            languages = await self._languages_of(name)
            if languages is None:
                self._languages.clear()
                return
            self._languages[name] = languages
