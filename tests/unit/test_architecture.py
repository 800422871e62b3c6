"""Imports between the rooms go one way."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
PACKAGE = "channel_aa"


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


def module_cycles(package: str) -> list[str]:
    """Find a cycle among the modules of a package, imports for types included.

    Args:
        package: its name below `PACKAGE`: ``simulator``.

    Returns:
        The modules of one cycle, the first one repeated at its end; empty: none.
    """
    paths = sorted((ROOT / PACKAGE / package).rglob("*.py"))
    modules = {module_name(path): path for path in paths}
    graph = {
        module: {
            found
            for name in imported(path)
            for found in (name, name.rpartition(".")[0])
            if found in modules and (found == name or name not in modules)
        }
        for module, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


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
        shared = {"checked", "files", "interfaces", "logs"}
        self.assertLessEqual(self.rooms("ari"), shared)
        self.assertLessEqual(self.rooms("attendant"), {*shared, "menus"})

    def test_the_menus_are_data_alone(self) -> None:
        self.assertEqual(self.rooms("menus"), {"checked"})

    def test_what_all_rooms_share_knows_none_of_them(self) -> None:
        for room in ("checked", "files", "logs"):
            with self.subTest(room=room):
                self.assertEqual(self.imports[room], set())

    def test_the_configuration_knows_nothing_that_runs(self) -> None:
        self.assertLessEqual(
            self.rooms("config"), {"checked", "files", "menus", "setting_rules"}
        )

    def test_the_service_knows_no_daemon(self) -> None:
        self.assertEqual(
            self.rooms("service") & {"daemon", "demo", "simulator", "tap"}, set()
        )

    def test_the_simulator_stands_apart(self) -> None:
        """It would prove nothing if it shared its ideas with what it tests.

        Its in-memory link alone imports the client, to connect one without sockets.
        """
        for path in sorted((ROOT / PACKAGE / "simulator").rglob("*.py")):
            is_in_memory = path.stem == "in_memory"
            with self.subTest(module=path.stem):
                rooms = {room_of(name) for name in imported(path)} - {"simulator"}
                allowed = {"ari", "interfaces"} if is_in_memory else set()
                self.assertLessEqual(rooms, allowed)

    def test_simulator_does_not_need_its_in_memory_link(self) -> None:
        for path in sorted((ROOT / PACKAGE / "simulator").rglob("*.py")):
            if not path.stem.startswith("in_memory"):
                link = f"{PACKAGE}.simulator.in_memory"
                with self.subTest(module=path.stem):
                    names = list(imported(path))
                    self.assertFalse([n for n in names if n.startswith(link)])

    def test_only_the_demo_and_the_commands_import_the_simulator(self) -> None:
        importers = {room for room in self.imports if "simulator" in self.rooms(room)}
        self.assertLessEqual(importers, {"commands", "demo"})

    def test_nothing_but_the_shell_calls_the_commands(self) -> None:
        importers = {room for room in self.imports if "commands" in self.rooms(room)}
        self.assertEqual(importers, set())

    def test_no_rooms_import_each_other(self) -> None:
        graph = {room: self.rooms(room) for room in self.imports}
        self.assertTrue(list(TopologicalSorter(graph).static_order()))

    def test_no_modules_of_a_package_import_each_other(self) -> None:
        for package in ("simulator", "commands"):
            with self.subTest(package=package):
                self.assertEqual(module_cycles(package), [])

    def test_the_plugin_imports_nothing_of_the_project(self) -> None:
        """Every run of twistd reads every plugin."""
        for path in (ROOT / "twisted" / "plugins").glob("*.py"):
            self.assertEqual(list(imported(path)), [])
