"""The configuration folder of a test's Asterisk."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from real_asterisk.installation import FILES
from real_asterisk.sounds import write_sounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from real_asterisk.installation import Installation

_HERE = Path(__file__).parent
_SHIPPED = _HERE.parent / "dialplan"

# Its own folders, so that several run side by side.
_ASTERISK_CONF = f"""\
[directories]
astetcdir => {FILES}/etc
astrundir => {FILES}/run
astvarlibdir => {FILES}/lib
astdbdir => {FILES}/lib
astkeydir => {FILES}/lib
astdatadir => {FILES}/data
astlogdir => {FILES}/log
astspooldir => {FILES}/spool

[options]
nocolor = yes
"""

_LOGGER_CONF = """\
[logfiles]
console => notice,warning,error,verbose
"""

# Without a country, Asterisk has no tones, and warns.
_INDICATIONS_CONF = """\
[general]
country=us

[us]
description = United States
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
"""

# A user that may look at everything, and touch nothing.
_READ_ONLY_USER = """
[observer]
type=user
password=observer
read_only=yes
"""

_AS_THEY_ARE = ("musiconhold.conf", "pjsip.conf", "queues.conf", "voicemail.conf")

# Asterisk reports these as errors where they are missing.
_EMPTY = (
    *("acl", "ccss", "cdr", "cel", "features", "manager"),
    *("pjproject", "queuerules", "stasis", "udptl"),
)

_NOT_EVERYWHERE = ("app_voicemail.so", "res_websocket_client.so")
"""What the package of Asterisk 16 does not have."""

_MUSIC_SECONDS = 2.0


def write_files(
    files: Path,
    *,
    installation: Installation,
    port: int,
    sounds: Mapping[str, float],
    operator: str,
) -> None:
    """Fill the folder that one Asterisk runs in.

    The shipped samples are taken as they are, but for the port.

    Args:
        files: an empty folder.
        installation: whose Asterisk it is.
        port: the port of the HTTP server on 127.0.0.1.
        sounds: seconds that each sound lasts, by its name.
        operator: whom the shipped dialplan dials for the operator; "": nobody.
    """
    for name in ("etc", "run", "lib", "data", "log", "spool"):
        (files / name).mkdir()
    # Without it, Asterisk cannot list the recordings that it makes there.
    (files / "spool/recording").mkdir()
    for name in ("documentation", "rest-api"):
        (files / "data" / name).symlink_to(f"/usr/share/asterisk/{name}")
    write_sounds(files / "data/sounds/en", sounds)
    write_sounds(files / "data/moh", {"tone": _MUSIC_SECONDS})

    shipped = {path.name: path.read_text() for path in _SHIPPED.glob("*.conf")}
    dialplan = Template((_HERE / "extensions.conf").read_text())
    etc = {
        "asterisk.conf": _ASTERISK_CONF,
        "logger.conf": _LOGGER_CONF,
        "indications.conf": _INDICATIONS_CONF,
        "modules.conf": _modules_of(installation),
        "http.conf": shipped["http.conf"].replace("8088", str(port)),
        "ari.conf": shipped["ari.conf"] + _READ_ONLY_USER,
        "channel-aa.conf": shipped["extensions.conf"],
        "extensions.conf": dialplan.substitute(OPERATOR=operator),
        **{name: (_HERE / name).read_text() for name in _AS_THEY_ARE},
        **{f"{name}.conf": "" for name in (*_EMPTY, "websocket_client")},
    }
    for name, text in etc.items():
        (files / "etc" / name).write_text(text)


def _modules_of(installation: Installation) -> str:
    modules = (_HERE / "modules.conf").read_text()
    for name in _NOT_EVERYWHERE:
        if not installation.has_module(name):
            modules = modules.replace(f"load={name}\n", "")
    return modules
