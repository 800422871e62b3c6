"""The daemon as an administrator runs it: signals, reloads, systemd, its end."""

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
from tests.support.attendant_harness import until
from tests.support.daemons import PROGRAMS, Site, reason
from tests.support.program import Program
from tests.unit.daemon.test_systemd import FakeSystemd

ON_HOLD = "continued in dialplan at default,1000,2"
SHORT = "prompt = ['press-1', 'or', 'press-2']\ntimeout = 0.5\n"

both = pytest.mark.parametrize("program", PROGRAMS)


@both
@pytest_twisted.ensureDeferred
async def test_terminated_it_waits_for_calls_in_a_menu_and_sends_new_ones_on(
    site: Site, program: str
) -> None:
    site.write(drain=600)
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        patient, leaving = site.simulator.call(), site.simulator.call()
        await patient.run("hear press-1")
        await leaving.run("hear press-1")
        daemon.send("TERM")
        await daemon.prints("Stopping: new calls go on in the dialplan")
        late = site.simulator.call()
        assert await late.ended == ON_HOLD
        assert reason(late) == "stopping"
        await patient.run("press 1, hear digits/1, hear press-1")
        assert daemon.is_running
        for caller in (patient, leaving):
            caller.hang_up()
        how = await daemon.end()
    assert isinstance(how, ProcessTerminated)
    assert how.signal == signal.SIGTERM
    assert not site.pid_file.exists()
    await until(
        lambda: not site.simulator.open_websockets, site.reactor, "the websocket's end"
    )
    assert not [line for line in daemon.lines if "rror]" in line or "Traceback" in line]


@both
@pytest_twisted.ensureDeferred
async def test_calls_that_stay_in_a_menu_go_on_in_the_dialplan_when_time_is_up(
    site: Site, program: str
) -> None:
    site.write(drain=0.5)
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        caller = site.simulator.call()
        await caller.run("hear press-1")
        daemon.send("INT")
        assert await caller.ended == ON_HOLD
        assert reason(caller) == "stopping"
        how = await daemon.end()
    assert isinstance(how, ProcessTerminated)
    assert how.signal == signal.SIGINT


@both
@pytest_twisted.ensureDeferred
async def test_conversation_outlives_the_daemon_and_ends_with_the_next_one(
    site: Site, program: str
) -> None:
    site.simulator.phones.by_endpoint["PJSIP/410"] = PhoneBehaviour()
    site.write(
        '[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.dial = "PJSIP/410"'
    )
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        caller = site.simulator.call()
        await caller.run("hear a, press 1, hear voice:PJSIP/410")
        daemon.send("TERM")
        await daemon.end()
    assert not caller.is_over
    async with site.daemon(program):
        await site.simulator.listening()
        (telephone,) = site.simulator.dialled_phones
        assert not telephone.outcome
        caller.hang_up()
        await until(
            lambda: not site.simulator.dialled_phones, site.reactor, "the phone's end"
        )


@pytest_twisted.ensureDeferred
async def test_terminated_without_asterisk_it_ends_when_the_calls_time_is_up(
    site: Site,
) -> None:
    site.write(drain=0.5)
    async with site.daemon() as daemon:
        await site.simulator.listening()
        await site.simulator.call().run("hear press-1")
        await site.simulator.stop()
        await daemon.prints("Calls that wait for the connection to come back: 1")
        daemon.send("TERM")
        how = await daemon.end()
        await site.simulator.start()
    assert isinstance(how, ProcessTerminated)
    assert how.signal == signal.SIGTERM
    assert not any("Traceback" in line for line in daemon.lines)


@both
@pytest_twisted.ensureDeferred
async def test_second_signal_ends_it_at_once(site: Site, program: str) -> None:
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        caller = site.simulator.call()
        await caller.run("hear press-1")
        daemon.send("TERM")
        await daemon.prints("Stopping: new calls")
        daemon.send("TERM")
        how = await daemon.end()
        assert isinstance(how, ProcessTerminated)
        assert how.signal == signal.SIGTERM
        assert not caller.is_over  # the next start adopts the call
        await daemon.prints("Received SIGTERM again: ending at once")
    assert not site.pid_file.exists()


