"""Any configuration file: settings, or errors that name their place."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.main import main
from channel_aa.config import ConfigError, load, load_status_endpoint
from tests.support.fuzz_harness import FUZZ, corpus
from tests.support.fuzz_strategies import damaged
from tests.support.printed import printed

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[3]
TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z0-9_.:-]+|[^\S\n]+|.|\n')
LONGEST_MESSAGE = 2000


def uncommented(text: str) -> str:
    """Return the sample with its examples, which are comments in it."""
    lines = (
        line.removeprefix("#")
        for line in text.splitlines()
        if not line.startswith(("# ", "#:"))
    )
    return "\n".join(lines)


FILES = [
    uncommented((REPOSITORY / "twistd.conf").read_text("utf-8")),
    (REPOSITORY / "examples/company.conf").read_text("utf-8"),
]
TOKENS = sorted({token for file in FILES for token in TOKEN.findall(file)})
VALUES = [
    *('""', "''", '"x"', '"\\u0000"', '"\\u001b[2J"', '"\\ud800"', '"{digits}"', '"{"'),
    *('"../../x"', '"/"', '"\\n"', '"' + "x" * 3000 + '"', '"""', "'''", '"é\u2028"'),
    *("0", "-1", "+5", "1_000", "0x10", "0o7", "1e400", "inf", "-inf", "nan", "-0.0"),
    *("9" * 30, "9" * 5000, "1.5", "true", "false", "2026-11-28", "09:30:00"),
    *("2026-11-28T09:30:00Z", "2026-11-28 09:30:00", "[]", "[[]]", '["x", 1]', "{}"),
    *('{ say = "x" }', '{ play = ["x"], then = "main" }', "[" * 2000, "{ a = " * 2000),
    *("[menus.main]", "[[routes]]", "[actions]", "[texts]", "[speech]", "[records]"),
    *("a.b.c", "\r", "\x00", "\ufeff", "#", "=", ",", "]", "}"),
]


@st.composite
def edited(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Draw a real file, some of whose tokens are others, missing, or there twice."""
    tokens = TOKEN.findall(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(tokens) - 1))
        end = place + draw(st.sampled_from([1, 1, 1, 0, 2, 20]))
        other = draw(
            st.sampled_from(VALUES)
            | st.sampled_from(TOKENS)
            | st.text(max_size=5)
            | st.just("".join(tokens[place:end]) * 2)
        )
        tokens[place:end] = [other]
    return "".join(tokens).encode("utf-8", "surrogatepass")


CONFIGURATIONS = edited() | damaged(edited()) | st.binary(max_size=60)


class ConfigurationTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "twistd.conf"

    def try_file(self, content: bytes) -> None:
        """Load a file, and run the command ``check`` on it."""
        self.file.write_bytes(content)
        is_valid = True
        try:
            load(self.file)
        except ConfigError as error:
            is_valid = False
            self.assertNotEqual(error.problems, ())
            for problem in error.problems:
                self.assertTrue(problem.place.startswith(str(self.file)), problem)
                self.assertTrue(str(problem).isprintable(), problem)
                self.assertLess(len(problem.message), LONGEST_MESSAGE)
        code, lines, errors = printed(main, ["check", str(self.file)])
        self.assertEqual((code, errors), (int(not is_valid), ""))
        for line in lines.removesuffix("\n").split("\n"):
            self.assertTrue(line.startswith(f"{self.file}: "), line)
            self.assertTrue(line.isprintable(), line)
        try:
            load_status_endpoint(self.file)
        except ConfigError:
            self.assertFalse(is_valid)

    @FUZZ
    @given(CONFIGURATIONS)
    def test_any_file(self, content: bytes) -> None:
        self.try_file(content)

    def test_kept_inputs(self) -> None:
        for name, content in corpus("configuration"):
            with self.subTest(name):
                self.try_file(content)
