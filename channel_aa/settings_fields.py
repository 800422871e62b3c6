"""The types of the fields of the settings, with their rules."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    WithJsonSchema,
)

from channel_aa.config_errors import type_name
from channel_aa.config_types import (
    Explain,
    Matching,
    OneOrMany,
    Text,
    printable,
)
from channel_aa.problems import quoted

PASSWORD_VARIABLE = "CHANNEL_AA_PASSWORD"  # noqa: S105 - a name, not a password
"""The environment variable whose password wins over the file's."""

ENGINES = ("auto", "none", "piper", "espeak-ng")
"""The engines that are known by name; ``auto`` takes the one that is installed."""

RATES = (8000, 16000)
"""The samples a second of spoken texts; Asterisk translates the second for phones with
a narrow band."""

_COMMAND_NEEDS = ("{text}", "{wav}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*\]"
_PATH = r"(?:/[A-Za-z0-9._~!$'()*+,;=:%-]*)*"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?:{_HOST})(?::(?P<port>[0-9]{{1,5}}))?{_PATH}",
    re.IGNORECASE | re.ASCII,
)
_URL_PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]?://({_HOST})(:[0-9]{{1,5}})?{_PATH}$"
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
        " 'tcp:PORT:interface=127.0.0.1' or 'unix:PATH:mode=660'"
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


Engine = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    Explain("has no command"),
    AfterValidator(_check_engine),
    OneOrMany(),
]
Voice = Annotated[
    Text,
    Field(min_length=1),
    AfterValidator(printable),
    Explain("{value} is not a voice"),
]
SampleRate = Annotated[int, Field(strict=True), AfterValidator(_check_rate)]
SpeechUrl = Annotated[
    str,
    Matching(
        f"([Hh][Tt][Tt][Pp][Ss]?://({_HOST})(:[0-9]{{1,5}})?{_PATH})?",
        "{value} is not a URL; write the one under which Asterisk reaches `listen`:"
        " 'http://192.0.2.10:8087'",
    ),
]
