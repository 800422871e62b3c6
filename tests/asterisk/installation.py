"""Where the tests' Asterisk is installed, and how a command is run in there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_DEFAULT_ROOT = "/var/lib/channel-aa/asterisk-22"

# Mounts in a namespace of its own are gone with the last process in it. The
# files of the one Asterisk appear at the same place for each.
FILES = "/mnt"
_ENTER = f"""
root=$1 files=$2
shift 2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$files" "$root{FILES}"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Installation:
    """A folder that ``scripts/install-asterisk`` has filled."""

    root: Path

    @classmethod
    def default(cls) -> Installation:
        """Find the folder where the script installs Asterisk 22."""
        return cls(Path(os.environ.get("CHANNEL_AA_ASTERISK_ROOT") or _DEFAULT_ROOT))

    def problem(self) -> str | None:
        """Say why no Asterisk can be started from here; None: one can."""
        if not (self.root / "usr/sbin/asterisk").exists():
            return f"no Asterisk in {self.root}: run scripts/install-asterisk as root"
        if os.geteuid() != 0:
            return f"the Asterisk in {self.root} can be started by root only"
        return None

    def command(self, files: Path, *arguments: str) -> list[str]:
        """Make the command line that runs a command of the installation.

        It finds the folder ``files`` at `FILES`, and is killed when this process
        ends in whatever way. It replaces itself with the command, so that the
        process started is the command's own.
        """
        return [
            *("/usr/bin/setpriv", "--pdeathsig", "KILL"),
            *("/usr/bin/unshare", "--mount", "--propagation", "private"),
            *("/bin/sh", "-ec", _ENTER, "sh", str(self.root), str(files)),
            *arguments,
        ]
