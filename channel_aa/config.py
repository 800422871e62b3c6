"""What can be configured: a TOML file becomes frozen settings.

`Settings` is the door for a program that embeds the attendant, `load` the
daemon's. Both hold to the same rules, and tell everything that is wrong at once.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import field
from msgspec.structs import astuple

from channel_aa.checked import (
    Checked,
    ConfigError,
    Problem,
    converted,
    quoted,
    sort,
)
from channel_aa.files import tls_problems
from channel_aa.menus.flow import (
    Actions,
    CallFlow,
    Menus,
    Schedules,
    call_seconds,
    flow_mistakes,
)
from channel_aa.menus.menu import default_menu
from channel_aa.menus.references import dangling_names
from channel_aa.menus.routes import Route
from channel_aa.setting_rules import (
    PASSWORD_VARIABLE,
    TRANSPORTS,
    Secret,
    app_name,
    call_limit,
    drain_seconds,
    file_name,
    listening_endpoint,
    password_text,
    server_url,
    transport_name,
    user_name,
)

__all__ = [
    "PASSWORD_VARIABLE",
    "TRANSPORTS",
    "AsteriskSettings",
    "AttendantSettings",
    "ConfigError",
    "Problem",
    "Secret",
    "Settings",
    "StatusSettings",
    "load",
]

_TLS_FILES = ("ca_file", "certificate_file", "key_file")
_TOO_DEEP = "is not usable: its tables or lists are nested too deeply"
_NONE: Mapping[str, str] = MappingProxyType({})


class AsteriskSettings(Checked, frozen=True, kw_only=True):
    """Which Asterisk, as whom, for which application.

    Attributes:
        url: Asterisk's HTTP server, with the ``prefix`` of http.conf if it has one.
        username: a user of ari.conf.
        password: that user's password.
        app: the Stasis application's name, as in the dialplan's ``Stasis(NAME)``.
        transport: which way requests take: one of `TRANSPORTS`.
        ca_file: a PEM file of the authorities that may vouch for Asterisk's
            certificate; empty: the system's.
        certificate_file: a PEM file of our own certificate; empty: none.
        key_file: a PEM file of its key; empty: it is in the certificate's file.
        verify: whether Asterisk's certificate has to be valid for the host.
        exit_when_replaced: whether to stop when another program takes the
            application over, rather than to wait.
    """

    url: Annotated[str, server_url] = "http://localhost:8088"
    username: Annotated[str, user_name] = "asterisk"
    password: Annotated[Secret, password_text] = Secret("asterisk")
    app: Annotated[str, app_name] = "channel-aa"
    transport: Annotated[str, transport_name] = "auto"
    ca_file: Annotated[str, file_name] = ""
    certificate_file: Annotated[str, file_name] = ""
    key_file: Annotated[str, file_name] = ""
    verify: bool = True
    exit_when_replaced: bool = False

    @classmethod
    def keys_beside_fields(cls) -> frozenset[str]:
        """Name the other place for a password."""
        return frozenset({"password_file"})

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The files whose readers can act as this program."""
        files = (self.password.file, self.key_file or self.certificate_file)
        return tuple(file for file in files if file)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find files that cannot secure the connection, or have none to secure."""
        files = {key: values[key] or "" for key in _TLS_FILES}
        for key, message in tls_problems(**files):
            yield Problem(key, message)
        url = values["url"]
        if url is None or url.lower().startswith("https:"):
            return
        asked_for = [key for key in _TLS_FILES if values[key]]
        if values["verify"] is False:
            asked_for.append("verify")
        for key in asked_for:
            yield Problem(key, "secures nothing, as url does not begin with https")


class AttendantSettings(Checked, frozen=True, kw_only=True):
    """How calls are attended to.

    Attributes:
        entry: the name of the menu that callers hear first.
        max_calls: how many calls are attended to at once; 0: no limit.
        drain_timeout: how many seconds the calls in a menu may take to come to
            their end when the attendant stops; then they go on in the dialplan.
        max_call_seconds: how many seconds a call may take, without its
            conversations.
    """

    entry: str = "main"
    max_calls: Annotated[int, call_limit] = 0
    drain_timeout: Annotated[float, drain_seconds] = 10.0
    max_call_seconds: Annotated[float, call_seconds] = 3600.0


class StatusSettings(Checked, frozen=True, kw_only=True):
    """Where the attendant tells how it is.

    Attributes:
        listen: a Twisted endpoint, ``tcp:8089:interface=127.0.0.1`` or
            ``unix:/run/channel-aa/status``; empty: nowhere.
    """

    listen: Annotated[str, listening_endpoint] = ""


class Settings(Checked, frozen=True, kw_only=True):
    """All that can be configured; without arguments, the defaults.

    Attributes:
        asterisk: which Asterisk to serve.
        attendant: how to attend to calls.
        menus: the menus by name.
        actions: actions by name.
        routes: where calls begin.
        schedules: opening hours by name.
        status: where the attendant tells how it is.
    """

    asterisk: AsteriskSettings = field(default_factory=AsteriskSettings)
    attendant: AttendantSettings = field(default_factory=AttendantSettings)
    menus: Menus = field(default_factory=lambda: {"main": default_menu()})
    actions: Actions = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    schedules: Schedules = field(default_factory=dict)
    status: StatusSettings = field(default_factory=StatusSettings)

    @property
    def flow(self) -> CallFlow:
        """What callers can experience."""
        return CallFlow(
            entry=self.attendant.entry,
            max_call_seconds=self.attendant.max_call_seconds,
            menus=self.menus,
            actions=self.actions,
            routes=self.routes,
            schedules=self.schedules,
        )

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what does not fit together."""
        attendant = values["attendant"]
        entry = None if attendant is None else attendant.entry
        yield from flow_mistakes(values, entry=entry, entry_place="attendant.entry")


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
        settings: Settings = converted(document, Settings, "", problems)
    except RecursionError:
        problems.append(Problem("", _TOO_DEEP))
    if problems:
        told = {problem.place for problem in problems}
        problems += [
            each for each in dangling_names(document) if each.place not in told
        ]
        raise ConfigError(
            Problem(places.get(place, f"{in_file}{place}".removesuffix(": ")), message)
            for place, message in map(astuple, problems)
        )
    return settings


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except RecursionError:
        message = _TOO_DEEP
    except tomllib.TOMLDecodeError as error:
        message = f"is not TOML: {error}"
    except ValueError as error:
        message = str(error)
    # The chained exception could hold the file's text, and so the password.
    raise ConfigError([Problem(_named(path), message)]) from None


