from __future__ import annotations

from channel_aa.config import load, load_status_endpoint
from channel_aa.problems import ConfigError
from tests.support.config_case import ConfigCase


class UnreadableFileTests(ConfigCase):
    def test_toml_error_has_line_and_column(self) -> None:
        (problem,) = self.file_problems('[asterisk]\nurl = "x"\napp x\n')
        self.assertIn("is not TOML", problem)
        self.assertIn("line 3, column 5", problem)

    def test_toml_error_does_not_show_the_password(self) -> None:
        self.file.write_text("[asterisk]\npassword = hunter2\n", "utf-8")
        try:
            load(self.file)
        except ConfigError as error:
            self.assertIsNone(error.__context__)
            self.assertIsNone(error.__cause__)
            self.assertNotIn("hunter2", str(error))
        else:
            self.fail("it was loaded")

    def test_file_that_is_not_utf_8_is_refused_with_the_line(self) -> None:
        (problem,) = self.file_problems(b'[asterisk]\n# \xe9t\xe9\napp = "x"\n')
        self.assertIn("is not UTF-8 text", problem)
        self.assertIn("line 2", problem)

    def test_missing_file_and_folder_are_refused(self) -> None:
        self.assertEqual(
            self.problem(load, path=self.file),
            f"{self.file}: cannot be read: No such file or directory",
        )
        self.assertEqual(
            self.problem(load, path=self.folder),
            f"{self.folder}: cannot be read: Is a directory",
        )

    def test_strange_file_names_stay_on_one_line(self) -> None:
        problem = self.problem(load, path=self.folder / "a\nb")
        self.assertIn(r"a\nb", problem)

    def test_tables_nested_too_deeply_are_refused(self) -> None:
        (problem,) = self.file_problems("a = " + "[" * 100_000)
        self.assertIn("nested too deeply", problem)

    def test_actions_nested_too_deeply_are_refused(self) -> None:
        for depth in (150, 200, 250, 300):
            action = "'hangup'"
            for _ in range(depth):
                action = f"{{ play = ['x'], then = {action} }}"
            try:
                self.load(f"[menus.main]\nprompt = ['x']\noptions.1 = {action}")
            except ConfigError as error:
                self.assertEqual(
                    str(error),
                    f"{self.file}: is not usable: its tables or lists are nested too"
                    " deeply",
                )


class StatusEndpointTests(ConfigCase):
    def endpoint(self, text: str) -> tuple[str, int]:
        """Return the endpoint of a file, and the number of the file's problems."""
        self.file.write_bytes(text.encode())
        listen, problems = load_status_endpoint(self.file)
        return listen, len(problems)

    def test_endpoint_of_a_file_without_errors(self) -> None:
        for text, listen in (
            ('[status]\nlisten = "tcp:1"\n', "tcp:1"),
            ('[asterisk]\npassword_file = "gone"\n', ""),
        ):
            self.assertEqual(self.endpoint(text), (listen, 0))

    def test_endpoint_of_a_file_with_errors(self) -> None:
        table = '[status]\n# where\n listen = "unix:status"  # here\n'
        for text in (
            f"[attendant]\nx = 1\n{table}",
            f"{table}[attendant\n",
            f"x x\n{table}",
            f"{table}x x\n",
            f"{table}[attendant\n".replace("\n", "\r\n"),
            'status.listen = "unix:status"\n[attendant]\nx = 1\n',
        ):
            with self.subTest(text=text):
                self.assertEqual(self.endpoint(text), (f"unix:{self.folder}/status", 1))

    def test_file_without_a_usable_endpoint_is_refused(self) -> None:
        for text in (
            "x x\n",
            '[other]\nlisten = "tcp:1"\nx x\n',
            '[status]\n[other]\nlisten = "tcp:1"\nx x\n',
            "[status]\nlisten = tcp:1\n",
            "[status]\nlisten = 1\n",
            "status = 1\n",
        ):
            with self.subTest(text=text):
                self.assertRaises(ConfigError, self.endpoint, text)

    def test_unreadable_file_is_refused(self) -> None:
        self.assertRaises(ConfigError, load_status_endpoint, self.folder / "gone")


class PathTests(ConfigCase):
    def test_paths_start_from_the_file_s_folder(self) -> None:
        settings = self.load("status.listen = 'unix:run/status:mode=660'")
        self.assertEqual(
            settings.status.listen, f"unix:{self.folder}/run/status:mode=660"
        )

    def test_absolute_paths_and_ports_stay_as_they_are(self) -> None:
        for listen in ("unix:/run/status:mode=660", "tcp:8089:interface=127.0.0.1", ""):
            settings = self.load(f"status.listen = '{listen}'")
            self.assertEqual(settings.status.listen, listen)

    def test_colon_in_the_folder_s_name_does_not_end_the_path(self) -> None:
        self.file = self.folder / "a:b" / "twistd.conf"
        self.file.parent.mkdir()
        self.assertEqual(
            self.load("status.listen = 'unix:status'").status.listen,
            rf"unix:{self.folder}/a\:b/status",
        )

    def test_invalid_endpoint_is_refused_with_examples(self) -> None:
        for listen in ("8089", "http://a", "/run/status", "tcp:", "unix:", "tcp:a"):
            (problem,) = self.file_problems(f"status.listen = '{listen}'")
            self.assertIn("is not an endpoint to listen on; write it as in", problem)
