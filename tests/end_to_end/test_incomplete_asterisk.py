"""An Asterisk that lacks the folder of recordings, voicemail or a phone.

Debian's package does not have the folder.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.logger import LogLevel

from channel_aa.settings import AsteriskSettings, Settings
from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.attendant_harness import ChannelMonitor, running_service
from tests.support.check_command import check
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.service import AttendantService

pytestmark = pytest.mark.asterisk

FOLDER = "spool/recording"
MENUS = """
[menus.main]
prompt = ["press-1"]
noinput = ["or"]
nomatch = ["or"]
timeout = 5
[menus.main.options]
1 = { record = "message", then = { play = ["vm-msgsaved"], then = "hangup" } }
2 = { voicemail = "410" }
3 = { dial = "PJSIP/410" }
4 = { dial = "PJSIP/unknown" }
"""


class IncompleteHarness:
    """An Asterisk of its own, from which tests remove something."""

    def __init__(self, reactor: PosixReactorBase, asterisk: Asterisk) -> None:
        self.reactor = reactor
        self.asterisk = asterisk
        self.folder = Path(asterisk._folder.name) / FOLDER

    def settings(self) -> Settings:
        tables = tomllib.loads(MENUS)
        return Settings(asterisk=AsteriskSettings(url=self.asterisk.url), **tables)

    async def press(
        self, backend: RealAsteriskHarness, service: AttendantService, key: str
    ) -> ChannelMonitor:
        """Place a call and press a key; returns what the caller hears."""
        await until(self.reactor, lambda: service.is_connected, "a connection")
        everything = await backend.listen_to_everything()
        caller = await backend.place_call("1000")
        entered = await everything.wait_for(
            lambda it: it.json.get("channel", {}).get("name") == caller.name
        )
        monitor = ChannelMonitor(everything, entered.json["channel"]["id"])
        await monitor.hears("press-1")
        await caller.press(key)
        return monitor


@pytest.fixture(scope="module")
def harness(reactor: PosixReactorBase) -> Iterator[IncompleteHarness]:
    starting = ensureDeferred(Asterisk.start(reactor, operator="Local/operator@phones"))
    asterisk: Asterisk = pytest_twisted.blockon(starting)
    yield IncompleteHarness(reactor, asterisk)
    pytest_twisted.blockon(ensureDeferred(asterisk.stop()))


@pytest_twisted.ensureDeferred
async def test_caller_hears_that_the_recording_failed_and_the_log_names_the_folder(
    harness: IncompleteHarness, tmp_path: Path
) -> None:
    shutil.rmtree(harness.folder)
    try:
        backend = await RealAsteriskHarness.open(harness.reactor, harness.asterisk)
        async with running_service(harness.reactor, harness.settings()) as (
            service,
            log,
        ):
            heard = await harness.press(backend, service, "1")
            await heard.hears("im-sorry", "please-try-call-later", "press-1")
            [line] = log.texts(level=LogLevel.error)
            assert "Could not record Local/1000@default" in line
            assert "install -d -o asterisk -g asterisk /var/spool/asterisk/" in line
        code, lines = await check(harness.reactor, tmp_path, harness.asterisk, MENUS)
        [problem] = [each for each in lines if "cannot record" in each]
        assert problem.startswith("menus.main.options.1: Asterisk cannot record (")
        assert "install -d -o asterisk -g asterisk /var/spool/asterisk/" in problem
        assert code == 1
    finally:
        harness.folder.mkdir()
    await backend.close()
    _, lines = await check(harness.reactor, tmp_path, harness.asterisk, MENUS)
    assert not any("cannot record" in each for each in lines)


@pytest_twisted.ensureDeferred
async def test_voicemail_that_is_missing_leads_to_the_operator(
    harness: IncompleteHarness, tmp_path: Path
) -> None:
    asterisk = harness.asterisk
    _, lines = await check(harness.reactor, tmp_path, asterisk, MENUS)
    assert not any("app_voicemail" in each for each in lines)
    await asterisk.cli("module unload app_voicemail.so")
    try:
        _, lines = await check(harness.reactor, tmp_path, asterisk, MENUS)
        [problem] = [each for each in lines if "app_voicemail" in each]
        assert problem.startswith("menus.main.options.2: Asterisk has not loaded")
        backend = await RealAsteriskHarness.open(harness.reactor, asterisk)
        async with running_service(harness.reactor, harness.settings()) as (
            service,
            _log,
        ):
            monitor = await harness.press(backend, service, "2")
            await monitor._events.wait_for(
                lambda it: (
                    it.type == "ChannelDialplan"
                    and it.is_about(monitor.channel_id)
                    and it.json["channel"]["dialplan"]["exten"] == "operator"
                )
            )
        await until(
            harness.reactor,
            lambda: "No VoiceMail because app_voicemail.so" in asterisk.log(),
            "the log line",
        )
    finally:
        await asterisk.cli("module load app_voicemail.so")
    await backend.close()


@pytest.mark.parametrize(("key", "name"), [("3", "410"), ("4", "unknown")])
@pytest_twisted.ensureDeferred
async def test_unknown_and_unregistered_phones_are_named_with_the_remedy(
    harness: IncompleteHarness, key: str, name: str
) -> None:
    backend = await RealAsteriskHarness.open(harness.reactor, harness.asterisk)
    async with running_service(harness.reactor, harness.settings()) as (service, log):
        heard = await harness.press(backend, service, key)
        await heard.hears("vm-nobodyavail")
        [line] = log.texts(level=LogLevel.warn)
        assert f"Could not dial PJSIP/{name}: " in line
        assert f"Asterisk has no endpoint {name}, or no phone is registered" in line
        assert f"asterisk -rx 'pjsip show endpoint {name}'" in line
    await backend.close()