def _settle_paths(document: dict[str, Any], folder: Path) -> None:
    """Make paths absolute, which start from the file's folder."""
    asterisk, status = document.get("asterisk"), document.get("status")
    if isinstance(asterisk, dict):
        for key in _TLS_FILES:
            name = asterisk.get(key)
            if name and isinstance(name, str):
                asterisk[key] = str(folder / name)
    if isinstance(status, dict):
        listen = status.get("listen")
        if isinstance(listen, str) and re.match("unix:[^/:]", listen):
            # A colon within the folder's name would end the path for Twisted.
            escaped = re.sub(r"([\\:])", r"\\\1", str(folder))
            status["listen"] = f"unix:{escaped}/{listen.removeprefix('unix:')}"


def _settle_password(
    asterisk: dict[str, object], *, path: Path | None, password: Secret | None
) -> Iterator[Problem]:
    """Leave the table the one password that counts, as a `Secret`."""
    in_file = asterisk.pop("password", None)
    named_file = asterisk.pop("password_file", None)
    if in_file is not None and named_file is not None:
        yield Problem("asterisk.password_file", "stands beside password; keep only one")
    if password is not None:
        asterisk["password"] = password
        return
    for key, value in (("password", in_file), ("password_file", named_file)):
        if value is not None and not isinstance(value, str):
            yield Problem(
                f"asterisk.{key}", f"expected text in quotes, found {sort(type(value))}"
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
        raise ValueError(f"is not UTF-8 text, from line {line} on") from None


def _named(path: Path) -> str:
    name = str(path)
    return name if name.isprintable() else quoted(name)
