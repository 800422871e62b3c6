"""Plays the sounds of a simulated call on this machine's loudspeaker."""

from __future__ import annotations

import subprocess
from shutil import which
from typing import TYPE_CHECKING

from channel_aa.commands.call_audio import write_tone
from channel_aa.commands.cli import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from channel_aa.commands.call_audio import CallAudio
    from channel_aa.commands.transcript import HeardSound


PLAYERS = {
    "pw-play": (),
    "paplay": (),
    "aplay": ("-q",),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "quiet"),
    "play": ("-q",),
}
"""Programs that play a WAV file until it ends or they are killed, with their options.
The first one that is installed is used."""


class Player:
    """Plays one sound at a time.

    Args:
        audio: where the sounds are.
        tone: the file for sounds without one.

    Raises:
        CommandError: no program is installed that plays sounds.
    """

    def __init__(self, audio: CallAudio, tone: Path) -> None:
        self._command = _find_program()
        self._audio = audio
        self._tone = tone
        write_tone(tone)
        self._sound: HeardSound | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def update(self, heard: Iterable[HeardSound]) -> None:
        """Play what the caller hears now, and nothing else.

        Args:
            heard: the sounds so far, in their order.
        """
        *_, last = (None, *heard)
        sound = last if last is not None and last.ended is None else None
        if sound is self._sound:
            return
        self.stop()
        self._sound = sound
        if sound is not None:
            file = self._audio.path_of(sound.name) or self._tone
            self._process = subprocess.Popen(  # noqa: S603 - one of PLAYERS
                [*self._command, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def stop(self) -> None:
        """Play nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


def _find_program() -> Sequence[str]:
    for name, options in PLAYERS.items():
        found = which(name)
        if found:
            return found, *options
    raise CommandError(
        "--play: no program is installed that plays sounds; install Debian's package"
        " alsa-utils, pulseaudio-utils or pipewire-bin, or write a file with --press"
        " and --wav"
    )
