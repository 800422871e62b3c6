"""Frozen data that checks itself, and tells all that is wrong with it at once.

The same rules serve two doors: a table read from a configuration file goes
through `converted`, and an object that a program builds goes through it, too.
A field's rules stand in its type, ``Annotated[str, rule]``: a rule is a function
that gives the value to keep, or raises `ValueError` with a sentence that tells
what was found and what is allowed.
"""

import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields, force_setattr

# What a value is, in the words of whoever writes the file. A bool is an int, too.
_SORTS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text in quotes"),
    (bool, "true or false"),
    ((int, float), "a number"),
    ((date, time), "a date or a time"),
    ((list, tuple), "a list in brackets"),
    ((Mapping, msgspec.Struct), "a table"),
)
_QUOTABLE = (str, bool, int, float)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where.

    Attributes:
        place: a dotted path (``menus.main.prompt[0]``), after the name of the file
            where there is one; or the name of an option or environment variable.
        message: what was found there, and what is allowed.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigError(ValueError):
    """What is configured cannot be used.

    Attributes:
        problems: everything that is wrong. The error's text has one line for each.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Reader:
    """How to read what may be written in several ways: ``Annotated[Kind, Reader(…)]``.

    Attributes:
        read: makes a value what the field asks for, as `converted` does: from the
            value, its place, and the list that takes what is wrong. It gives
            ``None`` where something is.
    """

    read: Callable[[object, str, list[Problem]], Any]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen object whose fields hold to the rules in their types.

    Raises:
        ConfigError: they do not; it names everything that is wrong.
    """

    def __post_init__(self) -> None:
        found = {
            key: getattr(self, field.name)
            for key, field in _fields_by_key(type(self)).items()
        }
        problems: list[Problem] = []
        kept = _converted_fields(found, type(self), "", problems)
        if problems:
            raise ConfigError(problems)
        for name, value in kept.items():
            force_setattr(self, name, value)

    @classmethod
    def keys_beside_fields(cls) -> frozenset[str]:
        """Name the keys of its table in a file that are no fields.

        Whoever reads the file turns them into the value of a field.
        """
        return frozenset()

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what is wrong between fields; places are paths from this object.

        Args:
            values: every field by name. What is wrong in itself is ``None`` here,
                also within a mapping.
        """
        del values
        return iter(())

    @classmethod
    def omissions(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what is missing between fields; places are paths from this object.

        Args:
            values: every field by name, of which none is wrong in itself.
        """
        del values
        return iter(())


def converted(
    value: object, wanted: object, place: str, problems: list[Problem]
) -> Any:  # noqa: ANN401 - the type is the one in `wanted`
    """Make a value what its type and its rules ask for.

    Args:
        value: what was found.
        wanted: the type it is to have, with its rules.
        place: where it was found, for `Problem.place`.
        problems: takes everything that is wrong.

    Returns:
        The value to keep; ``None`` where it is wrong.
    """
    origin = get_origin(wanted)
    if origin is Annotated:
        plain, *rules = get_args(wanted)
        if isinstance(rules[0], Reader):
            kept = rules.pop(0).read(value, place, problems)
        else:
            kept = converted(value, plain, place, problems)
        return _obeying(rules, kept, place, problems)
    if origin in {Union, UnionType}:
        (plain,) = (each for each in get_args(wanted) if each is not NoneType)
        return None if value is None else converted(value, plain, place, problems)
    if origin is tuple and isinstance(value, list | tuple):
        return _converted_list(value, get_args(wanted)[0], place, problems)
    if origin is Mapping and isinstance(value, Mapping):
        return _converted_mapping(value, get_args(wanted), place, problems)
    if _is_checked(wanted) and isinstance(value, Mapping):
        return _converted_table(value, wanted, place, problems)
    return _converted_plain(value, wanted, place, problems)


def one_or_list(kind: object) -> Reader:
    """Read one value like a list of one."""

    def read(value: object, place: str, problems: list[Problem]) -> object:
        if isinstance(value, list | tuple):
            return _converted_list(value, kind, place, problems)
        kept = converted(value, kind, place, problems)
        return None if kept is None else (kept,)

    return Reader(read)


def nearest(name: str, there_are: Iterable[str], *, what: str) -> str:
    """Tell that nothing has a name, and which one may be meant.

    Args:
        name: what was found.
        there_are: what would have been right.
        what: what it should name: ``"menu"``.
    """
    names = list(map(str, there_are))
    near = get_close_matches(name, names, n=1)
    if near:
        return f"no {what} is called {quoted(name)}; did you mean {quoted(near[0])}?"
    listed = ", ".join(map(quoted, names)) or "none"
    return f"no {what} is called {quoted(name)}; there are: {listed}"


