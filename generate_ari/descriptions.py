"""Reads the descriptions that an Asterisk serves, and corrects them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generate_ari import corrections

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {
    "string": "str",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "double": "float",
    "Date": "datetime",
    "object": "dict[str, Any]",
    "binary": "bytes",
    "void": "None",
}

_VARIABLES = "dict[str, str | ReportedVariable]"


class DescriptionError(Exception):
    """A description has something that this program does not know."""


def snake(name: str) -> str:
    """Return the Python name of an operation, an argument or a resource."""
    if name in corrections.RENAMED:
        return corrections.RENAMED[name]
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return parted.lower()


@dataclass(frozen=True)
class Argument:
    """An argument of an operation.

    Attributes:
        place: ``path``, ``query`` or ``body``.
        kind: its type, or that of its elements, as Python source.
        is_list: whether it may have several values.
        is_whole_body: whether the body is its value, without an object around it.
        default: what Asterisk takes for an argument that is not given; None: unknown.
    """

    wire_name: str
    place: str
    kind: str
    is_required: bool
    is_list: bool = False
    is_whole_body: bool = False
    default: object = None

    @property
    def name(self) -> str:
        """Its name in Python."""
        return snake(self.wire_name)


@dataclass(frozen=True)
class Operation:
    """An operation; ``result`` is the type of its result, as Python source."""

    resource: str
    nickname: str
    method: str
    path: str
    result: str
    arguments: tuple[Argument, ...]
    since: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its resource and Asterisk's name for it: ``channels.sendDTMF``."""
        return f"{self.resource}.{self.nickname}"

    @property
    def name(self) -> str:
        """Its name in Python, without the resource."""
        return snake(self.nickname)

    @property
    def is_idempotent(self) -> bool:
        """Whether executing it twice is the same as once (RFC 9110, 9.2.2)."""
        if self.key in corrections.NOT_IDEMPOTENT:
            return False
        return self.method != "POST" or self.key in corrections.IDEMPOTENT


@dataclass(frozen=True)
class Field:
    """A field of a model; ``values`` are those that Asterisk 22 knows."""

    name: str
    kind: str
    is_required: bool
    values: tuple[str, ...] = ()


@dataclass
class Interface:
    """All of ARI.

    Attributes:
        operations: by resource.
        models: the fields of each model that is not an event, by its name.
        events: the fields of each event.
    """

    operations: dict[str, list[Operation]] = field(default_factory=dict)
    models: dict[str, list[Field]] = field(default_factory=dict)
    events: dict[str, list[Field]] = field(default_factory=dict)


def read(resources: Mapping[str, Any]) -> Interface:
    """Read the descriptions of all resources, by name: ``channels``."""
    interface = Interface()
    events = _event_names(resources)
    for resource, description in sorted(resources.items()):
        interface.operations[resource] = [
            operation
            for api in description["apis"]
            for each in api["operations"]
            if (operation := _operation(resource, api["path"], each)).key
            not in corrections.OMITTED_OPERATIONS
        ]
        for name, model in description.get("models", {}).items():
            if name not in corrections.OMITTED_MODELS:
                fields = [
                    _field(name, key, each) for key, each in model["properties"].items()
                ]
                fields += [
                    Field(each, "float", is_required=False)
                    for each in corrections.UNDESCRIBED.get(name, ())
                ]
                kind = interface.events if name in events else interface.models
                kind[name] = fields
    return interface


def _event_names(resources: Mapping[str, Any]) -> set[str]:
    models = resources["events"]["models"]
    return {*models["Message"]["subTypes"], *models["Event"]["subTypes"]}


def _operation(resource: str, path: str, described: Mapping[str, Any]) -> Operation:
    key = f"{resource}.{described['nickname']}"
    return Operation(
        resource=resource,
        nickname=described["nickname"],
        method=described["httpMethod"],
        path=path,
        result=corrections.RESULTS.get(key) or _kind(described["responseClass"]),
        arguments=tuple(
            _argument(f"{key}.{each['name']}", each)
            for each in described.get("parameters", ())
        ),
        since=tuple(described.get("since", ())),  # older versions do not say it
    )


def _argument(key: str, described: Mapping[str, Any]) -> Argument:
    place = described["paramType"]
    allowable = described.get("allowableValues", {})
    kind = corrections.KINDS.get(key)
    if kind is None and place == "body":
        if described["name"] != "variables":
            raise DescriptionError(f"{key}: the body has an unknown form")
        kind = _VARIABLES
    elif kind is None:
        kind = _kind(described["dataType"])
        if kind == "int":
            kind = "Count" if allowable.get("min") == 0 else "Int"
    if allowable.get("valueType") == "LIST":
        kind = f"Literal[{', '.join(map(repr, allowable['values']))}]"
    return Argument(
        wire_name=described["name"],
        place=place,
        kind=kind,
        is_required=place == "path"
        or described.get("required", False)
        or key in corrections.REQUIRED,
        is_list=described.get("allowMultiple", False),
        is_whole_body=key in corrections.WHOLE_BODIES,
        default=described.get("defaultValue"),
    )


def _field(model: str, name: str, described: Mapping[str, Any]) -> Field:
    key = f"{model}.{name}"
    return Field(
        name=name,
        kind=corrections.FIELDS.get(key) or _kind(described["type"]),
        is_required=described.get("required", False),
        values=tuple(described.get("allowableValues", {}).get("values", ())),
    )


def _kind(described: str) -> str:
    """Return the Python type of a described one; another name is that of a model."""
    if described in _KINDS:
        return _KINDS[described]
    if listed := re.fullmatch(r"List\[(\w+)\]", described):
        return f"tuple[{_kind(listed[1])}, ...]"
    if not re.fullmatch(r"[A-Z]\w*", described):
        raise DescriptionError(f"the type {described!r} is unknown")
    return described
