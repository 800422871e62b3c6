"""The password from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.problems import ConfigError, Problem
from channel_aa.settings import Secret
from channel_aa.settings_fields import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD_FILE_VARIABLE = "CHANNEL_AA_PASSWORD_FILE"  # noqa: S105 - a name, not a password
"""The environment variable that names a file with the password, such as a systemd
credential or a container secret."""


def password_from(environ: Mapping[str, str]) -> Secret | None:
    """Return the password, which overrides the configuration file's; None: not set.

    It is the value of `PASSWORD_VARIABLE`, or the content of the file that
    `PASSWORD_FILE_VARIABLE` names, without a trailing line break.

    Raises:
        ConfigError: both variables are set, or the file cannot be read.
    """
    text = environ.get(PASSWORD_VARIABLE)
    name = environ.get(PASSWORD_FILE_VARIABLE)
    if name is None:
        return None if text is None else Secret(text)
    if text is not None:
        message = f"is set in addition to {PASSWORD_VARIABLE}; keep only one"
        raise ConfigError([Problem(PASSWORD_FILE_VARIABLE, message)])
    try:
        text = Path(name).read_text("utf-8-sig")
    except OSError as error:
        message = f"{name!r} cannot be read: {error.strerror}"
    except ValueError:  # not UTF-8, or a NUL in the name
        message = f"{name!r} cannot be read: it is not UTF-8 text"
    else:
        return Secret(text.removesuffix("\n"), file=name)
    # A chained exception could contain a part of the password.
    raise ConfigError([Problem(PASSWORD_FILE_VARIABLE, message)]) from None
