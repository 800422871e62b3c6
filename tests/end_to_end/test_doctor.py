"""``channel-aa doctor`` on a real Asterisk that is healthy, or lacks one thing."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from channel_aa.settings import AsteriskSettings, Settings
from real_asterisk.harness import Asterisk
from tests.support.attendant_harness import running_service
from tests.support.check_command import run, write_file
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

pytestmark = pytest.mark.asterisk

MENUS = """
[menus.main]
prompt = ["press-1"]
noinput = ["or"]
nomatch = ["or"]
[menus.main.options]
1 = { record = "message", else = "hangup", beep = false }
2 = { dial = "PJSIP/410", else = "hangup" }
[[routes]]
schedule = "office"
open = "main"
closed = "main"
[schedules.office]
timezone = "Europe/London"
open = ["mon-sun"]
"""


class DoctorHarness:
    """An Asterisk of its own, from which tests remove something."""

    def __init__(
        self, reactor: PosixReactorBase, asterisk: Asterisk, folder: Path
    ) -> None:
        self.reactor = reactor
        self.asterisk = asterisk
        self.folder = folder
        self.recordings = Path(asterisk._folder.name, "spool/recording")
        self.tables = f'{MENUS}[status]\nlisten = "unix:{folder}/status"\n'
        self.user = {"username": "asterisk", "password": "asterisk"}

    def settings(self) -> Settings:
        address = AsteriskSettings(url=self.asterisk.url)
        return Settings(asterisk=address, **tomllib.loads(self.tables))

    async def diagnose(self) -> tuple[int, dict[str, list[str]]]:
        """Run the command; return its exit code, and the lines of each topic."""
        file = write_file(self.folder, self.asterisk, self.tables, **self.user)
        code, lines = await run(self.reactor, self.asterisk, file, "doctor", str(file))
        found: dict[str, list[str]] = {}
        for line in lines:
            level, topic, message = (*line.split(maxsplit=2), "", "")[:3]
            found.setdefault(topic, []).append(f"{level} {message}")
        return code, found

    async def diagnose_without_daemon(self) -> dict[str, list[str]]:
        code, found = await self.diagnose()
        assert code == 1
        return found


@pytest.fixture(scope="module")
def lacking_asterisk(reactor: PosixReactorBase) -> Iterator[Asterisk]:
    started: Asterisk = pytest_twisted.blockon(ensureDeferred(Asterisk.start(reactor)))
    pytest_twisted.blockon(
        ensureDeferred(started.cli("module load res_ari_device_states.so"))
    )
    yield started
    pytest_twisted.blockon(ensureDeferred(started.stop()))


@pytest.fixture
def harness(
    reactor: PosixReactorBase, lacking_asterisk: Asterisk, tmp_path: Path
) -> DoctorHarness:
    return DoctorHarness(reactor, lacking_asterisk, tmp_path)


@pytest_twisted.ensureDeferred
async def test_healthy_attendant_has_nothing_that_failed(
    harness: DoctorHarness,
) -> None:
    async with running_service(harness.reactor, harness.settings()) as (service, _log):
        await until(harness.reactor, lambda: service.is_connected, "a connection")
        code, found = await harness.diagnose()
    assert not [each for lines in found.values() for each in lines if "FAILED" in each]
    assert code == 0
    assert found["connection"][0].startswith("note asterisk.url: Asterisk 22.")
    assert "in use now, with 0 calls, by " in found["application"][0]
    assert found["status"][0].startswith("ok the daemon ")
    for topic in ("configuration", "rights", "modules", "sounds", "records"):
        assert found[topic][0].startswith("ok "), topic
    assert found["recordings"] == ["ok Asterisk's folder of recordings is there"]
    [line] = found["phones"]
    assert line.startswith("warning menus.main.options.2: PJSIP/410 is offline now and")
    [time] = found["time"]
    assert time.startswith("ok schedule office: open, at ")
    assert time.endswith(" in Europe/London")


@pytest_twisted.ensureDeferred
async def test_missing_daemon_is_found_with_the_command_that_starts_it(
    harness: DoctorHarness,
) -> None:
    found = await harness.diagnose_without_daemon()
    [line] = found["application"]
    assert line.startswith("FAILED asterisk.app: no attendant is connected as")
    assert "systemctl start channel-aa" in line
    [line] = found["status"]
    assert line.startswith(f"FAILED no daemon answers at unix:{harness.folder}/status")


@pytest_twisted.ensureDeferred
async def test_wrong_password_ends_the_checks_of_asterisk(
    harness: DoctorHarness,
) -> None:
    harness.user["password"] = "wrong-horse"
    found = await harness.diagnose_without_daemon()
    assert found["connection"][0].startswith(
        "FAILED asterisk.username: Asterisk refused the user 'asterisk' or the"
    )
    [line] = found["checked:"]
    assert line.startswith("not rights, modules, application, ")


@pytest_twisted.ensureDeferred
async def test_password_is_found_where_the_shipped_unit_has_it(
    harness: DoctorHarness,
) -> None:
    harness.user["password"] = "of-the-sample"
    (harness.folder / "password").write_text("asterisk\n")
    found = await harness.diagnose_without_daemon()
    assert found["rights"] == ["ok the user asterisk may read and write"]


@pytest_twisted.ensureDeferred
async def test_read_only_user_fails(harness: DoctorHarness) -> None:
    username, password = harness.asterisk.observer
    harness.user = {"username": username, "password": password}
    found = await harness.diagnose_without_daemon()
    assert found["rights"][0].startswith(
        "FAILED asterisk.username: Asterisk does not let the user 'observer' write"
    )


@pytest_twisted.ensureDeferred
async def test_missing_module_fails_with_the_command_that_loads_it(
    harness: DoctorHarness,
) -> None:
    await harness.asterisk.cli("module unload res_ari_playbacks.so")
    try:
        found = await harness.diagnose_without_daemon()
    finally:
        await harness.asterisk.cli("module load res_ari_playbacks.so")
    [line] = found["modules"]
    assert line.startswith(
        "FAILED asterisk: Asterisk has not loaded res_ari_playbacks.so, so keys cannot"
    )
    assert "asterisk -rx 'module load res_ari_playbacks.so'" in line


@pytest_twisted.ensureDeferred
async def test_missing_folder_of_recordings_fails(harness: DoctorHarness) -> None:
    shutil.rmtree(harness.recordings)
    try:
        found = await harness.diagnose_without_daemon()
    finally:
        harness.recordings.mkdir()
    [line] = found["recordings"]
    assert line.startswith("FAILED menus.main.options.1: Asterisk cannot record (")
    assert "install -d -o asterisk -g asterisk /var/spool/asterisk/" in line


@pytest_twisted.ensureDeferred
async def test_file_with_errors_is_found_beside_the_daemon_that_runs(
    harness: DoctorHarness,
) -> None:
    settings = harness.settings()
    harness.tables += "typo = 1\n"
    async with running_service(harness.reactor, settings) as (service, _log):
        await until(harness.reactor, lambda: service.is_connected, "a connection")
        code, found = await harness.diagnose()
    assert code == 1
    assert found["configuration"][0].startswith("FAILED status.typo: unknown key;")
    assert found["status"][0].startswith("ok the daemon ")
