"""What the checks of a configuration and of its Asterisk find."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from channel_aa.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from channel_aa.problems import ConfigError


class Topic(Enum):
    """What a finding is about, in the order in which `doctor` prints it.

    It is useless to go on with a later topic while the connection or the rights fail.
    """

    CONFIGURATION = "configuration"
    CONNECTION = "connection"
    RIGHTS = "rights"
    MODULES = "modules"
    APPLICATION = "application"
    STATUS = "status"
    DIALPLAN = "dialplan"
    SOUNDS = "sounds"
    PHONES = "phones"
    RECORDINGS = "recordings"
    SPEECH = "speech"
    RECORDS = "records"
    TIME = "time"


class Level(Enum):
    """How grave a finding is."""

    ERROR = "FAILED"
    WARNING = "warning"
    NOTE = "note"
    """What Asterisk is, and what could not be checked."""

    OK = "ok"
    """What was checked and is right; only `doctor` prints it."""


class Finding(NamedTuple):
    """One line: how grave it is, what it is about, where it is, and what it is."""

    level: Level
    topic: Topic
    problem: Problem


class Findings:
    """The findings so far, in their order."""

    def __init__(self) -> None:
        self._all: list[Finding] = []

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._all)

    @property
    def errors(self) -> list[Problem]:
        """What keeps calls from being served as the file says."""
        return self.at(Level.ERROR)

    @property
    def warnings(self) -> list[Problem]:
        """What is probably unintended."""
        return self.at(Level.WARNING)

    def at(self, level: Level) -> list[Problem]:
        """Return those of a level."""
        return [each.problem for each in self._all if each.level is level]

    def of(self, topic: Topic) -> list[Finding]:
        """Return those of a topic."""
        return [each for each in self._all if each.topic is topic]

    def error(self, topic: Topic, place: str, message: str) -> None:
        """Add an error."""
        self._add(Level.ERROR, topic, place, message)

    def warning(self, topic: Topic, place: str, message: str) -> None:
        """Add a warning."""
        self._add(Level.WARNING, topic, place, message)

    def note(self, topic: Topic, place: str, message: str) -> None:
        """Add a note."""
        self._add(Level.NOTE, topic, place, message)

    def ok(self, topic: Topic, message: str) -> None:
        """Add what is right."""
        self._add(Level.OK, topic, "", message)

    def extend(self, level: Level, topic: Topic, problems: Iterable[Problem]) -> None:
        """Add problems of a level."""
        self._all += [Finding(level, topic, each) for each in problems]

    def refuse(self, error: ConfigError, file: Path) -> None:
        """Add the errors of a file, whose places begin with its name."""
        self.extend(
            Level.ERROR,
            Topic.CONFIGURATION,
            (
                Problem(
                    each.place.removeprefix(str(file)).removeprefix(": "), each.message
                )
                for each in error.problems
            ),
        )

    def update(self, found: Iterable[Finding]) -> None:
        """Add further findings."""
        self._all += found

    def counted(self) -> str:
        """Count the errors and the warnings, in words."""
        errors = counted(len(self.errors), "error")
        return f"{errors}, {counted(len(self.warnings), 'warning')}"

    def _add(self, level: Level, topic: Topic, place: str, message: str) -> None:
        self._all.append(Finding(level, topic, Problem(place, message)))


def counted(number: int, noun: str) -> str:
    """Write a number of things: ``no errors``, ``1 call``, ``2 menus``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
