"""Which engine and which voice speaks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.settings import SpeechSettings
from channel_aa.speech import engines
from channel_aa.speech.engines import EngineError, find_engine, speech_folder

if TYPE_CHECKING:
    from channel_aa.speech.engines import Engine


class EngineCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.packages = {"piper", "soxr"}
        self.programs: set[str] = set()
        for target, name, fake in (
            (engines, "find_spec", self.find_spec),
            (shutil, "which", self.which),
        ):
            patcher = patch.object(target, name, fake)
            patcher.start()
            self.addCleanup(patcher.stop)

    def find_spec(self, name: str) -> SimpleNamespace | None:
        if name not in self.packages:
            return None
        return SimpleNamespace(submodule_search_locations=[str(self.folder / "joe")])

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def add_voices(self, *names: str, folder: str = "") -> None:
        (self.folder / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (self.folder / folder / f"{name}.onnx").touch()
            (self.folder / folder / f"{name}.onnx.json").touch()

    def engine(self, **settings: object) -> Engine:
        settings = {"folder": str(self.folder), **settings}
        engine = find_engine(SpeechSettings(**settings))  # type: ignore[arg-type]
        assert engine is not None
        return engine

    def problem(self, **settings: object) -> str:
        return str(self.assertRaises(EngineError, self.engine, **settings))

    def voice(self, language: str, **settings: object) -> str:
        return Path(self.engine(**settings).voice(language)).name


class ChoiceTests(EngineCase):
    def test_piper_with_a_voice_comes_first(self) -> None:
        self.add_voices("en_US-a-low")
        self.programs.add("espeak-ng")
        engine = self.engine()
        self.assertEqual((engine.name, engine.command), ("piper", ()))

    def test_espeak_comes_next(self) -> None:
        self.programs.add("espeak-ng")
        engine = self.engine(speed=2.0)
        self.assertEqual(engine.name, "espeak-ng")
        self.assertEqual(engine.command[3:5], ("-s", "350"))

    def test_none_is_none(self) -> None:
        self.assertIsNone(find_engine(SpeechSettings(engine=("none",))))

    def test_command_has_to_be_installed(self) -> None:
        command = ("mytts", "{text}", "{wav}")
        self.assertEqual(
            self.problem(engine=command), "the command mytts is not installed"
        )
        self.programs.add("mytts")
        self.assertEqual(self.engine(engine=command).command, command)

    def test_missing_engine_is_an_error_with_the_remedy(self) -> None:
        self.assertIn(
            f"piper.download_voices --download-dir {self.folder} en_US-", self.problem()
        )
        self.packages = set()
        self.assertIn("pip install 'channel-aa[speech]'", self.problem())
        self.assertIn("pip install 'channel-aa[speech]'", self.problem(engine="piper"))
        self.assertIn("apt-get install espeak-ng", self.problem(engine="espeak-ng"))
        self.programs.add("espeak-ng")
        self.assertIn("pip install soxr", self.problem(engine="espeak-ng"))

    def test_voice_that_is_missing_is_named(self) -> None:
        self.add_voices("en_US-a-low")
        self.assertIn(
            "has no voice en_US-b-low; fetch", self.problem(voice="en_US-b-low")
        )


class VoiceTests(EngineCase):
    def test_first_voice_of_the_language_is_taken(self) -> None:
        self.add_voices("de_DE-a-low", "en_GB-b-low", "en_US-c-low", "fr_FR-d-low")
        for language, voice in (
            ("en", "en_GB-b-low"),
            ("en_US", "en_US-c-low"),
            ("en_AU", "en_GB-b-low"),
            ("fr", "fr_FR-d-low"),
            ("", "en_GB-b-low"),
            ("es", "en_GB-b-low"),
        ):
            with self.subTest(language=language):
                self.assertEqual(self.voice(language), f"{voice}.onnx")
        self.assertTrue(self.engine().speaks("de"))
        self.assertFalse(self.engine().speaks("es"))

    def test_voice_of_the_package_is_found(self) -> None:
        self.packages.add(engines.VOICE_PACKAGE)
        self.add_voices("en_US-joe-medium", folder="joe/data")
        self.assertEqual(self.voice("en"), "en_US-joe-medium.onnx")

    def test_voice_without_its_description_is_none(self) -> None:
        (self.folder / "en_US-a-low.onnx").touch()
        self.assertIn("piper has no voice", self.problem())

    def test_settings_choose_the_voice(self) -> None:
        self.add_voices("en_GB-a-low", "en_GB-b-low", "fr_FR-c-low")
        self.assertEqual(self.voice("en", voice="en_GB-b-low"), "en_GB-b-low.onnx")
        self.assertEqual(self.voice("fr", voice="en_GB-b-low"), "en_GB-b-low.onnx")
        chosen = {"en": "en_GB-b-low"}
        self.assertEqual(self.voice("en_GB", voice=chosen), "en_GB-b-low.onnx")
        self.assertEqual(self.voice("fr", voice=chosen), "fr_FR-c-low.onnx")

    def test_voice_may_be_a_path(self) -> None:
        self.add_voices("mine")
        path = str(self.folder / "mine.onnx")
        self.assertEqual(self.engine(voice=path).voice("en"), path)

    def test_espeak_has_a_voice_for_each_language(self) -> None:
        self.programs.add("espeak-ng")
        engine = self.engine(voice={"en": "en-gb"})
        voices = [engine.voice(each) for each in ("en", "pt_BR", "")]
        self.assertEqual(voices, ["en-gb", "pt-br", "en"])
        self.assertTrue(engine.speaks("pt_BR"))

    def test_command_gets_the_voice_of_the_settings(self) -> None:
        self.programs.add("mytts")
        command = ("mytts", "{text}", "{wav}")
        self.assertEqual(self.engine(engine=command).voice("fr"), "")
        engine = self.engine(engine=command, voice={"en": "alan"})
        self.assertEqual((engine.voice("en"), engine.voice("fr")), ("alan", "alan"))
        self.assertFalse(engine.speaks("fr"))


class FolderTests(SynchronousTestCase):
    def folder(self, folder: str = "", **environ: str) -> str:
        with patch.dict(os.environ, {"HOME": "/home/pbx", **environ}, clear=True):
            return str(speech_folder(SpeechSettings(folder=folder)))

    def test_folder_is_that_of_the_settings_or_the_environment(self) -> None:
        self.assertEqual(self.folder("/srv"), "/srv")
        self.assertEqual(
            self.folder(STATE_DIRECTORY="/var/lib/channel-aa:/b"),
            "/var/lib/channel-aa/speech",
        )
        self.assertEqual(
            self.folder(XDG_CACHE_HOME="/cache"), "/cache/channel-aa/speech"
        )
        self.assertEqual(self.folder(), "/home/pbx/.cache/channel-aa/speech")
