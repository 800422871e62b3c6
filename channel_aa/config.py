"""Reads the configuration, a TOML file, into `Settings`.

Everything that is wrong is reported at once.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from channel_aa.config_errors import type_name
from channel_aa.problems import ConfigError, Problem, quoted
from channel_aa.settings import TLS_FILES, Secret, Settings
from channel_aa.settings_fields import PASSWORD_VARIABLE
from channel_aa.toml_errors import parse_toml

__all__ = ["ConfigError", "load", "load_status_endpoint"]

_TOO_DEEP = "is not usable: its tables or lists are nested too deeply"
_NONE: Mapping[str, str] = MappingProxyType({})


_LISTEN = re.compile(
    r"^[ \t]*\[[ \t]*status[ \t]*\](?:(?!^[ \t]*\[).)*?"
    r"^[ \t]*(?P<line>listen[ \t]*=[^\n]*)",
    re.MULTILINE | re.DOTALL,
)
"""Matches the line in the table ``[status]`` of a file that is not TOML."""


def load(
    path: Path | None = None,
    *,
    overrides: Mapping[str, str] = _NONE,
    password: Secret | None = None,
) -> Settings:
    """Read the settings.

    Args:
        path: the configuration file; the defaults hold without one, and for what
            it leaves out.
        overrides: what wins over the file's ``[asterisk]`` table, by key: the
            command line's ``--url``, ``--username`` and ``--app``.
        password: what wins over the file's: that of `PASSWORD_VARIABLE`.

    Raises:
        ConfigError: it names everything that is wrong.
    """
    document = {} if path is None else _document(path)
    folder = Path() if path is None else path.absolute().parent
    in_file = "" if path is None else f"{_named(path)}: "
    places = {f"asterisk.{key}": f"--{key}" for key in overrides}
    problems: list[Problem] = []
    asterisk = document.setdefault("asterisk", {})
    if isinstance(asterisk, dict):
        asterisk.update(overrides)
        if password is not None:
            places["asterisk.password"] = PASSWORD_VARIABLE
        elif "password" not in asterisk:
            places["asterisk.password"] = f"{in_file}asterisk.password_file"
        problems += _settle_password(asterisk, path=path, password=password)
    _settle_paths(document, folder)
    try:
        settings = Settings(**document)
    except ConfigError as error:
        problems += error.problems
    except RecursionError:
        problems.append(Problem("", _TOO_DEEP))
    if problems:
        raise ConfigError(
            Problem(
                places.get(each.place, f"{in_file}{each.place}".removesuffix(": ")),
                each.message,
            )
            for each in problems
        )
    return settings


def load_status_endpoint(path: Path) -> tuple[str, tuple[Problem, ...]]:
    """Read only ``[status] listen``, also from a file with errors elsewhere.

    The daemon may still run with an earlier content of the file.

    Returns:
        The endpoint, which is empty if the file sets none, and what is wrong in the
        file.

    Raises:
        ConfigError: the file has errors, and no ``[status] listen``.
    """
    try:
        # The password is not needed, and the user may not be able to read it.
        settings = load(path, password=Secret("not needed"))
    except ConfigError as error:
        listen = _listen_of_faulty(path)
        if not listen:
            raise
        return listen, error.problems
    return settings.status.listen, ()


def _listen_of_faulty(path: Path) -> str:
    """Read ``[status] listen`` from a file with errors; empty: it cannot be found."""
    try:
        text = _text(path)
    except ValueError:
        return ""
    found = _LISTEN.search(text)
    document: dict[str, Any] = {}
    for part in (text, f"[status]\n{found['line']}\n" if found else ""):
        try:
            document = parse_toml(part)
        except (ValueError, RecursionError):
            continue
        break
    _settle_paths(document, path.absolute().parent)
    status = document.get("status")
    listen = status.get("listen") if isinstance(status, dict) else None
    return listen if isinstance(listen, str) else ""


def _document(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(_text(path))
    except RecursionError:
        message = _TOO_DEEP
    except ValueError as error:
        message = str(error)
    # The chained exception could hold the file's text, and so the password.
    raise ConfigError([Problem(_named(path), message)]) from None


def _settle_paths(document: dict[str, Any], folder: Path) -> None:
    """Make paths absolute, which start from the file's folder."""
    asterisk = document.get("asterisk")
    for table in (document.get("speech"), document.get("records")):
        name = table.get("folder") if isinstance(table, dict) else None
        if isinstance(table, dict) and name and isinstance(name, str):
            table["folder"] = str(folder / name)
    if isinstance(asterisk, dict):
        for key in TLS_FILES:
            name = asterisk.get(key)
            if name and isinstance(name, str):
                asterisk[key] = str(folder / name)
    for table in (document.get("status"), document.get("metrics")):
        if not isinstance(table, dict):
            continue
        listen = table.get("listen")
        if isinstance(listen, str) and re.match("unix:[^/:]", listen):
            # A colon within the folder's name would end the path for Twisted.
            escaped = re.sub(r"([\\:])", r"\\\1", str(folder))
            table["listen"] = f"unix:{escaped}/{listen.removeprefix('unix:')}"


def _settle_password(
    asterisk: dict[str, object], *, path: Path | None, password: Secret | None
) -> Iterator[Problem]:
    """Leave the table the one password that counts, as a `Secret`."""
    in_file = asterisk.pop("password", None)
    named_file = asterisk.pop("password_file", None)
    if in_file is not None and named_file is not None:
        yield Problem(
            "asterisk.password_file", "is set in addition to password; keep only one"
        )
    if password is not None:
        asterisk["password"] = password
        return
    for key, value in (("password", in_file), ("password_file", named_file)):
        if value is not None and not isinstance(value, str):
            yield Problem(
                f"asterisk.{key}", f"expected text in quotes, found {type_name(value)}"
            )
    if isinstance(named_file, str):
        file = (path or Path()).absolute().parent / named_file
        try:
            text = _text(file)
        except ValueError as error:
            yield Problem("asterisk.password_file", f"{_named(file)} {error}")
        else:
            text = text.removesuffix("\n").removesuffix("\r")
            asterisk["password"] = Secret(text, file=str(file))
    elif isinstance(in_file, str):
        asterisk["password"] = Secret(in_file, file=str(path or ""))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: the path has a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"cannot be read: {reason}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"is not UTF-8 text, from line {line} on; save it in UTF-8"
        ) from None


def _named(path: Path) -> str:
    name = str(path)
    return name if name.isprintable() else quoted(name)
