"""Sounds that say digits, numbers, money, dates, times and durations.

They are files of Asterisk's core sounds, one for each word, so that a key stops them.
Numbers are composed here in English only. In other languages Asterisk says a number
(``number:42``), whose grammar it knows, and which a key cannot stop.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

MAX_NUMBER = 10**9
"""The first number that Asterisk's sounds, and its ``number:``, are not for."""

_SYMBOLS = {"*": "digits/star", "#": "digits/pound"}
_HOURS = 12
_CENTURY = 100
_FIRST_SPLIT_YEAR = 1100
_MILLENNIUM = range(2000, 2010)
_SCALES = ((10**6, "million"), (10**3, "thousand"), (10**2, "hundred"))
_TEN, _TWENTY = 10, 20


class Say:
    """Returns the media URIs that say digits, numbers and the like in a language.

    Args:
        language: a language of Asterisk's sounds: ``en``, ``en_GB``, ``fr``.
    """

    def __init__(self, language: str = "en") -> None:
        self.language = language

    @property
    def _is_english(self) -> bool:
        return self.language.lower().startswith("en")

    def digits(self, text: str) -> tuple[str, ...]:
        """Say digits, letters, ``*`` and ``#`` one by one; leave out what is neither.

        Args:
            text: for example an account number: ``4711-A``.
        """
        return tuple(_character(each) for each in text.lower() if _is_spoken(each))

    def number(self, number: int) -> tuple[str, ...]:
        """Say a whole number.

        Raises:
            ValueError: it has more than nine digits.
        """
        if abs(number) >= MAX_NUMBER:
            raise ValueError(f"{number} has more than nine digits")
        if not self._is_english:
            return (f"number:{number}",)
        return (*(["sound:digits/minus"] if number < 0 else []), *_english(abs(number)))

    def money(
        self, amount: Decimal | int, *, unit: str = "digits/dollars", cents: str = ""
    ) -> tuple[str, ...]:
        """Say an amount of money, rounded to two decimal places.

        Args:
            amount: the amount: ``Decimal("12.50")``.
            unit: the sound of the currency; the core sounds have no other than this.
            cents: the sound of its hundredth part; empty: none, as in "twelve dollars
                and fifty".

        Raises:
            ValueError: it has more than nine digits before the decimal point.
        """
        hundredths = int((Decimal(amount) * 100).to_integral_value())
        whole, rest = divmod(abs(hundredths), 100)
        said = [*self.number(whole), f"sound:{unit}"]
        if hundredths < 0:
            said.insert(0, "sound:digits/minus")
        if rest:
            said += ["sound:vm-and", *self.number(rest)]
            said += [f"sound:{cents}"] if cents else []
        return tuple(said)

    def date(self, date: dt.date) -> tuple[str, ...]:
        """Say a date, with the day of the week and the year."""
        weekday = f"sound:digits/day-{date.isoweekday() % 7}"
        month = f"sound:digits/mon-{date.month - 1}"
        if self._is_english:
            return (weekday, month, *_ordinal(date.day), *_english_year(date.year))
        return (weekday, *self.number(date.day), month, *self.number(date.year))

    def time(self, time: dt.time | dt.datetime) -> tuple[str, ...]:
        """Say a time of day: in English by twelve hours, else by twenty-four."""
        hour, minute = time.hour, time.minute
        if not self._is_english:
            minutes = self.number(minute) if minute else ("sound:digits/oclock",)
            return (*self.number(hour), *minutes)
        said = self.number(hour % _HOURS or _HOURS)
        if not minute:
            said += ("sound:digits/oclock",)
        elif minute < _TEN:
            said += ("sound:digits/oh", *self.number(minute))
        else:
            said += self.number(minute)
        return (*said, f"sound:digits/{'a' if hour < _HOURS else 'p'}-m")

    def duration(self, seconds: float) -> tuple[str, ...]:
        """Say a duration in hours, minutes and seconds, without the parts that are 0.

        Args:
            seconds: the duration, which is rounded to seconds.

        Raises:
            ValueError: it is negative.
        """
        if seconds < 0:
            raise ValueError(f"a duration is not negative: {seconds}")
        minutes, second = divmod(round(seconds), 60)
        hours, minute = divmod(minutes, 60)
        parts = ((hours, "hour"), (minute, "minute"), (second, "second"))
        said = [part for part in parts if part[0]] or [parts[-1]]
        return tuple(media for part in said for media in self._part(*part))

    def _part(self, count: int, unit: str) -> Iterator[str]:
        yield from self.number(count)
        # The core sounds have "hours" only.
        is_single = count == 1 and unit != "hour"
        yield f"sound:{unit}" if is_single else f"sound:{unit}s"


def _is_spoken(character: str) -> bool:
    return character in _SYMBOLS or (character.isascii() and character.isalnum())


def _character(character: str) -> str:
    if character.isdigit():
        return f"sound:digits/{character}"
    return f"sound:{_SYMBOLS.get(character) or f'letters/{character}'}"


def _english(number: int) -> Iterator[str]:
    for size, word in _SCALES:
        if number >= size:
            yield from _english(number // size)
            yield f"sound:digits/{word}"
            number %= size
            if not number:
                return
    if number > _TWENTY:
        yield f"sound:digits/{number // 10 * 10}"
        number %= 10
        if not number:
            return
    yield f"sound:digits/{number}"


def _ordinal(number: int) -> Iterator[str]:
    if number > _TWENTY and number % 10:
        yield f"sound:digits/{number // 10 * 10}"
        number %= 10
    yield f"sound:digits/h-{number}"


def _english_year(year: int) -> Iterator[str]:
    century, rest = divmod(year, _CENTURY)
    if year < _FIRST_SPLIT_YEAR or year in _MILLENNIUM:
        yield from _english(year)
        return
    yield from _english(century)
    if not rest:
        yield "sound:digits/hundred"
        return
    if rest < _TEN:
        yield "sound:digits/oh"
    yield from _english(rest)
