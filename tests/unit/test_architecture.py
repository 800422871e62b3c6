"""Imports between the rooms go one way."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
PACKAGE = "channel_aa"
MODELS = ("config_errors", "config_model", "config_types", "problems")
CONFIGURATION = ("config", "toml_errors", *MODELS)
PURE = {
    *("channel_aa", "pydantic", "pydantic_core", "__future__"),
    *("collections", "datetime", "difflib", "enum", "graphlib", "itertools", "re"),
    *("types", "typing", "zoneinfo"),
}
"""What modules may import that hold data alone."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Give the full names of this project that a file imports, for types as well."""
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
        found += [name for name in names if name.split(".")[0] == PACKAGE]
    return tuple(found)


def imported_packages(path: Path) -> set[str]:
    """Give the top-level packages that a file imports, for types as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def room_of(name: str) -> str:
    """Give the part of the package that a full name belongs to, or the package."""
    parts = name.split(".")
    if len(parts) > 1:
        place = ROOT / PACKAGE / parts[1]
        if place.is_dir() or place.with_suffix(".py").is_file():
            return parts[1]
    return PACKAGE


@cache
def rooms_and_imports() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        room = room_of(module_name(path))
        found.setdefault(room, set()).update(imported(path))
    return found


class ArchitectureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.imports = rooms_and_imports()

    def rooms(self, room: str) -> set[str]:
        """Which other rooms one room imports."""
        return {room_of(name) for name in self.imports[room]} - {room}

    def test_the_sources_are_found(self) -> None:
        self.assertLessEqual({"ari", "attendant", "interfaces"}, set(self.imports))
        self.assertIn("interfaces", self.rooms("ari"))

    def test_the_interfaces_import_nothing_of_the_project(self) -> None:
        self.assertEqual(self.imports["interfaces"], set())

    def test_the_ari_client_and_the_attendant_know_the_interfaces_alone(self) -> None:
        shared = {"files", "interfaces", "logs"}
        self.assertLessEqual(self.rooms("ari"), shared)
        self.assertLessEqual(self.rooms("attendant"), {*shared, "menus"})

    def test_menus_import_only_the_base_of_configuration_models(self) -> None:
        self.assertEqual(self.rooms("menus"), set(MODELS))

    def test_menus_import_nothing_that_runs(self) -> None:
        for path in sorted((ROOT / PACKAGE / "menus").glob("*.py")):
            with self.subTest(module=path.stem):
                self.assertLessEqual(imported_packages(path), PURE)

    def test_menus_and_configuration_have_no_import_cycle(self) -> None:
        """Imports for types count as well."""
        paths = [*(ROOT / PACKAGE / "menus").glob("*.py")]
        paths += [ROOT / PACKAGE / f"{name}.py" for name in CONFIGURATION]
        modules = {module_name(path) for path in paths}
        graph = {
            module_name(path): {
                module
                for name in imported(path)
                for module in (name, name.rpartition(".")[0])
                if module in modules
            }
            for path in paths
        }
        graph[f"{PACKAGE}.menus"] = set()
        self.assertTrue(list(TopologicalSorter(graph).static_order()))

    def test_what_all_rooms_share_knows_none_of_them(self) -> None:
        for room in ("files", "logs", "problems"):
            with self.subTest(room=room):
                self.assertEqual(self.imports[room], set())

    def test_the_configuration_knows_nothing_that_runs(self) -> None:
        self.assertLessEqual(
            self.rooms("config"), {*CONFIGURATION, "files", "menus"} - {"config"}
        )

    def test_the_service_knows_no_daemon(self) -> None:
        self.assertEqual(
            self.rooms("service") & {"daemon", "demo", "simulator", "tap"}, set()
        )

    def test_the_simulator_stands_apart(self) -> None:
        """It would prove nothing if it shared its ideas with what it tests.

        Its direct door alone is made for the client, to be used in place of sockets.
        """
        for path in sorted((ROOT / PACKAGE / "simulator").glob("*.py")):
            is_in_memory = path.stem.startswith("in_memory")
            with self.subTest(module=path.stem):
                rooms = {room_of(name) for name in imported(path)} - {"simulator"}
                allowed = {"ari", "interfaces"} if is_in_memory else set()
                self.assertLessEqual(rooms, allowed)

    def test_simulator_does_not_need_its_in_memory_link(self) -> None:
        for path in sorted((ROOT / PACKAGE / "simulator").glob("*.py")):
            if not path.stem.startswith("in_memory"):
                direct = f"{PACKAGE}.simulator.in_memory"
                with self.subTest(module=path.stem):
                    names = list(imported(path))
                    self.assertFalse([n for n in names if n.startswith(direct)])

    def test_only_the_demo_and_the_commands_import_the_simulator(self) -> None:
        importers = {room for room in self.imports if "simulator" in self.rooms(room)}
        self.assertLessEqual(importers, {"commands", "demo"})

    def test_nothing_but_the_shell_calls_the_commands(self) -> None:
        importers = {room for room in self.imports if "commands" in self.rooms(room)}
        self.assertEqual(importers, set())

    def test_no_rooms_import_each_other(self) -> None:
        graph = {room: self.rooms(room) for room in self.imports}
        self.assertTrue(list(TopologicalSorter(graph).static_order()))

    def test_the_plugin_imports_nothing_of_the_project(self) -> None:
        """Every run of twistd reads every plugin."""
        for path in (ROOT / "twisted" / "plugins").glob("*.py"):
            self.assertEqual(list(imported(path)), [])
