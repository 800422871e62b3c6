"""The files, tests and modules that the documentation names exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "twistd.conf")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
FOLDERS = (
    *("benchmarks", "channel_aa", "dialplan", "examples", "generate_ari"),
    *("real_asterisk", "scripts", "systemd", "tests"),
)

_BEGINNING = r"(?<![\w./-])"
_PATH = re.compile(rf"{_BEGINNING}((?:{'|'.join(FOLDERS)})/[\w./*-]*)(?:::(\w+))?")
_PYTHON_FILE = re.compile(rf"{_BEGINNING}((?:\w+/)*\w+\.py)\b")
_DOTTED = re.compile(rf"{_BEGINNING}channel_aa(?:\.\w+)+")
_IMPORT = re.compile(r"from (channel_aa[\w.]*) import ([\w, ]+)")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def paths_in(text: str) -> set[tuple[str, str]]:
    """Find the paths in a text, each with the test that it names, or ""."""
    return {(path.rstrip("."), test) for path, test in _PATH.findall(text)}


def dotted_names_in(text: str) -> set[str]:
    """Find the dotted names below channel_aa in a text."""
    names = set(_DOTTED.findall(text))
    for module, imported in _IMPORT.findall(text):
        names |= {f"{module}.{name.strip()}" for name in imported.split(",")}
    return names


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names that a file or one of its classes defines."""
    return frozenset(_defined(ast.parse(path.read_text("utf-8")).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _defined(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (f"{prefix}{it.asname or it.name}" for it in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                f"{prefix}{it.id}" for it in targets if isinstance(it, ast.Name)
            )


def names_of_tests_in(path: Path) -> set[str]:
    """Return the names of the tests of a file."""
    names = {name.rpartition(".")[2] for name in names_in(path)}
    return {name for name in names if name.startswith("test_")}


def is_defined(dotted: str) -> bool:
    """Say whether a dotted name is a package, a module, or defined in one."""
    parts = dotted.split(".")
    for number in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:number])
        source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if source.is_file():
            name = ".".join(parts[number:])
            return not name or name in names_in(source)
    return False


def python_files() -> Iterator[Path]:
    """Find the Python files of the project."""
    for folder in FOLDERS:
        yield from (ROOT / folder).rglob("*.py")


def rows_of(page: str, section: str) -> Iterator[list[str]]:
    """Return the cells of each row of a section's table, without its head."""
    text = page.split(f"\n## {section}\n")[1].split("\n#", maxsplit=1)[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for row in rows[1:]:
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


class ReferenceTests(SynchronousTestCase):
    def test_named_files_and_tests_exist(self) -> None:
        missing = [
            f"{page.name}: {path}::{test}"
            for page in PAGES
            for path, test in sorted(paths_in(page.read_text("utf-8")))
            if not list(ROOT.glob(path))
            or (test and test not in names_of_tests_in(ROOT / path))
        ]
        self.assertEqual(missing, [])

    def test_named_python_files_exist(self) -> None:
        """Their paths may begin anywhere: ``ari/client.py``."""
        files = [f"/{it.relative_to(ROOT)}" for it in python_files()]
        missing = [
            f"{page.name}: {name}"
            for page in PAGES
            for name in sorted(set(_PYTHON_FILE.findall(page.read_text("utf-8"))))
            if not any(file.endswith(f"/{name}") for file in files)
        ]
        self.assertEqual(missing, [])

    def test_dotted_names_are_defined(self) -> None:
        missing = [
            f"{page.name}: {name}"
            for page in PAGES
            for name in sorted(dotted_names_in(page.read_text("utf-8")))
            if not is_defined(name)
        ]
        self.assertEqual(missing, [])

    def test_missing_names_are_found(self) -> None:
        self.assertFalse(is_defined("channel_aa.nonsense"))
        self.assertFalse(is_defined("channel_aa.ari.Nonsense"))
        self.assertFalse(is_defined("channel_aa.ari.client.AriClient.nonsense"))
        self.assertTrue(is_defined("channel_aa.ari.client.AriClient.request"))
        self.assertEqual(
            paths_in("See `tests/unit/test_logs.py::test_x` and docs/tests/x."),
            {("tests/unit/test_logs.py", "test_x")},
        )

    def test_all_faults_tested_are_on_the_page_of_reliability(self) -> None:
        page = (ROOT / "docs/reliability.md").read_text("utf-8")
        named = {each for each in paths_in(page) if each[1]}
        self.assertGreater(len(named), 30)
        tested = {
            (str(path.relative_to(ROOT)), name)
            for path in sorted((ROOT / "tests/end_to_end/faults").glob("test_*.py"))
            for name in names_of_tests_in(path)
        }
        self.assertGreater(len(tested), 20)
        self.assertEqual(tested - named, set())

    def test_each_threat_on_the_page_of_security_names_a_test(self) -> None:
        page = (ROOT / "docs/security.md").read_text("utf-8")
        rows = list(rows_of(page, "Threats and defences"))
        self.assertGreater(len(rows), 15)
        without = [threat for threat, _, tests in rows if not paths_in(tests)]
        self.assertEqual(without, [])

    def test_all_tests_of_security_are_on_its_page(self) -> None:
        named = paths_in((ROOT / "docs/security.md").read_text("utf-8"))
        files = sorted((ROOT / "tests/integration").glob("test_security_*.py"))
        self.assertGreater(len(files), 3)
        missing = [
            f"{path}::{test}"
            for file in files
            for path in [str(file.relative_to(ROOT))]
            for test in sorted(names_of_tests_in(file))
            if not {(path, ""), (path, test)} & named
        ]
        self.assertEqual(missing, [])
