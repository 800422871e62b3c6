"""The table ``[records]``."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from channel_aa import settings
from channel_aa.config import load
from channel_aa.problems import PIP_INSTALL, ConfigError
from channel_aa.records.location import database_url, records_folder
from channel_aa.settings import RecordsSettings, Settings


class RecordsTests(SynchronousTestCase):
    def load(self, text: str) -> Settings:
        path = Path(self.mktemp())
        self.folder = path.absolute().parent
        path.write_text(text)
        return load(path)

    def refused(self, text: str) -> str:
        return str(self.assertRaises(ConfigError, self.load, text))

    def test_without_the_table_nothing_is_stored(self) -> None:
        self.assertIsNone(Settings().records)
        self.assertIsNone(self.load("").records)

    def test_table_alone_has_the_defaults(self) -> None:
        self.assertEqual(self.load("[records]").records, RecordsSettings())

    def test_folder_starts_from_that_of_the_file(self) -> None:
        records = self.load('[records]\nfolder = "state"').records
        assert records is not None
        self.assertEqual(records_folder(records), self.folder / "state")
        url = database_url(records)
        self.assertEqual(url.database, str(self.folder / "state/calls.sqlite"))

    def test_folder_of_the_system(self) -> None:
        for environ, expected in (
            ({"STATE_DIRECTORY": "/var/lib/a:/b"}, "/var/lib/a"),
            ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": "/s"}, "/s/channel-aa"),
            (
                {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": "/h"},
                "/h/.local/state/channel-aa",
            ),
        ):
            with patch.dict("os.environ", environ):
                self.assertEqual(records_folder(RecordsSettings()), Path(expected))

    def test_database_of_postgresql(self) -> None:
        for url in ("postgresql://aa@db:5432/calls", "postgresql:///calls"):
            made = database_url(RecordsSettings(url=url))
            self.assertEqual(made.drivername, "postgresql+psycopg")
            self.assertEqual(made.database, "calls")

    def test_url_with_a_password_is_refused_and_not_shown(self) -> None:
        error = self.refused('[records]\nurl = "postgresql://aa:hunter2@db/calls"')
        self.assertIn("records.url: is not a database of PostgreSQL", error)
        self.assertIn("~/.pgpass", error)
        self.assertNotIn("hunter2", error)

    def test_wrong_values_are_named(self) -> None:
        for line, expected in (
            ('url = "mysql://db/calls"', "records.url: is not a database"),
            ("keep_days = -1", "records.keep_days: -1 is out of range"),
            ('callers = "some"', "'some' is not a way to store callers"),
            ('file = "a"', "records.file: unknown key"),
        ):
            self.assertIn(expected, self.refused(f"[records]\n{line}"))

    def test_missing_package_is_named_with_its_remedy(self) -> None:
        for missing, line in (("alembic", ""), ("psycopg", 'url = "postgresql:///a"')):
            with patch.object(
                settings, "find_spec", lambda name, gone=missing: name != gone or None
            ):
                error = self.refused(f"[records]\n{line}")
            self.assertIn("records: records of calls need", error)
            remedy = f"{PIP_INSTALL} 'channel-aa[records]'"
            self.assertIn(f"{missing}: {remedy}", error)

    def test_missing_package_of_metrics_is_named_with_its_remedy(self) -> None:
        with patch.object(settings, "find_spec", lambda _: None):
            error = self.refused("[metrics]")
        self.assertIn("metrics: metrics need the Python package", error)
        self.assertIn(f"prometheus_client: {PIP_INSTALL} 'channel-aa[metrics]'", error)
