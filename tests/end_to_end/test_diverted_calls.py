"""Calls that were diverted to the attendant, and the number that was dialled first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.asterisk_harness import RealAsteriskHarness

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk
    from real_asterisk.phones.phone import SipPhone
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

NUMBER, FIRST, OTHER = "+441632970000", "01632960111", "+441632960222"
"""The attendant's number in the context channel-aa-diverted, and two others."""

SETTINGS = f"""
[attendant]
drain_timeout = 0
[[routes]]
did = "{FIRST}"
to = "shop"
[[routes]]
did = "{NUMBER}"
to = "company"
[[routes]]
argument = "{OTHER}"
to = "shop"
[[routes]]
did = "1003"
to = "company"
[menus.main]
prompt = ["press-1"]
[menus.shop]
prompt = ["press-2"]
[menus.company]
prompt = ["you-entered"]
"""


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("diverted_from", "sound"),
    [
        (FIRST, "press-2"),
        (OTHER, "press-1"),
        ("", "you-entered"),
        # No numbers: that of the attendant counts.
        ("bob", "you-entered"),
        ("5", "you-entered"),
        (f"{FIRST}&$%7BEXTEN%7D,1", "press-1"),
    ],
)
async def test_number_dialled_first_selects_the_route(
    harness: PhonesHarness, phones: list[SipPhone], diverted_from: str, sound: str
) -> None:
    alice, *_ = phones
    placed = alice.dial(NUMBER, diverted_from=diverted_from)
    await harness.until_played(sound, times=1)
    await placed.hang_up()
    await harness.until_nothing_left()
    assert harness.warnings == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("diverted_from", "sound"), [(OTHER, "press-2"), ("5", "you-entered")]
)
async def test_number_dialled_first_can_be_an_argument(
    harness: PhonesHarness, phones: list[SipPhone], diverted_from: str, sound: str
) -> None:
    alice, *_ = phones
    placed = alice.dial("1003", diverted_from=diverted_from)
    await harness.until_played(sound, times=1)
    await placed.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_number_of_the_first_diversion_precedes_that_of_the_last(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    events = await backend.listen()
    numbers = {"REDIRECTING(orig-num,i)": FIRST, "REDIRECTING(from-num,i)": OTHER}
    await backend.place_call(NUMBER, body={"variables": numbers})
    start = await events.wait_for(lambda it: it.type == "StasisStart")
    channel = start.json["channel"]
    assert channel["dialplan"]["exten"] == FIRST
    path = f"/channels/{channel['id']}/variable"
    cdr = await backend.ari.get(path, variable="CDR(dst)")
    assert cdr.json == {"value": FIRST}
    await backend.close()
