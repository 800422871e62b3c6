"""The actions that a program registers, and each `run` of a file that names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.menus.actions import Run
from channel_aa.problems import ConfigError, Problem, quoted, unknown_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from channel_aa.menus.flow import CallFlow


def check_registered(flow: CallFlow, names: Collection[str], *, file: str = "") -> None:
    """Make sure that every `run` names an action that is registered.

    Args:
        flow: what callers experience.
        names: the names of the actions that are registered.
        file: the configuration file, to begin each problem's place with.

    Raises:
        ConfigError: some are not.
    """
    in_file = f"{file}: " if file else ""
    problems = [
        Problem(f"{in_file}{each.place}.run", _message(each.action.run, names))
        for each in flow.all_actions()
        if isinstance(each.action, Run) and each.action.run not in names
    ]
    if problems:
        raise ConfigError(problems)


def _message(name: str, names: Collection[str]) -> str:
    if names:
        return unknown_name(name, names, kind="registered action")
    return (
        f"{quoted(name)} is an action of an embedding program's own, and none is"
        " registered: twistd channel-aa has none; see examples/caller_lookup.py"
    )
