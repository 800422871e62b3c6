"""Questions to the person at a phone, who answers with keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from inspect import isawaitable
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from channel_aa.dialogue.collecting import NoEntry, collect_entry
from channel_aa.dialogue.digits import (
    KEYS,
    TERMINATOR,
    DigitMap,
    Match,
    number_patterns,
)
from channel_aa.dialogue.keypad import KEYS_LOST
from channel_aa.dialogue.playing import check_present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_aa.dialogue.playing import Party

P = TypeVar("P")

Validator: TypeAlias = Callable[[str], bool | Awaitable[bool]]
"""Returns whether an entry is valid, at once or by an awaitable."""


class Questions(ABC, Generic[P]):
    """What a program asks a person, in whatever form it writes its prompts (``P``)."""

    @property
    @abstractmethod
    def _party(self) -> Party:
        """Who is asked."""

    @abstractmethod
    async def _play_prompt(self, prompt: P) -> None:
        """Play a prompt, until a key is pressed."""

    def _waiting(self) -> AbstractContextManager[object]:
        """Return the context in which to wait for the person."""
        return nullcontext()

    async def next_key(self, seconds: float) -> str | None:
        """Take the next key.

        Args:
            seconds: how long to wait for it.

        Returns:
            The key: 0-9, ``*``, ``#`` or A-D; ``None`` if none was pressed in time.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for it.
        """
        key: str | None = KEYS_LOST
        with self._waiting():
            while key == KEYS_LOST:
                check_present(self._party)
                key = await self._party.keypad.next_key(seconds)
        return key

    async def collect(
        self,
        *,
        max_digits: int,
        min_digits: int = 1,
        prompt: P | None = None,
        terminator: str = TERMINATOR,
        first: float = 10.0,
        between: float = 4.0,
        retries: int = 2,
        valid: Validator | None = None,
        invalid: P | None = None,
    ) -> str | None:
        """Ask for a number.

        It ends at its last possible digit, with the terminator, or when no further
        digit follows in time.

        Args:
            max_digits: the maximum number of digits, at most 32.
            min_digits: the minimum number of digits.
            prompt: the sounds that ask for it, at each try.
            terminator: the key that ends it; empty: none does.
            first: how many seconds after the prompt to wait for the first digit.
            between: how many seconds to wait for each further one.
            retries: how often to ask again after silence or an invalid number.
            valid: tells whether a number is valid, at once or by an awaitable.
            invalid: the sounds after an invalid number.

        Returns:
            The number; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
            ValueError: an argument is wrong.
        """
        patterns = number_patterns(min_digits, max_digits)
        return await self._ask(
            DigitMap((), patterns, terminator=terminator),
            prompt=prompt,
            invalid=invalid,
            first=first,
            between=between,
            retries=retries,
            valid=valid,
        )

    async def choose(
        self,
        keys: Iterable[str],
        *,
        prompt: P | None = None,
        first: float = 10.0,
        between: float = 4.0,
        retries: int = 2,
        invalid: P | None = None,
    ) -> str | None:
        """Ask for one of several keys, or sequences of keys, as a menu does.

        Args:
            keys: the options: ``"12*"`` or ``["1", "2", "10"]``.
            prompt: as for `collect`; likewise the following.
            first: seconds until the first key.
            between: seconds until a further one, where options have several.
            retries: how often to ask again.
            invalid: the sounds after keys that are no option.

        Returns:
            The option; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
            ValueError: an option has something else than keys in it.
        """
        options = list(keys)
        wrong = [each for each in options if not each or set(each) - set(KEYS)]
        if wrong:
            raise ValueError(f"an option is one or more keys of a phone: {wrong}")
        return await self._ask(
            DigitMap(options),
            prompt=prompt,
            invalid=invalid,
            first=first,
            between=between,
            retries=retries,
        )

    async def confirm(
        self,
        prompt: P | None = None,
        *,
        yes: str = "1",
        no: str = "2",
        first: float = 10.0,
        retries: int = 2,
    ) -> bool | None:
        """Ask a question with two answers.

        Args:
            prompt: the sounds that ask it.
            yes: the key for yes.
            no: the key for no.
            first: how many seconds after the prompt to wait for the key.
            retries: how often to ask again after silence or another key.

        Returns:
            Whether the answer is yes; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
        """
        key = await self.choose((yes, no), prompt=prompt, first=first, retries=retries)
        return None if key is None else key == yes

    async def _ask(
        self,
        digit_map: DigitMap,
        *,
        prompt: P | None,
        invalid: P | None,
        first: float,
        between: float,
        retries: int,
        valid: Validator | None = None,
    ) -> str | None:
        """Ask for an entry, until it is valid or the tries are used up.

        After lost keys the prompt is played again, which is no further try.
        """
        party = self._party
        keypad = party.keypad
        keypad.begin_menu(uses_terminator=not digit_map.terminator)
        tries = 0
        while tries <= retries:
            with self._waiting():
                if prompt is not None:
                    await self._play_prompt(prompt)
                entry = await collect_entry(
                    keypad, digit_map, first=first, between=between
                )
                check_present(party)
            if entry is NoEntry.KEYS_LOST:
                continue
            tries += 1
            if isinstance(entry, NoEntry):
                continue
            if entry.kind is not Match.NO_MATCH and await _is_valid(
                entry.digits, valid
            ):
                return entry.digits
            keypad.clear()
            if invalid is not None:
                with self._waiting():
                    await self._play_prompt(invalid)
        return None


async def _is_valid(digits: str, valid: Validator | None) -> bool:
    result = True if valid is None else valid(digits)
    return await result if isawaitable(result) else bool(result)
