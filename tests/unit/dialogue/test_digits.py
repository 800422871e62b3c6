from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.dialogue.digits import (
    KEYS,
    MAX_DIGITS,
    DeniedPattern,
    DigitMap,
    Match,
    Pattern,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

# Few keys and short patterns, so that what is generated meets.
FEW_KEYS = "012#*"
PATTERN_PARTS = {
    "0": "0",
    "1": "1",
    "2": "2",
    "X": "0123456789",
    "Z": "123456789",
    "N": "23456789",
    "[1-2]": "12",
    "[02]": "02",
}
LONGEST = 5

options = st.sets(st.text(FEW_KEYS, min_size=1, max_size=3), max_size=5)
closed_parts = st.lists(st.sampled_from(list(PATTERN_PARTS)), min_size=1, max_size=3)
patterns = st.lists(closed_parts, max_size=3)
pressed = st.text(FEW_KEYS, min_size=1, max_size=8)


def numbers_of(parts: Iterable[str]) -> set[str]:
    """Write out every number of a pattern."""
    return {"".join(keys) for keys in product(*(PATTERN_PARTS[part] for part in parts))}


def naive_verdict(
    keys: str, options: set[str], extensions: set[str], denied: set[str], *, over: bool
) -> tuple[Match, str]:
    """Read keys by looking through everything that can be entered."""
    everything = options | extensions
    if "#" not in "".join(everything) and keys[-1] == "#":
        keys, over = keys[:-1] or "#", True
    longer = [each for each in everything if each.startswith(keys) and each != keys]
    if longer and not over:
        return Match.WAIT, keys
    if keys in options:
        return Match.OPTION, keys
    if keys in extensions - denied:
        return Match.EXTENSION, keys
    if (
        not over
        and len(keys) < MAX_DIGITS
        and any(len(each) > 1 for each in everything)
    ):
        return Match.WAIT, keys
    return Match.NO_MATCH, keys


def entries(keys: str, digit_map: DigitMap) -> list[tuple[Match, str]]:
    """Take keys one by one, as a menu does; the time is up after the last."""
    found: list[tuple[Match, str]] = []
    waiting = ""
    for key in keys:
        waiting += key
        reading = digit_map.match(waiting)
        if reading.kind is not Match.WAIT:
            found.append((reading.kind, waiting))
            waiting = ""
    if waiting:
        found.append((digit_map.match(waiting, is_over=True).kind, waiting))
    return found


class ReferenceTests(SynchronousTestCase):
    @given(options, patterns, patterns, pressed, st.booleans())
    def test_reading_agrees_with_writing_everything_out(
        self,
        options: set[str],
        patterns: list[list[str]],
        denied: list[list[str]],
        keys: str,
        over: bool,  # noqa: FBT001 - hypothesis fills it in
    ) -> None:
        digit_map = DigitMap(options, map("".join, patterns), map("".join, denied))
        reading = digit_map.match(keys, is_over=over)
        self.assertEqual(
            tuple(reading),
            naive_verdict(
                keys,
                options,
                set().union(*map(numbers_of, patterns)),
                set().union(*map(numbers_of, denied)),
                over=over,
            ),
        )

    @given(options, patterns, st.text(FEW_KEYS, max_size=12))
    def test_no_digit_is_lost_or_taken_twice(
        self, options: set[str], patterns: list[list[str]], keys: str
    ) -> None:
        found = entries(keys, DigitMap(options, map("".join, patterns)))
        self.assertEqual("".join(digits for _, digits in found), keys)
        self.assertNotIn(Match.WAIT, [verdict for verdict, _ in found])

    @given(options, patterns, st.text(FEW_KEYS, min_size=1, max_size=12))
    def test_valid_entry_is_never_longer_than_the_longest_possible_and_one_key(
        self, options: set[str], patterns: list[list[str]], keys: str
    ) -> None:
        longest = max([1, *map(len, options), *map(len, patterns)])
        for kind, digits in entries(keys, DigitMap(options, map("".join, patterns))):
            if kind is not Match.NO_MATCH or longest == 1:
                self.assertLessEqual(len(digits), longest + 1)

    @given(options, patterns, st.text(FEW_KEYS, min_size=1, max_size=12))
    def test_only_the_terminator_and_the_time_end_a_wrong_number(
        self, options: set[str], patterns: list[list[str]], keys: str
    ) -> None:
        digit_map = DigitMap(options, map("".join, patterns))
        if max([0, *map(len, options), *map(len, patterns)]) > 1:
            for kind, digits in entries(keys, digit_map)[:-1]:
                if kind is Match.NO_MATCH:
                    self.assertEqual(digits[-1:], digit_map.terminator)

    @given(closed_parts, st.text(FEW_KEYS, max_size=LONGEST))
    def test_pattern_matches_what_it_can_be_written_out_as(
        self, parts: list[str], keys: str
    ) -> None:
        pattern = Pattern("".join(parts))
        numbers = numbers_of(parts)
        self.assertEqual(pattern.matches(keys), keys in numbers)
        self.assertEqual(
            pattern.may_grow(keys),
            any(each.startswith(keys) and each != keys for each in numbers),
        )


class OptionTests(SynchronousTestCase):
    def read(self, keys: str, *options: str, is_over: bool = False) -> Match:
        return DigitMap(options).match(keys, is_over=is_over).kind

    def test_option_counts_at_once_where_nothing_longer_is_possible(self) -> None:
        self.assertIs(self.read("1", "1", "2", "21"), Match.OPTION)
        self.assertIs(self.read("21", "1", "2", "21"), Match.OPTION)

    def test_option_that_begins_a_longer_one_waits(self) -> None:
        self.assertIs(self.read("2", "2", "21"), Match.WAIT)
        self.assertIs(self.read("2", "2", "21", is_over=True), Match.OPTION)

    def test_terminator_ends_the_wait_and_is_left_out(self) -> None:
        reading = DigitMap(["2", "21"]).match("2#")
        self.assertEqual(tuple(reading), (Match.OPTION, "2"))

    def test_terminator_after_half_an_option_is_a_no_match(self) -> None:
        reading = DigitMap(["212"]).match("21#")
        self.assertEqual(tuple(reading), (Match.NO_MATCH, "21"))

    def test_terminator_alone_is_a_no_match(self) -> None:
        for options in (["1"], ["1", "21"]):
            self.assertEqual(tuple(DigitMap(options).match("#")), (Match.NO_MATCH, "#"))

    def test_terminator_that_an_option_uses_is_a_key_like_any_other(self) -> None:
        self.assertIs(self.read("#", "#"), Match.OPTION)
        self.assertIs(self.read("2#", "2", "2#"), Match.OPTION)
        self.assertIs(self.read("2#", "2", "21", "#"), Match.WAIT)
        self.assertIs(self.read("2#", "2", "21", "#", is_over=True), Match.NO_MATCH)

    def test_key_that_is_no_option_is_a_no_match_at_once(self) -> None:
        self.assertIs(self.read("9", "1", "2"), Match.NO_MATCH)

    def test_keys_that_begin_no_longer_option_wait_for_the_rest(self) -> None:
        for keys in ("9", "22", "221"):
            self.assertIs(self.read(keys, "1", "21"), Match.WAIT)
            self.assertIs(self.read(keys, "1", "21", is_over=True), Match.NO_MATCH)

    def test_terminator_ends_a_wrong_number(self) -> None:
        reading = DigitMap(["1", "21"]).match("221#")
        self.assertEqual(tuple(reading), (Match.NO_MATCH, "221"))

    def test_wrong_number_has_an_end(self) -> None:
        keys = "9" * MAX_DIGITS
        self.assertIs(self.read(keys[:-1], "1", "21"), Match.WAIT)
        self.assertIs(self.read(keys, "1", "21"), Match.NO_MATCH)

    def test_half_an_option_is_a_no_match_when_the_time_is_up(self) -> None:
        self.assertIs(self.read("2", "21", is_over=True), Match.NO_MATCH)


class ExtensionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.digit_map = DigitMap(["1", "41"], ["4XX"], ["499"])

    def verdict(self, keys: str) -> Match:
        return self.digit_map.match(keys).kind

    def test_extension_counts_at_its_last_digit(self) -> None:
        self.assertEqual(
            [self.verdict(keys) for keys in ("4", "42", "420")],
            [Match.WAIT, Match.WAIT, Match.EXTENSION],
        )

    def test_option_that_shadows_an_extension_waits_for_it(self) -> None:
        self.assertIs(self.verdict("41"), Match.WAIT)
        self.assertIs(self.digit_map.match("41", is_over=True).kind, Match.OPTION)
        self.assertIs(self.verdict("410"), Match.EXTENSION)

    def test_option_wins_over_an_extension_of_the_same_digits(self) -> None:
        self.assertIs(DigitMap(["410"], ["4XX"]).match("410").kind, Match.OPTION)

    def test_denied_extension_is_a_no_match(self) -> None:
        self.assertIs(self.digit_map.match("499", is_over=True).kind, Match.NO_MATCH)

    def test_misdialled_extension_is_one_no_match_with_all_its_keys(self) -> None:
        for keys in ("5", "55", "550", "499", "4999"):
            self.assertIs(self.verdict(keys), Match.WAIT)
        reading = self.digit_map.match("4999", is_over=True)
        self.assertEqual(tuple(reading), (Match.NO_MATCH, "4999"))

    def test_pattern_of_one_key_has_no_wrong_numbers(self) -> None:
        self.assertIs(DigitMap([], ["X"]).match("*").kind, Match.NO_MATCH)

    def test_open_pattern_waits_for_the_terminator(self) -> None:
        digit_map = DigitMap([], ["9."])
        self.assertIs(digit_map.match("9").kind, Match.WAIT)
        self.assertIs(digit_map.match("90123").kind, Match.WAIT)
        self.assertEqual(tuple(digit_map.match("901#")), (Match.EXTENSION, "901"))
        self.assertIs(digit_map.match("9#").kind, Match.NO_MATCH)
        self.assertIs(digit_map.match("90*", is_over=True).kind, Match.NO_MATCH)

    def test_open_pattern_has_one_more_digit_at_least(self) -> None:
        pattern = Pattern("90X.")
        self.assertEqual(
            [pattern.matches(keys) for keys in ("901", "9012", "90123", "9112")],
            [False, True, True, False],
        )

    def test_open_pattern_has_an_end(self) -> None:
        digit_map = DigitMap([], ["X."])
        self.assertIs(digit_map.match("1" * (MAX_DIGITS - 1)).kind, Match.WAIT)
        self.assertIs(digit_map.match("1" * MAX_DIGITS).kind, Match.EXTENSION)


class PatternTests(SynchronousTestCase):
    def singles(self, text: str) -> str:
        """Tell which single keys a pattern takes."""
        pattern = Pattern(text)
        return "".join(key for key in KEYS if pattern.matches(key))

    def test_letters_mean_what_they_mean_in_the_dialplan(self) -> None:
        self.assertEqual(self.singles("X"), "0123456789")
        self.assertEqual(self.singles("Z"), "123456789")
        self.assertEqual(self.singles("N"), "23456789")
        self.assertEqual(self.singles("[1-37]"), "1237")
        self.assertEqual(self.singles("[*#A]"), "*#A")
        self.assertEqual(self.singles("_5"), "5")

    def test_pattern_may_have_as_many_digits_as_a_number(self) -> None:
        self.assertTrue(Pattern("X" * MAX_DIGITS).matches("1" * MAX_DIGITS))

    def test_invalid_pattern_is_refused_with_the_syntax(self) -> None:
        for text, words in {
            "": "empty",
            "_": "empty",
            "4xx": "'x' is not X, Z, N",
            "4.1": "'.' is not X",
            "4!": "'!' is not X",
            "4[": "'[' is not X",
            "4[]": "the brackets are empty",
            "4[5-1]": "ranges in brackets",
            "4[1-]": "ranges in brackets",
            "4[z]": "ranges in brackets",
            "X" * (MAX_DIGITS + 1): f"at most {MAX_DIGITS}",
        }.items():
            with self.subTest(text=text):
                error = self.assertRaises(ValueError, Pattern, text)
                self.assertIn(words, str(error))


class DeniedPatternTests(SynchronousTestCase):
    def test_open_pattern_denies_whatever_follows(self) -> None:
        denied = DeniedPattern("00X.")
        for number in ("0049", "001#2", "009*", "00" + "1" * 200):
            self.assertTrue(denied.matches(number), number)
        for number in ("00", "0", "+49", "001", "1002"):
            self.assertFalse(denied.matches(number), number)

    def test_plus_is_part_of_a_number(self) -> None:
        denied = DeniedPattern("_+X.")
        self.assertTrue(denied.matches("+49"))
        for number in ("49", "+", "+4", "0049"):
            self.assertFalse(denied.matches(number), number)

    def test_pattern_of_a_length_denies_this_length(self) -> None:
        denied = DeniedPattern("11X")
        self.assertTrue(denied.matches("112"))
        for number in ("11", "1122", "+112"):
            self.assertFalse(denied.matches(number), number)

    def test_invalid_pattern_is_refused(self) -> None:
        for text in ("", "+", "0+1", "x(1)", "[9-1]"):
            with self.assertRaises(ValueError):
                DeniedPattern(text)


class ExampleTests(SynchronousTestCase):
    @given(closed_parts, st.booleans(), st.text("0129", max_size=4), st.integers(1, 32))
    def test_example_is_a_number_of_the_pattern(
        self,
        parts: list[str],
        is_open: bool,  # noqa: FBT001 - hypothesis passes it
        beginning: str,
        length: int,
    ) -> None:
        pattern = Pattern("".join(parts) + "." * is_open)
        example = pattern.example(beginning, length=length)
        if example:
            self.assertTrue(pattern.matches(example), example)
            self.assertTrue(example.startswith(beginning), example)
