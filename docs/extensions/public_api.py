"""What Sphinx's autodoc lacks for this project's API.

Types that modules import for type checkers only are imported, so that signatures refer
to them. Docstrings are read as Google's style has them, and a name in them refers to
the public object of that name in whatever module. ``autointerface`` documents an
interface of zope, which autodoc does not recognize.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from contextlib import suppress
from functools import cache, reduce
from inspect import getsource
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, get_type_hints

from pygments.lexers.special import TextLexer
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.pycode import ModuleAnalyzer, parser
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import channel_aa
from channel_aa.config_model import ConfigModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from docutils.nodes import Element, Node
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_log = logging.getLogger(__name__)

NOT_CONSTRUCTED = frozenset(
    f"channel_aa.{name}"
    for name in (
        *("ari.Bridge", "ari.Channel", "ari.Dialogue", "ari.Events", "ari.EventStream"),
        *("ari.OutboundChannel", "ari.Playback", "ari.PreparedCall", "ari.Recording"),
        *("ari.Subscription", "ari.api.Api", "attendant.custom_actions.Caller"),
        *("simulator.SimulatedCaller", "simulator.SimulatedPhone"),
    )
)
"""Classes that programs do not call: their arguments are left out."""

_HANDLE = ("abandon", "begin", "check", "end", "entered", "left", "replaced_by")
_LISTENER = ("channel_gone", "sound_ended", "sound_started")
_PARTY = ("disconnected", "dtmf_received", "hung_up", "left_bridge", "reconnected")
INTERNAL = {
    "Address": ("conceal", "endpoint", "events_url"),
    "AriClient": ("stop_waiting",),
    "AsteriskSettings": ("file_warnings", "secret_files"),
    "Bridge": _HANDLE,
    "Channel": (*_HANDLE, *_PARTY),
    "Dialogue": ("dtmf_received", "hung_up"),
    "EventStream": ("begin", "receive"),
    "Events": ("discard", "find", "move", "pause", "resume", "stop"),
    "Faults": ("drops", "for_request", "ignores_over_websocket"),
    "OutboundChannel": (
        *(*_HANDLE, *_PARTY, "answered", "dial_status_changed", "fire_abandoned"),
        *("picked_up", "stop"),
    ),
    "Playback": _HANDLE,
    "PreparedCall": (*_HANDLE, "dial_status_changed", "stop"),
    "Recording": (*_HANDLE, "channel_ended", "start"),
    "RemoteObject": _HANDLE,
    "Route": ("is_for", "target"),
    "Schedule": ("state",),
    "Settings": ("flow",),
    "SimulatedCaller": _LISTENER,
    "SimulatedPhone": (*_LISTENER, "create", "dial", "take_place_of"),
    "Sound": ("parts", "templates", "uris", "utterances"),
    "TLS": ("endpoint",),
}
"""By class, what is for other modules of channel_aa, and no part of the public API."""

DOCSTRINGS = Config(napoleon_numpy_docstring=False, napoleon_use_rtype=False)

_ARGUMENTS = re.compile(r"\nArgs:\n(?: .*\n|\n)+", re.MULTILINE)
_INTERFACE = re.compile(r"<InterfaceClass ([\w.]+)>")
_DEFAULT = re.compile(r"<(?:class '(?:\w+\.)*|function )(\w+)[^>]*>")
"""In a signature, neither would be an expression of Python."""


def import_all() -> None:
    """Import the modules of channel_aa, with their imports for type checkers."""
    for each in pkgutil.walk_packages(channel_aa.__path__, "channel_aa."):
        if not each.name.endswith("__main__"):
            with suppress(ModuleNotFoundError):  # of an extra
                importlib.import_module(each.name)
    # Sphinx's own function fails on an f-string in an annotation.
    parser.ast_unparse = ast.unparse
    for name in [name for name in sys.modules if name.startswith("channel_aa.")]:
        import_for_types(sys.modules[name])
        # Finds the docstrings of attributes; autodoc would go on without them.
        ModuleAnalyzer.for_module(name).analyze()


def import_for_types(module: ModuleType) -> None:
    """Execute the imports that a module makes for type checkers only."""
    path = Path(str(module.__file__))
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for each in node.body:
                statement = compile(ast.Module([each], []), str(path), "exec")
                with suppress(ModuleNotFoundError):
                    exec(statement, vars(module))  # noqa: S102 - our own sources


def simplify_models(model: type[ConfigModel]) -> None:
    """Leave the rules for pydantic out of the types of a model's fields."""
    types = get_type_hints(model)
    own = vars(model).get("__annotations__", {})
    model.__annotations__ = {name: types[name] for name in own}
    for each in model.__subclasses__():
        simplify_models(each)


