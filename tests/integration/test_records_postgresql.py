"""Records in a real PostgreSQL, which is stopped and started meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from channel_aa.records.journal import CallsReconciled
from channel_aa.records.query import IN_PROGRESS, CallFilter, find_calls, recordings_of
from channel_aa.records.report import make_report
from real_asterisk.harness import free_port
from tests.support.records_harness import RecordsHarness, ended, started
from tests.support.records_harness import whole_call as a_call

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgresql

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class PostgreSQL:
    """A server with an empty database, in a folder of its own.

    Attributes:
        url: the database.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        shutil.chown(folder, "postgres")
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -h 127.0.0.1 -c fsync=off"
        log = f"{self._folder}/log"
        self._run(
            "pg_ctl", "-D", f"{self._folder}/data", "-o", options, "-l", log, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [str(PROGRAMS[-1] / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            user="postgres",
            cwd=self._folder,
        )


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """Run a server; it refuses to run as root, so that root has to start it."""
    if not PROGRAMS or os.geteuid() != 0:
        if os.environ.get("CHANNEL_AA_REQUIRE_POSTGRESQL"):
            pytest.fail("PostgreSQL is not installed, or the tests do not run as root")
        pytest.skip("needs Debian's package postgresql, and root")
    with TemporaryDirectory(prefix="aa-") as name:
        Path(name).chmod(0o755)
        running = PostgreSQL(Path(name))
        try:
            yield running
        finally:
            running.stop()


def test_records_survive_an_outage_and_a_killed_run(
    server: PostgreSQL, tmp_path: Path
) -> None:
    call = a_call()
    harness = RecordsHarness(tmp_path / "records", url=server.url)
    undisturbed = RecordsHarness(tmp_path / "undisturbed")
    undisturbed.write(*call)
    assert harness.write(*call[:5]).problem == ""
    server.stop()
    written = harness.write(*call[5:9])
    assert "127.0.0.1" in written.problem
    assert written.spooled == 4
    harness.write(*call[9:])
    server.start()
    assert harness.retry().problem == ""
    harness.write(started("2.2"), started("3.3"))
    harness.close()
    harness.start()
    harness.write(started("2.2", is_adopted=True), CallsReconciled())
    store, expected = harness.writer._store, undisturbed.writer._store
    (first,) = find_calls(store, CallFilter(ended="caller"), with_steps=True)
    assert first == next(find_calls(expected, CallFilter(), with_steps=True))
    (adopted,) = find_calls(store, CallFilter(ended=IN_PROGRESS))
    assert (adopted["channel_id"], adopted["adopted"]) == ("2.2", 1)
    (lost,) = find_calls(store, CallFilter(ended="lost"))
    assert lost["channel_id"] == "3.3"
    harness.write(ended("2.2"))
    wanted = CallFilter(menu="sales", since=1.0)
    assert make_report(store, wanted) == make_report(expected, wanted)
    assert recordings_of(store, ["5550100"]) == ["message"]
    assert store.delete_callers(["5550100"]) == 1
    assert len([*find_calls(store, CallFilter())]) == 2
    for each in (harness, undisturbed):
        each.close()
