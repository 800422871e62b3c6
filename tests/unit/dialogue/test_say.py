from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.dialogue.say import Say


def words(media: tuple[str, ...]) -> str:
    """Return the names of sounds without their folder."""
    return " ".join(each.removeprefix("sound:").split("/")[-1] for each in media)


class EnglishTests(SynchronousTestCase):
    say = Say("en_GB")

    def test_digits_and_letters_are_said_one_by_one(self) -> None:
        self.assertEqual(
            self.say.digits("40*#-A é"),
            (
                *("sound:digits/4", "sound:digits/0", "sound:digits/star"),
                *("sound:digits/pound", "sound:letters/a"),
            ),
        )

    def test_numbers(self) -> None:
        for number, expected in {
            0: "0",
            7: "7",
            19: "19",
            20: "20",
            21: "20 1",
            90: "90",
            100: "1 hundred",
            115: "1 hundred 15",
            1000: "1 thousand",
            2001: "2 thousand 1",
            342_080: "3 hundred 40 2 thousand 80",
            1_000_000: "1 million",
            999_999_999: "9 hundred 90 9 million 9 hundred 90 9 thousand"
            " 9 hundred 90 9",
            -12: "minus 12",
        }.items():
            with self.subTest(number=number):
                self.assertEqual(words(self.say.number(number)), expected)

    def test_longer_numbers_are_refused(self) -> None:
        for number in (10**9, -(10**9)):
            with self.assertRaisesRegex(ValueError, "more than nine digits"):
                self.say.number(number)

    def test_money(self) -> None:
        for amount, expected in {
            Decimal(12): "12 dollars",
            Decimal("12.50"): "12 dollars vm-and 50",
            Decimal("0.999"): "1 dollars",
            Decimal("-3.05"): "minus 3 dollars vm-and 5",
        }.items():
            with self.subTest(amount=amount):
                self.assertEqual(words(self.say.money(amount)), expected)

    def test_money_of_another_currency(self) -> None:
        said = self.say.money(Decimal("1.20"), unit="acme/euro", cents="acme/cent")
        self.assertEqual(words(said), "1 euro vm-and 20 cent")

    def test_date(self) -> None:
        for day, expected in {
            date(2026, 11, 28): "day-6 mon-10 20 h-8 20 20 6",
            date(2026, 11, 29): "day-0 mon-10 20 h-9 20 20 6",
            date(2000, 1, 1): "day-6 mon-0 h-1 2 thousand",
            date(2009, 12, 30): "day-3 mon-11 h-30 2 thousand 9",
            date(1900, 3, 20): "day-2 mon-2 h-20 19 hundred",
            date(1904, 2, 29): "day-1 mon-1 20 h-9 19 oh 4",
            date(2100, 5, 31): "day-1 mon-4 30 h-1 20 1 hundred",
        }.items():
            with self.subTest(day=day):
                self.assertEqual(words(self.say.date(day)), expected)

    def test_time(self) -> None:
        for hour, minute, expected in (
            (0, 0, "12 oclock a-m"),
            (0, 30, "12 30 a-m"),
            (9, 5, "9 oh 5 a-m"),
            (12, 0, "12 oclock p-m"),
            (23, 59, "11 50 9 p-m"),
        ):
            with self.subTest(hour=hour, minute=minute):
                self.assertEqual(words(self.say.time(time(hour, minute))), expected)

    def test_duration(self) -> None:
        for seconds, expected in {
            0: "0 seconds",
            1: "1 second",
            59.6: "1 minute",
            125: "2 minutes 5 seconds",
            3600: "1 hours",
            7261: "2 hours 1 minute 1 second",
        }.items():
            with self.subTest(seconds=seconds):
                self.assertEqual(words(self.say.duration(seconds)), expected)
        with self.assertRaisesRegex(ValueError, "not negative"):
            self.say.duration(-1)


class OtherLanguageTests(SynchronousTestCase):
    """Asterisk says numbers; the order of words is that of most languages."""

    say = Say("fr")

    def test_number(self) -> None:
        self.assertEqual(self.say.number(71), ("number:71",))

    def test_date(self) -> None:
        self.assertEqual(
            self.say.date(date(2026, 11, 28)),
            ("sound:digits/day-6", "number:28", "sound:digits/mon-10", "number:2026"),
        )

    def test_time(self) -> None:
        self.assertEqual(
            self.say.time(datetime(2026, 11, 28, 19, 30)),  # noqa: DTZ001 - a time of day
            ("number:19", "number:30"),
        )
        self.assertEqual(self.say.time(time(19)), ("number:19", "sound:digits/oclock"))

    def test_digits(self) -> None:
        self.assertEqual(self.say.digits("1"), ("sound:digits/1",))
