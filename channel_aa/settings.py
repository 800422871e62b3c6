"""The settings, of a file or of a program that embeds the attendant: frozen models.

Both follow the same rules, and report everything that is wrong at once.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import Field

from channel_aa.config_model import ConfigModel
from channel_aa.config_types import (
    Between,
    Explain,
    Flag,
    FrozenMapping,
    OneOf,
    Text,
)
from channel_aa.files import exposure, intrusion, tampering, tls_problems
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
from channel_aa.problems import PIP_INSTALL, Problem
from channel_aa.server_endpoints import parse_endpoint
from channel_aa.settings_fields import (
    AppName,
    DatabaseUrl,
    Engine,
    FileName,
    HostName,
    ListeningEndpoint,
    Password,
    SampleRate,
    Secret,
    SpeechUrl,
    Url,
    UserName,
    Voice,
)

__all__ = [
    "AsteriskSettings",
    "AttendantSettings",
    "MetricsSettings",
    "RecordsSettings",
    "Secret",
    "Settings",
    "SpeechSettings",
    "StatusSettings",
]

TRANSPORTS = ("auto", "http", "websocket")
"""The ways that requests may take; ``auto`` finds out which one Asterisk knows."""

MAX_DRAIN_SECONDS = 600
MAX_KEEP_DAYS = 36500

CALLERS = ("shown", "hashed", "none")
"""What records may have of the caller's number."""

TLS_FILES = ("ca_file", "certificate_file", "key_file")
"""The keys of ``[asterisk]`` that name a file."""


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
        files |= {key: getattr(self, key) for key in TLS_FILES}
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
        files = {key: getattr(self, key) for key in TLS_FILES}
        for key, message in tls_problems(**files):
            yield Problem(key, message)
        if "url" in faulty or self.url.lower().startswith("https:"):
            return
        needless = [key for key in TLS_FILES if files[key]]
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

    engine: Engine = ("auto",)
    """``piper``, ``espeak-ng``, ``none``, or a command as a list, in which ``{text}``,
    ``{wav}``, ``{language}``, ``{voice}`` and ``{speed}`` are replaced. ``auto``: piper
    if it is installed with a voice, else espeak-ng if that is installed."""

    voice: Annotated[FrozenMapping[LanguageOrNone, Voice], OneLanguage()] = Field(
        default_factory=dict, validate_default=True
    )
    """The voice, or a table with one for each language: the name of a piper voice in
    ``folder`` or the path of its .onnx file, or a voice of espeak-ng. Without it, the
    first voice for the language."""

    speed: Annotated[
        float,
        Field(strict=True, ge=0.5, le=2),
        Explain("{value} is out of range; allowed are 0.5 to 2"),
    ] = 1.0
    """The speed of the voice: 0.5 is half as fast, 2 twice as fast."""

    rate: SampleRate = 8000
    """Samples a second: 8000, or 16000 for wideband phones."""

    folder: FileName = ""
    """The folder for spoken texts, and of piper's voices. Empty: systemd's
    ``StateDirectory``, or ``~/.cache/channel-aa/speech``. A relative path starts from
    this file's folder."""

    listen: ListeningEndpoint = "tcp:8087:interface=127.0.0.1"
    """Where Asterisk fetches spoken texts, as a Twisted endpoint. Nothing listens while
    no text is to be spoken."""

    url: SpeechUrl = ""
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
        needed = (
            "sqlalchemy",
            "alembic",
            "jinja2",
            *(("psycopg",) if self.url else ()),
        )
        missing = [name for name in needed if find_spec(name) is None]
        if missing and not faulty:
            yield Problem(
                "",
                f"records of calls need the Python package {missing[0]}:"
                f" {PIP_INSTALL} 'channel-aa[records]'",
            )


class MetricsSettings(ConfigModel, frozen=True):
    """Metrics for Prometheus. Without this table, none are served."""

    listen: ListeningEndpoint = "tcp:8089:interface=127.0.0.1"
    """Where to listen for requests of ``/metrics``, as a Twisted endpoint; it may be
    that of the status. Empty: nowhere."""

    hosts: tuple[HostName, ...] = ()
    """Names of this host in URLs of the metrics, as for the status."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find a package that is not installed."""
        if find_spec("prometheus_client") is None and not faulty:
            yield Problem(
                "",
                "metrics need the Python package prometheus_client:"
                f" {PIP_INSTALL} 'channel-aa[metrics]'",
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

    metrics: MetricsSettings | None = None
    """Metrics for Prometheus."""

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

    def file_warnings(self, file: str) -> Iterator[Problem]:
        """Find files and folders that others than their owners can read or change.

        Args:
            file: the configuration file; "": there is none.
        """
        yield from self.asterisk.file_warnings(file)
        kind, names, _ = parse_endpoint(self.status.listen)
        folders = {
            "speech.folder": self.speech.folder,
            "records.folder": self.records.folder if self.records else "",
            "status.listen": str(Path(names[0]).parent) if kind == "unix" else "",
        }
        for place, folder in folders.items():
            if folder and (danger := intrusion(folder)):
                yield Problem(place, danger)

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find undefined names, endless cycles and the like."""
        entry = None if "attendant" in faulty else self.attendant.entry
        return self.flow_problems(faulty, entry=entry, entry_place="attendant.entry")
