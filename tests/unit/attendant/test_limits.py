from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.limits import escalated, is_reached
from channel_aa.menus.sounds import prompt_of

FIRST, SECOND, THIRD = (prompt_of(name) for name in ("first", "second", "third"))


class LimitTests(SynchronousTestCase):
    def test_limit_is_reached_when_the_count_gets_there(self) -> None:
        self.assertEqual([is_reached(n, 3) for n in range(5)], [False] * 3 + [True] * 2)

    @given(st.integers(min_value=0))
    def test_limit_of_none_is_never_reached(self, count: int) -> None:
        self.assertFalse(is_reached(count, 0))

    @given(st.integers(min_value=1, max_value=200), st.integers(1, 100))
    def test_counting_up_reaches_a_limit_once_and_for_all(
        self, count: int, limit: int
    ) -> None:
        reached = [is_reached(n, limit) for n in range(1, count + 1)]
        self.assertEqual(reached, sorted(reached))
        self.assertEqual(sum(reached), max(0, count - limit + 1))


class EscalationTests(SynchronousTestCase):
    def test_each_time_has_its_prompt_and_the_last_repeats(self) -> None:
        prompts = (FIRST, SECOND, THIRD)
        self.assertEqual(
            [escalated(prompts, n) for n in range(1, 6)],
            [FIRST, SECOND, THIRD, THIRD, THIRD],
        )

    def test_one_prompt_is_for_every_time(self) -> None:
        self.assertEqual([escalated((FIRST,), n) for n in (1, 2)], [FIRST, FIRST])

    def test_nothing_to_say_is_silence(self) -> None:
        self.assertEqual(escalated((), 1), ())
