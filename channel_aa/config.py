"""The configuration: a TOML file, or a program's arguments, become frozen settings.

A program that embeds the attendant builds `Settings`; the daemon uses `load`. Both
follow the same rules, and report everything that is wrong at once.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    WithJsonSchema,
)

from channel_aa.config_errors import type_name
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import (
    Between,
    Explain,
    Flag,
    FrozenMapping,
    Matching,
    OneOf,
    OneOrMany,
    Text,
    printable,
)
from channel_aa.files import exposure, tampering, tls_problems
from channel_aa.menus.flow import (
    MAX_CALLS,
    CallFlow,
    CallSeconds,
    DeniedNumbers,
    FlowTables,
    ForwardCount,
)
from channel_aa.menus.sounds import (
    LanguageOrNone,
    OneLanguage,
    SoundName,
    Texts,
)
from channel_aa.problems import ConfigError, Problem, quoted
from channel_aa.toml_errors import parse_toml

__all__ = [
    "CALLERS",
    "PASSWORD_VARIABLE",
    "TRANSPORTS",
    "AsteriskSettings",
    "AttendantSettings",
    "ConfigError",
    "Problem",
    "RecordsSettings",
    "Secret",
    "Settings",
    "SpeechSettings",
    "StatusSettings",
    "load",
    "load_status_endpoint",
]

PASSWORD_VARIABLE = "CHANNEL_AA_PASSWORD"  # noqa: S105 - a name, not a password
"""The environment variable whose password wins over the file's."""

TRANSPORTS = ("auto", "http", "websocket")
"""The ways that requests may take; ``auto`` finds out which one Asterisk knows."""

MAX_DRAIN_SECONDS = 600
MAX_KEEP_DAYS = 36500

CALLERS = ("shown", "hashed", "none")
"""What records may have of the caller's number."""

ENGINES = ("auto", "none", "piper", "espeak-ng")
"""The engines that are known by name; ``auto`` takes the one that is installed."""

_COMMAND_NEEDS = ("{text}", "{wav}")
_TLS_FILES = ("ca_file", "certificate_file", "key_file")
_TOO_DEEP = "is not usable: its tables or lists are nested too deeply"
_NONE: Mapping[str, str] = MappingProxyType({})

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*\]"
_PATH = r"(?:/[A-Za-z0-9._~!$'()*+,;=:%-]*)*"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?:{_HOST})(?::(?P<port>[0-9]{{1,5}}))?{_PATH}",
    re.IGNORECASE | re.ASCII,
)
_URL_PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]?://({_HOST})(:[0-9]{{1,5}})?{_PATH}$"
_LISTEN = re.compile(
    r"^[ \t]*\[[ \t]*status[ \t]*\](?:(?!^[ \t]*\[).)*?"
    r"^[ \t]*(?P<line>listen[ \t]*=[^\n]*)",
    re.MULTILINE | re.DOTALL,
)
"""Matches the line in the table ``[status]`` of a file that is not TOML."""

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Secret(SecretStr):
    """Text that no ``repr``, log line or message shows.

    Attributes:
        file: where it was read from; empty: from no file.
    """

    def __init__(self, text: str, *, file: str = "") -> None:
        super().__init__(text)
        self.file = file


def _check_url(url: str) -> str:
    # Nothing is quoted before it is certain that no password is in it.
    if "@" in url:
        raise ValueError(
            "the URL has a user name or a password in it ('@'); set them as username,"
            f" and as password, password_file or {PASSWORD_VARIABLE}"
        )
    if "?" in url or "#" in url:
        raise ValueError("the URL has a query or a fragment ('?', '#'); remove it")
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
        raise ValueError(
            f"{quoted(url)}: remove /ari at its end; it is added automatically"
        )
    return url


def _make_secret(password: object) -> Secret:
    if isinstance(password, str):
        password = Secret(password)
    if not isinstance(password, Secret):
        # Without the value: it may be the password, without its quotes.
        found = type_name(password)
        raise ValueError(f"expected text in quotes, found {found}")  # noqa: TRY004
    return password


def _check_password(password: Secret) -> Secret:
    """Allow what HTTP's basic authentication can say (RFC 7617)."""
    text = password.get_secret_value()
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


