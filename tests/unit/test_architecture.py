"""Imports between packages go one way."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
PACKAGE = "channel_aa"
MODELS = ("config_errors", "config_model", "config_types", "problems")
CONFIGURATION = ("config", "settings", "settings_fields", "toml_errors", *MODELS)
DATA_IMPORTS = {
    *("channel_aa", "pydantic", "pydantic_core", "__future__"),
    *("collections", "datetime", "difflib", "enum", "functools", "graphlib"),
    "hashlib",
    *("itertools", "re", "types", "typing", "zoneinfo"),
}
"""The top-level packages that modules of pure data may import."""


def canonical(distribution: str) -> str:
    """Return the canonical name of a distribution (PEP 503)."""
    return re.sub("[-_.]+", "-", distribution).lower()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def all_imported(path: Path) -> tuple[str, ...]:
    """Return the full names that a file imports, for types as well."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        found += names
    return tuple(found)


def imported(path: Path, package: str = PACKAGE) -> tuple[str, ...]:
    """Return the full names of a package that a file imports."""
    return tuple(
        name for name in all_imported(path) if f"{name}.".startswith(f"{package}.")
    )


def part_of(name: str) -> str:
    """Return the subpackage or module of channel_aa that a full name belongs to."""
    parts = name.split(".")
    if len(parts) > 1:
        place = ROOT / PACKAGE / parts[1]
        if place.is_dir() or place.with_suffix(".py").is_file():
            return parts[1]
    return PACKAGE


@cache
def imports_by_part() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        part = part_of(module_name(path))
        found.setdefault(part, set()).update(imported(path))
    return found


@cache
def module_graph() -> dict[str, set[str]]:
    """Map each module to the modules of this project that it imports."""
    paths = {module_name(path): path for path in (ROOT / PACKAGE).rglob("*.py")}

    def module_of(name: str) -> str:
        while name not in paths:
            name = name.rpartition(".")[0]
        return name

    return {
        module: {module_of(name) for name in imported(path)}
        for module, path in paths.items()
    }


class ArchitectureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.imports = imports_by_part()

    def parts(self, part: str) -> set[str]:
        """Return the other subpackages and modules that one imports."""
        return {part_of(name) for name in self.imports[part]} - {part}

    def test_sources_are_found(self) -> None:
        self.assertLessEqual({"ari", "attendant", "interfaces"}, set(self.imports))
        self.assertIn("interfaces", self.parts("ari"))

    def test_interfaces_import_no_other_module(self) -> None:
        self.assertEqual(self.imports["interfaces"], set())

    def test_ari_and_attendant_do_not_import_each_other(self) -> None:
        self.assertLessEqual(
            self.parts("ari"), {"dialogue", "files", "interfaces", "logs"}
        )
        self.assertLessEqual(
            self.parts("attendant"),
            {"dialogue", "interfaces", "logs", "menus", "problems"},
        )

    def test_dialogue_imports_only_the_interfaces(self) -> None:
        self.assertLessEqual(self.parts("dialogue"), {"interfaces", "logs"})

    def test_menus_import_only_the_base_of_configuration_models(self) -> None:
        self.assertEqual(self.parts("menus"), {*MODELS, "dialogue"})
        ours = {name for name in self.imports["menus"] if ".dialogue." in name}
        self.assertEqual({name.split(".")[2] for name in ours}, {"digits"})

    def test_menus_import_nothing_that_runs(self) -> None:
        package = ROOT / PACKAGE
        paths = [*(package / "menus").glob("*.py"), package / "dialogue/digits.py"]
        for path in sorted(paths):
            with self.subTest(module=path.stem):
                packages = {name.split(".")[0] for name in all_imported(path)}
                self.assertLessEqual(packages, DATA_IMPORTS)

    def test_shared_modules_import_no_other_module(self) -> None:
        self.assertEqual(self.parts("http_server"), {"logs", "server_endpoints"})
        for part in ("files", "logs", "problems", "server_endpoints"):
            with self.subTest(part=part):
                self.assertEqual(self.imports[part], set())

    def test_config_imports_no_running_parts(self) -> None:
        data = {*CONFIGURATION, "files", "menus", "server_endpoints"}
        for part in ("config", "settings", "settings_fields"):
            with self.subTest(part=part):
                self.assertLessEqual(self.parts(part), data - {"config"})

    def test_speech_imports_neither_ari_nor_attendant(self) -> None:
        self.assertLessEqual(
            self.parts("speech"),
            {"http_server", "interfaces", "logs", "menus", "problems", "settings"},
        )
        for part in ("ari", "attendant", "menus", "simulator"):
            self.assertNotIn("speech", self.parts(part))

    def test_speech_engines_are_imported_by_the_worker_only(self) -> None:
        """They take hundreds of megabytes, and need not be installed."""
        engines = {"numpy", "piper", "soxr"}
        importers = {
            path.stem
            for path in (ROOT / PACKAGE).rglob("*.py")
            if engines & {name.split(".")[0] for name in all_imported(path)}
        }
        self.assertEqual(importers, {"rendering"})

    def test_records_import_of_the_attendant_its_events_only(self) -> None:
        self.assertLessEqual(
            self.parts("records"),
            {"attendant", "dialogue", "logs", "menus", "settings"},
        )
        ours = {name for name in self.imports["records"] if ".attendant." in name}
        self.assertEqual(
            {name.split(".")[2] for name in ours}, {"call_events", "context"}
        )
        for part in ("ari", "attendant", "menus", "simulator", "speech"):
            self.assertNotIn("records", self.parts(part))

    def test_service_does_not_import_the_daemon(self) -> None:
        self.assertEqual(
            self.parts("service") & {"daemon", "demo", "simulator", "tap"}, set()
        )

    def test_simulator_imports_no_other_package(self) -> None:
        """It must not share code with the client that it tests.

        Only its in-memory link, which takes the place of sockets, uses the client.
        """
        for path in sorted((ROOT / PACKAGE / "simulator").rglob("*.py")):
            is_in_memory = path.stem == "in_memory"
            with self.subTest(module=path.stem):
                parts = {part_of(name) for name in imported(path)} - {"simulator"}
                allowed = {"ari", "interfaces"} if is_in_memory else set()
                self.assertLessEqual(parts, allowed)

    def test_simulator_does_not_need_its_in_memory_link(self) -> None:
        for path in sorted((ROOT / PACKAGE / "simulator").rglob("*.py")):
            if not path.stem.startswith("in_memory"):
                link = f"{PACKAGE}.simulator.in_memory"
                with self.subTest(module=path.stem):
                    names = list(imported(path))
                    self.assertFalse([n for n in names if n.startswith(link)])

    def test_only_what_simulates_imports_the_simulator(self) -> None:
        importers = {part for part in self.imports if "simulator" in self.parts(part)}
        self.assertLessEqual(importers, {"commands", "demo", "testing"})

    def test_no_package_imports_the_commands(self) -> None:
        importers = {part for part in self.imports if "commands" in self.parts(part)}
        self.assertEqual(importers, set())

    def test_packages_have_no_import_cycles(self) -> None:
        graph = {part: self.parts(part) for part in self.imports}
        self.assertTrue(list(TopologicalSorter(graph).static_order()))

    def test_no_modules_import_each_other_in_a_cycle(self) -> None:
        """Imports for types count, too."""
        self.assertTrue(list(TopologicalSorter(module_graph()).static_order()))

    def test_ari_wire_imports_nothing_of_the_client_above_it(self) -> None:
        wire = f"{PACKAGE}.ari.wire"
        modules = {name for name in module_graph() if name.startswith(wire)}
        self.assertIn(f"{wire}.connection", modules)
        for module in modules:
            above = {
                each
                for each in module_graph()[module]
                if each.startswith(f"{PACKAGE}.ari") and not each.startswith(wire)
            }
            with self.subTest(module=module):
                self.assertEqual(above, set())

    def test_plugin_imports_no_module(self) -> None:
        """Each run of twistd imports all plugins."""
        for path in (ROOT / "twisted" / "plugins").glob("*.py"):
            self.assertEqual(list(imported(path)), [])


