"""Metrics over HTTP, and what Prometheus' own tool says of them and of the alerts.

Tests with promtool, of Debian's package prometheus, are skipped without it; with
``CHANNEL_AA_REQUIRE_PROMTOOL=1`` they fail instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
import treq
from twisted.logger import capturedLogs, formatEvent

from channel_aa.service import AttendantService
from channel_aa.settings import (
    AsteriskSettings,
    MetricsSettings,
    Settings,
    StatusSettings,
)
from real_asterisk.harness import free_port
from tests.support.asterisk_harness import running_simulator
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.simulator import Simulator

ROOT = Path(__file__).parents[2]


def promtool(*arguments: str, text: bytes = b"") -> str:
    found = shutil.which("promtool")
    if found is None:
        problem = "promtool is not installed: apt-get install prometheus"
        if os.environ.get("CHANNEL_AA_REQUIRE_PROMTOOL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)
    done = subprocess.run(  # noqa: S603 - a tool of Debian's
        [found, *arguments],
        cwd=ROOT / "contrib/prometheus",
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@asynccontextmanager
async def serving(
    reactor: PosixReactorBase, *, status: str, metrics: str
) -> AsyncIterator[tuple[AttendantService, Simulator]]:
    async with running_simulator(reactor, default_sound_seconds=0.2) as simulator:
        service = AttendantService(
            Settings(
                asterisk=AsteriskSettings(url=simulator.url),
                status=StatusSettings(listen=status),
                metrics=MetricsSettings(listen=metrics),
            ),
            reactor=reactor,
        )
        service.startService()
        await simulator.listening()
        yield service, simulator
        await service.stopService()


async def get(port: int, path: str) -> tuple[int, str]:
    answer = await treq.get(f"http://127.0.0.1:{port}/{path}", persistent=False)
    return answer.code, await answer.text()


@pytest_twisted.ensureDeferred
async def test_one_port_serves_status_and_metrics(reactor: PosixReactorBase) -> None:
    port = free_port()
    listen = f"tcp:{port}:interface=127.0.0.1"
    with capturedLogs() as logs:
        async with serving(reactor, status=listen, metrics=listen) as (_, simulator):
            caller = simulator.call()
            await caller.run("hear or, press 2, hear digits/2, hear press-1, hangup")
            await caller.ended
            code, text = await get(port, "metrics")
            assert code == 200
            for sample in (
                "channel_aa_up 1.0",
                'channel_aa_menu_choices_total{key="2",menu="main"} 1.0',
                'channel_aa_calls_total{ended="caller"} 1.0',
                "channel_aa_first_sound_seconds_count 1.0",
                "channel_aa_key_to_stop_seconds_count 1.0",
                "channel_aa_ari_connections_total 1.0",
                'kind="POST channels/play",result="ok"}',
            ):
                assert sample in text, text
            assert promtool("check", "metrics", text=text.encode()) == ""
            for path in ("", "status", "metric"):
                code, text = await get(port, path)
                assert (code, text[:9]) == (200, '{"serving')
    lines = [str(formatEvent(each)) for each in logs]
    purpose = "status requests ([status] listen) and metrics ([metrics] listen)"
    assert f"Listening for {purpose} on {listen}" in lines


@pytest_twisted.ensureDeferred
async def test_reload_moves_the_metrics_to_another_port(
    reactor: PosixReactorBase,
) -> None:
    first, second = free_port(), free_port()
    status = f"tcp:{first}:interface=127.0.0.1"
    async with serving(reactor, status=status, metrics=status) as (service, _):
        await until(reactor, lambda: service.is_connected, "a connection")
        listen = f"tcp:{second}:interface=127.0.0.1"
        moved = MetricsSettings(listen=listen)
        assert service.reload(service.settings.replace(metrics=moved)) == ()

        async def is_moved() -> bool:
            code, text = await get(first, "metrics")
            return (code, text[:9]) == (200, '{"serving')

        await until(reactor, is_moved)
        assert "channel_aa_up 1.0" in (await get(second, "metrics"))[1]
        without = service.settings.replace(metrics=None)
        assert service.reload(without) == ("metrics",)
        assert "channel_aa_up 1.0" in (await get(second, "metrics"))[1]


def test_alerts_are_raised_when_they_should_be() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "scrape.yml")
    promtool("test", "rules", "alerts-test.yml")
