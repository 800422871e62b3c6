"""`real_asterisk.harness`: start, stop and restart of Asterisk."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import CRASHES_VARIABLE, Asterisk, AsteriskError
from real_asterisk.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.internet.posixbase import PosixReactorBase

pytestmark = pytest.mark.asterisk


def exists(path: str) -> bool:
    return Path(path).exists()


def read(path: str) -> str:
    return Path(path).read_text()


@pytest_twisted.ensureDeferred
async def test_asterisk_boots_without_warnings(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        assert "ERROR" not in asterisk.log()
        assert "WARNING" not in asterisk.log()


@pytest_twisted.ensureDeferred
async def test_console_commands_are_executed(asterisk: Asterisk) -> None:
    assert "active channels" in await asterisk.cli("core show channels")
    assert "Stasis(channel-aa)" in await asterisk.cli("dialplan show channel-aa")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("end", [Asterisk.halt, Asterisk.kill])
async def test_asterisk_boots_again_on_the_same_port(
    reactor: PosixReactorBase,
    installation: Installation,
    end: Callable[[Asterisk], Awaitable[None]],
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        bound = f"Bound HTTP server 'http server' to address 127.0.0.1:{asterisk.port}"
        await end(asterisk)
        await asterisk.boot()
        assert asterisk.log().count(bound) == 2


@pytest_twisted.ensureDeferred
async def test_only_an_end_that_nobody_asked_for_is_a_crash(
    reactor: PosixReactorBase,
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashes = tmp_path / "crashes"
    monkeypatch.setenv(CRASHES_VARIABLE, str(crashes))
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        await asterisk.halt()
        await asterisk.boot()
        assert not crashes.exists()
        os.kill(asterisk._transport.pid, signal.SIGSEGV)
        await asterisk._runs[-1].ended
    assert "signal 11" in crashes.read_text()


@pytest_twisted.ensureDeferred
async def test_stopped_asterisk_leaves_nothing(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        pid = (asterisk._files / "run/asterisk.pid").read_text().strip()
        assert exists(f"/proc/{pid}")
    assert not exists(f"/proc/{pid}")
    assert not asterisk._files.exists()
    assert str(installation.root) not in read("/proc/mounts")


@pytest_twisted.ensureDeferred
async def test_failed_boot_raises_an_error_with_the_log(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    with pytest.raises(AsteriskError, match="did not boot"):
        await Asterisk.start(reactor, installation=Installation(tmp_path))