class TestCodeTests(SynchronousTestCase):
    """The imports of tests, benchmarks and real_asterisk."""

    def assert_imports_nothing_of(self, path: Path, *packages: str) -> None:
        with self.subTest(path=str(path.relative_to(ROOT))):
            found = [name for each in packages for name in imported(path, each)]
            self.assertEqual(found, [])

    def test_package_imports_no_tests_or_benchmarks(self) -> None:
        for path in (ROOT / PACKAGE).rglob("*.py"):
            self.assert_imports_nothing_of(
                path, "tests", "benchmarks", "generate_ari", "real_asterisk"
            )

    def test_benchmarks_and_real_asterisk_import_no_tests(self) -> None:
        for path in (ROOT / "benchmarks").rglob("*.py"):
            self.assert_imports_nothing_of(path, "tests")
        for path in (ROOT / "real_asterisk").rglob("*.py"):
            self.assert_imports_nothing_of(path, "tests", "benchmarks", PACKAGE)

    def test_generator_of_the_api_imports_only_real_asterisk(self) -> None:
        for path in (ROOT / "generate_ari").rglob("*.py"):
            self.assert_imports_nothing_of(path, "tests", "benchmarks", PACKAGE)

    def test_only_tests_of_the_benchmarks_import_them(self) -> None:
        for path in (ROOT / "tests").rglob("*.py"):
            is_theirs = path.parent == ROOT / "tests/unit/benchmarks"
            if not is_theirs and not path.match("tests/integration/test_benchmark*.py"):
                self.assert_imports_nothing_of(path, "benchmarks")

    def test_tests_import_only_support_of_the_tests(self) -> None:
        """What several test modules need is in tests/support."""
        for path in (ROOT / "tests").rglob("*.py"):
            with self.subTest(path=str(path.relative_to(ROOT))):
                names = [
                    name
                    for name in imported(path, "tests")
                    if not name.startswith("tests.support.")
                ]
                self.assertEqual(names, [])

    def test_imported_distributions_are_declared(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        declared = {
            canonical(re.match(r"[\w.-]+", requirement)[0])  # type: ignore[index] # each has a name
            for extra, requirements in {
                "": project["dependencies"],
                **project["optional-dependencies"],
            }.items()
            if extra not in {"test", "lint"}
            for requirement in requirements
        }
        # Packages of the extras need not be installed.
        providers = {
            "numpy": ["numpy"],
            "piper": ["piper-tts"],
            "soxr": ["soxr"],
            **packages_distributions(),
        }
        undeclared = {
            package
            for path in (ROOT / PACKAGE).rglob("*.py")
            for package in {name.split(".")[0] for name in all_imported(path)}
            if package not in {PACKAGE, *sys.stdlib_module_names}
            # Several may provide parts of a namespace.
            and not declared & set(map(canonical, providers.get(package, ())))
        }
        # pydantic requires exactly one version of it.
        self.assertEqual(undeclared, {"pydantic_core"})

    def test_wheel_holds_only_the_package_and_the_plugin(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
        self.assertEqual(wheel["packages"], [PACKAGE, "twisted"])
