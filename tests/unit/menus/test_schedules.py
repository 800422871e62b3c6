from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from channel_aa.menus.schedules import DAYS, Holiday, Hours, Schedule, State
from tests.support.config_case import ProblemCase

LONDON = ZoneInfo("Europe/London")


def schedule(
    *opened: str, holidays: tuple[str, ...] = (), timezone: str = "Europe/London"
) -> Schedule:
    """Read a schedule as it stands in a file."""
    table: dict[str, Any] = {"open": list(opened), "holidays": list(holidays)}
    return Schedule(timezone=timezone, **table)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


OFFICE = schedule(
    "mon-fri 09:00-17:30",
    "sat 10:00-12:00",
    holidays=("2026-12-25", "2026-12-24 12:00-24:00", "2026-12-28..2026-12-31"),
)


class StateTests(ProblemCase):
    def states(self, plan: Schedule, moments: dict[str, State]) -> None:
        for moment, expected in moments.items():
            self.assertIs(plan.state(london(moment)), expected, moment)

    def test_hours_begin_with_their_first_minute_and_end_before_their_last(
        self,
    ) -> None:
        self.states(
            OFFICE,
            {
                "2026-11-23 08:59:59": State.CLOSED,
                "2026-11-23 09:00:00": State.OPEN,
                "2026-11-27 17:29:59": State.OPEN,
                "2026-11-27 17:30:00": State.CLOSED,
                "2026-11-28 11:00:00": State.OPEN,
                "2026-11-29 11:00:00": State.CLOSED,
            },
        )

    def test_holidays_win_over_the_week(self) -> None:
        self.states(
            OFFICE,
            {
                "2026-12-24 11:59": State.OPEN,
                "2026-12-24 12:00": State.HOLIDAY,
                "2026-12-24 23:59": State.HOLIDAY,
                "2026-12-25 00:00": State.HOLIDAY,
                "2026-12-25 23:59": State.HOLIDAY,
                "2026-12-26 00:00": State.CLOSED,
                "2026-12-26 10:00": State.OPEN,
                "2026-12-28 00:00": State.HOLIDAY,
                "2026-12-31 23:59": State.HOLIDAY,
                "2027-01-01 09:00": State.OPEN,
            },
        )

    def test_holiday_may_end_during_the_day(self) -> None:
        plan = schedule("thu", holidays=("2026-12-24 08:00-12:00",))
        self.states(
            plan,
            {
                "2026-12-24 07:59": State.OPEN,
                "2026-12-24 08:00": State.HOLIDAY,
                "2026-12-24 11:59": State.HOLIDAY,
                "2026-12-24 12:00": State.OPEN,
            },
        )

    def test_days_may_go_over_the_end_of_the_week(self) -> None:
        plan = schedule("fri-mon 10:00-18:00")
        opened = [day for day in range(7) if plan.open[0].days.count(day)]
        self.assertEqual([DAYS[day] for day in opened], ["mon", "fri", "sat", "sun"])

    def test_whole_days_need_no_times(self) -> None:
        plan = schedule("sat,sun")
        self.states(
            plan,
            {
                "2026-11-27 23:59": State.CLOSED,
                "2026-11-28 00:00": State.OPEN,
                "2026-11-29 23:59": State.OPEN,
                "2026-11-30 00:00": State.CLOSED,
            },
        )

    def test_midnight_is_both_the_first_and_the_last_time_of_a_day(self) -> None:
        plan = schedule("fri 22:00-24:00", "sat 00:00-02:00")
        self.states(
            plan,
            {
                "2026-11-27 23:59:59": State.OPEN,
                "2026-11-28 00:00": State.OPEN,
                "2026-11-28 01:59": State.OPEN,
                "2026-11-28 02:00": State.CLOSED,
            },
        )

    def test_moment_of_another_zone_is_that_on_the_schedule_s_wall(self) -> None:
        plan = schedule("mon 09:00-17:00", timezone="America/New_York")
        self.assertIs(plan.state(london("2026-11-23 13:59")), State.CLOSED)
        self.assertIs(plan.state(london("2026-11-23 14:00")), State.OPEN)
        tokyo = schedule("tue 00:00-01:00", timezone="Asia/Tokyo")
        self.assertIs(tokyo.state(london("2026-11-23 15:30")), State.OPEN)