Url = Annotated[
    Text,
    AfterValidator(_check_url),
    WithJsonSchema({"type": "string", "pattern": _URL_PATTERN}),
]
# A name that HTTP's basic authentication can say (RFC 7617).
UserName = Annotated[
    Text,
    Field(pattern="^[^:]+$"),
    AfterValidator(printable),
    Explain(
        "{value} is not a user's name; it has at least one character, no ':' and no"
        " control character"
    ),
]
Password = Annotated[
    Secret,
    BeforeValidator(_make_secret),
    AfterValidator(_check_password),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
# A name that every dialplan and every URL can hold as it is.
AppName = Annotated[
    str,
    Matching(
        "[A-Za-z0-9._-]{1,80}",
        "{value} is not an application's name; allowed are 1 to 80 letters, digits,"
        " '-', '_' and '.'",
    ),
]
FileName = Annotated[
    Text,
    AfterValidator(printable),
    Explain("{value} is not a file's name: it has a control character"),
]
ListeningEndpoint = Annotated[
    Text,
    Field(pattern="^((unix:/?[^:]+(:.*)?|(tcp|tcp6):[0-9]{1,5}(:.*)?|systemd:.+))?$"),
    AfterValidator(printable),
    Explain(
        "{value} is not an endpoint to listen on; write it as in"
        " 'tcp:8089:interface=127.0.0.1' or 'unix:/run/channel-aa/status:mode=660'"
    ),
]


HostName = Annotated[
    str,
    Matching(
        "[A-Za-z0-9._-]{1,253}",
        "{value} is not a host's name; write it without scheme and port, as in"
        " 'attendant.example'",
    ),
]
DatabaseUrl = Annotated[
    str,
    Matching(
        r"(postgresql://([A-Za-z0-9._-]+@)?[A-Za-z0-9._-]*(:[0-9]{1,5})?/[A-Za-z0-9_-]+"
        r"(\?[A-Za-z0-9_=&%./-]*)?)?",
        "is not a database of PostgreSQL; write 'postgresql://USER@HOST/DATABASE', with"
        " the password in ~/.pgpass or in the environment variable PGPASSWORD",
    ),
]
"""The message quotes nothing: there may be a password in it."""


def _check_engine(words: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) == 1 and words[0] in ENGINES:
        return words
    missing = [each for each in _COMMAND_NEEDS if each not in "".join(words)]
    if missing or not words[0]:
        raise ValueError(
            f"{quoted(' '.join(words))} is no engine; allowed are"
            f" {', '.join(map(repr, ENGINES))}, or a command as a list with"
            ' {text} and {wav} in it: ["mytts", "--out", "{wav}", "{text}"]'
        )
    return words


def _check_rate(rate: int) -> int:
    if rate in RATES:
        return rate
    raise ValueError(f"{rate} is not a rate of Asterisk; allowed are 8000 and 16000")


RATES = (8000, 16000)
"""The samples a second of spoken texts; Asterisk translates the second for phones with
a narrow band."""


class AsteriskSettings(ConfigModel, frozen=True):
    """The connection to Asterisk."""

    file_keys: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "password_file": "A file that contains only the password, instead of"
            " `password`. A relative path starts from this file's folder."
        }
    )

    url: Url = "http://localhost:8088"
    """The URL of Asterisk's HTTP server: ``http://127.0.0.1:8088``. If http.conf has
    a ``prefix``, append it."""

    username: UserName = "asterisk"
    """A user of ari.conf, without ``read_only = yes``."""

    password: Password = Secret("asterisk")
    """That user's password in ari.conf."""

    app: AppName = "channel-aa"
    """The Stasis application's name, as in the dialplan's ``Stasis(NAME)``."""

    transport: Annotated[
        str,
        OneOf(
            TRANSPORTS,
            "{value} is not a transport; allowed are 'auto', 'http' and 'websocket'",
        ),
    ] = "auto"
    """How requests are sent to Asterisk: ``http``, ``websocket``, or ``auto``: over
    the websocket if this Asterisk supports it, else over HTTP."""

    ca_file: FileName = ""
    """A PEM file with the certificate authorities (CA) to trust for Asterisk's
    certificate; empty: those of the system."""

    certificate_file: FileName = ""
    """A PEM file with a client certificate, if Asterisk's HTTPS server asks for one;
    empty: none."""

    key_file: FileName = ""
    """A PEM file with the private key of that certificate; empty: the key is in
    ``certificate_file``."""

    verify: Flag = True
    """Whether to check Asterisk's certificate: its authority, and that it is for the
    host of ``url``."""

    exit_when_replaced: Flag = False
    """Whether the daemon exits when another program registers the same application;
    otherwise it stays without calls until that program is gone."""

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The files that hold a secret."""
        files = (self.password.file, self.key_file or self.certificate_file)
        return tuple(file for file in files if file)

    def file_warnings(self, file: str) -> Iterator[Problem]:
        """Find files that others than their owners can read or change.

        Args:
            file: the configuration file; "": there is none.
        """
        password_file = "" if self.password.file == file else self.password.file
        files = {"": file, "password_file": password_file}
        files |= {key: getattr(self, key) for key in _TLS_FILES}
        for key, name in files.items():
            if not name:
                continue
            place = f"asterisk.{key}" if key else ""
            if name in self.secret_files and (danger := exposure(name)):
                yield Problem(place, danger)
            if danger := tampering(name):
                yield Problem(place, danger)

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find files that cannot secure the connection, or have none to secure."""
        files = {key: getattr(self, key) for key in _TLS_FILES}
        for key, message in tls_problems(**files):
            yield Problem(key, message)
        if "url" in faulty or self.url.lower().startswith("https:"):
            return
        needless = [key for key in _TLS_FILES if files[key]]
        if not self.verify:
            needless.append("verify")
        for key in needless:
            yield Problem(key, "has no effect, because url does not begin with https")


