"""What can be configured: a TOML file becomes frozen settings.

`Settings` is the door for a program that embeds the attendant, `load` the
daemon's. Both hold to the same rules, and tell everything that is wrong at once.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, final

from msgspec import field
from msgspec.structs import astuple

from channel_aa.attendant.menu import Menu, default_menu
from channel_aa.checked import (
    Checked,
    ConfigError,
    Problem,
    bare_name,
    converted,
    path_of,
    quoted,
    sort,
)

__all__ = [
    "PASSWORD_VARIABLE",
    "AsteriskSettings",
    "AttendantSettings",
    "ConfigError",
    "Problem",
    "Secret",
    "Settings",
    "load",
]

PASSWORD_VARIABLE = "CHANNEL_AA_PASSWORD"  # noqa: S105 - a name, not a password
"""The environment variable whose password wins over the file's."""

TRANSPORTS = ("auto", "http", "websocket")
"""The ways that requests may take; ``auto`` finds out which one Asterisk knows."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9._-]+|\[[0-9a-f.]*:[0-9a-f.:]*\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[a-z0-9._~!$'()*+,;=:%-]*)*)",
    re.IGNORECASE | re.ASCII,
)
_APP = re.compile(r"[A-Za-z0-9._-]{1,80}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NONE: Mapping[str, str] = MappingProxyType({})


@final
class Secret:
    """Text that no ``repr``, log line or message shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text, to the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def server_url(url: str) -> str:
    """Allow the URL of an HTTP server, without a slash at its end: a rule."""
    # Nothing is quoted before it is certain that no password is in it.
    if "@" in url:
        raise ValueError(
            "the URL has a user name or a password in it ('@'); they belong in"
            f" username, and in password, password_file or {PASSWORD_VARIABLE}"
        )
    if "?" in url or "#" in url:
        raise ValueError(
            "the URL has a query or a fragment ('?', '#'); it ends with the path"
        )
    match = _URL.fullmatch(url)
    port = int(match["port"] or _DEFAULT_PORTS[match["scheme"].lower()]) if match else 0
    if match is None or not 0 < port <= _MAX_PORT:
        raise ValueError(
            f"{quoted(url)} is not the URL of an HTTP server; expected"
            " http://HOST:PORT or https://HOST:PORT, and then http.conf's prefix if"
            " there is one"
        )
    url = url.rstrip("/")
    if url.endswith("/ari"):
        raise ValueError(f"{quoted(url)}: leave out /ari at its end; it is added")
    return url


def app_name(name: str) -> str:
    """Allow a name that every dialplan and every URL can hold as it is: a rule."""
    if _APP.fullmatch(name):
        return name
    raise ValueError(
        f"{quoted(name)} is not an application's name; allowed are 1 to 80 letters,"
        " digits, '-', '_' and '.'"
    )


def user_name(name: str) -> str:
    """Allow a name that HTTP's basic authentication can say (RFC 7617): a rule."""
    if name and name.isprintable() and ":" not in name:
        return name
    raise ValueError(
        f"{quoted(name)} is not a user's name; it has at least one character, no ':'"
        " and no control character"
    )


