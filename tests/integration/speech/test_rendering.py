"""Texts rendered by commands, in this process and in the worker."""

from __future__ import annotations

import sys
import wave
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from channel_aa.menus.sounds import Utterance
from channel_aa.settings import SpeechSettings
from channel_aa.speech import renderer as renderer_module
from channel_aa.speech.engines import find_engine
from channel_aa.speech.renderer import Renderer
from channel_aa.speech.rendering import Job, RenderError, job_for, render
from tests.support.speech_engine import ENGINE, SECONDS_A_CHARACTER
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase


def job(text: str, *command: str, rate: int = 8000) -> Job:
    return Job(
        text=text,
        language="en",
        voice="",
        engine="tts",
        command=command or tuple(ENGINE),
        speed=1.0,
        rate=rate,
    )


def seconds_of(path: Path, *, rate: int = 8000) -> float:
    """Check the format, and return the length."""
    with wave.open(str(path)) as file:
        found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        assert found == (1, 2, rate)
        frames: int = file.getnframes()
        return frames / rate


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, "{wav}", "{text}")


def test_text_becomes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/a.wav"
    render(job("Welcome"), path)
    assert seconds_of(path) == 7 * SECONDS_A_CHARACTER
    assert [each.name for each in path.parent.iterdir()] == ["a.wav"]


def test_text_is_no_code_and_no_placeholder(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1] + '.txt', 'w').write(sys.argv[2])"
    with pytest.raises(RenderError, match="has not written its file"):
        render(job("$(id); {wav} -x", *python(code)), tmp_path / "a.wav")
    code = "import sys; sys.exit(sys.argv[2])"
    with pytest.raises(RenderError, match=r"code 1: \$\(id\); {wav} -x$"):
        render(job("$(id); {wav} -x", *python(code)), tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (python("import sys; sys.exit('out of order')"), "code 1: out of order"),
        (python("pass"), "tts has not written its file"),
        (python("import sys; open(sys.argv[1], 'w')"), "is no WAV file"),
        (python("import time; time.sleep(60)"), "took longer than 1 s"),
        (("/no/such/tts", "{wav}"), "tts: No such file"),
        (
            python(
                "import sys, wave; f = wave.open(sys.argv[1], 'wb');"
                "f.setparams((1, 2, 8000, 0, 'NONE', '')); f.writeframes(bytes(800))"
            ),
            "empty or silent",
        ),
        (
            python(
                "import sys, wave; f = wave.open(sys.argv[1], 'wb');"
                "f.setparams((1, 1, 8000, 0, 'NONE', '')); f.writeframes(b'a' * 80)"
            ),
            "8 bits a sample",
        ),
    ],
)
def test_failure_leaves_no_file_and_says_why(
    tmp_path: Path, command: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RenderError, match=message):
        render(job("x", *command), tmp_path / "a.wav", seconds=1)
    assert [*tmp_path.iterdir()] == []


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RenderError, match="file"):
        render(job("x"), tmp_path / "file" / "a.wav")


@pytest.mark.speech
@pytest.mark.parametrize("rate", [8000, 16000])
def test_other_rates_and_channels_are_converted(tmp_path: Path, rate: int) -> None:
    code = (
        "import math, struct, sys, wave; f = wave.open(sys.argv[1], 'wb');"
        "f.setparams((2, 2, 22050, 0, 'NONE', ''));"
        "f.writeframes(b''.join(struct.pack('<2h', round(9000 * math.sin(n / 10)), 0)"
        " for n in range(22050)))"
    )
    render(job("x", *python(code), rate=rate), tmp_path / "a.wav")
    assert seconds_of(tmp_path / "a.wav", rate=rate) == pytest.approx(1, abs=0.01)


