"""The types of configured fields: constraints with their messages, and shapes."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, cast

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import CoreSchema, core_schema

from channel_aa.config_errors import (
    as_detail,
    error_of,
    is_worded,
    moved,
    type_name,
)
from channel_aa.problems import quoted

_K = TypeVar("_K")
_V = TypeVar("_V")

_KEY = "[key]"  # pydantic's mark of an error of a key, not of its value


class Wrapper(ABC):
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

    @abstractmethod
    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        """Validate a value; ``handler`` applies the type that this wraps."""


class Explain(Wrapper):
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
        if within or (is_worded(errors[0]) and not is_too_large):
            raise error_of([*map(as_detail, within or errors)])
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


class OneOrMany(Wrapper):
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


class OrFlag(Wrapper):
    """Take ``true`` for a value of its own, and ``false`` for an empty one.

    ``Annotated[tuple[X, ...], OrFlag((X(),))]``

    Args:
        value: what ``true`` stands for.
    """

    def __init__(self, value: tuple[object, ...]) -> None:
        self._value = value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "boolean"}, handler(schema)]}

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        if isinstance(value, bool):
            return self._value if value else ()
        if isinstance(value, list | tuple):
            return () if value == () else handler(value)
        raise ValueError(f"expected true, false or a list, found {type_name(value)}")


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


def printable(text: str) -> str:
    """Refuse control characters: a validator."""
    if text.isprintable():
        return text
    raise ValueError(f"{quoted(text)} has a control character in it")
