"""``channel-aa simulate`` shows the same call as a real Asterisk."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from channel_aa.commands.expectation import happened
from channel_aa.commands.script_runner import ScriptRunner
from channel_aa.commands.simulated_call import CallData, SimulatedCall
from channel_aa.service import AttendantService
from channel_aa.settings import Settings
from channel_aa.simulator import parse_script
from channel_aa.simulator.in_memory import wait_for
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from real_asterisk.sounds import SLOW
from tests.support.asterisk_harness import PHONES, RealAsteriskHarness
from tests.support.scripted_calls import RealCall, turns_in
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Collection

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
interdigit_timeout = 4.0
options = { 1 = "back", 2 = "top", 12 = "hangup" }
""".replace("$slow", SLOW)

SCRIPT_SECONDS = 60
"""The seconds that a script may take."""

SCRIPTS = {
    "options and feedback": f"1, hear {SLOW}, 1, B, 0, hang up",
    "menus and ways back": "2, 1, 2, 2, 2, 12",
    "no input": "ended",
    "no match": f"hear {SLOW}, A, #",
    # The last two keys would be an option.
    "a misdialled number": "2, 9912, 9#, 12",
    "terminators behind entries": f"2#, 1#, hear {SLOW}, 1#, hang up",
    "a phone answers": "3, hang up",
    "phones that do not": "4, 6, 9",
    "one that hangs up": "5, 9",
    "out of the menus": "7",
    "elsewhere": "8",
    "a recording": "*, wait 1.5, #, 12",
}


def settings_for(url: str) -> Settings:
    return Settings(**{**tomllib.loads(MENUS), "asterisk": {"url": url}})


async def make_call(
    reactor: PosixReactorBase, asterisk: Asterisk, script: str, turns: Collection[int]
) -> list[str]:
    """Make the call on a real Asterisk; return what happens."""
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    events = await backend.listen_to_everything()
    service = AttendantService(settings_for(backend.url), reactor=reactor)
    service.startService()
    try:
        await until(reactor, lambda: service.is_connected, "a connection")
        phone = await backend.place_call("1000")
        call = RealCall(reactor, events, phone, turns=turns, variables=["TEAM"])
        await call.follow(script, seconds=SCRIPT_SECONDS)
    finally:
        await service.stopService()
        await backend.close()
    return happened(call.transcript.entries)


def simulate_call(script: str) -> list[Entry]:
    """Simulate the call; return its transcript."""
    clock = Clock()
    flow = settings_for("http://localhost").flow
    phones = {name: PhoneBehaviour.parse(str(words)) for name, words in PHONES.items()}

    def write(entry: Entry | None) -> None:
        runner.update(entry)

    async def call() -> None:
        await simulated_call.begin()
        await runner.run(parse_script(script))
        await simulated_call.caller.ended
        await simulated_call.close()

    data = CallData(at=datetime(2026, 12, 24, 13, tzinfo=UTC))
    simulated_call = SimulatedCall(
        flow, data, reactor=clock, write=write, phones=phones
    )
    runner = ScriptRunner(simulated_call, clock=clock)
    wait_for(clock, Deferred.fromCoroutine(call()), seconds=3600)
    return simulated_call.transcript.entries


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest_twisted.ensureDeferred
async def test_simulated_call_equals_the_real_one(
    reactor: PosixReactorBase, asterisk: Asterisk, script: str
) -> None:
    simulated = simulate_call(script)
    turns = turns_in(each.text for each in simulated)
    made = await make_call(reactor, asterisk, script, turns)
    assert happened(simulated) == made