class SummerTimeTests(ProblemCase):
    """Moments are given in UTC; in London summer begins and ends at 01:00 UTC."""

    def state(self, plan: Schedule, moment: str) -> State:
        return plan.state(datetime.fromisoformat(moment).replace(tzinfo=UTC))

    def test_office_opens_at_the_same_time_on_the_wall_all_year(self) -> None:
        for moment, expected in {
            "2026-03-27 08:59": State.CLOSED,  # the last Friday of winter
            "2026-03-27 09:00": State.OPEN,
            "2026-03-30 07:59": State.CLOSED,  # the first Monday of summer
            "2026-03-30 08:00": State.OPEN,
            "2026-10-23 08:00": State.OPEN,  # the last Friday of summer
            "2026-10-26 08:00": State.CLOSED,  # the first Monday of winter
            "2026-10-26 09:00": State.OPEN,
        }.items():
            self.assertIs(self.state(OFFICE, moment), expected, moment)

    def test_hour_that_is_left_out_does_not_count(self) -> None:
        plan = schedule("sun 01:00-02:00")
        states = [
            self.state(plan, f"2026-03-29 {time}")
            for time in ("00:59", "01:00", "01:30", "02:00")
        ]
        self.assertEqual(states, [State.CLOSED] * 4)

    def test_hour_that_comes_twice_counts_twice(self) -> None:
        plan = schedule("sun 01:00-02:00")
        minutes = sum(
            plan.state(datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minute))
            is State.OPEN
            for minute in range(24 * 60)
        )
        self.assertEqual(minutes, 120)

    def test_holiday_lasts_as_long_as_its_day(self) -> None:
        for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)):
            plan = schedule(holidays=(day,))
            start = datetime.fromisoformat(day).replace(tzinfo=LONDON).astimezone(UTC)
            states = [
                plan.state(start + timedelta(minutes=30, hours=hour))
                for hour in range(-1, hours + 1)
            ]
            self.assertEqual(
                states, [State.CLOSED, *[State.HOLIDAY] * hours, State.CLOSED]
            )


