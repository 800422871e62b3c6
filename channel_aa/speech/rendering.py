"""Renders a text to a WAV file for Asterisk. Blocks: for a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
import wave
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from channel_aa.problems import PIP_INSTALL

if TYPE_CHECKING:
    from collections.abc import Collection

    from channel_aa.menus.sounds import Utterance
    from channel_aa.settings import SpeechSettings
    from channel_aa.speech.engines import Engine

SECONDS = 60
"""How long rendering one text may take."""

KEPT_DAYS = 90
"""How long a text is kept that is not used, in case that it is used again."""

RENDERED = re.compile(r"[0-9a-f]{64}\.wav(16)?")
"""The name of a rendered text."""

_FORMAT = 1  # to be increased when the same job renders another sound
_SAMPLE_BYTES = 2
_LONGEST_ERROR = 300


class RenderError(Exception):
    """The text could not be rendered; the message says why."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A text to render.

    Attributes:
        text: the text.
        language: its language; empty: not known.
        voice: the path of piper's voice, or the voice's name.
        engine: the engine's name.
        command: the engine's command line, with placeholders; empty: piper.
        speed: the speed of the voice; 1: its own.
        rate: the samples a second of the file.
    """

    text: str
    language: str
    voice: str
    engine: str
    command: tuple[str, ...]
    speed: float
    rate: int

    @property
    def file_name(self) -> str:
        """The file's name, by its content: a text is rendered once."""
        # A voice is the same wherever its file is.
        content = msgspec.structs.replace(self, voice=Path(self.voice).name)
        digest = sha256(msgspec.json.encode([_FORMAT, content])).hexdigest()
        # Asterisk takes 16000 samples a second for another format.
        return f"{digest}.wav" if self.rate == 8000 else f"{digest}.wav16"  # noqa: PLR2004


def job_for(spoken: Utterance, settings: SpeechSettings, engine: Engine) -> Job:
    """Make the job for a text in a language."""
    return Job(
        text=spoken.text,
        # Piper's voice has a language itself.
        language=spoken.language if engine.command else "",
        voice=engine.voice(spoken.language),
        engine=engine.name,
        command=engine.command,
        speed=settings.speed,
        rate=settings.rate,
    )


def render(job: Job, path: Path, *, seconds: float = SECONDS) -> None:
    """Render a text to a file, which appears when it is complete.

    Args:
        job: the text.
        path: the file; its folder is created if need be.
        seconds: how long the engine's command may take.

    Raises:
        RenderError: the engine failed, or its file is unusable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=".") as folder:
            spoken, converted = Path(folder) / "spoken.wav", Path(folder) / "sound.wav"
            if job.command:
                _run(job, spoken, seconds)
            else:
                _speak_with_piper(job, spoken)
            _convert(spoken, converted, job.rate)
            converted.chmod(0o644)
            converted.replace(path)
    except OSError as error:
        raise RenderError(
            f"cannot write to the folder {path.parent}: {error.strerror or error}"
        ) from error


def remove_unused(folder: Path, used: Collection[str]) -> None:
    """Remove rendered texts that were not used for `KEPT_DAYS`, as far as possible.

    Args:
        folder: their folder; it need not exist.
        used: the names of the files that are used now.
    """
    now = time.time()
    with suppress(OSError):
        for path in folder.iterdir():
            if not RENDERED.fullmatch(path.name):
                continue
            if path.name in used:
                os.utime(path)
            elif now - path.stat().st_mtime > KEPT_DAYS * 86400:
                path.unlink()


def _run(job: Job, path: Path, seconds: float) -> None:
    values = {
        "{text}": job.text,
        "{wav}": str(path),
        "{language}": job.language or "en",
        "{voice}": job.voice,
        "{speed}": f"{job.speed:g}",
    }
    command = [_filled(word, values) for word in job.command]
    try:
        done = subprocess.run(  # noqa: S603 - the administrator's command, without a shell
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"{job.engine} took longer than {seconds:g} s") from None
    except OSError as error:
        raise RenderError(f"{job.engine}: {error.strerror or error}") from error
    output = " ".join((done.stderr or done.stdout).decode(errors="replace").split())
    said = f": {output[-_LONGEST_ERROR:]}" if output else ""
    if done.returncode:
        raise RenderError(f"{job.engine} ended with code {done.returncode}{said}")
    if not path.is_file():
        raise RenderError(f"{job.engine} has not written its file{said}")


def _filled(word: str, values: dict[str, str]) -> str:
    """Replace placeholders; those within a value stay."""
    for name, value in values.items():
        before, found, after = word.partition(name)
        if found:
            return f"{_filled(before, values)}{value}{_filled(after, values)}"
    return word


def _speak_with_piper(job: Job, path: Path) -> None:
    from piper import SynthesisConfig  # noqa: PLC0415 - an extra

    try:
        voice = _load_voice(job.voice)
        with wave.open(str(path), "wb") as file:
            config = SynthesisConfig(length_scale=_length(voice) / job.speed)
            voice.synthesize_wav(job.text, file, syn_config=config)
    except Exception as error:
        raise RenderError(f"piper: {error or type(error).__name__}") from error


def _length(voice: Any) -> float:  # noqa: ANN401 - of an extra
    return float(getattr(voice.config, "length_scale", None) or 1.0)


@cache
def _load_voice(path: str) -> Any:  # noqa: ANN401 - of an extra
    from piper import PiperVoice  # noqa: PLC0415 - an extra

    return PiperVoice.load(path)


def _convert(source: Path, target: Path, rate: int) -> None:
    """Write 16-bit mono samples at a rate, without what is above half of it."""
    try:
        with wave.open(str(source), "rb") as file:
            channels, width, source_rate = (
                file.getnchannels(),
                file.getsampwidth(),
                file.getframerate(),
            )
            samples = file.readframes(-1)  # a command may leave the length open
    except (EOFError, wave.Error) as error:
        raise RenderError(f"the engine's file is no WAV file: {error}") from error
    if width != _SAMPLE_BYTES:
        raise RenderError(f"the engine's file has {8 * width} bits a sample, not 16")
    if not any(samples):
        raise RenderError("the engine's file is empty or silent")
    if (channels, source_rate) != (1, rate):
        samples = _resampled(samples, channels, source_rate, rate)
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(samples)


def _resampled(samples: bytes, channels: int, source_rate: int, rate: int) -> bytes:
    try:
        import numpy as np  # noqa: PLC0415 - an extra
        import soxr  # noqa: PLC0415 - an extra
    except ImportError:
        raise RenderError(
            f"the engine's file has {channels} channels of {source_rate} Hz; to convert"
            f" it to one of {rate} Hz: {PIP_INSTALL} soxr"
        ) from None
    frames = np.frombuffer(samples, dtype="<i2").reshape(-1, channels)
    mono = frames.mean(axis=1, dtype=np.float32)
    resampled = soxr.resample(mono, source_rate, rate)
    converted: bytes = np.clip(resampled, -32768, 32767).astype("<i2").tobytes()
    return converted
