"""Writes the source of the generated modules."""

from __future__ import annotations

import builtins
import re
import textwrap
from typing import TYPE_CHECKING

from generate_ari import corrections, words
from generate_ari.descriptions import snake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generate_ari.descriptions import Argument, Field, Interface, Operation

_NOTE = """\
# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
"""
_READ_AT_RUN_TIME = "msgspec reads the annotations"
_PACKAGE = "channel_aa.ari.api"
_OLDEST = 16
"""The oldest major version of Asterisk that is supported."""

_RUNTIME = (
    *("Body", "Count", "Int", "Query", "QueryList", "ReportedVariable", "Segment"),
    "WholeBody",
)
_EVENT_BASE = '''

class Event(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=True):
    """An event; its class has the name of its type.

    ``application`` is the Stasis application that gets it; ``timestamp`` is the time of
    Asterisk's clock.
    """

    application: str = ""
    timestamp: datetime | None = None
    asterisk_id: str | None = None
'''


def modules(interface: Interface) -> dict[str, str]:
    """Return the source of each module, by its path below ``channel_aa/ari/api``."""
    found = {
        "models.py": _models(interface.models),
        "events.py": _events(interface.events, set(interface.models)),
    }
    for resource, operations in interface.operations.items():
        path = f"operations/{snake(resource)}.py"
        found[path] = _resource(resource, operations, set(interface.models))
    return found


def class_name(resource: str) -> str:
    """Return the name of the class of a resource: ``DeviceStates``."""
    return resource[0].upper() + resource[1:]


def _docstring(summary: str, notes: Iterable[str], indent: str) -> str:
    """Make a docstring: a line, and a paragraph of notes."""
    width = 88 - len(indent)
    paragraph = "\n".join(textwrap.wrap(" ".join(notes), width, break_on_hyphens=False))
    text = f'"""{summary}'
    text += f'\n\n{paragraph}\n"""' if paragraph else '"""'
    return textwrap.indent(text, indent) + "\n"


def _enumeration(values: Sequence[str]) -> str:
    quoted = [f"``{each}``" for each in values]
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _struct(name: str, fields: Sequence[Field], base: str) -> str:
    notes = []
    for each in fields:
        if unit := words.FIELDS.get(f"{name}.{each.name}"):
            notes.append(f"``{each.name}`` is {unit}.")
        if each.values:
            notes.append(f"``{each.name}`` is {_enumeration(each.values)}.")
    options = "frozen=True, kw_only=True, gc=False"
    source = f"\n\nclass {name}({base}, {options}):\n"
    source += _docstring(words.MODELS[name], notes, "    ")
    if fields:
        source += "\n"
    return source + "".join(map(_declaration, fields))


def _declaration(described: Field) -> str:
    name = described.name
    options = [] if described.is_required else ["default=None"]
    kind = described.kind if described.is_required else f"{described.kind} | None"
    if name in corrections.RENAMED:
        options.append(f"name={name!r}")
        name = corrections.RENAMED[name]
        return f"    {name}: {kind} = field({', '.join(options)})\n"
    return f"    {name}: {kind}{' = None' if options else ''}\n"


def _models(models: dict[str, list[Field]]) -> str:
    body = "".join(_struct(name, models[name], "Struct") for name in sorted(models))
    return (
        '"""The models of ARI: what its operations return, and its events hold.\n\n'
        "Unknown fields are ignored; one that Asterisk may omit is None then.\n"
        f'"""\n\n{_NOTE}'
        "from __future__ import annotations\n\n"
        f"{_imports(body)}"
        f"from msgspec import Struct, field\n{_all(models)}{body}"
    )


def _all(names: Iterable[str]) -> str:
    listed = "".join(f"    {name!r},\n" for name in sorted(names))
    return f"\n__all__ = [\n{listed}]\n"


def _imports(body: str) -> str:
    lines = f"from datetime import datetime  # noqa: TC003 - {_READ_AT_RUN_TIME}\n"
    if re.search(r"\bAny\b", body):
        lines += "from typing import Any\n"
    return f"{lines}\n"


def _events(events: dict[str, list[Field]], models: set[str]) -> str:
    body = "".join(_struct(name, events[name], "Event") for name in sorted(events))
    used = sorted(
        (name for name in models if re.search(rf"\b{name}\b", body)), key=str.lower
    )
    return (
        f'"""The events of ARI, as a union tagged by ``type``."""\n\n{_NOTE}'
        "from __future__ import annotations\n\n"
        f"{_imports(body)}"
        "from msgspec import Struct\n\n"
        f"from {_PACKAGE}.models import (  # noqa: TC001 - {_READ_AT_RUN_TIME}\n"
        + "".join(f"    {name},\n" for name in used)
        + f")\n{_all(['Event', *events])}{_EVENT_BASE}{body}"
    )


