"""Which files of twistd's options cannot be written."""

from __future__ import annotations

import os
from errno import EACCES, ENOSPC, EROFS
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from twisted.application.twist._options import TwistOptions
from twisted.scripts._twistd_unix import ServerOptions
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.daemon.twistd_files import unwritable_files


class TwistdFilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.patch(os, "getcwd", lambda: str(self.folder))

    def problems(self, *arguments: str, error: int = 0) -> list[str]:
        options = ServerOptions()
        # Without postOptions, as the options of the subcommand find them.
        self.patch(options, "postOptions", lambda: None)
        options.parseOptions(arguments)
        if not error:
            return [*unwritable_files(options)]
        with patch.object(Path, "open", side_effect=OSError(error, os.strerror(error))):
            return [*unwritable_files(options)]

    def test_files_that_can_be_written(self) -> None:
        for arguments in ([], ["-n"], [f"--logfile={self.folder}/log"]):
            self.assertEqual(self.problems(*arguments), [])
        self.assertEqual([*self.folder.iterdir()], [])

    def test_log_that_is_there_is_kept(self) -> None:
        log = self.folder / "log"
        log.write_text("lines\n")
        self.assertEqual(self.problems(f"--logfile={log}", "--pidfile="), [])
        self.assertEqual(log.read_text(), "lines\n")

    def test_folder_that_is_not_there(self) -> None:
        log, pid = self.problems("--logfile=/no/log", "--pidfile=/no/pid")
        self.assertEqual(
            log,
            "--logfile: /no/log: there is no such folder; name another file with"
            " twistd --logfile=FILE … channel-aa",
        )
        self.assertTrue(pid.startswith("--pidfile: /no/pid: there is no such folder;"))

    def test_file_that_cannot_be_made(self) -> None:
        for error in (EACCES, EROFS, ENOSPC):  # ENOSPC also without free inodes
            reason = os.strerror(error)
            log, pid = self.problems(error=error)
            self.assertIn(f"--logfile: {self.folder}/twistd.log: {reason};", log)
            self.assertIn(f"--pidfile: {self.folder}/twistd.pid: {reason};", pid)

    def test_folder_in_place_of_the_file(self) -> None:
        [line] = self.problems(f"--logfile={self.folder}", "--pidfile=")
        self.assertIn(f"{self.folder}: Is a directory;", line)

    def test_file_that_is_not_written_is_not_checked(self) -> None:
        for arguments, count in (
            (["--syslog"], 1),
            (["-n"], 1),
            (["-n", "--logfile=-", "--pidfile="], 0),
            (["-n", "--logfile=log", "--pidfile="], 1),
        ):
            self.assertEqual(len(self.problems(*arguments, error=EACCES)), count)

    def test_twist_writes_no_files(self) -> None:
        self.assertEqual([*unwritable_files(TwistOptions())], [])
        self.assertEqual([*unwritable_files({})], [])
