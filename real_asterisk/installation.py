"""The folder that Asterisk is installed in, and how commands are run there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_ROOT = "/var/lib/channel-aa/asterisk-{}"

# The mounts of a namespace end with its last process. The files of each Asterisk
# appear at the same path.
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
    version: str = "22"

    @classmethod
    def default(cls) -> Installation:
        """Find the folder where the script installs Asterisk 22."""
        named = os.environ.get("CHANNEL_AA_ASTERISK_ROOT")
        return cls(Path(named or _ROOT.format("22")))

    @classmethod
    def of_16(cls) -> Installation:
        """Find the folder where the script installs Asterisk 16."""
        return cls(Path(_ROOT.format("16")), version="16")

    def has_module(self, name: str) -> bool:
        """Say whether this Asterisk has a module, such as ``res_ari.so``."""
        libraries = self.root / "usr/lib"
        # Newer packages have them in a folder of the machine's architecture.
        return any(
            (folder / "asterisk/modules" / name).exists()
            for folder in (libraries, *libraries.glob("*-linux-gnu*"))
        )

    def problem(self) -> str | None:
        """Return why Asterisk cannot be started; None: it can."""
        if not (self.root / "usr/sbin/asterisk").exists():
            script = f"scripts/install-asterisk {self.version}"
            return f"no Asterisk in {self.root}: run {script} as root"
        if os.geteuid() != 0:
            return f"the Asterisk in {self.root} can be started by root only"
        return None

    def command(self, files: Path, *arguments: str) -> list[str]:
        """Make the command line that runs a command in the installation.

        The command finds the folder ``files`` at `FILES`, and is killed when this
        process ends in any way. All steps use exec: the process is the command's own.
        """
        return [
            *("/usr/bin/setpriv", "--pdeathsig", "KILL"),
            *("/usr/bin/unshare", "--mount", "--propagation", "private"),
            *("/bin/sh", "-ec", _ENTER, "sh", str(self.root), str(files)),
            *arguments,
        ]