class PropertyTests(ProblemCase):
    @given(
        first=st.integers(0, 6),
        last=st.integers(0, 6),
        begin=st.integers(0, 1439),
        length=st.integers(1, 1440),
        at=st.datetimes(
            min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone comes with it
            max_value=datetime(2037, 1, 1),  # noqa: DTZ001 - likewise
            timezones=st.sampled_from(
                [UTC, LONDON, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia")]
            ),
        ),
    )
    def test_hours_are_those_on_the_wall(
        self, *, first: int, last: int, begin: int, length: int, at: datetime
    ) -> None:
        end = min(begin + length, 1440)
        plan = schedule(
            f"{DAYS[first]}-{DAYS[last]} {begin // 60:02}:{begin % 60:02}"
            f"-{end // 60:02}:{end % 60:02}"
        )
        days = {first}
        while last not in days:
            days.add((max(days, key=lambda day: (day - first) % 7) + 1) % 7)
        wall = at.astimezone(LONDON)
        expected = (
            wall.weekday() in days and begin <= wall.hour * 60 + wall.minute < end
        )
        self.assertIs(plan.state(at), State.OPEN if expected else State.CLOSED)

    @given(st.text())
    def test_any_text_is_read_or_refused_in_one_line(self, text: str) -> None:
        for kind in (Hours, Holiday):
            try:
                kind.parse(text)
            except ValueError as error:
                self.assertEqual(len(str(error).splitlines()), 1)


class InvalidScheduleTests(ProblemCase):
    def test_invalid_hours_are_refused_with_an_example(self) -> None:
        for text, rest in {
            "": "write it as in 'mon-fri 09:00-17:30'",
            "09:00-17:00": "write it as in 'mon-fri 09:00-17:30'",
            "monday 09:00-17:00": "'monday' is not a day; the days are mon, tue,",
            "mon- 09:00-17:00": "'' is not a day",
            "mon,,tue": "'' is not a day",
            "mon 9-17": "'9-17' is not a range of times; write them as in '09:00-",
            "mon 09:60-17:00": "write them as in '09:00-17:30'",
            "mon 09:00-24:01": "'09:00-24:01' is not a range of times; a day has the"
            " times 00:00 to 24:00",
            "fri 22:00-02:00": "write a night as two entries",
            "mon 09:00-09:00": "ends before it begins",
        }.items():
            problem = self.problem(Schedule, timezone="UTC", open=(text,))
            self.assertTrue(problem.startswith(f"open[0]: {text!r}"), problem)
            self.assertIn(rest, problem)

    def test_invalid_holiday_is_refused_with_an_example(self) -> None:
        for text, rest in {
            "": "write it as in '2026-12-25'",
            "25.12.2026": "write it as in '2026-12-25'",
            "2026-02-29": "there is no day '2026-02-29'",
            "2026-12-27..2026-12-24": "ends before it begins",
            "2026-12-24 24:00-24:00": "ends before it begins",
        }.items():
            problem = self.problem(Schedule, timezone="UTC", open=(), holidays=(text,))
            self.assertTrue(problem.startswith(f"holidays[0]: {text!r}"), problem)
            self.assertIn(rest, problem)

    def test_unknown_time_zone_is_refused_with_the_nearest_one(self) -> None:
        for zone, near in {
            "London": "did you mean 'Europe/London'?",
            "europe/london": "did you mean 'Europe/London'?",
            "Europe/Londno": "did you mean 'Europe/London'?",
            "new york": "did you mean 'America/New_York'?",
            "../../etc/passwd": "is not a time zone",
            "": "write it by a city, as in 'Europe/London'",
            "Europe": "is not a time zone",
            "GMT+1": "write it by a city, as in 'Europe/London'",
            "CEST": "write it by a city, as in 'Europe/London'",
            "MSK": "write it by a city, as in 'Europe/London'",
            "Germany": "write it by a city, as in 'Europe/London'",
            "rome": "did you mean 'Europe/Rome'?",
            "UTC-5": "write it by a city, as in 'Europe/London'",
            "\0": "write it by a city, as in 'Europe/London'",
        }.items():
            problem = self.problem(Schedule, timezone=zone, open=())
            self.assertTrue(
                problem.startswith(f"timezone: {zone!r} is not a time zone"), problem
            )
            self.assertIn(near, problem)

    def test_hours_of_another_type_are_refused(self) -> None:
        self.assertEqual(
            self.problem(Schedule, timezone="UTC", open=(9,)),
            "open[0]: expected text in quotes, found a number",
        )

    def test_time_zone_and_hours_have_to_be_there(self) -> None:
        self.assertEqual(
            self.problems(Schedule), ["timezone: is missing", "open: is missing"]
        )

    def test_program_may_give_the_parts(self) -> None:
        self.assertEqual(
            Schedule(
                timezone="UTC",
                open=(Hours(days=(0, 1), begin=540, end=1020),),
                holidays=(Holiday(first=date(2026, 1, 1), last=date(2026, 1, 2)),),
            ),
            schedule(
                "mon,tue 9:00-17:00",
                holidays=("2026-01-01..2026-01-02",),
                timezone="UTC",
            ),
        )
        self.problem(Hours, days=(7,))
        self.problem(Hours, days=(1,), begin=-1)