class Results:
    """A renderer, and what it has rendered."""

    def __init__(self, reactor: PosixReactorBase, folder: Path) -> None:
        self.done: list[tuple[str, str]] = []
        self.renderer = Renderer(
            lambda job, error: self.done.append((job.text, error)), reactor=reactor
        )
        self._reactor = reactor
        self._folder = folder

    def render(self, *texts: str) -> None:
        for text in texts:
            self.renderer.render(job(text), self._folder / f"{text}.wav")

    async def finished(self, count: int) -> None:
        await until(self._reactor, lambda: len(self.done) == count, "rendered texts")

    async def idle(self) -> None:
        await until(
            self._reactor, lambda: self.renderer._worker is None, "the worker's end"
        )


@pytest_twisted.ensureDeferred
async def test_worker_renders_one_text_after_another_and_ends(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    results = Results(reactor, tmp_path)
    results.render("one", "fail", "two")
    await results.finished(3)
    assert [text for text, _ in results.done] == ["one", "fail", "two"]
    assert "the engine is broken" in results.done[1][1]
    assert (tmp_path / "two.wav").is_file()
    await results.idle()
    results.render("three")
    await results.finished(4)
    await results.renderer.stop()


@pytest_twisted.ensureDeferred
async def test_text_that_arrives_while_the_worker_ends_is_rendered(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    results = Results(reactor, tmp_path)
    results.render("one")
    await results.finished(1)
    results.render("two")
    await results.finished(2)
    assert results.done == [("one", ""), ("two", "")]
    await results.renderer.stop()


@pytest_twisted.ensureDeferred
async def test_worker_that_dies_is_replaced(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    results = Results(reactor, tmp_path)
    results.render("one", "two")
    assert results.renderer._worker is not None
    results.renderer._worker.kill()
    await results.finished(2)
    (_, error), second = results.done
    assert error.startswith("the engine has died")
    assert second == ("two", "")
    await results.renderer.stop()


@pytest_twisted.ensureDeferred
async def test_worker_that_hangs_is_killed(
    reactor: PosixReactorBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer_module, "SECONDS", 0)
    monkeypatch.setattr(renderer_module, "_GRACE_SECONDS", 0)
    results = Results(reactor, tmp_path)
    results.render("one")
    await results.finished(1)
    assert results.done == [("one", "it took longer than 0 s")]
    await results.idle()


@pytest_twisted.ensureDeferred
async def test_preferred_text_is_the_next(
    reactor: PosixReactorBase, tmp_path: Path
) -> None:
    results = Results(reactor, tmp_path)
    results.render("one", "two", "three")
    results.renderer.prefer(job("three"))
    await results.finished(3)
    assert [text for text, _ in results.done] == ["one", "three", "two"]
    await results.renderer.stop()


@pytest_twisted.ensureDeferred
async def test_stop_drops_the_queue(reactor: PosixReactorBase, tmp_path: Path) -> None:
    results = Results(reactor, tmp_path)
    results.render("one", "two")
    await results.renderer.stop()
    assert results.done == []
    assert results.renderer._worker is None


@pytest.mark.speech
def test_piper_speaks(tmp_path: Path) -> None:
    settings = SpeechSettings(engine=("piper",), folder=str(tmp_path))
    engine = find_engine(settings)
    assert engine is not None
    assert engine.speaks("en_US")
    lengths = []
    for number, speed in enumerate((1.0, 2.0)):
        path = tmp_path / f"{number}.wav"
        spoken = Utterance("Welcome to Acme. For sales, press one.", "en")
        render(job_for(spoken, settings.replace(speed=speed), engine), path)
        lengths.append(seconds_of(path))
    assert 1.5 < lengths[0] < 6
    assert lengths[1] < lengths[0] * 0.8


@pytest.mark.speech
def test_piper_s_failure_says_why(tmp_path: Path) -> None:
    settings = SpeechSettings(engine=("piper",), folder=str(tmp_path))
    for name in ("fr_FR-broken.onnx", "fr_FR-broken.onnx.json"):
        (tmp_path / name).write_text("{}")
    engine = find_engine(settings)
    assert engine is not None
    with pytest.raises(RenderError, match=r"^piper: "):
        render(
            job_for(Utterance("Bonjour.", "fr"), settings, engine), tmp_path / "a.wav"
        )