def _resource(resource: str, operations: Sequence[Operation], models: set[str]) -> str:
    constants = "".join(f"\n{_constant(each)}" for each in operations)
    methods = "\n".join(_method(each) for each in operations)
    body = (
        f"{constants}\n\nclass {class_name(resource)}(Resource):\n"
        f'    """The operations on {words.RESOURCES[resource]}."""\n\n{methods}'
    )
    names = sorted(name for name in models if re.search(rf"\b{name}\b", body))
    used = [name for name in names if re.search(rf"\b{name}\b", constants)]
    runtime = [name for name in _RUNTIME if re.search(rf"\b{name}\b", constants)]
    typing_names = [
        name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", constants)
    ]
    abc = [
        name for name in ("Mapping", "Sequence") if re.search(rf"\b{name}\b", methods)
    ]
    source = (
        f'"""The operations on {words.RESOURCES[resource]}."""\n\n{_NOTE}'
        f"{_shadowing(operations)}"
        "from __future__ import annotations\n\n"
        f"from typing import {', '.join(['TYPE_CHECKING', *typing_names])}\n\n"
    )
    if used:
        source += f"from {_PACKAGE}.models import {', '.join(used)}\n"
    source += (
        f"from {_PACKAGE}.operation import"
        f" {', '.join(sorted([*runtime, 'Operation', 'Resource']))}\n\n"
        "if TYPE_CHECKING:\n"
    )
    if abc:
        source += f"    from collections.abc import {', '.join(abc)}\n\n"
    source += "    from twisted.internet.defer import Deferred\n"
    return f"{source}{_all([class_name(resource)])}{body}"


def _shadowing(operations: Sequence[Operation]) -> str:
    """Return ruff's exemption of arguments with the names of builtins, if needed."""
    names = {each.name for operation in operations for each in operation.arguments}
    if names.isdisjoint(dir(builtins)):
        return ""
    return "# ruff: noqa: A002 - the names are Asterisk's\n"


def _constant_name(operation: Operation) -> str:
    return f"_{operation.name.upper()}"


def _constant(operation: Operation) -> str:
    result = "type(None)" if operation.result == "None" else operation.result
    lines = [
        repr(f"{snake(operation.resource)}.{operation.name}"),
        repr(operation.method),
        repr(operation.path),
        result,
        *map(_argument, operation.arguments),
        f"since={operation.since!r}",
        f"idempotent={operation.is_idempotent}",
    ]
    return f"{_constant_name(operation)} = Operation({', '.join(lines)})"


def _argument(argument: Argument) -> str:
    place = {"path": "Segment", "query": "Query", "body": "Body"}[argument.place]
    if argument.is_list:
        place = "QueryList"
    elif argument.is_whole_body:
        place = "WholeBody"
    values = f"{argument.wire_name!r}, {argument.name!r}, {argument.kind}"
    # A segment of the path is always required.
    if argument.is_required and place != "Segment":
        values += ", required=True"
    return f"{place}({values})"


def _annotation(argument: Argument) -> str:
    """Return the type in the signature, which is wider than what is checked."""
    kind = argument.kind.replace("Count", "int").replace("Int", "int")
    kind = kind.replace("dict[", "Mapping[")
    kind = re.sub(r"tuple\[(.*), \.\.\.\]", r"Sequence[\1]", kind)
    if argument.is_list:
        kind = f"{kind} | Sequence[{kind}]"
    return kind if argument.is_required else f"{kind} | None"


def _method(operation: Operation) -> str:
    arguments = sorted(operation.arguments, key=lambda each: not each.is_required)
    parameters = ["self", "*"] if arguments else ["self"]
    parameters += [
        f"{each.name}: {_annotation(each)}{'' if each.is_required else ' = None'}"
        for each in arguments
    ]
    notes = [f"``{operation.method} {operation.path}``."]
    notes += [note for each in arguments if (note := _note(operation, each))]
    if operation.result == "bytes":
        notes.append("The result is binary.")
    versions = sorted(map(_version, operation.since))
    if later := [each for each in versions if each[0] >= _OLDEST]:
        listed = ", ".join(".".join(map(str, each)) for each in later)
        notes.append(f"Needs Asterisk {listed} or later.")
    values = ", ".join(
        [_constant_name(operation), *(a.name for a in operation.arguments)]
    )
    return (
        f"    def {operation.name}({', '.join(parameters)})"
        f" -> Deferred[{operation.result}]:\n"
        + _docstring(words.OPERATIONS[operation.key], notes, " " * 8)
        + f"        return self._call({values})\n"
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _note(operation: Operation, argument: Argument) -> str:
    """Return what a reader has to know of an argument beside its type."""
    note = words.ARGUMENTS.get(f"{operation.key}.{argument.wire_name}")
    if note is None:
        note = words.ARGUMENTS.get(argument.wire_name, "")
    if argument.default is not None and not argument.is_required:
        default = str(argument.default)
        default = default.lower() if argument.kind == "bool" else default
        note += f"{'; ' if note else ''}by default {default}"
    return f"``{argument.name}``: {note}." if note else ""
