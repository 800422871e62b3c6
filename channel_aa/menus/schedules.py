"""Schedules: opening hours and holidays, in a time zone.

Pure. All times are local times of the schedule's time zone, so that a change to summer
time moves nothing: an hour that comes twice counts twice, and one that is left out does
not count.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from difflib import get_close_matches
from enum import Enum
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, PlainValidator

from channel_aa.config_errors import type_name
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import Between, Explain, Text
from channel_aa.problems import quoted

__all__ = [
    "Holiday",
    "Hours",
    "Schedule",
]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week, from 0 on."""

MINUTES_A_DAY = 24 * 60

_SIMILAR = 0.8
_ABBREVIATION = 4  # CEST

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HOLIDAY = re.compile(
    rf"(?P<first>{_DATE})(?:\.\.(?P<last>{_DATE}))?(?: +(?P<times>[0-9:-]+))?"
)
_HOURS = re.compile(r"(?P<days>[a-z,-]+)(?: +(?P<times>[0-9:-]+))?", re.IGNORECASE)
_TIMES = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])"
    r"-(?P<last_hour>[0-9]{1,2}):(?P<last_minute>[0-5][0-9])"
)
# For the JSON Schema, which cannot say where a range ends before it begins.
_TIME = "(2[0-4]|[01]?[0-9]):[0-5][0-9]"
_TIMES_PATTERN = f"( +{_TIME}-{_TIME})?"
_ANY_DAY = "|".join(
    "".join(f"[{letter}{letter.upper()}]" for letter in day) for day in DAYS
)
_DAYS_PATTERN = f"({_ANY_DAY})(-({_ANY_DAY}))?"
_HOURS_PATTERN = rf"^\s*{_DAYS_PATTERN}(,{_DAYS_PATTERN})*{_TIMES_PATTERN}\s*$"
_HOLIDAY_PATTERN = rf"^\s*{_DATE}(\.\.{_DATE})?{_TIMES_PATTERN}\s*$"


class State(Enum):
    """The state of a schedule at a moment."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


def _check_days(days: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(days)))


Minute = Annotated[int, Between(0, MINUTES_A_DAY)]
Weekday = Annotated[int, Between(0, len(DAYS) - 1)]


class Hours(ConfigModel, frozen=True):
    """A time of the day on some days of the week."""

    days: Annotated[
        tuple[Weekday, ...],
        Field(min_length=1),
        Explain("has no day of the week"),
        AfterValidator(_check_days),
    ]
    """The days of the week, Monday is 0."""

    begin: Minute = 0
    """The first minute of the day that belongs to it."""

    end: Minute = MINUTES_A_DAY
    """The first minute that does not: 1440 is midnight."""

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Read what stands in a file: ``mon-fri 09:00-17:30``.

        Raises:
            ValueError: that means no time; it says what would.
        """
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{quoted(text)} is not a time of the week; write it as in 'mon-fri"
                " 09:00-17:30' or 'sat,sun 10:00-12:00'"
            )
        begin, end = _times(match["times"], text)
        return cls(days=_days(match["days"].lower(), text), begin=begin, end=end)

    def holds(self, at: datetime) -> bool:
        """Whether a local time is within."""
        return at.weekday() in self.days and self.begin <= _minute(at) < self.end


class Holiday(ConfigModel, frozen=True):
    """A day, or several, on which the week's hours do not count."""

    first: date
    """The first day."""

    last: date
    """The last day."""

    begin: Minute = 0
    """The first minute, on each of the days, that belongs to it."""

    end: Minute = MINUTES_A_DAY
    """The first minute that does not: 1440 is midnight."""

    @classmethod
    def parse(cls, text: str) -> "Holiday":
        """Read what stands in a file: ``2026-12-24 12:00-24:00``.

        Raises:
            ValueError: that means no day; it says what would.
        """
        match = _HOLIDAY.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{quoted(text)} is not a holiday; write it as in '2026-12-25',"
                " '2026-12-24 12:00-24:00' or '2026-12-24..2026-12-27'"
            )
        first = _date(match["first"], text)
        last = _date(match["last"], text) if match["last"] else first
        if last < first:
            raise ValueError(f"{quoted(text)} ends before it begins")
        begin, end = _times(match["times"], text)
        return cls(first=first, last=last, begin=begin, end=end)

    def holds(self, at: datetime) -> bool:
        """Whether a local time is within."""
        return (
            self.first <= at.date() <= self.last
            and self.begin <= _minute(at) < self.end
        )


