"""When somebody is there: opening hours and holidays, in a time zone.

Pure: a `Schedule` is asked about a moment. All times are those on the wall where the
schedule's people are, so that a change to summer time moves nothing: an hour that
comes twice counts twice, and one that is left out does not count.
"""

import re
from datetime import date, datetime
from difflib import get_close_matches
from enum import Enum
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from channel_aa.checked import (
    Checked,
    Problem,
    Reader,
    converted,
    quoted,
)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week, from 0 on."""

MINUTES_A_DAY = 24 * 60

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HOLIDAY = re.compile(
    rf"(?P<first>{_DATE})(?:\.\.(?P<last>{_DATE}))?(?: +(?P<times>[0-9:-]+))?"
)
_HOURS = re.compile(r"(?P<days>[a-z,-]+)(?: +(?P<times>[0-9:-]+))?", re.IGNORECASE)
_TIMES = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])"
    r"-(?P<last_hour>[0-9]{1,2}):(?P<last_minute>[0-5][0-9])"
)


class State(Enum):
    """What a schedule says of a moment."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


def minute_of_day(minute: int) -> int:
    """Allow a time of the day, from 00:00 to 24:00: a rule."""
    if 0 <= minute <= MINUTES_A_DAY:
        return minute
    raise ValueError(f"{minute} is no minute of a day; allowed are 0 to 1440")


def week_days(days: tuple[int, ...]) -> tuple[int, ...]:
    """Allow days of the week, from 0 on: a rule."""
    if days and all(0 <= day < len(DAYS) for day in days):
        return tuple(sorted(set(days)))
    raise ValueError(f"{quoted(days)} are no days of the week; allowed are 0 to 6")


class Hours(Checked, frozen=True, kw_only=True):
    """A time of the day on some days of the week.

    Attributes:
        days: the days of the week, Monday is 0.
        begin: the first minute of the day that belongs to it.
        end: the first that does not: 1440 is midnight.
    """

    days: Annotated[tuple[int, ...], week_days]
    begin: Annotated[int, minute_of_day] = 0
    end: Annotated[int, minute_of_day] = MINUTES_A_DAY

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Read what stands in a file: ``mon-fri 09:00-17:30``.

        Raises:
            ValueError: that means no time; it says what would.
        """
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{quoted(text)} is no time of the week; write it as in"
                " 'mon-fri 09:00-17:30' or 'sat,sun 10:00-12:00'"
            )
        begin, end = _times(match["times"], text)
        return cls(days=_days(match["days"].lower(), text), begin=begin, end=end)

    def holds(self, at: datetime) -> bool:
        """Whether a moment, by the clock on the wall, belongs to it."""
        return at.weekday() in self.days and self.begin <= _minute(at) < self.end


class Holiday(Checked, frozen=True, kw_only=True):
    """A day, or several, on which the week's hours do not count.

    Attributes:
        first: the first day.
        last: the last day.
        begin: the first minute, on each of the days, that belongs to it.
        end: the first that does not: 1440 is midnight.
    """

    first: date
    last: date
    begin: Annotated[int, minute_of_day] = 0
    end: Annotated[int, minute_of_day] = MINUTES_A_DAY

    @classmethod
    def parse(cls, text: str) -> "Holiday":
        """Read what stands in a file: ``2026-12-24 12:00-24:00``.

        Raises:
            ValueError: that means no day; it says what would.
        """
        match = _HOLIDAY.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{quoted(text)} is no holiday; write it as in '2026-12-25',"
                " '2026-12-24 12:00-24:00' or '2026-12-24..2026-12-27'"
            )
        first = _date(match["first"], text)
        last = _date(match["last"], text) if match["last"] else first
        if last < first:
            raise ValueError(f"{quoted(text)} ends before it begins")
        begin, end = _times(match["times"], text)
        return cls(first=first, last=last, begin=begin, end=end)

    def holds(self, at: datetime) -> bool:
        """Whether a moment, by the clock on the wall, belongs to it."""
        return (
            self.first <= at.date() <= self.last
            and self.begin <= _minute(at) < self.end
        )


def time_zone(name: str) -> str:
    """Allow a time zone of the IANA database: a rule."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder, or unknown
        zones = {zone.lower(): zone for zone in available_timezones()}
        wanted = name.lower().replace(" ", "_")
        cities = {zone.rpartition("/")[2]: zone for zone in sorted(zones)}
        near = get_close_matches(wanted, [*zones, *cities], n=1)
        if near:
            zone = zones[cities.get(near[0], near[0])]
            raise ValueError(
                f"{quoted(name)} is no time zone; did you mean {zone!r}?"
            ) from None
        raise ValueError(
            f"{quoted(name)} is no time zone; write it as in 'Europe/London'"
        ) from None
    return name


def _read(kind: type[Hours | Holiday]) -> Reader:
    def read(value: object, place: str, problems: list[Problem]) -> object:
        if isinstance(value, kind):
            return value
        return converted(value, Annotated[str, kind.parse], place, problems)

    return Reader(read)


class Schedule(Checked, frozen=True, kw_only=True):
    """When somebody is there.

    Attributes:
        timezone: where: a name of the IANA database, ``Europe/London``.
        open: the times of the week when it is open.
        holidays: when it is not, whatever the week says.
    """

    timezone: Annotated[str, time_zone]
    open: tuple[Annotated[Hours, _read(Hours)], ...]
    holidays: tuple[Annotated[Holiday, _read(Holiday)], ...] = ()

    def state(self, at: datetime) -> State:
        """Tell whether it is open.

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
        f"{quoted(text)}: {quoted(name)} is no day; the days are {', '.join(DAYS)}"
    )


def _times(written: str | None, text: str) -> tuple[int, int]:
    if written is None:
        return 0, MINUTES_A_DAY
    match = _TIMES.fullmatch(written)
    if match is None:
        raise ValueError(
            f"{quoted(text)}: {quoted(written)} are no times; write them as in"
            " '09:00-17:30'; the day's end is 24:00"
        )
    begin = int(match["hour"]) * 60 + int(match["minute"])
    end = int(match["last_hour"]) * 60 + int(match["last_minute"])
    if end > MINUTES_A_DAY:
        raise ValueError(
            f"{quoted(text)}: {quoted(written)} are no times; a day has the times"
            " 00:00 to 24:00"
        )
    if end <= begin:
        raise ValueError(
            f"{quoted(text)} ends before it begins; a night is two entries, one until"
            " 24:00 and one from 00:00 on"
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
