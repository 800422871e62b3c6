"""The delays between attempts to connect."""

from __future__ import annotations

from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.backoff import Backoff


def delays(backoff: Backoff, count: int) -> list[float]:
    return [backoff.next_delay() for _ in range(count)]


class BackoffTests(SynchronousTestCase):
    def test_delays_double_up_to_the_maximum(self) -> None:
        backoff = Backoff(initial=0.5, maximum=30.0, jitter=0.0)
        self.assertEqual(
            delays(backoff, 9), [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
        )

    def test_first_delay_is_short_and_the_longest_half_a_minute(self) -> None:
        for chance, shortest, longest in ((0.0, 0.5, 30.0), (1.0, 0.25, 15.0)):
            backoff = Backoff(random=repeat(chance).__next__)
            first, *_, last = delays(backoff, 10)
            self.assertEqual((first, last), (shortest, longest))

    def test_reset_begins_again(self) -> None:
        backoff = Backoff(initial=1.0, jitter=0.0)
        delays(backoff, 5)
        backoff.reset()
        self.assertEqual(delays(backoff, 3), [1.0, 2.0, 4.0])

    def test_jitter_takes_away_at_most_its_part(self) -> None:
        shortest = Backoff(initial=1.0, jitter=0.25, random=lambda: 1.0)
        self.assertEqual(delays(shortest, 3), [0.75, 1.5, 3.0])
        longest = Backoff(initial=1.0, jitter=0.25, random=lambda: 0.0)
        self.assertEqual(delays(longest, 3), [1.0, 2.0, 4.0])

    def test_jitter_does_not_slow_the_growth(self) -> None:
        chances = iter([1.0, 1.0, 0.0])
        backoff = Backoff(initial=1.0, jitter=1.0, random=lambda: next(chances))
        self.assertEqual(delays(backoff, 3), [0.0, 0.0, 4.0])

    def test_delays_of_two_clients_differ(self) -> None:
        self.assertNotEqual(delays(Backoff(), 8), delays(Backoff(), 8))

    @given(
        initial=st.floats(0.01, 5.0),
        factor=st.floats(1.0, 10.0),
        jitter=st.floats(0.0, 1.0),
        chance=st.floats(0.0, 1.0),
    )
    def test_no_delay_leaves_its_bounds(
        self, initial: float, factor: float, jitter: float, chance: float
    ) -> None:
        backoff = Backoff(
            initial=initial,
            maximum=30.0,
            factor=factor,
            jitter=jitter,
            random=lambda: chance,
        )
        for delay in delays(backoff, 20):
            self.assertGreaterEqual(delay, 0.0)
            self.assertLessEqual(delay, 30.0)
