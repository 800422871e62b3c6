"""The page on reliability names tests that are there, and leaves no fault out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs/reliability.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_OF_THE_NETWORK_ITSELF = {
    "tests/end_to_end/faults/test_proxy.py",
    "tests/end_to_end/faults/test_wire.py",
}


def names_in(path: Path) -> set[str]:
    """List the tests of a file, functions and methods."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, functions) and node.name.startswith("test_")
    }


class ReliabilityPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.named = set(_NAMED.findall(_PAGE.read_text()))

    def test_every_test_that_it_names_is_there(self) -> None:
        self.assertGreater(len(self.named), 30)
        for file, name in sorted(self.named):
            with self.subTest(file=file, name=name):
                self.assertIn(name, names_in(_ROOT / file))

    def test_every_fault_that_is_tested_is_on_it(self) -> None:
        tested = {
            (file, name)
            for path in sorted((_ROOT / "tests/end_to_end/faults").glob("test_*.py"))
            if (file := str(path.relative_to(_ROOT))) not in _OF_THE_NETWORK_ITSELF
            for name in names_in(path)
        }
        self.assertEqual(tested - self.named, set())
