"""What ends a subcommand, and what it is added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What a subcommand adds its parser to; argparse has no public name for it."""


class CommandError(Exception):
    """The command cannot do what was asked; its text is one line that says why."""
