"""The daemon's process: signals, reloads, status, systemd."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.error import ProcessTerminated
from twisted.internet.task import deferLater

from channel_aa.daemon.process import REPLACED_EXIT_CODE
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from tests.support.daemon_harness import PROGRAMS, DaemonHarness, exit_reason
from tests.support.fake_systemd import FakeSystemd
from tests.support.process import PythonProcess
from tests.support.waiting import until

ON_HOLD = "continued in dialplan at default,1000,2"
SHORT = "prompt = ['press-1', 'or', 'press-2']\ntimeout = 0.5\n"

both = pytest.mark.parametrize("program", PROGRAMS)


@both
@pytest_twisted.ensureDeferred
async def test_sigterm_drains_calls_and_turns_new_ones_away(
    harness: DaemonHarness, program: str
) -> None:
    harness.write_file(drain=600)
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        staying, leaving = harness.simulator.call(), harness.simulator.call()
        await staying.run("hear press-1")
        await leaving.run("hear press-1")
        daemon.send_signal("TERM")
        await daemon.prints("Stopping: new calls continue in the dialplan")
        late = harness.simulator.call()
        assert await late.ended == ON_HOLD
        assert exit_reason(late) == "stopping"
        await staying.run("press 1, hear digits/1, hear press-1")
        assert daemon.is_running
        for caller in (staying, leaving):
            caller.hang_up()
        ended = await daemon.end()
    assert isinstance(ended, ProcessTerminated)
    assert ended.signal == signal.SIGTERM
    assert not harness.pid_file.exists()
    await until(
        harness.reactor,
        lambda: not harness.simulator.open_websockets,
        "the websocket's end",
    )
    assert not [line for line in daemon.lines if "rror]" in line or "Traceback" in line]


@both
@pytest_twisted.ensureDeferred
async def test_calls_continue_in_the_dialplan_after_the_drain_timeout(
    harness: DaemonHarness, program: str
) -> None:
    harness.write_file(drain=0.5)
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        caller = harness.simulator.call()
        await caller.run("hear press-1")
        daemon.send_signal("INT")
        assert await caller.ended == ON_HOLD
        assert exit_reason(caller) == "stopping"
        ended = await daemon.end()
    assert isinstance(ended, ProcessTerminated)
    assert ended.signal == signal.SIGINT


@both
@pytest_twisted.ensureDeferred
async def test_conversation_survives_a_restart_of_the_daemon(
    harness: DaemonHarness, program: str
) -> None:
    harness.simulator.phones.change("PJSIP/410", PhoneBehaviour())
    harness.write_file(
        '[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.dial = "PJSIP/410"'
    )
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        caller = harness.simulator.call()
        await caller.run("hear a, press 1, hear voice:PJSIP/410")
        daemon.send_signal("TERM")
        await daemon.end()
    assert not caller.is_over
    async with harness.daemon(program):
        await harness.simulator.listening()
        (telephone,) = harness.simulator.dialled_phones
        assert not telephone.outcome
        caller.hang_up()
        await until(
            harness.reactor,
            lambda: not harness.simulator.dialled_phones,
            "the phone's end",
        )


@pytest_twisted.ensureDeferred
async def test_sigterm_without_a_connection_ends_after_the_drain_timeout(
    harness: DaemonHarness,
) -> None:
    harness.write_file(drain=0.5)
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        await harness.simulator.call().run("hear press-1")
        await harness.simulator.stop()
        await daemon.prints("Calls waiting for the connection to Asterisk: 1")
        daemon.send_signal("TERM")
        ended = await daemon.end()
        await harness.simulator.start()
    assert isinstance(ended, ProcessTerminated)
    assert ended.signal == signal.SIGTERM
    assert not any("Traceback" in line for line in daemon.lines)


@both
@pytest_twisted.ensureDeferred
async def test_second_sigterm_ends_the_daemon_at_once(
    harness: DaemonHarness, program: str
) -> None:
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        caller = harness.simulator.call()
        await caller.run("hear press-1")
        daemon.send_signal("TERM")
        await daemon.prints("Stopping: new calls")
        daemon.send_signal("TERM")
        ended = await daemon.end()
        assert isinstance(ended, ProcessTerminated)
        assert ended.signal == signal.SIGTERM
        assert not caller.is_over  # the next run adopts the call
        await daemon.prints("Received SIGTERM again: ending at once")
    assert not harness.pid_file.exists()


MENU = """
[menus.main]
prompt = ["{prompt}"]
timeout = 60
"""


@both
@pytest_twisted.ensureDeferred
async def test_reload_affects_only_new_calls(
    harness: DaemonHarness, program: str
) -> None:
    harness.write_file(MENU.format(prompt="old") + "noinput = ['a']")
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        first = harness.simulator.call()
        await first.run("hear old")
        harness.write_file(MENU.format(prompt="new"), asterisk='username = "other"')
        daemon.send_signal("HUP")
        await daemon.prints("Reloaded the configuration")
        await daemon.prints("asterisk.username")
        second = harness.simulator.call()
        await second.run("hear new")
        await first.run("press 9, hear option-is-invalid, hear old")
        status = await harness.status()
        assert status["configuration"]["refused"] is None
        assert status["calls"]["now"] == 2


@pytest_twisted.ensureDeferred
async def test_reload_of_an_invalid_file_keeps_the_configuration(
    harness: DaemonHarness,
) -> None:
    harness.write_file(MENU.format(prompt="old"))
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        harness.write_file(
            '[menus.main]\nprompt = ["a b"]\ntimout = 5\n'
            'options = { 1 = { run = "look-up" } }'
        )
        daemon.send_signal("HUP")
        await daemon.prints("Reload rejected")
        lines = daemon.texts("channel_aa.daemon.process")
        assert any("menus.main.timout: unknown key" in line for line in lines)
        assert all(str(harness.file) in line for line in lines[:-1])
        assert len(lines) >= 3
        harness.write_file(
            '[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.run = "x"'
        )
        daemon.send_signal("HUP")
        await daemon.prints("menus.main.options.1.run")
        caller = harness.simulator.call()
        await caller.run("hear old")
        assert (await harness.status())["configuration"]["refused"] is not None
        harness.write_file(MENU.format(prompt="new"))
        daemon.send_signal("HUP")
        await daemon.prints("Reloaded the configuration")
        assert (await harness.status())["configuration"]["refused"] is None


@pytest_twisted.ensureDeferred
async def test_reload_without_a_file_is_ignored(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon("twistd", "--url", harness.simulator.url) as daemon:
        await harness.simulator.listening()
        daemon.send_signal("HUP")
        await daemon.prints("Nothing to reload")


@pytest_twisted.ensureDeferred
async def test_unregistered_action_is_an_error_at_startup(
    harness: DaemonHarness,
) -> None:
    harness.write_file(
        '[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.run = "look-up"'
    )
    async with harness.daemon() as daemon:
        ended = await daemon.end()
    assert ended.exitCode == 1
    (line,) = daemon.lines
    assert line.startswith(f"channel-aa: {harness.file}: menus.main.options.1.run: ")


@pytest_twisted.ensureDeferred
async def test_status_has_connection_and_calls(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        caller = harness.simulator.call()
        await caller.run("hear press-1")
        await daemon.prints("entered the application")
        status = await harness.status()
        while not status["asterisk"]["version"]:
            status = await harness.status()
        assert status["serving"] is True
        assert status["asterisk"]["connected"] is True
        assert status["asterisk"]["version"] == "22.10.1"
        assert status["asterisk"]["application"] == "channel-aa"
        assert status["calls"]["now"] == status["calls"]["attended"] == 1
        assert status["configuration"]["file"] == str(harness.file)
        assert "password" not in json.dumps(status)
        await harness.simulator.stop()
        await daemon.prints("Trying again")
        status = await harness.status()
        assert status["serving"] is status["asterisk"]["connected"] is False
        assert status["asterisk"]["since"] is None
        await harness.simulator.start()


@both
@pytest_twisted.ensureDeferred
async def test_replaced_daemon_ends_with_its_own_exit_code_if_configured(
    harness: DaemonHarness, program: str
) -> None:
    harness.write_file(asterisk="exit_when_replaced = true")
    async with harness.daemon(program) as daemon:
        await harness.simulator.listening()
        harness.write_file()
        async with harness.daemon("twist") as other:
            ended = await daemon.end()
            assert ended.exitCode == REPLACED_EXIT_CODE
            assert other.is_running
    assert any("Another program has registered" in line for line in daemon.lines)


@pytest_twisted.ensureDeferred
async def test_replaced_daemon_stays_by_default(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        async with harness.daemon("twist"):
            await daemon.prints("Another program has registered")
            caller = harness.simulator.call()
            await caller.run("hear press-1")


def is_stopped(daemon: PythonProcess) -> bool:
    """Say whether the process is stopped by SIGSTOP."""
    assert daemon.transport is not None
    lines = Path(f"/proc/{daemon.transport.pid}/stat").read_text("utf-8")
    return lines.rpartition(")")[2].split()[0] == "T"


@pytest_twisted.ensureDeferred
async def test_systemd_is_notified_of_all_states(harness: DaemonHarness) -> None:
    address = f"{harness.folder}/notify"
    systemd = FakeSystemd(address)
    heard: list[dict[str, str]] = []

    async def hears(name: str) -> dict[str, str]:
        def is_there() -> bool:
            heard.extend(systemd.heard())
            return any(name in each for each in heard)

        await until(harness.reactor, is_there, name)
        return next(each for each in heard if name in each)

    await harness.simulator.stop()
    async with harness.daemon(NOTIFY_SOCKET=address, WATCHDOG_USEC="1000000") as daemon:
        # Without Asterisk, it extends its start-up time.
        waits = await hears("EXTEND_TIMEOUT_USEC")
        assert waits["STATUS"].startswith("Waiting for Asterisk at http://127.0.0.1:")
        assert "WATCHDOG" in waits
        assert not any("READY" in each for each in heard)
        await harness.simulator.start()
        await hears("READY")
        # A stopped process does not notify the watchdog; nor would a blocked reactor.
        daemon.send_signal("STOP")
        await until(harness.reactor, lambda: is_stopped(daemon), "its stop")
        heard.clear()
        systemd.heard()
        await deferLater(harness.reactor, 1.2)
        assert systemd.heard() == []
        daemon.send_signal("CONT")
        await hears("WATCHDOG")
        daemon.send_signal("HUP")
        await hears("RELOADING")
        await hears("READY")
        assert next(each for each in heard if "RELOADING" in each)["MONOTONIC_USEC"]
        daemon.send_signal("TERM")
        stopping = await hears("STOPPING")
        assert int(stopping["EXTEND_TIMEOUT_USEC"]) > 20_000_000
        await daemon.end()
    systemd.close()


JUMPY = """
import signal, time
true_time, ahead = time.time, 0
def jump(number, frame):
    global ahead
    ahead += 3600 if number == signal.SIGUSR1 else -7200