class AttendantSettings(ConfigModel, frozen=True):
    """Limits of calls, and the first menu."""

    entry: Text = "main"
    """The name of the first menu of calls that no route applies to."""

    max_calls: Annotated[int, Between(0, MAX_CALLS, zero=f"{MAX_CALLS}")] = 0
    """The maximum number of concurrent calls; further ones continue in the dialplan.
    0: 5000, the most."""

    drain_timeout: Annotated[float, Between(0, MAX_DRAIN_SECONDS, " seconds")] = 10.0
    """When the daemon stops: how many seconds the calls in a menu have to finish.
    Then they continue in the dialplan."""

    max_call_seconds: CallSeconds = 3600.0
    """The maximum duration of a call in seconds, without its conversations; then the
    attendant hangs up."""

    max_forwards: ForwardCount = 3
    """How often phones that the attendant dials may lead a call back to it; then the
    call continues in the dialplan."""

    deny: DeniedNumbers = ()
    """Patterns of numbers that no caller may dial with ``{digits}``, whatever menu or
    action leads there: ``00X.``, ``+X.``, ``0900X.``."""

    cdr_userfield: Flag = False
    """Whether the way of a call through the menus, ``main:2>sales:1``, is written into
    the field ``userfield`` of Asterisk's CDR."""


class StatusSettings(ConfigModel, frozen=True):
    """The status endpoint."""

    listen: ListeningEndpoint = ""
    """Where to listen for status requests, as a Twisted endpoint:
    ``tcp:8089:interface=127.0.0.1`` or ``unix:/run/channel-aa/status``. Empty: no
    status endpoint."""

    hosts: tuple[HostName, ...] = ()
    """Names of this host in URLs of the status, besides IP addresses, ``localhost`` and
    the system's host name: ``["attendant.example"]``. Requests for other names are
    refused."""


class SpeechSettings(ConfigModel, frozen=True):
    """How texts become sounds, and how Asterisk fetches these."""

    engine: Annotated[
        tuple[Text, ...],
        Field(min_length=1),
        Explain("has no command"),
        AfterValidator(_check_engine),
        OneOrMany(),
    ] = ("auto",)
    """``piper``, ``espeak-ng``, ``none``, or a command as a list, in which ``{text}``,
    ``{wav}``, ``{language}``, ``{voice}`` and ``{speed}`` are replaced. ``auto``: piper
    if it is installed with a voice, else espeak-ng if that is installed."""

    voice: Annotated[
        FrozenMapping[
            LanguageOrNone,
            Annotated[
                Text,
                Field(min_length=1),
                AfterValidator(printable),
                Explain("{value} is not a voice"),
            ],
        ],
        OneLanguage(),
    ] = Field(default_factory=dict, validate_default=True)
    """The voice, or a table with one for each language: the name of a piper voice in
    ``folder`` or the path of its .onnx file, or a voice of espeak-ng. Without it, the
    first voice for the language."""

    speed: Annotated[
        float,
        Field(strict=True, ge=0.5, le=2),
        Explain("{value} is out of range; allowed are 0.5 to 2"),
    ] = 1.0
    """The speed of the voice: 0.5 is half as fast, 2 twice as fast."""

    rate: Annotated[int, Field(strict=True), AfterValidator(_check_rate)] = 8000
    """Samples a second: 8000, or 16000 for wideband phones."""

    folder: FileName = ""
    """The folder for spoken texts, and of piper's voices. Empty: systemd's
    ``StateDirectory``, or ``~/.cache/channel-aa/speech``. A relative path starts from
    this file's folder."""

    listen: ListeningEndpoint = "tcp:8087:interface=127.0.0.1"
    """Where Asterisk fetches spoken texts, as a Twisted endpoint. Nothing listens while
    no text is to be spoken."""

    url: Annotated[
        str,
        Matching(
            f"([Hh][Tt][Tt][Pp][Ss]?://({_HOST})(:[0-9]{{1,5}})?{_PATH})?",
            "{value} is not a URL; write the one under which Asterisk reaches `listen`:"
            " 'http://192.0.2.10:8087'",
        ),
    ] = ""
    """The URL under which Asterisk reaches ``listen``, if it runs on another host.
    Empty: the port of ``listen`` on this host."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find an endpoint that Asterisk cannot reach by itself."""
        if faulty or self.url or self.listen.startswith("tcp"):
            return
        yield Problem(
            "listen",
            "is no TCP port, so Asterisk needs to be told a URL: set url, too",
        )