def quoted(value: object) -> str:
    """Quote a value for a message: short, and always on one line."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes out no number of thousands of digits
        return "a number of very many digits"


def sort(kind: object) -> str:
    """Name a type in the words of whoever writes the file."""
    if not isinstance(kind, type):
        return str(kind)
    for types, words in _SORTS:
        if issubclass(kind, types):
            return words
    return f"a {kind.__name__}"


def path_of(place: str, key: object) -> str:
    """Give the dotted path of a key in what has a path itself, as TOML writes it."""
    is_bare = isinstance(key, str) and _BARE_KEY.fullmatch(key)
    name = str(key) if is_bare else quoted(key)
    return f"{place}.{name}" if place else name


def bare_name(name: str) -> str:
    """Allow only a name that needs no quotes, in the file and in a path: a rule."""
    if _BARE_KEY.fullmatch(name):
        return name
    raise ValueError(
        f"{quoted(name)} is not a name; allowed are letters, digits, '-' and '_'"
    )


def _is_checked(wanted: object) -> TypeGuard[type[Checked]]:
    return isinstance(wanted, type) and issubclass(wanted, Checked)


def _converted_plain(
    value: object, wanted: object, place: str, problems: list[Problem]
) -> object:
    if get_origin(wanted) is None:
        # SystemError: msgspec before 0.22, for an int that is too large for a float.
        with suppress(msgspec.ValidationError, SystemError):
            return msgspec.convert(value, wanted)
    problems.append(Problem(place, _wrong_type(value, wanted)))
    return None


def _obeying(
    rules: Iterable[Any], value: object, place: str, problems: list[Problem]
) -> object:
    try:
        for rule in rules:
            if value is not None:
                value = rule(value)
    except ValueError as error:
        problems.append(Problem(place, str(error)))
        return None
    return value


def _converted_list(
    values: Iterable[object], wanted: object, place: str, problems: list[Problem]
) -> tuple[object, ...] | None:
    before = len(problems)
    kept = tuple(
        converted(value, wanted, f"{place}[{index}]", problems)
        for index, value in enumerate(values)
    )
    return kept if len(problems) == before else None


def _converted_mapping(
    table: Mapping[object, object],
    wanted: tuple[object, ...],
    place: str,
    problems: list[Problem],
) -> Mapping[object, object]:
    wanted_key, wanted_value = wanted
    kept = {}
    for written, value in table.items():
        inside = path_of(place, written)
        key = converted(written, wanted_key, inside, problems)
        kept_value = converted(value, wanted_value, inside, problems)
        if key in kept:
            problems.append(Problem(inside, f"{quoted(key)} is there twice"))
        kept[written if key is None else key] = kept_value
    return MappingProxyType(kept)


def _converted_table(
    table: Mapping[object, object],
    wanted: type[Checked],
    place: str,
    problems: list[Problem],
) -> Checked | None:
    before = len(problems)
    kept = _converted_fields(table, wanted, place, problems)
    return wanted(**kept) if len(problems) == before else None


def _converted_fields(
    table: Mapping[Any, object],
    wanted: type[Checked],
    place: str,
    problems: list[Problem],
) -> dict[str, Any]:
    known = _fields_by_key(wanted)
    beside = wanted.keys_beside_fields()
    problems.extend(
        Problem(path_of(place, key), _unknown_key(key, {*known, *beside}))
        for key in table
        if key not in known and key not in beside
    )
    before = len(problems)
    kept = {}
    for key, field in known.items():
        inside = path_of(place, key)
        if key in table:
            kept[field.name] = converted(table[key], field.type, inside, problems)
        elif field.required:
            kept[field.name] = None
            problems.append(Problem(inside, "is missing"))
        else:
            kept[field.name] = _default(field)
    found = list(wanted.conflicts(kept))
    if len(problems) == before:
        found += wanted.omissions(kept)
    problems.extend(
        Problem(f"{place}.{problem.place}" if place else problem.place, problem.message)
        for problem in found
    )
    return kept


@cache
def _fields_by_key(wanted: type[Checked]) -> Mapping[str, FieldInfo]:
    """List what a kind of table has, by its names in the file."""
    # msgspec works the types out anew, each time it is asked.
    return MappingProxyType({field.encode_name: field for field in fields(wanted)})


def _default(field: FieldInfo) -> object:
    if field.default is not NODEFAULT:
        return field.default
    return field.default_factory()


def _unknown_key(key: object, known: Iterable[str]) -> str:
    near = get_close_matches(str(key).lower(), known, n=1)
    if near:
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; allowed here: {', '.join(sorted(known))}"


def _wrong_type(value: object, wanted: object) -> str:
    kind = get_origin(wanted) or wanted
    asked = "a whole number" if kind is int else sort(kind)
    found = sort(type(value))
    # Text where something else than a number or a list belongs may be a secret.
    if isinstance(value, _QUOTABLE) and kind in {*_QUOTABLE, tuple}:
        found += f": {quoted(value)}"
    return f"expected {asked}, found {found}"


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