MENU = """
[menus.main]
prompt = ["{prompt}"]
timeout = 60
"""


@both
@pytest_twisted.ensureDeferred
async def test_reload_changes_new_calls_and_leaves_the_others(
    site: Site, program: str
) -> None:
    site.write(MENU.format(prompt="old") + "noinput = ['a']")
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        first = site.simulator.call()
        await first.run("hear old")
        site.write(MENU.format(prompt="new"), asterisk='username = "other"')
        daemon.send("HUP")
        await daemon.prints("The configuration was loaded")
        await daemon.prints("asterisk.username")
        second = site.simulator.call()
        await second.run("hear new")
        await first.run("press 9, hear option-is-invalid, hear old")
        status = await site.status()
        assert status["configuration"]["refused"] is None
        assert status["calls"]["now"] == 2


@pytest_twisted.ensureDeferred
async def test_reload_of_a_wrong_file_changes_nothing_and_says_why(site: Site) -> None:
    site.write(MENU.format(prompt="old"))
    async with site.daemon() as daemon:
        await site.simulator.listening()
        site.write(
            '[menus.main]\nprompt = ["a b"]\ntimout = 5\n'
            'options = { 1 = { run = "look-up" } }'
        )
        daemon.send("HUP")
        await daemon.prints("Nothing was changed")
        told = daemon.texts("channel_aa.daemon.process")
        assert any("menus.main.timout: unknown key" in line for line in told)
        assert all(str(site.file) in line for line in told[:-1])
        assert len(told) >= 3
        site.write('[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.run = "x"')
        daemon.send("HUP")
        await daemon.prints("menus.main.options.1.run")
        caller = site.simulator.call()
        await caller.run("hear old")
        assert (await site.status())["configuration"]["refused"] is not None
        site.write(MENU.format(prompt="new"))
        daemon.send("HUP")
        await daemon.prints("The configuration was loaded")
        assert (await site.status())["configuration"]["refused"] is None


@pytest_twisted.ensureDeferred
async def test_without_a_file_there_is_nothing_to_reload(site: Site) -> None:
    async with site.daemon("twistd", "--url", site.simulator.url) as daemon:
        await site.simulator.listening()
        daemon.send("HUP")
        await daemon.prints("There is nothing to read again")


@pytest_twisted.ensureDeferred
async def test_file_with_an_unregistered_action_is_refused_at_the_start(
    site: Site,
) -> None:
    site.write('[menus.main]\nprompt = ["a"]\n[menus.main.options]\n1.run = "look-up"')
    async with site.daemon() as daemon:
        how = await daemon.end()
    assert how.exitCode == 1
    (line,) = daemon.lines
    assert line.startswith(f"channel-aa: {site.file}: menus.main.options.1.run: ")


@pytest_twisted.ensureDeferred
async def test_status_tells_of_the_connection_and_the_calls(site: Site) -> None:
    async with site.daemon() as daemon:
        await site.simulator.listening()
        caller = site.simulator.call()
        await caller.run("hear press-1")
        await daemon.prints("entered the application")
        status = await site.status()
        while not status["asterisk"]["version"]:
            status = await site.status()
        assert status["serving"] is True
        assert status["asterisk"]["connected"] is True
        assert status["asterisk"]["version"] == "22.10.1"
        assert status["asterisk"]["application"] == "channel-aa"
        assert status["calls"]["now"] == status["calls"]["attended"] == 1
        assert status["configuration"]["file"] == str(site.file)
        assert "password" not in json.dumps(status)
        await site.simulator.stop()
        await daemon.prints("Trying again")
        status = await site.status()
        assert status["serving"] is status["asterisk"]["connected"] is False
        assert status["asterisk"]["since"] is None
        await site.simulator.start()


@both
@pytest_twisted.ensureDeferred
async def test_replaced_it_ends_with_a_code_of_its_own_where_it_is_told_to(
    site: Site, program: str
) -> None:
    site.write(asterisk="exit_when_replaced = true")
    async with site.daemon(program) as daemon:
        await site.simulator.listening()
        site.write()
        async with site.daemon("twist") as usurper:
            how = await daemon.end()
            assert how.exitCode == REPLACED_EXIT_CODE
            assert usurper.is_running
    assert any("Another program has taken" in line for line in daemon.lines)


