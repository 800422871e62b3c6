"""Random walks of two phones and a caller: answer, hold, transfer, pickup, hangup.

`WALKS` are walked; the environment variable CHANNEL_AA_WALKS changes their number. A
failure names the seed of its walk, and the steps so far.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call, State
from real_asterisk.phones.phone import until_speaking
from real_asterisk.phones.tones import ASTERISK

if TYPE_CHECKING:
    from real_asterisk.phones.phone import SipPhone
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

WALKS = int(os.environ.get("CHANNEL_AA_WALKS", "12"))
MAX_STEPS = 6

SETTINGS = """
[attendant]
drain_timeout = 0
[menus.main]
prompt = ["press-1"]
timeout = 30
[menus.main.options]
1 = { dial = "PJSIP/bob", then = "hangup", else = "hangup" }
2 = { dial = "PJSIP/bob", then = "hangup", else = "hangup", early_media = true }
"""


class Walk:
    """One call of alice, and what the phones do with it, chosen at random.

    Args:
        phones: alice (the caller), bob (dialled by the attendant) and carol.
        random: chooses the steps.

    Attributes:
        steps: the steps so far.
    """

    def __init__(self, phones: list[SipPhone], random: Random) -> None:
        self.steps: list[str] = []
        self._phones = phones
        self._random = random
        self._calls: dict[SipPhone, Call] = {}

    async def run(self) -> None:
        """Walk until a phone hangs up, after `MAX_STEPS` steps at the latest."""
        alice, bob, carol = self._phones
        bob.on_call = carol.on_call = Call.ring
        self._calls = {alice: alice.dial("1000")}
        await alice.until_hears(ASTERISK)
        key = self._random.choice("12")
        self.steps.append(f"key {key}")
        await self._calls[alice].press(key)
        ringing = await bob.until_called()
        if self._random.choice((True, False)):
            self.steps.append("early media")
            ringing.send_early_media()
            await alice.until_hears("bob" if key == "2" else ASTERISK)
        first = self._random.choice(("answer", "pick up", "reject", "give up"))
        self.steps.append(first)
        if first == "answer":
            ringing.answer()
            self._calls[bob] = ringing
        elif first == "pick up":
            self._calls[carol] = carol.dial("*8bob")
        elif first == "reject":
            ringing.reject()
        else:
            await self._calls[alice].hang_up()
        if first in {"reject", "give up"}:
            await ringing.until_ended()
            await self._calls[alice].until_ended()
            return
        await until_speaking(*self._calls)
        for _ in range(self._random.randrange(MAX_STEPS)):
            await self._step()
        leaver, other = self._random.sample(list(self._calls), 2)
        self.steps.append(f"{leaver.name} hangs up")
        await self._calls[leaver].hang_up()
        await self._calls[other].until_ended()

    async def _step(self) -> None:
        """Let one of the two who speak hold, or transfer the other."""
        phone = self._random.choice(list(self._calls))
        call = self._calls[phone]
        step = self._random.choice(("hold", "blind transfer", "attended transfer"))
        self.steps.append(f"{phone.name}: {step}")
        if step == "hold":
            await call.hold()
            await call.resume()
        else:
            [target] = set(self._phones) - set(self._calls)
            target.on_call = Call.answer
            if step == "blind transfer":
                await call.blind_transfer(target.name)
            else:
                await call.hold()
                consultation = phone.dial(target.name)
                await until_speaking(phone, target)
                await call.attended_transfer(consultation)
                await consultation.until_ended()
            await call.until_ended()
            del self._calls[phone]
            await target.until_hears(*(each.name for each in self._calls))
            self._calls[target] = target.calls[-1]
        await until_speaking(*self._calls)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("seed", range(WALKS))
async def test_walk_hangs_up_nobody_who_speaks_and_leaves_nothing(
    harness: PhonesHarness, phones: list[SipPhone], seed: int
) -> None:
    walk = Walk(phones, Random(seed))  # noqa: S311 - no secret
    try:
        await walk.run()
        await harness.until_nothing_left()
    except Exception as error:
        raise AssertionError(f"seed {seed}: {', '.join(walk.steps)}") from error
    for phone in phones:
        assert all(call.state is State.ENDED for call in phone.calls)
    assert harness.warnings == []
