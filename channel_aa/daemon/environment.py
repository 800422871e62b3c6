"""The password, where the environment has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.config import PASSWORD_VARIABLE, ConfigError, Problem, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD_FILE_VARIABLE = "CHANNEL_AA_PASSWORD_FILE"  # noqa: S105 - a name, not a password
"""The environment variable that names a file with the password: a credential of
systemd's, a secret that a container mounts."""


def password_from(environ: Mapping[str, str]) -> Secret | None:
    """Give the password that wins over the configuration file's, if there is one.

    It is that of `PASSWORD_VARIABLE`, or in the file that `PASSWORD_FILE_VARIABLE`
    names, without a line break at its end.

    Raises:
        ConfigError: there are both, or the file cannot be read.
    """
    text = environ.get(PASSWORD_VARIABLE)
    name = environ.get(PASSWORD_FILE_VARIABLE)
    if name is None:
        return None if text is None else Secret(text)
    if text is not None:
        message = f"is set beside {PASSWORD_VARIABLE}; keep only one"
        raise ConfigError([Problem(PASSWORD_FILE_VARIABLE, message)])
    try:
        text = Path(name).read_text("utf-8-sig")
    except OSError as error:
        message = f"{name!r} cannot be read: {error.strerror}"
    except ValueError:  # no UTF-8, or a NUL in the name
        message = f"{name!r} cannot be read: it is not UTF-8 text"
    else:
        return Secret(text.removesuffix("\n").removesuffix("\r"), file=name)
    # The chained exception could hold a part of the password.
    raise ConfigError([Problem(PASSWORD_FILE_VARIABLE, message)]) from None
