"""Texts that are spoken to SIP phones, and sounds that Asterisk lacks."""

from __future__ import annotations

import tomllib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.ari import Transport
from channel_aa.config import Settings
from real_asterisk.harness import Asterisk
from real_asterisk.phones.tones import ASTERISK
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import AttendantHarness
from tests.support.speech_engine import ENGINE
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.phones.phone import SipPhone

pytestmark = pytest.mark.asterisk

MENU = """
[menus.main]
greeting = [{ say = "Welcome to Acme, which has a long greeting for its callers." }]
prompt = [{ say = "For sales, press 1." }]
timeout = 3600
[menus.main.options]
1 = { play = [{ say = "You entered {digits}. Goodbye." }], then = "hangup" }
"""


@asynccontextmanager
async def attendant(
    asterisk: Asterisk, reactor: PosixReactorBase, folder: Path, text: str
) -> AsyncIterator[AttendantHarness]:
    """Run an attendant with the test's engine; ``text`` may replace it."""
    backend = await RealAsteriskHarness.open(reactor, asterisk)
    document = tomllib.loads(text)
    speech = {"engine": ENGINE, "folder": str(folder), "listen": "tcp:0"}
    speech |= document.get("speech", {})
    document |= {
        "asterisk": {"url": asterisk.url},
        "attendant": {"drain_timeout": 0},
        "speech": speech,
    }
    harness = await AttendantHarness.open(
        backend, transport=Transport.AUTO, settings=Settings(**document)
    )
    try:
        yield harness
    finally:
        await harness.close()
        await backend.close()


async def until_spoken(harness: AttendantHarness, count: int) -> None:
    speech = harness.service._speech
    await until(
        harness.backend.reactor,
        lambda: len(speech._ready) == count and not speech._pending,
        f"{count} spoken texts",
    )


def media(harness: AttendantHarness) -> list[str]:
    """Return what has been played so far; spoken texts as "text"."""
    names = [
        event.json["playback"]["media_uri"].removeprefix("sound:")
        for event in harness.events.all
        if event.type == "PlaybackStarted"
    ]
    return ["text" if name.startswith("http:") else name for name in names]


@pytest.fixture
def own_asterisk(
    reactor: PosixReactorBase, installation: Installation
) -> Iterator[Asterisk]:
    """Run an Asterisk whose sounds the test may change."""
    started: Asterisk = pytest_twisted.blockon(
        pytest_twisted.ensureDeferred_(Asterisk.start(reactor))
    )
    yield started
    pytest_twisted.blockon(started.stop())


@pytest_twisted.ensureDeferred
async def test_menu_of_texts_is_heard_and_a_key_interrupts_it(
    reactor: PosixReactorBase,
    asterisk: Asterisk,
    phones: list[SipPhone],
    tmp_path: Path,
) -> None:
    alice, *_ = phones
    async with attendant(asterisk, reactor, tmp_path, MENU) as harness:
        await until_spoken(harness, 4)
        placed = alice.dial("1000")
        await alice.until_hears(ASTERISK)
        await placed.press("1")
        await placed.until_ended()
        await harness.until_idle()
        assert media(harness) == ["text", "text", "digits/1", "text"]
        assert harness.warnings == []
