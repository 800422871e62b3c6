"""The configuration files of a test's Asterisk."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from real_asterisk.installation import FILES
from real_asterisk.phones.tones import TONES
from real_asterisk.sounds import write_sounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from real_asterisk.installation import Installation

_HERE = Path(__file__).parent
_SHIPPED = _HERE.parent / "dialplan"

# Folders of its own, so that several can run at the same time.
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

# Without a country, Asterisk has no tones, and logs a warning.
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

# The range is below that of `real_asterisk.harness.free_port`. Several Asterisks can
# share it: each tries another port when one is in use.
_RTP_CONF = """\
[general]
rtpstart=10000
rtpend=19999
"""

# A read-only user.
_PATIENT_WEBSOCKETS = """
[general](+)
websocket_write_timeout = 5000
"""
"""Asterisk drops a websocket that is not read for 100 ms, by default: a test's own
websockets must not end because the machine is busy."""

_READ_ONLY_USER = """
[observer]
type=user
password=observer
read_only=yes
"""

_AS_THEY_ARE = ("musiconhold.conf", "queues.conf", "voicemail.conf")

# Asterisk logs an error for each of these that is missing.
_EMPTY = (
    *("acl", "ccss", "cdr", "cel", "features", "manager"),
    *("pjproject", "queuerules", "res_http_media_cache", "stasis", "udptl"),
)

_NOT_EVERYWHERE = ("app_voicemail.so", "res_websocket_client.so")
"""The modules that Debian's package of Asterisk 16 does not have."""

_MUSIC_SECONDS = 2.0


def write_files(
    files: Path,
    *,
    installation: Installation,
    port: int,
    sip_port: int,
    sounds: Mapping[str, float],
    operator: str,
) -> None:
    """Write the files of one Asterisk.

    The shipped files are used unchanged, except for the port.

    Args:
        files: an empty folder.
        installation: the Asterisk that will use them.
        port: the port of the HTTP server on 127.0.0.1.
        sip_port: the UDP port of the SIP transport there.
        sounds: the seconds of each sound, by its name.
        operator: the endpoint of the operator in the shipped dialplan; empty: none.
    """
    for name in ("etc", "run", "lib", "data", "log", "spool"):
        (files / name).mkdir()
    # Without it, Asterisk cannot list recordings.
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
        "ari.conf": shipped["ari.conf"] + _READ_ONLY_USER + _PATIENT_WEBSOCKETS,
        "channel-aa.conf": shipped["extensions.conf"],
        "pjsip.conf": _pjsip_conf(sip_port),
        "rtp.conf": _RTP_CONF,
        "extensions.conf": dialplan.substitute(OPERATOR=operator),
        **{name: (_HERE / name).read_text() for name in _AS_THEY_ARE},
        **{f"{name}.conf": "" for name in (*_EMPTY, "websocket_client")},
    }
    for name, text in etc.items():
        (files / "etc" / name).write_text(text)


def _pjsip_conf(port: int) -> str:
    template = Template((_HERE / "pjsip.conf").read_text())
    phones = [
        f"""
[{name}](phone)
aors={name}
callerid={name.title()} <{name}>

[{name}](phone-aor)
"""
        for name in TONES
    ]
    return "".join([template.substitute(PORT=port), *phones])


def _modules_of(installation: Installation) -> str:
    modules = (_HERE / "modules.conf").read_text()
    for name in _NOT_EVERYWHERE:
        if not installation.has_module(name):
            modules = modules.replace(f"load={name}\n", "")
    return modules
