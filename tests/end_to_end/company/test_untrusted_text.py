"""Text from callers and networks: caller ids, numbers and variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.ari.outbound import is_outbound
from tests.support.company_harness import shortened
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.asterisk_harness import Caller
    from tests.support.attendant_harness import ChannelMonitor
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
RECORDING = re.compile(r"orders/[A-Za-z0-9+=_-]+")


@pytest.fixture
def harness_with_caller_names(harness: CompanyHarness) -> Iterator[CompanyHarness]:
    """Provide the harness with recordings named after the caller."""

    def change(text: str) -> str:
        named = shortened(text).replace("{date}-{time}-{channel}", "{caller}")
        # A key during the beep would not end the recording.
        return named.replace("max_seconds = 60", "beep = false")

    harness.write_file(change)
    pytest_twisted.blockon(ensureDeferred(harness.reload()))
    yield harness
    harness.write_file()
    pytest_twisted.blockon(ensureDeferred(harness.reload()))


async def call(
    harness: CompanyHarness, text: str, *, dialled: str = "outside"
) -> tuple[Caller, ChannelMonitor]:
    """Call with this text as the caller id and in a variable, and hear the menu."""
    names = ("CONNECTEDLINE(name)", "CONNECTEDLINE(num)", "SAID")
    body = {"variables": dict.fromkeys(names, text)}
    caller, monitor = await harness.call(dialled, body=body)
    await monitor.hears("acme/welcome")
    return caller, monitor


@pytest_twisted.ensureDeferred
async def test_dialled_phones_are_shown_harmless_text_only(
    harness: CompanyHarness,
) -> None:
    since = len(harness.events.all)

    def dialled() -> list[Mapping[str, Any]]:
        dials = [it.json for it in harness.events.all[since:] if it.type == "Dial"]
        begun = [each["peer"] for each in dials if not each["dialstatus"]]
        return [each for each in begun if is_outbound(each["id"])]

    for number, text in enumerate(TEXTS, start=1):
        caller, _ = await call(harness, text)
        for key in "412":
            await caller.press(key)
        await until(
            harness.reactor,
            lambda number=number: len(dialled()) == number,  # type: ignore[misc] # mypy cannot infer it
            "the phone",
        )
        # Otherwise the operator's phone would be dialled next.
        await caller.hang_up()
    for phone in dialled():
        assert phone["name"].startswith("Local/412@phones-")
        name, number = phone["connected"]["name"], phone["connected"]["number"]
        assert NAME.fullmatch(name), name
        assert name.isprintable(), name
        assert NUMBER.fullmatch(number), number
    assert_log_format(harness)


@pytest_twisted.ensureDeferred
async def test_recordings_stay_in_their_folder(
    harness_with_caller_names: CompanyHarness,
) -> None:
    names = set()
    for text in TEXTS:
        caller, monitor = await call(harness_with_caller_names, text)
        for key in "13":
            await caller.press(key)
        target = f"channel:{monitor.channel_id}"
        recording = await harness_with_caller_names.recording(
            "RecordingStarted", target
        )
        await caller.press("#")
        await harness_with_caller_names.recording("RecordingFinished", target)
        assert RECORDING.fullmatch(recording["name"]), recording
        names.add(recording["name"])
    assert set(await harness_with_caller_names.delete_recordings()) == names
    assert_log_format(harness_with_caller_names)


@pytest_twisted.ensureDeferred
async def test_any_dialled_number_is_served(harness: CompanyHarness) -> None:
    for number in NUMBERS:
        _, monitor = await call(harness, "", dialled=number)
        channel = await harness.backend.ari.get(f"/channels/{monitor.channel_id}")
        assert channel.json["dialplan"]["exten"].startswith(number[:9])
    assert (await harness.status()).calls.now == len(NUMBERS)
    assert_log_format(harness)


def assert_log_format(harness: CompanyHarness) -> None:
    """Check that all lines of the log have the log's format."""
    for line in harness.daemon.lines:
        assert LINE.fullmatch(line), line
        assert line.isprintable(), line