@pytest_twisted.ensureDeferred
async def test_replaced_it_stays_and_says_so_where_it_is_not_told_to_end(
    site: Site,
) -> None:
    async with site.daemon() as daemon:
        await site.simulator.listening()
        async with site.daemon("twist"):
            await daemon.prints("Another program has taken")
            caller = site.simulator.call()
            await caller.run("hear press-1")


def is_stopped(daemon: Program) -> bool:
    """Say whether it was stopped, and does nothing until it is told to go on."""
    assert daemon.transport is not None
    told = Path(f"/proc/{daemon.transport.pid}/stat").read_text("utf-8")
    return told.rpartition(")")[2].split()[0] == "T"


@pytest_twisted.ensureDeferred
async def test_systemd_hears_of_it_in_order(site: Site) -> None:
    address = f"{site.folder}/notify"
    systemd = FakeSystemd(address)
    heard: list[dict[str, str]] = []

    async def hears(name: str) -> dict[str, str]:
        def is_there() -> bool:
            heard.extend(systemd.heard())
            return any(name in each for each in heard)

        await until(is_there, site.reactor, name)
        return next(each for each in heard if name in each)

    await site.simulator.stop()
    async with site.daemon(NOTIFY_SOCKET=address, WATCHDOG_USEC="1000000") as daemon:
        # Asterisk is not there: it starts, and systemd is to wait.
        waits = await hears("EXTEND_TIMEOUT_USEC")
        assert waits["STATUS"].startswith("Waits for Asterisk at http://127.0.0.1:")
        assert "WATCHDOG" in waits
        assert not any("READY" in each for each in heard)
        await site.simulator.start()
        await hears("READY")
        # Stopped, it feeds no watchdog; nor would a reactor that hangs.
        daemon.send("STOP")
        await until(lambda: is_stopped(daemon), site.reactor, "its stop")
        heard.clear()
        systemd.heard()
        await deferLater(site.reactor, 1.2)
        assert systemd.heard() == []
        daemon.send("CONT")
        await hears("WATCHDOG")
        daemon.send("HUP")
        await hears("RELOADING")
        await hears("READY")
        assert next(each for each in heard if "RELOADING" in each)["MONOTONIC_USEC"]
        daemon.send("TERM")
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
async def test_clock_that_jumps_neither_stalls_nor_hurries_a_call(site: Site) -> None:
    site.write(f"[menus.main]\n{SHORT}noinput = ['still-there']")
    arguments = ("-c", JUMPY, "-n", "--pidfile=", "channel-aa", "-c", str(site.file))
    async with Program.running(site.reactor, *arguments) as daemon:
        await site.simulator.listening()
        caller = site.simulator.call()
        for jump in ("USR1", "USR2"):
            await caller.run("hear press-2")
            daemon.send(jump)
            # Its silence is over in time: an hour back would be an hour of waiting.
            await caller.run("hear still-there, hear press-1")
        await caller.run("press 1, hear option-is-invalid")
        caller.hang_up()
        await daemon.prints("has left the application")
        assert site.simulator.open_websockets == 1
        # It may well be late, but not by the hours that the clock has jumped.
        for text in daemon.texts("channel_aa.service.lag"):
            [late] = re.findall(r"up to ([0-9.]+) s late", text)
            assert float(late) < 1000


@pytest_twisted.ensureDeferred
async def test_daemon_that_stood_still_for_seconds_goes_on(site: Site) -> None:
    async with site.daemon() as daemon:
        await site.simulator.listening()
        callers = [site.simulator.call() for _ in range(20)]
        for caller in callers:
            await caller.run("hear press-1")
        daemon.send("STOP")
        for caller in callers[10:]:
            caller.press("1")
        await deferLater(site.reactor, 5)
        daemon.send("CONT")
        for caller in callers[:10]:
            await caller.run("press 2, hear digits/2, hear press-1")
        for caller in callers[10:]:
            await caller.run("hear digits/1, hear press-1")
        await daemon.prints("times since it was last said")
        assert len(daemon.texts("channel_aa.service.lag")) == 1
        assert (await site.status())["reactor_delay"]["worst"] > 3
    assert not any("Traceback" in line for line in daemon.lines)
