"""The entries of a call agree with a naive reading of the keys and their times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
from tests.support.attendant_fakes import FakeChannel, FakePlayback
from tests.support.call_case import CHANNEL, NOON, call_flow, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FLOW = call_flow(
    """
[menus.plain]
prompt = ["plain"]
timeout = 3600
options = { 1 = "plain", 2 = "numbers", 3 = "hash" }
[menus.numbers]
prompt = ["numbers"]
timeout = 3600
options = { 1 = "plain", 2 = "numbers", 3 = "hash" }
[menus.numbers.extensions]
pattern = ["22", "01X", "2111"]
deny = "013"
play = ["extension"]
[menus.hash]
prompt = ["hash"]
timeout = 3600
options = { 1 = "plain", 2 = "numbers", "#" = "hash", "11" = "hash" }
""".replace("[menus.plain]", 'entry = "plain"\n[menus.plain]')
)

INTERDIGIT_TIMEOUT = 2.0
GAPS = (0.0, 0.5, 1.9, 2.1, 5.0)
INVALID = "invalid"


class MenuModel(NamedTuple):
    """A menu, with everything that can be entered written out."""

    options: Mapping[str, str]
    extensions: frozenset[str]
    denied: frozenset[str]

    @property
    def entries(self) -> frozenset[str]:
        return frozenset(self.options) | self.extensions

    @property
    def uses_hash(self) -> bool:
        return "#" in "".join(self.entries)

    def begins_longer(self, keys: str) -> bool:
        return any(each.startswith(keys) and each != keys for each in self.entries)

    def is_valid(self, keys: str) -> bool:
        return keys in self.entries - (self.denied - frozenset(self.options))


_FEW_OPTIONS = {"1": "plain", "2": "numbers", "3": "hash"}
_NONE: frozenset[str] = frozenset()
MENUS = {
    "plain": MenuModel(_FEW_OPTIONS, _NONE, _NONE),
    "numbers": MenuModel(
        _FEW_OPTIONS,
        frozenset({"22", "2111", *(f"01{last}" for last in range(10))}),
        frozenset({"013"}),
    ),
    "hash": MenuModel(
        {"1": "plain", "2": "numbers", "#": "hash", "11": "hash"}, _NONE, _NONE
    ),
}


def read_naively(presses: Sequence[tuple[float, str]]) -> list[str]:
    """Read keys, each with the seconds since the one before; return the entries."""
    found: list[str] = []
    name, keys, belongs = "plain", "", False

    def end(entry: str) -> None:
        nonlocal name, keys
        found.append(entry)
        if not MENUS[name].is_valid(entry):
            found.append(INVALID)
        name = MENUS[name].options.get(entry, name)
        keys = ""

    for gap, key in presses:
        is_late = gap > INTERDIGIT_TIMEOUT
        if keys and is_late:
            end(keys)
        may_belong, belongs = belongs and not is_late, False
        menu = MENUS[name]
        if may_belong and key == "#" and not menu.uses_hash:
            continue
        keys += key
        has_numbers = any(len(each) > 1 for each in menu.entries)
        if key == "#" and not menu.uses_hash:
            end(keys[:-1] or keys)
        elif menu.is_valid(keys) and not menu.begins_longer(keys):
            end(keys)
            belongs = not menu.uses_hash
        elif not menu.begins_longer(keys) and not has_numbers:
            end(keys)
    if keys:
        end(keys)
    return found


class SilentChannel(FakeChannel):
    """A channel whose sounds end at once."""

    def play(self, media: str) -> FakePlayback:
        playback = super().play(media)
        playback.end()
        return playback


class EntryTests(SynchronousTestCase):
    @given(
        st.lists(
            st.tuples(st.sampled_from(GAPS), st.sampled_from("0123#*")), max_size=20
        )
    )
    @settings(max_examples=400)
    def test_entries_agree_with_a_naive_reading(
        self, presses: list[tuple[float, str]]
    ) -> None:
        clock = Clock()
        attendant = Attendant(FLOW, clock=clock, now=lambda: NOON)
        call = attendant.channel_entered(SilentChannel(CHANNEL), ())
        with capturedLogs() as events:
            for gap, key in presses:
                clock.advance(gap)
                call.dtmf_received(key)
            clock.advance(INTERDIGIT_TIMEOUT)
        call.left()
        words = [line.split()[-1] for line in lines_of(events)]
        entries = [INVALID if each == "option!" else each for each in words]
        self.assertEqual(entries, read_naively(presses))
        self.assertEqual(clock.getDelayedCalls(), [])
