"""Calls of the company's attendant, each made on a real Asterisk and simulated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred

from channel_aa.commands.expectation import happened, read_expectation
from channel_aa.commands.main import main
from channel_aa.simulator import parse_script
from tests.support.company_harness import COMPANY, PHONES
from tests.support.printed import printed
from tests.support.real_call import RealCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.company_harness import CompanyHarness

LONDON = ZoneInfo("Europe/London")

SECONDS = 180
"""How long a script may take."""

_BEHAVIOURS = {
    "answers-later": "answers 1",
    "hangs-up": "answers 0 hangs-up 1",
    "declines": "declines 0.2",
}
"""What the simulator calls it; else as the dialplan does."""

_RECORDING = re.compile(r"orders/[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9a-f_.-]+")


@dataclass(frozen=True, kw_only=True)
class CompanyWalk:
    """A caller's way through the menus.

    Attributes:
        script: what the caller does: see `channel_aa.simulator.script`.
        hears: what happens: see `channel_aa.commands.expectation`.
        phones: the phones that behave otherwise than in `PHONES`.
        dialled: the number that is called.
        at: when, where that matters.
        argument: what the dialplan passes on.
        executes: what the dialplan then executes: ``Queue support,,,,300``.
    """

    script: str
    hears: str
    phones: Mapping[str, str] = field(default_factory=dict)
    dialled: str = "1000"
    at: str = ""
    argument: str = ""
    executes: str = ""

    @property
    def expected(self) -> Sequence[str]:
        """What happens, line by line."""
        return read_expectation(self.hears)

    def simulated(self) -> Sequence[str]:
        """Call with ``channel-aa simulate``, and give what happens."""
        options = ["--did", self.dialled, "--press", self.script]
        if self.at:
            options += ["--at", self.at]
        if self.argument:
            options += ["--argument", self.argument]
        for name, behaves in {**PHONES, **self.phones}.items():
            does = _BEHAVIOURS.get(behaves, behaves)
            options += ["--phone", f"Local/{name}@phones {does}"]
        code, out, err = printed(main, ["simulate", str(COMPANY), *options])
        assert (code, err) == (0, ""), err
        _heading, *lines = out.splitlines()
        return _alike(read_expectation("\n".join(lines)))

    async def made(self, company: CompanyHarness) -> Sequence[str]:
        """Call on the real Asterisk, and give what happens.

        Afterwards the phones behave as ever, and what was recorded is gone.
        """
        for name, behaves in self.phones.items():
            await company.set_phone(name, behaves)
        if self.at:
            moment = datetime.fromisoformat(self.at).replace(tzinfo=LONDON)
            async with company.attended_at(moment):
                found = await self._called(company)
        else:
            found = await self._called(company)
        recorded = [f"records {name}" for name in await company.take_recordings()]
        assert recorded == [line for line in found if line.startswith("records")]
        for name in self.phones:
            await company.set_phone(name)
        return _alike(found)

    async def _called(self, company: CompanyHarness) -> list[str]:
        since = len(company.events.all)
        phone = await company.stage.place_call(self.argument or self.dialled)
        call = RealCall(
            company.reactor,
            company.events,
            phone,
            variables=["QUEUE_PRIO"],
            since=since,
        )
        directed = Deferred.fromCoroutine(call.director.run(parse_script(self.script)))
        await directed.addTimeout(SECONDS, company.reactor)
        await call.close()
        if self.executes:
            application, _, data = self.executes.partition(" ")
            await company.event(
                "ChannelDialplan",
                channel=phone.name,
                dialplan_app=application,
                dialplan_app_data=data,
            )
        await company.hang_up_everybody()
        return happened(call.transcript.entries)


def _alike(lines: Sequence[str]) -> Sequence[str]:
    """Leave out what differs from call to call.

    A recording's name tells when and whose it is, and of phones that ring at once
    Asterisk tells in any order.
    """
    named = (_RECORDING.sub("orders/NAME", line) for line in lines)
    alike: list[str] = []
    for rings, group in groupby(named, lambda line: line.startswith("dials ")):
        together = list(group)
        alike += sorted(together) if rings else together
    return alike
