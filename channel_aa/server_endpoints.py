"""Descriptions of server endpoints, in Twisted's notation."""

from __future__ import annotations

import re
import socket
from pathlib import Path

_PART = re.compile(r"(?:\\.|[^:\\])*")
_OPTION = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_SOCKET_MODE = "660"
"""Of a UNIX socket whose description has no mode; Twisted's is 666."""


def parse_endpoint(description: str) -> tuple[str, list[str], dict[str, str]]:
    """Split a description into type, positional and keyword arguments, unescaped."""
    names, options = [], {}
    for part in filter(None, _PART.findall(description)):
        option = _OPTION.fullmatch(part)
        if option:
            options[option[1]] = _ESCAPE.sub(r"\1", option[2])
        else:
            names.append(_ESCAPE.sub(r"\1", part))
    return (names[0] if names else ""), names[1:], options


def ready_to_listen(description: str) -> str:
    """Prepare to listen on an endpoint; return the description to listen with.

    For a UNIX socket, remove the one of a daemon that was killed, and add the mode if
    there is none.

    Twisted's lock file is not used. It holds the id of the process that listens, but
    after a `kill -9` another process may have that id; in a container it is always the
    same one, our own.

    Raises:
        ValueError: another program listens on the socket.
    """
    kind, names, options = parse_endpoint(description)
    if kind != "unix" or not names:
        return description
    if "mode" not in options:
        description = f"{description}:mode={_SOCKET_MODE}"
    if "lockfile" in options:
        return description
    path = Path(names[0])
    if path.is_socket():
        if _is_served(path):
            raise ValueError("another program listens there")
        path.unlink(missing_ok=True)
    return f"{description}:lockfile=0"


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # it is busy, or we may not connect
            return True
    return True
