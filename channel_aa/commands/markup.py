"""Writes diagrams in Mermaid, and in Graphviz's DOT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channel_aa.commands.diagram import Kind

if TYPE_CHECKING:
    from channel_aa.commands.diagram import Diagram, Edge, Node

MAX_LINE = 60
"""The longest line in a node: a long prompt must not make it wider than the page."""

_MERMAID_SHAPES = {
    Kind.CALLS: ("([", "])"),
    Kind.ROUTE: ("{{", "}}"),
    Kind.MENU: ("[", "]"),
    Kind.ACTION: ("(", ")"),
    Kind.KEYWORD: ("([", "])"),
}
_DOT_SHAPES = {
    Kind.CALLS: "oval",
    Kind.ROUTE: "hexagon",
    Kind.MENU: "box",
    Kind.ACTION: "box, style=rounded",
    Kind.KEYWORD: "plaintext",
}
# Not letters of any language, nor what means nothing in Mermaid's quoted text. It also
# takes what begins like an entry of a list for Markdown.
_SPECIAL_IN_MERMAID = re.compile(r"[^\w .,:/()=@-]|_|^-|(?<=\d)\.(?= )")


def to_mermaid(diagram: Diagram) -> str:
    """Write a flowchart of Mermaid's."""
    lines = ["flowchart LR"]
    lines += [f"    {_mermaid_node(node)}" for node in diagram.nodes]
    lines += [f"    {_mermaid_edge(edge)}" for edge in diagram.edges]
    lines += [
        f"    linkStyle {number} stroke-width:{diagram.width(edge):.1f}px"
        for number, edge in enumerate(diagram.edges)
        if edge.count
    ]
    return "\n".join(lines) + "\n"


def to_dot(diagram: Diagram) -> str:
    """Write a directed graph in DOT."""
    lines = ["digraph menus {", "    rankdir=LR;"]
    lines += [f"    {_dot_node(node)};" for node in diagram.nodes]
    lines += [f"    {_dot_edge(edge, diagram.width(edge))};" for edge in diagram.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid_node(node: Node) -> str:
    begin, end = _MERMAID_SHAPES[node.kind]
    text = "<br/>".join(_mermaid_text(line) for line in node.lines)
    return f'n{node.number}{begin}"{text}"{end}'


def _mermaid_edge(edge: Edge) -> str:
    line = "-.->" if edge.is_failure else "-->"
    text = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
    return f"n{edge.source.number} {line}{text} n{edge.target.number}"


def _mermaid_text(line: str) -> str:
    """Write a quoted line; special characters are written by their numbers."""
    return _SPECIAL_IN_MERMAID.sub(lambda found: f"#{ord(found[0])};", _short(line))


def _dot_node(node: Node) -> str:
    text = r"\n".join(_dot_text(line) for line in node.lines)
    return f'n{node.number} [label="{text}", shape={_DOT_SHAPES[node.kind]}]'


def _dot_edge(edge: Edge, width: float) -> str:
    attributes = [f'label="{_dot_text(edge.label)}"'] if edge.label else []
    attributes += ["style=dashed"] if edge.is_failure else []
    attributes += [f"penwidth={width:.1f}"] if edge.count else []
    written = f" [{', '.join(attributes)}]" if attributes else ""
    return f"n{edge.source.number} -> n{edge.target.number}{written}"


def _dot_text(line: str) -> str:
    return _short(line).replace("\\", "\\\\").replace('"', '\\"')


def _short(line: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in line)
    return printable if len(printable) <= MAX_LINE else f"{printable[: MAX_LINE - 1]}…"
