"""What may be written in the settings, beside menus: a rule for each kind of text.

A password is a `Secret` from the moment it is read.
"""

import re
from typing import final

from channel_aa.checked import quoted

PASSWORD_VARIABLE = "CHANNEL_AA_PASSWORD"  # noqa: S105 - a name, not a password
"""The environment variable whose password wins over the file's."""

TRANSPORTS = ("auto", "http", "websocket")
"""The ways that requests may take; ``auto`` finds out which one Asterisk knows."""

MAX_CALLS = 100_000
MAX_DRAIN_SECONDS = 600

_ENDPOINT = re.compile(r"(unix:/?[^:]+(:.*)?|(tcp|tcp6):[0-9]{1,5}(:.*)?|systemd:.+)")
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


@final
class Secret:
    """Text that no ``repr``, log line or message shows.

    Attributes:
        file: where it was read from; empty: from no file.
    """

    __slots__ = ("_text", "file")

    def __init__(self, text: str, *, file: str = "") -> None:
        self._text = text
        self.file = file

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


def call_limit(calls: int) -> int:
    """Allow how many calls are attended to at once: a rule."""
    if 0 <= calls <= MAX_CALLS:
        return calls
    raise ValueError(
        f"{quoted(calls)} is out of range; allowed are 0 (no limit) to {MAX_CALLS}"
    )


def drain_seconds(seconds: float) -> float:
    """Allow a time that stopping may take: a rule."""
    if 0 <= seconds <= MAX_DRAIN_SECONDS:
        return seconds
    raise ValueError(
        f"{seconds:g} is out of range; allowed are 0 to {MAX_DRAIN_SECONDS} seconds"
    )


def listening_endpoint(listen: str) -> str:
    """Allow the description of an endpoint to listen at, or none: a rule."""
    if not listen or (_ENDPOINT.fullmatch(listen) and listen.isprintable()):
        return listen
    raise ValueError(
        f"{quoted(listen)} is nothing to listen at; write it as in"
        " 'tcp:8089:interface=127.0.0.1' or 'unix:/run/channel-aa/status:mode=660'"
    )


def file_name(path: str) -> str:
    """Allow what a path to a file can be, or none: a rule."""
    if path.isprintable():
        return path
    raise ValueError(f"{quoted(path)} is no file's name: it has a control character")
