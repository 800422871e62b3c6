"""``channel-aa graph``: the menus as a diagram."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from channel_aa.commands.cli import add_file, load_file
from channel_aa.commands.diagram import draw
from channel_aa.commands.markup import to_dot, to_mermaid

if TYPE_CHECKING:
    from argparse import Namespace

    from channel_aa.commands.cli import Subparsers


_FORMATS = {"mermaid": to_mermaid, "dot": to_dot}

_EPILOG = """\
examples:
  channel-aa graph twistd.conf                        for a Markdown page
  channel-aa graph twistd.conf --format dot | dot -Tsvg -o menus.svg
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "graph",
        help="draw the menus of a configuration file",
        description=(
            "Draws what callers can reach: routes, menus, options, actions. Prints"
            " the diagram to standard output, as text in a diagram language."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="mermaid",
        help="Mermaid (default), which many wikis show, or Graphviz's DOT",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the diagram."""
    flow = load_file(arguments.file).flow
    print(_FORMATS[arguments.format](draw(flow)), end="")
    return 0
