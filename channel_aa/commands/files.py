"""The configuration file that a subcommand is given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.config import Settings, load
from channel_aa.daemon.environment import password_from

if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_file(parser: ArgumentParser) -> None:
    """Add the argument FILE."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a configuration file of the attendant"
    )


def load_file(path: Path) -> Settings:
    """Read the file as the daemon does, with the environment's password.

    Raises:
        ConfigError: it names everything that is wrong.
    """
    return load(path, password=password_from(os.environ))
