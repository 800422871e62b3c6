"""The base of all that can be configured: frozen pydantic models.

A file's tables and a program's arguments go through the same models. Every wrong
field becomes one `Problem`, whose message tells what was found and what is allowed,
in the words of the file's author; no message holds a secret.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, time
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)

from channel_aa.problems import ConfigError, Problem, path_of, quoted

Loc = tuple[int | str, ...]
"""Where a value stands, as pydantic has it: keys and indices."""

_K = TypeVar("_K")
_V = TypeVar("_V")

_PROBLEM = "problem"
_KEY = "[key]"  # pydantic's mark of an error of a key, not of its value

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


class ConfigModel(
    BaseModel,
    frozen=True,
    extra="forbid",
    hide_input_in_errors=True,
    use_attribute_docstrings=True,
    alias_generator=lambda name: name.removesuffix("_"),  # ``else_`` is Python's need
):
    """A frozen object whose fields hold to the rules in their types.

    Raises:
        ConfigError: they do not; it names everything that is wrong.
    """

    file_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys of its table in a file that are no fields, each with its description."""

    def __init__(self, /, **fields: Any) -> None:  # noqa: ANN401 - pydantic checks them
        aliases = {name: field.alias for name, field in self._fields().items()}
        problems: list[Problem] = []
        try:
            super().__init__(**{aliases.get(key) or key: fields[key] for key in fields})
        except ValidationError as error:
            problems = [*_problems(error)]
        if problems:  # not raised above: the chained exception holds what was found
            raise ConfigError(problems)

    # For pydantic: not to be called for a table within another.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            # pydantic's own error shows the value, which may be a secret.
            raise AttributeError(f"{type(self).__name__} is frozen; see replace()")

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 - as the constructor
        """Give a copy with other values in some fields, which are validated.

        Raises:
            ConfigError: the copy is not usable.
        """
        fields = {name: getattr(self, name) for name in self._fields()}
        return type(self)(**(fields | changes))

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what is wrong between fields; places are paths from this object.

        Args:
            faulty: the values, by key, that are wrong in themselves. Their fields
                have their defaults here.
        """
        del faulty
        return iter(())

    @classmethod
    def without_faulty(
        cls, data: Mapping[str, Any], errors: Iterable[Loc]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Divide a table into what is right, and what is wrong in itself.

        Args:
            data: the table.
            errors: where something is wrong in it.
        """
        wrong = {loc[0] for loc in errors if loc}
        known = cls._keys()
        faulty = {key: data[key] for key in data if key in wrong and key in known}
        return {key: data[key] for key in data if key not in wrong}, faulty

    @model_validator(mode="wrap")
    @classmethod
    def _validate(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        faulty: dict[str, Any] = {}
        details: list[InitErrorDetails] = []
        try:
            made = handler(data)
        except ValidationError as error:
            details = [*cls._translated(error)]
            if not isinstance(data, Mapping):
                raise _error(details) from None
            order: dict[Loc, int] = {(key,): at for at, key in enumerate(data)}
            details.sort(key=lambda each: order.get(each["loc"][:1], len(order)))
            right, faulty = cls.without_faulty(data, [each["loc"] for each in details])
            try:
                made = handler(right)
            except ValidationError:  # a field that has no default
                raise _error(details) from None
        for problem in made.conflicts(faulty):
            detail = _detail(problem)
            if problem.place in cls._keys():
                detail = _detail(Problem("", problem.message), (problem.place,))
            details.append(detail)
        if details:
            raise _error(details)
        return made

    @classmethod
    def _translated(cls, error: ValidationError) -> Iterator[InitErrorDetails]:
        """Give errors with the messages of this project."""
        known = {*cls._keys(), *cls.file_keys}
        for each in error.errors(include_url=False):
            if each["type"] == "extra_forbidden":
                loc = each["loc"]
                yield _detail(Problem("", _unknown_key(loc[-1], known)), loc)
            else:
                yield _as_detail(each)

    @classmethod
    def _fields(cls) -> Mapping[str, Any]:
        return cls.__pydantic_fields__

    @classmethod
    def _keys(cls) -> set[str]:
        return {field.alias or name for name, field in cls._fields().items()}


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
        details = [*map(_as_detail, error.errors(include_url=False))]
    if details:
        raise _error([{**each, "loc": move(each["loc"])} for each in details])


class _Wrapper:
    """Stands beside a type in `Annotated`, and validates around it."""

    _constraints: Mapping[str, object] = MappingProxyType({})

    def __get_pydantic_core_schema__(
        self, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = {**handler(source), **self._constraints}
        if source is float:
            schema["allow_inf_nan"] = False
        return core_schema.no_info_wrap_validator_function(
            self._validate, cast("CoreSchema", schema)
        )

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        raise NotImplementedError


class Explain(_Wrapper):
    """Say what is allowed, where a value of the right type breaks a constraint.

    ``Annotated[int, Field(gt=0), Explain("{value} is too small")]``

    Args:
        message: the message, in which ``{value}`` is what was found.
    """

    def __init__(self, message: str) -> None:
        self._message = message

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        # A list without its wrong items may be too short.
        within = [each for each in errors if each["loc"]]
        is_too_large = type(value) is int and errors[0]["type"] == "float_type"
        if within or (errors[0]["type"] in {_PROBLEM, *_EXPECTED} and not is_too_large):
            raise _error([*map(_as_detail, within or errors)])
        raise ValueError(self._message.replace("{value}", quoted(value)))


class Matching(Explain):
    """Allow text that a pattern matches from its first character to its last.

    Args:
        pattern: a regular expression that Python, Rust and JavaScript read alike.
        message: as for `Explain`.
    """

    def __init__(self, pattern: str, message: str) -> None:
        super().__init__(message)
        self._constraints = {"strict": True, "pattern": f"^(?:{pattern})$"}


class OneOf(Matching):
    """Allow some words only.

    Args:
        words: the words.
        message: as for `Explain`.
    """

    def __init__(self, words: Iterable[str], message: str) -> None:
        self._words = [*words]
        super().__init__("|".join(map(re.escape, self._words)), message)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        del schema, handler
        return {"type": "string", "enum": self._words}


class Between(Explain):
    """Allow numbers within bounds.

    Args:
        least: the least number.
        most: the largest.
        unit: what follows the bounds in the message, with a space before it.
        zero: what 0 means.
    """

    def __init__(
        self, least: int, most: int, unit: str = "", *, zero: str = ""
    ) -> None:
        allowed = f"{least} ({zero}) to {most}" if zero else f"{least} to {most}"
        super().__init__(f"{{value}} is out of range; allowed are {allowed}{unit}")
        self._constraints = {"strict": True, "ge": least, "le": most}


class OneOrMany(_Wrapper):
    """Take one value like a list of one: ``Annotated[tuple[X, ...], OneOrMany()]``."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}

    def _is_many(self, value: object) -> bool:
        return isinstance(value, list | tuple)

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        if self._is_many(value):
            return handler(value)
        with moved(lambda loc: loc[1:]):
            return handler((value,))


def _freeze(
    table: object, handler: ValidatorFunctionWrapHandler
) -> Mapping[Any, object]:
    with moved(lambda loc: loc[:1] if loc[1:] == (_KEY,) else loc):
        return MappingProxyType(handler(table))


FrozenMapping = Annotated[Mapping[_K, _V], WrapValidator(_freeze)]
"""A table with keys of its author's own."""

Text = Annotated[str, Field(strict=True)]
"""Text, and nothing that could be made text."""

Flag = Annotated[bool, Field(strict=True)]

Name = Annotated[
    str,
    Matching(
        "[A-Za-z0-9_-]+",
        "{value} is not a name; allowed are letters, digits, '-' and '_'",
    ),
]
"""A name that needs no quotes, in the file and in a path."""


def refusal(problems: Iterable[Problem]) -> ValidationError:
    """Make the error for a validator to raise; places are paths from its value."""
    return _error([*map(_detail, problems)])


def printable(text: str) -> str:
    """Refuse control characters: a validator."""
    if text.isprintable():
        return text
    raise ValueError(f"{quoted(text)} has a control character in it")


def _unknown_key(key: object, known: Iterable[str]) -> str:
    near = get_close_matches(str(key).lower(), known, n=1)
    if near:
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; allowed here: {', '.join(sorted(known))}"


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


def _as_detail(error: ErrorDetails) -> InitErrorDetails:
    if error["type"] == _PROBLEM:
        return _detail(Problem(**error["ctx"]), error["loc"])
    return _detail(Problem("", _message(error)), error["loc"])


def _detail(problem: Problem, loc: Loc = ()) -> InitErrorDetails:
    context = {"place": problem.place, "message": problem.message}
    return {
        "type": PydanticCustomError(_PROBLEM, "{message}", context),
        "loc": loc,
        "input": None,
    }


def _error(details: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data("configuration", details)


def _problems(error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False):
        place = ""
        for key in each["loc"]:
            place = f"{place}[{key}]" if isinstance(key, int) else path_of(place, key)
        context = cast("dict[str, str]", each["ctx"])
        inside = context["place"]
        place = f"{place}.{inside}" if place and inside else place or inside
        yield Problem(place, context["message"])
