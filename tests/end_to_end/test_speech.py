"""Texts that are spoken to SIP phones, and sounds that Asterisk lacks."""

from __future__ import annotations

import struct
import sys
import tomllib
import wave
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.utils import getProcessOutputAndValue

from channel_aa.ari import Transport
from channel_aa.commands.fetch_check import check_fetching
from channel_aa.settings import Settings
from real_asterisk.harness import Asterisk, free_port
from real_asterisk.phones.phone import registered_phones
from real_asterisk.phones.tones import ASTERISK, QUIET_AMPLITUDE
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import AttendantHarness
from tests.support.speech_engine import ENGINE, SECONDS_A_CHARACTER
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.phones.phone import SipPhone

pytestmark = pytest.mark.asterisk

GREETING = "Welcome to Acme, which has a long greeting for its callers."
PROMPT = "For sales, press 1."
MENU = f"""
[menus.main]
greeting = [{{ say = "{GREETING}" }}]
prompt = [{{ say = "{PROMPT}" }}]
timeout = 3600
[menus.main.options]
1 = {{ play = [{{ say = "You entered {{digits}}. Goodbye." }}], then = "hangup" }}
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


def ends(harness: AttendantHarness) -> list[str]:
    """Return the media whose playback has ended."""
    return [
        event.json["playback"]["media_uri"]
        for event in harness.events.all
        if event.type == "PlaybackFinished"
    ]


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
    starting = Asterisk.start(reactor, installation=installation)
    started: Asterisk = pytest_twisted.blockon(ensureDeferred(starting))
    yield started
    pytest_twisted.blockon(ensureDeferred(started.stop()))


def sounding(path: Path) -> int:
    """Return how many packets of a file are not silent."""
    with wave.open(str(path)) as file:
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(-1))
        size = file.getframerate() // 50
    return sum(
        sum(map(abs, samples[at : at + size])) > QUIET_AMPLITUDE * size
        for at in range(0, len(samples), size)
    )


@pytest_twisted.ensureDeferred
async def test_menu_of_texts_is_heard_to_its_end(
    reactor: PosixReactorBase,
    asterisk: Asterisk,
    phones: list[SipPhone],
    tmp_path: Path,
) -> None:
    alice, *_ = phones
    async with attendant(asterisk, reactor, tmp_path, MENU) as harness:
        await until_spoken(harness, 4)
        placed = alice.dial("1000")
        await until(reactor, lambda: len(ends(harness)) == 2, "the end of the prompt")
        expected = (len(GREETING) + len(PROMPT)) * SECONDS_A_CHARACTER * 50
        # The last packets may arrive after the event, and the first before the ACK.
        assert expected * 0.8 <= placed.audio.sounding <= expected * 1.05
        assert media(harness) == ["text", "text"]
        assert harness.warnings == []


@pytest_twisted.ensureDeferred
async def test_key_interrupts_a_text(
    reactor: PosixReactorBase,
    asterisk: Asterisk,
    phones: list[SipPhone],
    tmp_path: Path,
) -> None:
    alice, *_ = phones
    menu = MENU.replace(GREETING, "A" * 1000)  # 20 seconds
    async with attendant(asterisk, reactor, tmp_path, menu) as harness:
        await until_spoken(harness, 4)
        placed = alice.dial("1000")
        await alice.until_hears(ASTERISK)
        await placed.press("1")
        await placed.until_ended()
        await harness.until_idle()
        assert media(harness) == ["text", "text", "digits/1", "text"]
        assert placed.audio.sounding < 1000
        assert harness.warnings == []


@pytest_twisted.ensureDeferred
async def test_text_is_fetched_once(
    reactor: PosixReactorBase,
    asterisk: Asterisk,
    phones: list[SipPhone],
    tmp_path: Path,
) -> None:
    """Asterisk keeps it, as Cache-Control allows: the file may go."""
    alice, bob, _ = phones
    async with attendant(asterisk, reactor, tmp_path, MENU) as harness:
        await until_spoken(harness, 4)
        for phone in (alice, bob):
            await phone_hears_menu(phone)
            remove_files(tmp_path)
        assert harness.warnings == []


def remove_files(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


async def phone_hears_menu(phone: SipPhone) -> None:
    placed = phone.dial("1000")
    await phone.until_hears(ASTERISK)
    await placed.hang_up()


@pytest_twisted.ensureDeferred
async def test_text_is_spoken_until_asterisk_has_the_sound(
    reactor: PosixReactorBase, own_asterisk: Asterisk, tmp_path: Path
) -> None:
    text = """
    [texts]
    "acme/welcome" = "Welcome to Acme."
    [menus.main]
    prompt = ["acme/welcome"]
    timeout = 3600
    """
    async with (
        registered_phones(reactor, own_asterisk.sip_port, "alice") as [alice],
        attendant(own_asterisk, reactor, tmp_path, text) as harness,
    ):
        await until_spoken(harness, 1)
        await phone_hears_menu(alice)
        assert media(harness) == ["text"]
        own_asterisk.add_sounds({"acme/welcome": 2.0})
        harness.service.reload(harness.service.settings)
        sounds = harness.service._speech._sounds
        await until(reactor, lambda: sounds.has("acme/welcome", "en"), "the sound")
        await phone_hears_menu(alice)
        assert media(harness) == ["text", "acme/welcome"]
        # A file that disappears is replaced at once.
        own_asterisk.remove_sounds("acme/welcome")
        await phone_hears_menu(alice)
        assert media(harness) == ["text", "acme/welcome", "acme/welcome", "text"]
        # Before it was there, and after it was removed.
        first, second = harness.warnings
        assert first == second
        assert "Asterisk lacks these sounds: acme/welcome. Their texts" in first


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("engine", "heard"),
    [
        (ENGINE, ["text"] * 3),
        pytest.param("piper", ["text"] * 3, marks=pytest.mark.speech),
        ("none", ["vm-press", "digits/1", "vm-press", "digits/2"]),
    ],
)
async def test_default_menu_is_heard_with_the_sounds_of_debian_alone(
    reactor: PosixReactorBase,
    own_asterisk: Asterisk,
    tmp_path: Path,
    engine: object,
    heard: list[str],
) -> None:
    own_asterisk.use_debian_sounds()
    text = f"[speech]\nengine = {engine!r}\n"
    async with (
        registered_phones(reactor, own_asterisk.sip_port, "alice") as [alice],
        attendant(own_asterisk, reactor, tmp_path, text) as harness,
    ):
        await until(reactor, lambda: harness.warnings, "the missing sounds")
        await until_spoken(harness, 0 if engine == "none" else 5)
        placed = alice.dial("1000")
        await until(reactor, lambda: len(ends(harness)) == len(heard), "the prompt")
        assert placed.audio.sounding > 20
        await placed.press("1")
        await until(
            reactor, lambda: media(harness)[len(heard) :][:2], "what was pressed"
        )
        assert media(harness)[: len(heard) + 1] == [*heard, "you-entered"]
        [line] = harness.warnings
        assert "press-1, or, press-2, are-you-still-there, option-is-invalid" in line


@pytest_twisted.ensureDeferred
async def test_core_sounds_are_heard_if_asterisk_cannot_fetch(
    reactor: PosixReactorBase, own_asterisk: Asterisk, tmp_path: Path
) -> None:
    own_asterisk.use_debian_sounds()
    text = '[speech]\nurl = "http://127.0.0.1:1"\n'
    async with (
        registered_phones(reactor, own_asterisk.sip_port, "alice") as [alice],
        attendant(own_asterisk, reactor, tmp_path, text) as harness,
    ):
        await until_spoken(harness, 5)
        alice.dial("1000")
        await until(reactor, lambda: "digits/2" in media(harness), "the prompt")
        assert media(harness) == ["text", "vm-press", "digits/2"]
        assert "check that it has loaded res_http_media_cache.so" in "".join(
            harness.warnings
        )


@pytest_twisted.ensureDeferred
async def test_check_asks_for_the_module_that_fetches_texts(
    reactor: PosixReactorBase, own_asterisk: Asterisk, tmp_path: Path
) -> None:
    file = tmp_path / "twistd.conf"
    speech = f"[speech]\nengine = {ENGINE!r}\n"
    asterisk = f'[asterisk]\nurl = "{own_asterisk.url}"\n'
    file.write_text(MENU + speech + asterisk)
    command = ["-m", "channel_aa.commands", "check", str(file), "--asterisk"]

    async def check() -> tuple[str, int]:
        out, _, code = await getProcessOutputAndValue(
            sys.executable, command, env={"HOME": str(tmp_path)}, reactor=reactor
        )
        return out.decode(), code

    out, code = await check()
    assert code == 0, out
    assert "speaks 4 texts; not rendered yet in" in out
    await own_asterisk.halt()
    modules = own_asterisk.files / "etc/modules.conf"
    loaded = modules.read_text()
    modules.write_text(loaded.replace("load=res_http_media_cache.so\n", ""))
    await own_asterisk.boot()
    out, code = await check()
    assert code == 1
    assert "speech: Asterisk has not loaded res_http_media_cache.so" in out
    assert "1 error" in out.splitlines()[-1]


@pytest.mark.speech
@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("rate", [8000, 16000])
async def test_menu_is_spoken_by_piper(
    reactor: PosixReactorBase,
    asterisk: Asterisk,
    phones: list[SipPhone],
    tmp_path: Path,
    rate: int,
) -> None:
    alice, *_ = phones
    menu = MENU + f'[speech]\nengine = "piper"\nrate = {rate}\n'
    async with attendant(asterisk, reactor, tmp_path, menu) as harness:
        await until_spoken(harness, 4)
        speech = harness.service._speech
        files = [speech._jobs[text, "en"].file_name for text in (GREETING, PROMPT)]
        expected = sum(sounding(tmp_path / name) for name in files)
        assert expected > 100  # two seconds
        placed = alice.dial("1000")
        await until(reactor, lambda: len(ends(harness)) == 2, "the end of the prompt")
        assert expected * 0.8 <= placed.audio.sounding <= expected * 1.2
        assert media(harness) == ["text", "text"]
        assert harness.warnings == []


async def fetching(
    asterisk: Asterisk, reactor: PosixReactorBase, folder: Path, **speech: str
) -> list[str]:
    """Check that Asterisk fetches texts; return the findings, each in a line."""
    document = tomllib.loads(MENU) | {
        "asterisk": {"url": asterisk.url},
        "speech": {"engine": ENGINE, "folder": str(folder), **speech},
    }
    found = await check_fetching(Settings(**document), reactor=reactor)
    return [
        f"{level.value} {problem.place}: {problem.message}"
        for level, _, problem in found
    ]


async def bridges(asterisk: Asterisk) -> str:
    return await asterisk.cli("bridge show all")


@pytest_twisted.ensureDeferred
async def test_check_has_asterisk_fetch_a_sound(
    asterisk: Asterisk, reactor: PosixReactorBase, tmp_path: Path
) -> None:
    before = await bridges(asterisk)
    [line] = await fetching(asterisk, reactor, tmp_path, listen="tcp:0")
    assert line.startswith("ok : Asterisk fetches spoken texts from http://127.0.0.1:")
    assert await bridges(asterisk) == before


@pytest_twisted.ensureDeferred
async def test_check_says_that_asterisk_does_not_reach_the_url(
    asterisk: Asterisk, reactor: PosixReactorBase, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    [line] = await fetching(asterisk, reactor, tmp_path, listen="tcp:0", url=url)
    assert line.startswith(f"FAILED speech.url: Asterisk could not fetch {url}/")


@pytest_twisted.ensureDeferred
async def test_check_uses_the_running_daemon(
    asterisk: Asterisk, reactor: PosixReactorBase, tmp_path: Path
) -> None:
    listen = f"tcp:{free_port()}:interface=127.0.0.1"
    text = f'{MENU}\n[speech]\nlisten = "{listen}"'
    async with attendant(asterisk, reactor, tmp_path, text) as harness:
        empty = tmp_path / "empty"
        [line] = await fetching(asterisk, reactor, empty, listen=listen)
        assert line.startswith("note speech.listen: whether Asterisk can fetch")
        await until_spoken(harness, 4)
        [line] = await fetching(asterisk, reactor, tmp_path, listen=listen)
        assert line.startswith("ok : Asterisk fetches spoken texts from http://")
        assert harness.service.is_connected
        assert not harness.service.status().asterisk.replaced
