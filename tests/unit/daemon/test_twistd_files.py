"""Which files of twistd's options cannot be written."""

from __future__ import annotations

import os
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

    def problems(self, *arguments: str, may_write: bool = True) -> list[str]:
        options = ServerOptions()
        # Without postOptions, as the options of the subcommand find them.
        self.patch(options, "postOptions", lambda: None)
        options.parseOptions(arguments)
        with patch("os.access", return_value=may_write):
            return [*unwritable_files(options)]

    def test_files_that_can_be_written(self) -> None:
        for arguments in ([], ["-n"], [f"--logfile={self.folder}/log"]):
            self.assertEqual(self.problems(*arguments), [])

    def test_folder_that_is_not_there(self) -> None:
        log, pid = self.problems("--logfile=/no/log", "--pidfile=/no/pid")
        self.assertEqual(
            log,
            "--logfile: /no/log: there is no such folder; name another file with"
            " twistd --logfile=FILE … channel-aa",
        )
        self.assertTrue(pid.startswith("--pidfile: /no/pid: there is no such folder;"))

    def test_folder_that_this_user_may_not_write_to(self) -> None:
        log, pid = self.problems(may_write=False)
        self.assertIn(f"{self.folder}/twistd.log: this user may not write there", log)
        self.assertIn(f"{self.folder}/twistd.pid: this user may not write there", pid)

    def test_file_that_is_not_written_is_not_checked(self) -> None:
        for arguments, count in (
            (["--syslog"], 1),
            (["-n"], 1),
            (["-n", "--logfile=-", "--pidfile="], 0),
            (["-n", "--logfile=log", "--pidfile="], 1),
        ):
            self.assertEqual(len(self.problems(*arguments, may_write=False)), count)

    def test_twist_writes_no_files(self) -> None:
        self.assertEqual([*unwritable_files(TwistOptions())], [])
        self.assertEqual([*unwritable_files({})], [])