def read_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Convert a docstring to reStructuredText."""
    if what in ("attribute", "data", "property"):  # they have no sections
        return
    if name in NOT_CONSTRUCTED:
        lines[:] = _ARGUMENTS.sub("\n", "\n".join([*lines, ""])).splitlines()
    lines[:] = GoogleDocstring(lines, DOCSTRINGS, app, what, name, obj, options).lines()


def read_signature(
    _app: Sphinx,
    what: str,
    name: str,
    obj: object,
    _options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str, str | None] | None:
    """Leave out what is no help, and write interfaces as other types."""
    is_shown = not (
        name in NOT_CONSTRUCTED
        or (what == "class" and name.startswith("channel_aa.ari.api.operations."))
        or (isinstance(obj, type) and issubclass(obj, ConfigModel))
    )
    if not is_shown:
        return "", None
    if signature is None:
        return None
    return (
        _DEFAULT.sub(r"\1", _INTERFACE.sub(r"~\1", signature)),
        returned and _INTERFACE.sub(r"~\1", returned),
    )


def is_internal(
    _app: Sphinx, _what: str, name: str, obj: object, skip: bool, _options: object
) -> bool | None:
    """Leave out what is not public."""
    function = getattr(obj, "fget", None) or getattr(obj, "func", obj)
    owner, _, _ = getattr(function, "__qualname__", "").rpartition(".")
    return True if name in INTERNAL.get(owner, ()) else None


@cache
def names_in_sources() -> frozenset[str]:
    """Return the names of everything in the sources, arguments included."""
    found = {"channel_aa"}
    for path in Path(channel_aa.__path__[0]).rglob("*.py"):
        found.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                    found.add(name)
                case ast.arg(arg=name) | ast.Name(id=name) | ast.Attribute(attr=name):
                    found.add(name)
    return frozenset(found)


def find_public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Find what a name in a docstring refers to, if it is public.

    What is not public is no link, but it has to exist.
    """
    if node.get("refdomain") != "py":
        return None
    ending = f".{node['reftarget'].lstrip('.')}"
    found = {
        (entry.docname, entry.node_id)
        for name, entry in env.domains.python_domain.objects.items()
        if name.endswith(ending) and not entry.aliased
    }
    if len(found) == 1:
        [(page, target)] = found
        return make_refnode(app.builder, node["refdoc"], page, target, content)
    is_prose = node["reftype"] == "obj" and ending[1:].rpartition(".")[2]
    return content if is_prose in names_in_sources() else None


def check_complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Compare what is documented with the ``__all__`` of the public modules."""
    page = Path(app.srcdir, "api-stability.md").read_text("utf-8")
    modules = re.findall(r"^\| `(channel_aa[\w.]*)` \|", page, re.MULTILINE)
    public = {
        id(resolve(name)): name
        for module in modules
        for name in [f"{module}.{each}" for each in resolve(module).__all__]
    }
    documented = {
        id(resolve(name)): name
        for name, entry in env.domains.python_domain.objects.items()
        if entry.objtype in ("class", "data", "exception", "function")
    }
    for each in public.keys() - documented.keys():
        _log.warning("%s is public, and on no page of the API", public[each])
    for each in documented.keys() - public.keys():
        _log.warning("%s is in no __all__, and on a page of the API", documented[each])


def resolve(name: str) -> Any:  # noqa: ANN401 - anything that has a name
    """Return the object with a dotted name."""
    module, rest = name, list[str]()
    while module not in sys.modules:
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    return reduce(getattr, rest, sys.modules[module])


class AutoInterface(SphinxDirective):
    """``.. autointerface:: package.module.IName``."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Describe the interface, its attributes and its methods."""
        module, _, name = self.arguments[0].rpartition(".")
        source = ast.parse(getsource(importlib.import_module(module))).body
        [found] = [
            each
            for each in source
            if isinstance(each, ast.ClassDef) and each.name == name
        ]
        text = "\n".join(_interface(found))
        return self.parse_text_to_nodes(f".. py:currentmodule:: {module}\n\n{text}")


def _interface(node: ast.ClassDef) -> Iterator[str]:
    bases = [ast.unparse(each) for each in node.bases]
    inherited = ", ".join(f"`{each}`" for each in bases if each != "Interface")
    yield f".. py:class:: {node.name}\n"
    yield _indented(f"Extends {inherited}." if inherited else "")
    yield _indented(ast.get_docstring(node) or "")
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            returned = ast.unparse(each.returns) if each.returns else "None"
            signature = f"{each.name}({ast.unparse(each.args)}) -> {returned}"
            yield _indented(f".. py:method:: {signature}\n")
            yield _indented(_indented(ast.get_docstring(each) or ""))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.value, ast.Call):
            [text] = each.value.args
            kind = ast.unparse(each.annotation)
            name = ast.unparse(each.target)
            yield _indented(f".. py:attribute:: {name}\n   :type: {kind}\n")
            yield _indented(_indented(_dedented(ast.literal_eval(text))))


def _dedented(text: str) -> str:
    first, _, rest = text.partition("\n")
    lines = [line.strip() for line in rest.splitlines()]
    return "\n".join([first, *lines])


def _indented(text: str) -> str:
    return indent(text, "   ") + "\n"


def link_readme(_app: Sphinx, _page: str, content: list[str]) -> None:
    """Let links to README refer to the page that is made of it."""
    content[0] = content[0].replace("](../README.md", "](readme.md")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register this with Sphinx."""
    import_all()
    simplify_models(ConfigModel)
    app.connect("source-read", link_readme)
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("autodoc-process-signature", read_signature)
    app.connect("autodoc-skip-member", is_internal)
    app.connect("missing-reference", find_public)
    app.connect("env-check-consistency", check_complete)
    app.add_lexer("mermaid", TextLexer)
    app.add_directive("autointerface", AutoInterface)
    return {"parallel_read_safe": True}