def _check_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder, or unknown
        # Only cities: "Etc/GMT+1" is an hour behind Greenwich, not ahead of it.
        zones = {
            zone.lower(): zone
            for zone in available_timezones()
            if "/" in zone and not zone.startswith("Etc/")
        }
        wanted = name.lower().replace(" ", "_")
        cities = {zone.rpartition("/")[2]: zone for zone in sorted(zones)}
        near = get_close_matches(wanted, [*zones, *cities], n=1, cutoff=_SIMILAR)
        # An abbreviation, such as MSK, resembles cities of other zones (Omsk).
        if near and (wanted in cities or len(wanted) > _ABBREVIATION):
            zone = zones[cities.get(near[0], near[0])]
            raise ValueError(
                f"{quoted(name)} is not a time zone; did you mean {zone!r}?"
            ) from None
        raise ValueError(
            f"{quoted(name)} is not a time zone; write it by a city, as in"
            " 'Europe/London'"
        ) from None
    return name


def _written(
    kind: type[Hours | Holiday], parse: Callable[[str], Hours | Holiday], pattern: str
) -> PlainValidator:
    """Read what is text in a file, and an object in a program."""

    def read(value: object) -> Hours | Holiday:
        if isinstance(value, kind):
            return value
        if isinstance(value, str):
            return parse(value)
        raise ValueError(f"expected text in quotes, found {type_name(value)}")

    return PlainValidator(
        read, json_schema_input_type=Annotated[str, Field(pattern=pattern)]
    )


class Schedule(ConfigModel, frozen=True):
    """Opening hours and holidays."""

    timezone: Annotated[Text, AfterValidator(_check_time_zone)]
    """A time zone of the IANA database, ``Europe/London``."""

    open: tuple[Annotated[Hours, _written(Hours, Hours.parse, _HOURS_PATTERN)], ...]
    """The opening hours: ``mon-fri 09:00-17:30``, ``sat``."""

    holidays: tuple[
        Annotated[Holiday, _written(Holiday, Holiday.parse, _HOLIDAY_PATTERN)], ...
    ] = ()
    """Days or times without opening hours: ``2026-12-25``, ``2026-12-24
    12:00-24:00``, ``2026-12-28..2026-12-31``."""

    def state(self, at: datetime) -> State:
        """Return the state at a moment.

        Args:
            at: the moment, with its time zone.
        """
        there = at.astimezone(ZoneInfo(self.timezone))
        if any(holiday.holds(there) for holiday in self.holidays):
            return State.HOLIDAY
        if any(hours.holds(there) for hours in self.open):
            return State.OPEN
        return State.CLOSED


def written_time(minute: int) -> str:
    """Write a minute of the day as people do: ``17:30``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _days(written: str, text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for part in written.split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first, text), _day(last if dash else first, text)
        days.update((begin + each) % 7 for each in range((end - begin) % 7 + 1))
    return tuple(sorted(days))


def _day(name: str, text: str) -> int:
    if name in DAYS:
        return DAYS.index(name)
    raise ValueError(
        f"{quoted(text)}: {quoted(name)} is not a day; the days are {', '.join(DAYS)}"
    )


def _times(written: str | None, text: str) -> tuple[int, int]:
    if written is None:
        return 0, MINUTES_A_DAY
    match = _TIMES.fullmatch(written)
    if match is None:
        raise ValueError(
            f"{quoted(text)}: {quoted(written)} is not a range of times; write them"
            " as in '09:00-17:30'; 24:00 is the end of the day"
        )
    begin = int(match["hour"]) * 60 + int(match["minute"])
    end = int(match["last_hour"]) * 60 + int(match["last_minute"])
    if end > MINUTES_A_DAY:
        raise ValueError(
            f"{quoted(text)}: {quoted(written)} is not a range of times; a day has"
            " the times 00:00 to 24:00"
        )
    if end <= begin:
        raise ValueError(
            f"{quoted(text)} ends before it begins; write a night as two entries, one"
            " until 24:00 and one from 00:00"
        )
    return begin, end


def _date(written: str, text: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise ValueError(
            f"{quoted(text)}: there is no day {quoted(written)}; write year, month"
            " and day as in '2026-12-24'"
        ) from None
