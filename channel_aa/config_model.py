"""The base of all that can be configured: frozen pydantic models.

A file's tables and a program's arguments go through the same models. Every wrong
field becomes one `Problem`, whose message tells what was found and what is allowed,
in the words of the file's author; no message holds a secret.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

from channel_aa.config_errors import Loc, as_detail, detail, error_of, problems_of
from channel_aa.problems import ConfigError, Problem


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
            problems = [*problems_of(error)]
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
        """Find conflicts between fields; places are paths from this object.

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
        """Divide a table into its valid and its invalid fields.

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
                raise error_of(details) from None
            order: dict[Loc, int] = {(key,): at for at, key in enumerate(data)}
            details.sort(key=lambda each: order.get(each["loc"][:1], len(order)))
            right, faulty = cls.without_faulty(data, [each["loc"] for each in details])
            try:
                made = handler(right)
            except ValidationError:  # a field that has no default
                raise error_of(details) from None
        for problem in made.conflicts(faulty):
            if problem.place in cls._keys():
                own = Problem("", problem.message)
                details.append(detail(own, (problem.place,)))
            else:
                details.append(detail(problem))
        if details:
            raise error_of(details)
        return made

    @classmethod
    def _translated(cls, error: ValidationError) -> Iterator[InitErrorDetails]:
        """Give errors with the messages of this project."""
        known = {*cls._keys(), *cls.file_keys}
        for each in error.errors(include_url=False):
            if each["type"] == "extra_forbidden":
                loc = each["loc"]
                yield detail(Problem("", _unknown_key(loc[-1], known)), loc)
            else:
                yield as_detail(each)

    @classmethod
    def _fields(cls) -> Mapping[str, Any]:
        return cls.__pydantic_fields__

    @classmethod
    def _keys(cls) -> set[str]:
        return {field.alias or name for name, field in cls._fields().items()}


def _unknown_key(key: object, known: Iterable[str]) -> str:
    near = get_close_matches(str(key).lower(), known, n=1)
    if near:
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; allowed here: {', '.join(sorted(known))}"
