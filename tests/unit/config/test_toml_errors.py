"""Errors of TOML syntax; the messages are exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channel_aa.toml_errors import parse_toml
from tests.support.config_case import ConfigCase

QUOTES = "the quotes are typographic; write straight ones: \" or '"
OPEN_QUOTE = "the closing quote is missing"
COMMENT = "a comment begins with '#'"
TEXT = "text needs quotes: put them around the value"
TWICE = "this key or table is already defined further up; keep one of them"
ONE_LINE = (
    "a table in braces must be on one line; join the lines, or write it as a table of"
    " its own, with its name in brackets and a line for each key"
)
KEY_QUOTES = (
    "a key of other characters than letters, digits, '-' and '_' needs quotes: \"*\""
    " = …"
)
EQUALS = (
    "'=' is required between a key and its value; a key of several words needs quotes"
)
MORE = (
    "the line has more than a key and its value; put text in quotes, and each key on"
    " a line of its own"
)
BRACKET = "the list is not closed; add ']' after its last value"


class TomlErrorCase(ConfigCase):
    def reported(self, content: str, where: str, line: str, cause: str) -> None:
        (problem,) = self.file_problems(content)
        message = f"{where}: {line}: {cause}"
        self.assertEqual(problem, f"is not TOML: {message}")


class KeyTests(TomlErrorCase):
    def test_star_without_quotes(self) -> None:
        self.reported(
            '[menus.main.options]\n* = "back"\n',
            "line 2, column 1",
            "'* = \"back\"'",
            KEY_QUOTES,
        )

    def test_key_that_is_there_twice(self) -> None:
        self.reported("[a]\nx = 1\nx = 2\n", "line 3, column 6", "'x = 2'", TWICE)

    def test_table_that_is_there_twice(self) -> None:
        self.reported("[a]\nx = 1\n[b]\n[a]\n", "line 4, column 3", "'[a]'", TWICE)

    def test_key_of_a_table_in_braces_that_is_there_twice(self) -> None:
        self.reported(
            "x = {y=1, y=2}\n", "line 1, column 14", "'x = {y=1, y=2}'", TWICE
        )

    def test_colon_after_the_key(self) -> None:
        self.reported(
            "timeout: 5\n",
            "line 1, column 8",
            "'timeout: 5'",
            "'=' is required between a key and its value, not ':'",
        )

    def test_missing_equals_sign(self) -> None:
        self.reported("timeout 5\n", "line 1, column 9", "'timeout 5'", EQUALS)

    def test_missing_bracket_of_a_table_s_name(self) -> None:
        self.reported(
            "[menus.main\n",
            "line 1, column 12",
            "'[menus.main'",
            "the ']' at the end of the table's name is missing",
        )


class ValueTests(TomlErrorCase):
    def test_word_without_quotes(self) -> None:
        self.reported(
            "failure = hangup\n", "line 1, column 11", "'failure = hangup'", TEXT
        )

    def test_word_without_quotes_in_a_list(self) -> None:
        self.reported("p = [a, b]\n", "line 1, column 6", "'p = [a, b]'", TEXT)

    def test_number_that_is_text(self) -> None:
        for value in ("0049", "9:00", "5s"):
            (problem,) = self.file_problems(f"did = {value}\n")
            self.assertTrue(problem.endswith(f"'did = {value}': {TEXT}"), problem)

    def test_capital_letter_of_true(self) -> None:
        self.reported(
            "verify = True\n",
            "line 1, column 10",
            "'verify = True'",
            "write true in lower case",
        )

    def test_missing_value(self) -> None:
        self.reported(
            "timeout =\n", "line 1, column 10", "'timeout ='", "the value is missing"
        )

    def test_typographic_quotes(self) -> None:
        self.reported(
            "url = \u201chttp://x\u201d\n",
            "line 1, column 7",
            "'url = \u201chttp://x\u201d'",
            QUOTES,
        )

    def test_typographic_quote_at_the_end_only(self) -> None:
        self.reported(
            'url = "http://x\u201d\nb = 1\n',
            "line 1",
            "'url = \"http://x\u201d'",
            QUOTES,
        )

    def test_missing_closing_quote(self) -> None:
        self.reported('a = 1\nb = "x\nc = 1\n', "line 2", "'b = \"x'", OPEN_QUOTE)
        self.reported("a = 1\nb = 'x\nc = 1\n", "line 2", '"b = \'x"', OPEN_QUOTE)
        self.reported('a = 1\nb = """x\nc = 1\n', "line 2", '\'b = """x\'', OPEN_QUOTE)

    def test_backslash_in_double_quotes(self) -> None:
        self.reported(
            'a = "C:\\x"\n',
            "line 1, column 10",
            repr('a = "C:\\x"'),
            "in double quotes, '\\' begins an escape; use '/', or put single quotes"
            " around the text",
        )

    def test_two_keys_on_a_line(self) -> None:
        self.reported("a = 1 b = 2\n", "line 1, column 7", "'a = 1 b = 2'", MORE)


