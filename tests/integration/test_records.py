"""Records of calls that the daemon stores, on a simulated Asterisk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from resource import RLIMIT_FSIZE, prlimit
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

from channel_aa.commands.main import main
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from tests.support.printed import printed
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.daemon_harness import DaemonHarness

TABLES = """
[records]
folder = "state"
{more}
[menus.main]
prompt = ["a"]
[menus.main.options]
1.dial = "PJSIP/410"
2 = "other"
3 = "hangup"
[menus.other]
prompt = ["b"]
options = {{ 4 = {{ queue = "support" }} }}
"""


@pytest.fixture
def records(harness: DaemonHarness) -> DaemonHarness:
    """Have the daemon store records."""
    harness.simulator.phones.change("PJSIP/410", PhoneBehaviour())
    harness.write_file(TABLES.format(more=""))
    return harness


def rows(
    harness: DaemonHarness, query: str = "SELECT * FROM calls ORDER BY began"
) -> list[dict[str, Any]]:
    path = harness.folder / "state/calls.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


async def stored(harness: DaemonHarness, condition: str, count: int) -> None:
    """Wait until so many calls meet a condition in SQL."""
    query = f"SELECT count(*) AS count FROM calls WHERE {condition}"  # noqa: S608

    def is_stored() -> bool:
        try:
            return rows(harness, query) == [{"count": count}]
        except sqlite3.OperationalError:  # the tables are not there yet
            return False

    await until(harness.reactor, is_stored, f"{count} calls with {condition}")


@pytest_twisted.ensureDeferred
async def test_records_equal_what_the_simulator_knows(records: DaemonHarness) -> None:
    simulator = records.simulator
    async with records.daemon() as daemon:
        await simulator.listening()
        speaking, leaving, queued, hung_up = [simulator.call() for _ in range(4)]
        await speaking.run("hear a, press 1, hear voice:PJSIP/410")
        await leaving.run("hear a, press 2, hear b")
        await queued.run("hear a, press 2, hear b, press 4")
        await hung_up.run("hear a, press 3")
        speaking.hang_up()
        leaving.hang_up()
        await stored(records, "ended != ''", 4)
        daemon.send_signal("TERM")
        await daemon.end()
    by_channel = {row["channel_id"]: row for row in rows(records)}
    found = {
        caller: by_channel[caller.channel.id]
        for caller in (speaking, leaving, queued, hung_up)
    }
    for caller, row in found.items():
        assert row["channel"] == caller.channel.name
        assert row["caller"] == caller.channel.snapshot()["caller"]["number"]
        assert row["answered"] is not None
        assert row["state"] is None
    assert [
        (row["ended"], row["path"], row["end_menu"], row["partner"], row["destination"])
        for row in found.values()
    ] == [
        ("caller", "main:1", "main", "PJSIP/410", ""),
        ("caller", "main:2>other", "other", "", ""),
        ("dialplan", "main:2>other:4", "other", "", "queue support"),
        ("attendant", "main:3", "main", "", ""),
    ]
    assert found[speaking]["spoken"] > 0
    assert found[leaving]["end_menu_seconds"] is not None


@pytest_twisted.ensureDeferred
async def test_diagram_has_the_numbers_of_the_calls(records: DaemonHarness) -> None:
    text = TABLES.format(more="")
    menu = '[menus.main]\nmax_nomatch = 1\nfailure = "other"'
    records.write_file(text.replace("[menus.main]", menu))
    simulator = records.simulator
    async with records.daemon() as daemon:
        await simulator.listening()
        choosing, failing, leaving = [simulator.call() for _ in range(3)]
        await choosing.run("hear a, press 2, hear b, press 4")
        await failing.run("hear a, press 9, hear b")
        await leaving.run("hear a")
        failing.hang_up()
        leaving.hang_up()
        await stored(records, "ended != ''", 3)
        daemon.send_signal("TERM")
        await daemon.end()
    command = ["graph", str(records.file), "--calls", "1h"]
    code, out, err = printed(main, command)
    assert (code, err) == (0, "")
    for line in (
        'n0 -->|"(3)"| n1',
        'n1["menu main<br/>a<br/>entered 3 times, 1 hung up<br/>0 silent, 1 wrong"]',
        'n2["menu other<br/>b<br/>entered 2 times, 1 hung up<br/>0 silent, 0 wrong"]',
        'n1 -->|"2 (1)"| n2',
        'n1 -.->|"no match 1 times (1)"| n2',
        'n2 -->|"4 (1)"|',
    ):
        assert line in out


@pytest_twisted.ensureDeferred
async def test_killed_daemon_loses_no_record(records: DaemonHarness) -> None:
    simulator = records.simulator
    async with records.daemon() as daemon:
        await simulator.listening()
        staying, leaving = simulator.call(), simulator.call()
        await staying.run("hear a, press 2, hear b")
        await leaving.run("hear a")
        await stored(records, 'state LIKE \'%"menu":"main"%\'', 1)
        await stored(records, 'state LIKE \'%"menu":"other"%\'', 1)
        daemon.send_signal("KILL")
        await daemon.end()
    leaving.hang_up()
    async with records.daemon() as daemon:
        await simulator.listening()
        await stored(records, "ended = 'lost'", 1)
        await staying.run("hear a, press 3")
        await stored(records, "ended = 'attendant'", 1)
    by_channel = {row["channel_id"]: row for row in rows(records)}
    assert len(by_channel) == 2
    assert by_channel[leaving.channel.id]["ended"] == "lost"
    adopted = by_channel[staying.channel.id]
    assert adopted["adopted"] == 1
    assert adopted["path"] == "main:2>other>main:3"


@pytest_twisted.ensureDeferred
async def test_locked_database_delays_no_call_and_loses_none(
    records: DaemonHarness,
) -> None:
    simulator = records.simulator
    async with records.daemon() as daemon:
        await simulator.listening()
        before = simulator.call()
        await before.run("hear a, press 3")
        await stored(records, "ended = 'attendant'", 1)
        path = records.folder / "state/calls.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            for _ in range(3):
                await simulator.call().run("hear a, press 3")
            await daemon.prints("Records of calls cannot be stored")
            status = (await records.status())["records"]
            assert status["spooled"] + status["queued"] > 0
            assert "locked" in status["problem"]
        await daemon.prints("Records of calls are stored again")
        await stored(records, "ended = 'attendant'", 4)
        status = (await records.status())["records"]
        assert status == {"queued": 0, "spooled": 0, "lost": 0, "problem": ""}


@pytest_twisted.ensureDeferred
async def test_full_disk_delays_no_call_and_loses_none(records: DaemonHarness) -> None:
    """No file can grow while the limit holds: the database's and the journal's."""
    simulator = records.simulator
    async with records.daemon() as daemon:
        await simulator.listening()
        await simulator.call().run("hear a, press 3")
        await stored(records, "ended = 'attendant'", 1)
        pid = daemon.transport.pid
        limits = prlimit(pid, RLIMIT_FSIZE)
        prlimit(pid, RLIMIT_FSIZE, (0, limits[1]))
        for _ in range(3):
            await simulator.call().run("hear a, press 3")
        await daemon.prints("Records of calls cannot be stored")
        status = (await records.status())["records"]
        assert status["queued"] > 0
        assert (status["spooled"], status["lost"]) == (0, 0)
        prlimit(pid, RLIMIT_FSIZE, limits)
        await daemon.prints("Records of calls are stored again")
        await stored(records, "ended = 'attendant'", 4)


@pytest_twisted.ensureDeferred
async def test_daemon_that_stops_stores_what_it_knows(records: DaemonHarness) -> None:
    records.write_file(TABLES.format(more='callers = "none"'), drain=0)
    async with records.daemon() as daemon:
        await records.simulator.listening()
        await records.simulator.call().run("hear a")
        daemon.send_signal("TERM")
        await daemon.end()
    (row,) = rows(records)
    assert (row["ended"], row["path"], row["caller"]) == ("stopping", "main", "")


@pytest_twisted.ensureDeferred
async def test_without_the_table_nothing_is_stored(harness: DaemonHarness) -> None:
    async with harness.daemon(XDG_STATE_HOME=str(harness.folder)):
        await harness.simulator.listening()
        await harness.simulator.call().run("hear press-1")
        assert (await harness.status())["records"] is None
    names = {path.name for path in harness.folder.iterdir()}
    assert names <= {"twistd.conf", "pid", "status"}