time.time = lambda: true_time() + ahead
signal.signal(signal.SIGUSR1, jump)
signal.signal(signal.SIGUSR2, jump)
from twisted.scripts.twistd import run
run()
"""


@pytest_twisted.ensureDeferred
async def test_jump_of_the_wall_clock_does_not_affect_timers(
    harness: DaemonHarness,
) -> None:
    harness.write_file(f"[menus.main]\n{SHORT}noinput = ['still-there']")
    arguments = ("-c", JUMPY, "-n", "--pidfile=", "channel-aa", "-c", str(harness.file))
    async with PythonProcess.running(harness.reactor, *arguments) as daemon:
        await harness.simulator.listening()
        caller = harness.simulator.call()
        for jump in ("USR1", "USR2"):
            await caller.run("hear press-2")
            daemon.send_signal(jump)
            # The menu's timeout is not delayed by an hour.
            await caller.run("hear still-there, hear press-1")
        await caller.run("press 1, hear option-is-invalid")
        caller.hang_up()
        await daemon.prints("has left the application")
        assert harness.simulator.open_websockets == 1
        # The reactor may be late, but not by the hours of the jump.
        for text in daemon.texts("channel_aa.service.lag"):
            [late] = re.findall(r"up to ([0-9.]+) s late", text)
            assert float(late) < 1000


@pytest_twisted.ensureDeferred
async def test_daemon_continues_after_a_pause_of_seconds(
    harness: DaemonHarness,
) -> None:
    async with harness.daemon() as daemon:
        await harness.simulator.listening()
        callers = [harness.simulator.call() for _ in range(20)]
        for caller in callers:
            await caller.run("hear press-1")
        daemon.send_signal("STOP")
        for caller in callers[10:]:
            caller.press("1")
        await deferLater(harness.reactor, 5)
        daemon.send_signal("CONT")
        for caller in callers[:10]:
            await caller.run("press 2, hear digits/2, hear press-1")
        for caller in callers[10:]:
            await caller.run("hear digits/1, hear press-1")
        await daemon.prints("times since the last warning")
        assert len(daemon.texts("channel_aa.service.lag")) == 1
        assert (await harness.status())["reactor_delay"]["worst"] > 3
    assert not any("Traceback" in line for line in daemon.lines)