class ListTests(TomlErrorCase):
    def test_missing_comma_of_a_list(self) -> None:
        self.reported(
            'p = ["a" "b"]\n',
            "line 1, column 10",
            '\'p = ["a" "b"]\'',
            "a ',' is missing between two values of the list",
        )

    def test_missing_bracket_is_reported_where_the_list_begins(self) -> None:
        self.reported(
            'b = [\n1,\n2]\na = ["x",\n"y"\n\nc = 1\n',
            "line 4",
            "'a = [\"x\",'",
            BRACKET,
        )
        self.reported('a = ["x"\n', "line 1", "'a = [\"x\"'", BRACKET)

    def test_missing_comma_of_a_table_in_braces(self) -> None:
        self.reported(
            "p = { a = 1 b = 2 }\n",
            "line 1, column 13",
            "'p = { a = 1 b = 2 }'",
            "a ',' is missing between two keys",
        )

    def test_comma_at_the_end_of_a_table_in_braces(self) -> None:
        self.reported(
            "p = { a = 1, }\n",
            "line 1, column 14",
            "'p = { a = 1, }'",
            "remove the ',' before '}'",
        )

    def test_table_in_braces_over_several_lines(self) -> None:
        self.reported("p = {\n a = 1 }\n", "line 1, column 6", "'p = {'", ONE_LINE)
        self.reported(
            "p = { a = 1,\n b = 2 }\n", "line 1, column 13", "'p = { a = 1,'", ONE_LINE
        )

    def test_missing_brace(self) -> None:
        self.reported(
            "p = { a = 1\nb = 2\n",
            "line 1",
            "'p = { a = 1'",
            f"{ONE_LINE}; or a '}}' is missing",
        )


class CommentTests(TomlErrorCase):
    def test_semicolon_begins_no_comment(self) -> None:
        self.reported("; x\na = 1\n", "line 1, column 1", "'; x'", COMMENT)
        self.reported("a = 1 ; x\n", "line 1, column 7", "'a = 1 ; x'", COMMENT)

    def test_slashes_begin_no_comment(self) -> None:
        self.reported("// x\n", "line 1, column 1", "'// x'", COMMENT)


class OtherErrorTests(TomlErrorCase):
    def test_other_error_is_reported_in_the_parser_s_words(self) -> None:
        self.reported(
            'a = "\x01"\n',
            "line 1, column 6",
            repr('a = "\x01"'),
            "Illegal character '\\x01'",
        )

    def test_long_line_is_shortened(self) -> None:
        (problem,) = self.file_problems(f"a = {'x' * 5000}\n")
        self.assertLess(len(problem), 200)

    def test_line_ends_of_other_systems_count_once(self) -> None:
        self.reported('a = 1\r\nb = "x\r\n', "line 2", "'b = \"x'", OPEN_QUOTE)

    @given(st.text("[]{}=\"',.#\\\n ax1;:*", max_size=60))
    def test_any_text_is_parsed_or_refused_in_one_line(self, text: str) -> None:
        try:
            parse_toml(text)
        except ValueError as error:
            self.assertEqual(len(str(error).splitlines()), 1)


class SecretTests(TomlErrorCase):
    def test_line_with_a_password_shows_its_key_only(self) -> None:
        for line in (
            "password = hunter2",
            'password = "hunter2',
            "asterisk.password = 'hunter2",
            'asterisk = { password = "hunter2", url = x }',
            'password = """\nhunter2\n\x01hunter2"""',
            "pasword = hunter2",
            "url = http://asterisk:hunter2@pbx",
            "password hunter2",
            "password: hunter2==",
        ):
            (problem,) = self.file_problems(f"a = 1\n{line}\nb = 2\n")
            self.assertNotIn("hunter2", problem)
            self.assertTrue(problem.startswith("is not TOML: line "), problem)
        (problem,) = self.file_problems("[asterisk]\npassword = hunter2\n")
        self.assertEqual(
            problem, f"is not TOML: line 2, column 12: 'password' = …: {TEXT}"
        )
