"""The systemd unit, checked by systemd-analyze and against the daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from configparser import RawConfigParser, SectionProxy
from pathlib import Path

import pytest

from channel_aa.daemon.environment import PASSWORD_FILE_VARIABLE
from channel_aa.daemon.process import ENDING_SECONDS, REPLACED_EXIT_CODE
from channel_aa.daemon.systemd import TICK_SECONDS
from channel_aa.settings import AttendantSettings

UNIT = Path(__file__).parents[2] / "systemd" / "channel-aa.service"
MAX_EXPOSURE = 2.0
"""On systemd's scale from 0 (safe) to 10 (exposed)."""


@pytest.fixture
def analyze() -> str:
    """Find systemd-analyze; else skip the test, or fail it in CI."""
    program = shutil.which("systemd-analyze")
    if program is None:
        problem = "systemd-analyze is not here: apt-get install systemd"
        if os.environ.get("CHANNEL_AA_REQUIRE_SYSTEMD") == "1":
            pytest.fail(problem, pytrace=False)
        pytest.skip(problem)
    return program


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Write the unit with programs that exist here."""
    unit = tmp_path / "channel-aa.service"
    text = UNIT.read_text("utf-8")
    assert "/opt/channel-aa/bin/twistd" in text
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("twistd", "channel-aa"):
        program = programs / name
        program.write_text(f"#!{sys.executable}\n", "utf-8")
        program.chmod(0o755)
    unit.write_text(text.replace("/opt/channel-aa/bin", str(programs)), "utf-8")
    return unit


def output(*command: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - systemd's own tool
        command,
        check=False,
        timeout=60,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "SYSTEMD_PAGER": "cat", "LC_ALL": "C.UTF-8"},
    )
    return done.returncode, done.stdout.decode()


def test_systemd_analyze_verifies_the_unit(analyze: str, installed: Path) -> None:
    code, text = output(analyze, "verify", "--man=no", str(installed))
    ours = [line for line in text.splitlines() if installed.name in line]
    assert ours == []
    assert code == 0, text


def test_unit_has_a_low_exposure_level(analyze: str, installed: Path) -> None:
    code, text = output(
        analyze,
        "security",
        "--offline=true",
        f"--threshold={MAX_EXPOSURE * 10:.0f}",
        str(installed),
    )
    assert code == 0, text
    assert "Overall exposure level" in text


@pytest.fixture
def service() -> SectionProxy:
    """Return the unit's service section; of repeated settings, the last one."""
    unit = RawConfigParser(strict=False)
    unit.read(UNIT, "utf-8")
    return unit["Service"]


def test_stop_timeout_exceeds_the_drain_timeout(
    service: SectionProxy,
) -> None:
    seconds = AttendantSettings().drain_timeout + ENDING_SECONDS
    assert int(service["TimeoutStopSec"]) >= seconds


def test_watchdog_interval_exceeds_the_notification_interval(
    service: SectionProxy,
) -> None:
    for name in ("TimeoutStartSec", "WatchdogSec"):
        assert int(service[name]) > 10 * TICK_SECONDS


def test_replaced_daemon_is_not_restarted(service: SectionProxy) -> None:
    assert service["RestartPreventExitStatus"] == str(REPLACED_EXIT_CODE)


def test_password_is_passed_as_a_credential(
    service: SectionProxy,
) -> None:
    name = service["LoadCredential"].split(":")[0]
    assert service["Environment"] == f"{PASSWORD_FILE_VARIABLE}=%d/{name}"


def test_boot_does_not_wait_for_asterisk() -> None:
    """multi-user.target does not wait for units without default dependencies."""
    assert "\nDefaultDependencies=no\n" in UNIT.read_text("utf-8")
