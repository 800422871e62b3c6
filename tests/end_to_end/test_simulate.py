"""What ``channel-aa simulate`` shows is what a real Asterisk's caller hears."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from channel_aa.commands.expectation import happened
from channel_aa.commands.script import read_steps
from channel_aa.commands.script_runner import ScriptRunner
from channel_aa.commands.simulated_call import CallData, SimulatedCall
from channel_aa.config import Settings
from channel_aa.service import AttendantService
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from channel_aa.simulator.virtual_time import wait_for
from real_asterisk.sounds import SLOW
from tests.support.asterisk_harness import PHONES, RealAsteriskHarness
from tests.support.attendant_harness import until
from tests.support.real_call import RealCall

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.commands.transcript import Entry
    from real_asterisk.harness import Asterisk

pytestmark = pytest.mark.asterisk

MENUS = """
[menus.main]
greeting = ["digits/0"]
prompt = ["press-1", "$slow", "press-2"]
timeout = 2.0
interdigit_timeout = 1.5
noinput = ["are-you-still-there"]
nomatch = ["option-is-invalid"]
max_noinput = 2
max_nomatch = 2
failure = { continue = { context = "elsewhere", extension = "6001" } }
[menus.main.options]
1 = { play = ["you-entered", "digits:{digits}"] }
2 = "second"
3 = { dial = "Local/answers@phones" }
4 = { dial = "Local/busy@phones", else = { play = ["digits/4"] } }
5 = { dial = ["Local/declines@phones", "Local/hangs-up@phones"], then = "repeat" }
6 = { dial = "Local/rings@phones", ring = 1, else = { play = ["digits/6"] } }
7 = { set = { TEAM = "sales" }, then = { voicemail = "410" } }
8 = { continue = { context = "elsewhere", priority = 2 } }
9 = "hangup"
0 = { play = ["letters/a", "digits:12"] }
"*" = { record = "simulated/{caller}", max_seconds = 2, then = "second" }
[menus.second]
prompt = ["or"]
timeout = 2.0
interdigit_timeout = 1.5
options = { 1 = "back", 2 = "top", 12 = "hangup" }
""".replace("$slow", SLOW)

SECONDS = 30
"""How long a script may take."""

SCRIPTS = {
    "options and feedback": f"1, hear {SLOW}, 1, B, 0, hang up",
    "menus and ways back": "2, 1, 2, 2, 2, 12",
    "no input": "ended",
    "no match": f"hear {SLOW}, A, #",
    "a phone answers": "3, hang up",
    "phones that do not": "4, 6, 9",
    "one that hangs up": "5, 9",
    "out of the menus": "7",
    "elsewhere": "8",
    "a recording": "*, wait 1.5, #, 12",
}


def settings_for(url: str) -> Settings:
    return Settings(**{**tomllib.loads(MENUS), "asterisk": {"url": url}})


async def real(reactor: PosixReactorBase, asterisk: Asterisk, script: str) -> list[str]:
    """Give what happens on a real Asterisk."""
    stage = await RealAsteriskHarness.open(reactor, asterisk)
    events = await stage.ari.listen("onlooker", subscribeAll="true")
    service = AttendantService(settings_for(stage.url), reactor=reactor)
    service.startService()
    try:
        await until(lambda: service.is_connected, reactor, "a connection")
        phone = await stage.place_call("1000")
        call = RealCall(reactor, events, phone, variables=["TEAM"])
        directed = Deferred.fromCoroutine(call.director.direct(read_steps(script)))
        await directed.addTimeout(SECONDS, reactor)
        await call.close()
    finally:
        await service.stopService()
        await stage.close()
    return happened(call.transcript.entries)


def simulated(script: str) -> list[str]:
    """Give what happens on the simulator."""
    clock = Clock()
    flow = settings_for("http://localhost").flow
    phones = {name: PhoneBehaviour.parse(str(words)) for name, words in PHONES.items()}

    def write(entry: Entry | None) -> None:
        director.see(entry)

    async def call() -> None:
        await rehearsal.begin()
        await director.direct(read_steps(script))
        await rehearsal.caller.ended
        await rehearsal.close()

    data = CallData(at=datetime(2026, 12, 24, 13, tzinfo=UTC))
    rehearsal = SimulatedCall(flow, data, reactor=clock, write=write, phones=phones)
    director = ScriptRunner(rehearsal, clock=clock)
    wait_for(clock, Deferred.fromCoroutine(call()), seconds=3600)
    return happened(rehearsal.transcript.entries)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest_twisted.ensureDeferred
async def test_a_simulated_call_is_as_the_real_one(
    reactor: PosixReactorBase, asterisk: Asterisk, script: str
) -> None:
    assert simulated(script) == await real(reactor, asterisk, script)