class RecordsSettings(ConfigModel, frozen=True):
    """Records of calls, in a database. Without this table, none are stored."""

    url: DatabaseUrl = ""
    """A database of PostgreSQL: ``postgresql://USER@HOST/DATABASE``. Its password is in
    ``~/.pgpass`` or in the environment variable ``PGPASSWORD``. Empty: the SQLite file
    ``calls.sqlite`` in ``folder``."""

    folder: FileName = ""
    """The folder for the SQLite file, and for records as long as the database is down.
    Empty: systemd's ``StateDirectory``, or ``~/.local/state/channel-aa``. A relative
    path starts from this file's folder."""

    keep_days: Annotated[int, Between(0, MAX_KEEP_DAYS, " days", zero="for ever")] = 365
    """After how many days records are deleted. 0: never."""

    callers: Annotated[
        str,
        OneOf(
            CALLERS,
            "{value} is not a way to store callers; allowed are 'shown', 'hashed' and"
            " 'none'",
        ),
    ] = "shown"
    """What is stored of the caller's number: the number (``shown``), a text that only
    tells whether two calls are of the same caller (``hashed``), or ``none``."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find packages that are not installed."""
        needed = ("sqlalchemy", "alembic", *(("psycopg",) if self.url else ()))
        missing = [name for name in needed if find_spec(name) is None]
        if missing and not faulty:
            yield Problem(
                "",
                f"records of calls need the Python package {missing[0]}: pip install"
                " 'channel-aa[records]'",
            )


class Settings(FlowTables, frozen=True):
    """The whole configuration; without arguments, the defaults."""

    asterisk: AsteriskSettings = AsteriskSettings()
    """The connection to Asterisk."""

    attendant: AttendantSettings = AttendantSettings()
    """Limits of calls, and the first menu."""

    status: StatusSettings = StatusSettings()
    """The status endpoint."""

    speech: SpeechSettings = Field(default_factory=SpeechSettings)
    """How texts become sounds."""

    records: RecordsSettings | None = None
    """Records of calls, in a database."""

    texts: FrozenMapping[SoundName, Texts] = Field(
        default_factory=dict, validate_default=True
    )
    """What sounds say, by their name: a text, or a table with one for each language. A
    text is spoken as long as Asterisk has no such file."""

    @cached_property
    def flow(self) -> CallFlow:
        """The call flow, validated with these settings."""
        return CallFlow.model_construct(  # every part of it has been validated
            entry=self.attendant.entry,
            max_call_seconds=self.attendant.max_call_seconds,
            max_forwards=self.attendant.max_forwards,
            deny=self.attendant.deny,
            cdr_userfield=self.attendant.cdr_userfield,
            menus=self.menus,
            actions=self.actions,
            routes=self.routes,
            schedules=self.schedules,
        )

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find undefined names, endless cycles and the like."""
        entry = None if "attendant" in faulty else self.attendant.entry
        return self.flow_problems(faulty, entry=entry, entry_place="attendant.entry")


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
    asterisk, status = document.get("asterisk"), document.get("status")
    for table in (document.get("speech"), document.get("records")):
        name = table.get("folder") if isinstance(table, dict) else None
        if isinstance(table, dict) and name and isinstance(name, str):
            table["folder"] = str(folder / name)
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
        raise ValueError(f"is not UTF-8 text, from line {line} on") from None


def _named(path: Path) -> str:
    name = str(path)
    return name if name.isprintable() else quoted(name)
