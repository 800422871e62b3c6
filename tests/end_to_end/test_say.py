"""What `Say` says is in Asterisk's core sounds, as Debian packages them."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from string import ascii_letters, digits
from typing import TYPE_CHECKING

import pytest

from channel_aa.ari import Say

if TYPE_CHECKING:
    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk


def test_each_word_is_a_core_sound(installation: Installation) -> None:
    folder = installation.root / "usr/share/asterisk/sounds/en_US_f_Allison"
    say = Say()
    said = {
        *say.digits(f"{digits}{ascii_letters}*#"),
        *say.money(Decimal("-12.50")),
        *say.duration(2 * 3600 + 2 * 60 + 2),
        *say.duration(61),
    }
    for number in (*range(1000), 999_999_999):
        said.update(say.number(number))
    for day in range(366):
        said.update(say.date(date(1999, 1, 1) + timedelta(days=day)))
    for year in range(1999, 2101):
        said.update(say.date(date(year, 1, 1)))
    for minute in range(24 * 60):
        said.update(say.time(time(*divmod(minute, 60))))
    assert len(said) > 100
    missing = [
        each
        for each in sorted(said)
        if not (folder / f"{each.removeprefix('sound:')}.gsm").is_file()
    ]
    assert missing == []
