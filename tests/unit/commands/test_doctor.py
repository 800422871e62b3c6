"""What ``channel-aa doctor`` makes of the status of a daemon."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import patch

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.doctor import diagnose, judge
from channel_aa.commands.file_checks import check_owner, check_readable
from channel_aa.commands.findings import Findings, Topic
from channel_aa.service.status import ConfigurationStatus, RecordsStatus, Status
from tests.support.statuses import NOON, a_status


class UnreadableFileTests(SynchronousTestCase):
    def diagnose(self, file: Path) -> list[str]:
        findings = Findings()
        diagnosed = Deferred.fromCoroutine(diagnose(file, findings, reactor=None))
        self.assertEqual(self.successResultOf(diagnosed), 1)
        found = findings.of(Topic.CONFIGURATION)
        return [f"{each.level.value} {each.problem.message}" for each in found]

    def test_file_that_is_not_there_comes_with_where_to_look(self) -> None:
        with TemporaryDirectory() as folder:
            for name in ("twistd.conf", "no/such/folder/twistd.conf"):
                error, note = self.diagnose(Path(folder, name))
                reason = "No such file or directory"
                self.assertEqual(error, f"FAILED cannot be read: {reason}")
                self.assertIn("for another file, run: channel-aa doctor FILE", note)

    def test_file_that_only_root_may_read_comes_with_what_to_do(self) -> None:
        with TemporaryDirectory() as folder:
            file = Path(folder, "twistd.conf")
            file.write_bytes(b"\xff")  # root may read everything
            with patch("os.access", lambda _path, mode: mode == os.F_OK):
                _error, note = self.diagnose(file)
        self.assertEqual(note, "note run this command as root")

    def test_file_that_the_unit_may_not_read_fails_with_the_command(self) -> None:
        with TemporaryDirectory() as folder:
            file = Path(folder, "twistd.conf")
            file.touch()
            for mode, found in ((0o640, 1), (0o644, 0)):
                file.chmod(mode)
                findings = Findings()
                check_readable(file, findings)
                self.assertEqual(findings.errors, [])  # it is not the unit's
                with patch("channel_aa.commands.file_checks.DEFAULT_FILE", file):
                    check_readable(file, findings)
                self.assertEqual(len(findings.errors), found)
                if found:
                    [error] = findings.errors
                    self.assertIn("(mode 0640); run: chmod 644", error.message)


class RecordingsTests(SynchronousTestCase):
    def test_folder_of_another_user_than_its_parent_is_a_warning(self) -> None:
        folder = Path("/var/spool/asterisk/recording")
        asterisk = SimpleNamespace(st_uid=101, st_gid=102, st_mode=0o40750)
        root = SimpleNamespace(st_uid=0, st_gid=0, st_mode=0o40775)
        of_group = SimpleNamespace(st_uid=0, st_gid=102, st_mode=0o40775)
        of_all = SimpleNamespace(st_uid=0, st_gid=0, st_mode=0o40777)
        remedy = f"run: chown --reference={folder.parent} {folder}"
        for own, found in ((root, 1), (asterisk, 0), (of_group, 0), (of_all, 0)):
            findings = Findings()
            known = {folder: own, folder.parent: asterisk}
            with patch.object(Path, "stat", lambda path, known=known: known[path]):
                check_owner(folder, findings)
            self.assertEqual(len(findings.warnings), found)
            for warning in findings.warnings:
                self.assertTrue(warning.message.endswith(remedy), warning.message)

    def test_folder_that_is_not_there_is_not_judged(self) -> None:
        findings = Findings()
        check_owner(Path("/no/such/folder"), findings)
        self.assertEqual([*findings], [])


FILE = Path("/etc/channel-aa/twistd.conf")


class StatusTests(SynchronousTestCase):
    def judge(self, status: Status, file: Path = FILE) -> list[str]:
        """Return the level and the text of each finding."""
        self.findings = Findings()
        judge(status, file, self.findings)
        return [f"{each.level.value} {each.problem.message}" for each in self.findings]

    def test_daemon_that_serves_is_right(self) -> None:
        [line] = self.judge(a_status())
        self.assertTrue(line.startswith("ok the daemon 1.2.3 serves calls: 3 now, 7 "))

    def test_daemon_that_does_not_serve_fails_with_its_reason(self) -> None:
        self.assertEqual(
            self.judge(a_status(serving=False)),
            ["FAILED not serving: Nothing listens at localhost:8088."],
        )

    def test_daemon_that_stops_fails(self) -> None:
        status = replace(a_status(serving=False), draining=True)
        self.assertIn("FAILED the daemon is stopping", self.judge(status)[0])

    def test_daemon_with_another_file_is_a_warning(self) -> None:
        _, line = self.judge(a_status(), Path("/tmp/other.conf"))  # noqa: S108 - a name
        self.assertEqual(line, f"warning the daemon runs with another file, {FILE}")

    def test_file_that_was_changed_since_is_a_warning_with_the_command(self) -> None:
        file = Path(self.mktemp()).absolute()
        file.touch()
        loaded = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        for seconds, found in ((-1, 1), (1, 2)):
            configuration = ConfigurationStatus(
                file=str(file), loaded=loaded - timedelta(seconds=seconds), refused=None
            )
            lines = self.judge(replace(a_status(), configuration=configuration), file)
            self.assertEqual(len(lines), found, lines)
        refused = replace(configuration, refused=loaded + timedelta(seconds=1))
        _, line = self.judge(replace(a_status(), configuration=refused), file)
        self.assertIn("rejected at the last reload", line)
        self.assertTrue(lines[1].startswith(f"warning {file} has changed since"))
        self.assertTrue(lines[1].endswith("run: systemctl reload channel-aa"))

    def test_rejected_reload_is_a_warning_with_the_command(self) -> None:
        configuration = replace(a_status().configuration, refused=NOON)
        _, line = self.judge(replace(a_status(), configuration=configuration))
        self.assertTrue(line.endswith(f"run: channel-aa check {FILE}"), line)

    def test_refused_calls_are_a_warning_with_the_limit(self) -> None:
        for limit, shown in ((100, 100), (0, 5000)):
            calls = replace(a_status().calls, refused=2, limit=limit)
            _, line = self.judge(replace(a_status(), calls=calls))
            self.assertIn(f"warning 2 calls above the limit of {shown} ", line)

    def test_late_reactor_is_a_warning(self) -> None:
        delay = replace(a_status().reactor_delay, worst=1.25)
        _, line = self.judge(replace(a_status(), reactor_delay=delay))
        self.assertIn("warning the daemon was late by 1.2 s", line)

    def test_database_that_fails_is_an_error_of_the_records(self) -> None:
        records = RecordsStatus(queued=0, spooled=7, lost=0, problem="it is locked")
        self.judge(replace(a_status(), records=records))
        [finding] = self.findings.of(Topic.RECORDS)
        self.assertEqual(finding.problem.message, "it is locked")
