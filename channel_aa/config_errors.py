"""pydantic's errors, in the words of the file's author.

Each becomes a `Problem`. On its way there it is an error of pydantic's own type
``problem``, whose context holds the message, and the path below its location.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, time
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from channel_aa.problems import Problem, path_of, quoted

Loc = tuple[int | str, ...]
"""Where a value stands, as pydantic has it: keys and indices."""

_PROBLEM = "problem"

# A bool is an int, too.
_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text in quotes"),
    (bool, "true or false"),
    ((int, float), "a number"),
    ((date, time), "a date or a time"),
    ((list, tuple), "a list in brackets"),
    ((Mapping, BaseModel), "a table"),
)
_SCALARS = (str, int, float)

# The names of pydantic's errors for values of another type.
_TABLES = {"model_type", "dict_type", "mapping_type"}
_EXPECTED = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list in brackets",
    **dict.fromkeys(_TABLES, "a table"),
}


def type_name(value: object) -> str:
    """Name a value's type as the author of a file knows it."""
    for types, words in _TYPE_NAMES:
        if isinstance(value, types):
            return words
    return f"a {type(value).__name__}"


@contextmanager
def moved(move: Callable[[Loc], Loc]) -> Iterator[None]:
    """Have pydantic's errors stand elsewhere.

    Args:
        move: from where an error is to where it belongs.
    """
    details: list[InitErrorDetails] = []
    try:
        yield
    except ValidationError as error:
        details = [*map(as_detail, error.errors(include_url=False))]
    if details:
        raise error_of([{**each, "loc": move(each["loc"])} for each in details])


def is_worded(error: ErrorDetails) -> bool:
    """Whether an error needs no further explanation: its value has a wrong type."""
    return error["type"] in {_PROBLEM, *_EXPECTED}


def refusal(problems: Iterable[Problem]) -> ValidationError:
    """Make the error for a validator to raise; places are paths from its value."""
    return error_of([*map(detail, problems)])


def _wrong_type(kind: str, value: object) -> str:
    found = type_name(value)
    # Text where a table belongs may be a secret.
    if isinstance(value, _SCALARS) and kind not in _TABLES:
        found += f": {quoted(value)}"
    return f"expected {_EXPECTED[kind]}, found {found}"


def _message(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is missing"
    if kind in _EXPECTED:
        return _wrong_type(kind, error["input"])
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"]


def as_detail(error: ErrorDetails) -> InitErrorDetails:
    """Give an error its message."""
    if error["type"] == _PROBLEM:
        return detail(Problem(**error["ctx"]), error["loc"])
    return detail(Problem("", _message(error)), error["loc"])


def detail(problem: Problem, loc: Loc = ()) -> InitErrorDetails:
    """Make an error of a problem, whose place is a path below the location."""
    context = {"place": problem.place, "message": problem.message}
    return {
        "type": PydanticCustomError(_PROBLEM, "{message}", context),
        "loc": loc,
        "input": None,
    }


def error_of(details: list[InitErrorDetails]) -> ValidationError:
    """Make the error for a validator to raise."""
    return ValidationError.from_exception_data("configuration", details)


def problems_of(error: ValidationError) -> Iterator[Problem]:
    """Yield a problem for each error, which `as_detail` has given its message."""
    for each in error.errors(include_url=False):
        place = ""
        for key in each["loc"]:
            place = f"{place}[{key}]" if isinstance(key, int) else path_of(place, key)
        context = cast("dict[str, str]", each["ctx"])
        inside = context["place"]
        place = f"{place}.{inside}" if place and inside else place or inside
        yield Problem(place, context["message"])
