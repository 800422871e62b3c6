"""What the caller of a simulated call hears, as a WAV file."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.interfaces import ISpeech
from channel_aa.menus.sounds import Utterance, in_language
from channel_aa.speech.engines import EngineError, find_engine, speech_folder
from channel_aa.speech.rendering import RenderError, job_for, render
from channel_aa.speech.speech import texts_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from channel_aa.commands.transcript import HeardSound
    from channel_aa.settings import Settings
    from channel_aa.speech.engines import Engine

RATE = 8000
_SAMPLE_BYTES = 2
_TONE_HERTZ = 440
_TONE_AMPLITUDE = 2000
_TONE_SECONDS = 0.3
_PREFIX = "text-"


@implementer(ISpeech)
class CallAudio(Mapping[str, float]):
    """Speaks texts, and finds sound files; the seconds of each sound, by its name.

    A sound without a file is none of its keys, and is written as a short tone.

    Args:
        settings: the configuration, with its engine.
        folder: a folder of sound files, as Asterisk has them; None: there is none.

    Attributes:
        texts: each spoken text in quotes, by the name of its sound.
        problems: what could not be written, each once.
    """

    def __init__(self, settings: Settings, folder: Path | None) -> None:
        self.texts: dict[str, str] = {}
        self.problems: dict[str, None] = {}
        self._settings = settings.speech.replace(rate=RATE)
        self._named = texts_by_name(settings)
        self._folder = folder
        self._files: dict[str, Path] = {}

    def media_of_text(self, text: str, language: str) -> str:
        """Speak a text, unless it was spoken before; see `ISpeech`."""
        shown = text.replace('"', "'")
        name = _name_of(text, language)
        self.texts[name] = f'"{shown}"'
        if self._engine is not None:
            job = job_for(Utterance(text, language), self._settings, self._engine)
            path = speech_folder(self._settings) / job.file_name
            try:
                if not path.is_file():
                    render(job, path)
            except RenderError as error:
                self.problems[f"{self.texts[name]}: {error}"] = None
            else:
                self._files[name] = path
        return f"sound:{name}"

    def media_of_sound(self, media: str, language: str) -> tuple[str, ...]:
        """Return the sound itself, or its text if there is no file; see `ISpeech`."""
        name = media.removeprefix("sound:")
        chosen = in_language(self._named.get(name, {}), language)
        if chosen is None or name in self:
            return (media,)
        spoken_in = chosen.language or language
        self.media_of_text(chosen.text, spoken_in)
        spoken = _name_of(chosen.text, spoken_in)
        if spoken in self._files:
            self._files[name] = self._files[spoken]
        return (media,)

    def playback_failed(self, media: str, language: str) -> None:
        """Do nothing: every sound exists."""

    def __getitem__(self, name: str) -> float:
        """Return the seconds of a sound."""
        return len(self._samples(self._path(name))) / _SAMPLE_BYTES / RATE

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __bool__(self) -> bool:
        """Return true: it has lengths, even while none is known."""
        return True

    def path_of(self, name: str) -> Path | None:
        """Return the WAV file of a sound; None: it has none."""
        try:
            return self._path(name)
        except KeyError:
            return None

    def write(self, path: Path, heard: Iterable[HeardSound], *, seconds: float) -> None:
        """Write what was heard.

        Args:
            path: the file.
            heard: the sounds, with their times.
            seconds: the duration of the call.

        Raises:
            OSError: the file cannot be written.
        """
        samples = bytearray(_SAMPLE_BYTES * math.ceil(seconds * RATE))
        for sound in heard:
            try:
                spoken = self._samples(self._path(sound.name))
            except KeyError:
                spoken = _tone()
                shown = self.texts.get(sound.name, sound.name)
                self.problems[f"a tone is in the place of {shown}"] = None
            begin = _SAMPLE_BYTES * round(sound.began * RATE)
            ended = seconds if sound.ended is None else sound.ended
            end = _SAMPLE_BYTES * round(ended * RATE)
            cut = spoken[: max(0, min(end, len(samples)) - begin)]
            samples[begin : begin + len(cut)] = cut
        _write_samples(path, bytes(samples))

    @cached_property
    def _engine(self) -> Engine | None:
        try:
            return find_engine(self._settings)
        except EngineError as error:
            self.problems[f"texts cannot be spoken: {error}"] = None
            return None

    def _path(self, name: str) -> Path:
        if name in self._files:
            return self._files[name]
        if self._folder is not None and not name.startswith(_PREFIX):
            for found in (self._folder, *sorted(self._folder.glob("*/"))):
                path = found / f"{name}.wav"
                if path.is_file():
                    return path
        raise KeyError(name)

    def _samples(self, path: Path) -> bytes:
        try:
            with wave.open(str(path), "rb") as file:
                found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                if found == (1, _SAMPLE_BYTES, RATE):
                    return file.readframes(-1)
        except (OSError, EOFError, wave.Error) as error:
            self.problems[f"{path}: {error}"] = None
        else:
            self.problems[f"{path}: it is not mono, 16 bits, {RATE} Hz"] = None
        raise KeyError(path)


def write_tone(path: Path) -> None:
    """Write what is heard in the place of a sound without a file."""
    _write_samples(path, _tone())


def _write_samples(path: Path, samples: bytes) -> None:
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(RATE)
        file.writeframes(samples)


def _name_of(text: str, language: str) -> str:
    """Return the name of a text's sound; the text itself could be no name."""
    return f"{_PREFIX}{sha256(f'{language}:{text}'.encode()).hexdigest()}"


def _tone() -> bytes:
    step = 2 * math.pi * _TONE_HERTZ / RATE
    return b"".join(
        struct.pack("<h", round(_TONE_AMPLITUDE * math.sin(step * number)))
        for number in range(round(_TONE_SECONDS * RATE))
    )
