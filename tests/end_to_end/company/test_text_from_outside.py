"""What callers and networks say of themselves reaches nothing unchecked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.ari.outbound import is_outbound
from tests.support.attendant_harness import until
from tests.support.company_harness import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.asterisk_harness import Caller
    from tests.support.attendant_harness import Witness
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

TEXTS = (
    'Ada" <sip:911@192.0.2.1>;x=1 & Local/999@phones, |/n',
    "../../../../etc/passwd\x01.wav",
    "%2e%2e%2f?app=other&timeout=1#",
    "line\r\n2026-01-01T00:00:00+0000 [channel_aa.service#info] forged",
    "\x1b[2J\u202egpj.exe\u2028\x7f",
    "${CHANNEL_AA_OPERATOR},20,g&PJSIP/410|$[1+1]",
    "{digits}{recording}{0.__class__}%s",
    "a" * 300,
)
NUMBERS = (
    "outside${EXTEN}",
    'outside"<911>\\',
    "outside&410|,20",
    "outside\r\nforged",
    "outside../..",
)
LINE = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+0000 \[[\w.#-]+\] .+")
NAME = re.compile(r'[^"<>\\]{0,80}')
NUMBER = re.compile(r"[A-Za-z0-9+*#._-]{0,40}")
RECORDING = re.compile(r"orders/[A-Za-z0-9+_-]+")


@pytest.fixture
def naming(company: CompanyHarness) -> Iterator[CompanyHarness]:
    """Have orders named for who calls, which the company does not."""

    def change(text: str) -> str:
        named = shortened(text).replace("{date}-{time}-{channel}", "{caller}")
        # A key during the beep would not end it.
        return named.replace("max_seconds = 60", "beep = false")

    company.write_file(change)
    pytest_twisted.blockon(ensureDeferred(company.reload()))
    yield company
    company.write_file()
    pytest_twisted.blockon(ensureDeferred(company.reload()))


async def call(
    company: CompanyHarness, text: str, *, dialled: str = "outside"
) -> tuple[Caller, Witness]:
    """Let somebody call of whom the network says this, and hear the menu."""
    said = ("CONNECTEDLINE(name)", "CONNECTEDLINE(num)", "SAID")
    body = {"variables": dict.fromkeys(said, text)}
    caller, witness = await company.call(dialled, body=body)
    await witness.hears("acme/welcome")
    return caller, witness


@pytest_twisted.ensureDeferred
async def test_phones_are_dialled_as_the_file_says_and_shown_what_is_harmless(
    company: CompanyHarness,
) -> None:
    since = len(company.events.all)

    def dialled() -> list[Mapping[str, Any]]:
        told = [it.json for it in company.events.all[since:] if it.type == "Dial"]
        begun = [each["peer"] for each in told if not each["dialstatus"]]
        return [each for each in begun if is_outbound(each["id"])]

    for number, text in enumerate(TEXTS, start=1):
        caller, _ = await call(company, text)
        for key in "412":
            await caller.press(key)
        await until(
            lambda number=number: len(dialled()) == number,  # type: ignore[misc] # mypy cannot infer it
            company.reactor,
            "the phone",
        )
        # Or the operator's phone would be next, some time.
        await caller.hang_up()
    for phone in dialled():
        assert phone["name"].startswith("Local/412@phones-")
        name, number = phone["connected"]["name"], phone["connected"]["number"]
        assert NAME.fullmatch(name), name
        assert name.isprintable(), name
        assert NUMBER.fullmatch(number), number
    lines_are_ours(company)


@pytest_twisted.ensureDeferred
async def test_recordings_stay_in_their_folder(naming: CompanyHarness) -> None:
    names = set()
    for text in TEXTS:
        caller, witness = await call(naming, text)
        for key in "13":
            await caller.press(key)
        target = f"channel:{witness.channel_id}"
        recording = await naming.recording("RecordingStarted", target)
        await caller.press("#")
        await naming.recording("RecordingFinished", target)
        assert RECORDING.fullmatch(recording["name"]), recording
        names.add(recording["name"])
    assert set(await naming.take_recordings()) == names
    lines_are_ours(naming)


@pytest_twisted.ensureDeferred
async def test_any_number_may_be_dialled(company: CompanyHarness) -> None:
    for number in NUMBERS:
        _, witness = await call(company, "", dialled=number)
        channel = await company.stage.ari.get(f"/channels/{witness.channel_id}")
        assert channel.json["dialplan"]["exten"].startswith(number[:9])
    assert (await company.status()).calls.now == len(NUMBERS)
    lines_are_ours(company)


def lines_are_ours(company: CompanyHarness) -> None:
    """Check that every line of the log has the shape that ours have."""
    for line in company.daemon.lines:
        assert LINE.fullmatch(line), line
        assert line.isprintable(), line