def password_text(password: Secret) -> Secret:
    """Allow what HTTP's basic authentication can say (RFC 7617): a rule."""
    text = password.reveal()
    if not text:
        raise ValueError("the password is empty")
    if _CONTROL_CHARACTER.search(text):
        raise ValueError(
            "the password has a line break or another control character in it"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the password is not UTF-8 text") from None
    return password


def transport_name(name: str) -> str:
    """Allow a way for requests to Asterisk: a rule."""
    if name in TRANSPORTS:
        return name
    raise ValueError(
        f"{quoted(name)} is no transport; allowed are 'auto', 'http' and 'websocket'"
    )


class AsteriskSettings(Checked, frozen=True, kw_only=True):
    """Which Asterisk, as whom, for which application.

    Attributes:
        url: Asterisk's HTTP server, with the ``prefix`` of http.conf if it has one.
        username: a user of ari.conf.
        password: that user's password.
        app: the Stasis application's name, as in the dialplan's ``Stasis(NAME)``.
        transport: which way requests take: one of `TRANSPORTS`.
    """

    url: Annotated[str, server_url] = "http://localhost:8088"
    username: Annotated[str, user_name] = "asterisk"
    password: Annotated[Secret, password_text] = Secret("asterisk")
    app: Annotated[str, app_name] = "channel-aa"
    transport: Annotated[str, transport_name] = "auto"

    @classmethod
    def keys_beside_fields(cls) -> frozenset[str]:
        """Name the other place for a password."""
        return frozenset({"password_file"})


class AttendantSettings(Checked, frozen=True, kw_only=True):
    """How calls are attended to.

    Attributes:
        entry: the name of the menu that callers hear first.
    """

    entry: str = "main"


class Settings(Checked, frozen=True, kw_only=True):
    """All that can be configured; without arguments, the defaults.

    Attributes:
        asterisk: which Asterisk to serve.
        attendant: how to attend to calls.
        menus: the menus by name.
    """

    asterisk: AsteriskSettings = field(default_factory=AsteriskSettings)
    attendant: AttendantSettings = field(default_factory=AttendantSettings)
    menus: Mapping[Annotated[str, bare_name], Menu] = field(
        default_factory=lambda: {"main": default_menu()}
    )

    @property
    def entry_menu(self) -> Menu:
        """The menu that callers hear first."""
        return self.menus[self.attendant.entry]

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find menus that are named and not there, or there and never heard."""
        attendant, menus = values["attendant"], values["menus"]
        if attendant is None or menus is None:
            return
        if attendant.entry not in menus:
            yield Problem("attendant.entry", _no_such_menu(attendant.entry, menus))
            return
        for name in menus:
            if name != attendant.entry:
                yield Problem(
                    path_of("menus", name),
                    f"no caller can hear this menu: attendant.entry is"
                    f" {quoted(attendant.entry)}, and no option leads to another menu;"
                    " remove it, or make it the entry",
                )


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
    folder = Path() if path is None else path.parent
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
        problems += _settle_password(asterisk, folder=folder, password=password)
    settings: Settings = converted(document, Settings, "", problems)
    if problems:
        raise ConfigError(
            Problem(places.get(place, in_file + place), message)
            for place, message in map(astuple, problems)
        )
    return settings


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except RecursionError:
        message = "is not usable: its tables or lists are nested too deeply"
    except tomllib.TOMLDecodeError as error:
        message = f"is not TOML: {error}"
    except ValueError as error:
        message = str(error)
    # The chained exception could hold the file's text, and so the password.
    raise ConfigError([Problem(_named(path), message)]) from None


def _settle_password(
    asterisk: dict[str, object], *, folder: Path, password: Secret | None
) -> Iterator[Problem]:
    """Leave the table the one password that counts, as a `Secret`."""
    in_file = asterisk.pop("password", None)
    file_name = asterisk.pop("password_file", None)
    if in_file is not None and file_name is not None:
        yield Problem("asterisk.password_file", "stands beside password; keep only one")
    if password is not None:
        asterisk["password"] = password
        return
    for key, value in (("password", in_file), ("password_file", file_name)):
        if value is not None and not isinstance(value, str):
            yield Problem(
                f"asterisk.{key}", f"expected text in quotes, found {sort(type(value))}"
            )
    if isinstance(file_name, str):
        try:
            text = _text(folder / file_name)
        except ValueError as error:
            message = f"{_named(folder / file_name)} {error}"
            yield Problem("asterisk.password_file", message)
        else:
            asterisk["password"] = Secret(text.removesuffix("\n").removesuffix("\r"))
    elif isinstance(in_file, str):
        asterisk["password"] = Secret(in_file)


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
        raise ValueError(f"is not UTF-8 text, from line {line} on") from None


def _named(path: Path) -> str:
    name = str(path)
    return name if name.isprintable() else quoted(name)


def _no_such_menu(name: str, menus: Mapping[str, object]) -> str:
    near = get_close_matches(name, map(str, menus), n=1)
    if near:
        return f"no menu is called {quoted(name)}; did you mean {quoted(near[0])}?"
    there_are = ", ".join(map(quoted, menus)) or "none"
    return f"no menu is called {quoted(name)}; there are: {there_are}"
