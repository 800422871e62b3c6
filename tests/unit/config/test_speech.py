"""The tables [speech] and [texts]."""

from __future__ import annotations

from pathlib import Path

from channel_aa.settings import SpeechSettings
from tests.support.config_case import ConfigCase


class SpeechSettingsTests(ConfigCase):
    def test_command_is_a_list_with_placeholders(self) -> None:
        settings = self.load(
            """
            [speech]
            engine = ["mytts", "--out={wav}", "{text}"]
            voice = { en = "alan", fr = "siwis" }
            folder = "/srv/speech"
            """
        )
        self.assertEqual(settings.speech.engine, ("mytts", "--out={wav}", "{text}"))
        self.assertEqual(dict(settings.speech.voice), {"en": "alan", "fr": "siwis"})
        self.assertEqual(settings.speech.folder, "/srv/speech")

    def test_one_voice_is_for_all_languages(self) -> None:
        settings = self.load('[speech]\nvoice = "alan"')
        self.assertEqual(settings.speech.voice, {"": "alan"})

    def test_folder_starts_from_that_of_the_file(self) -> None:
        folder = self.load('[speech]\nfolder = "spoken"').speech.folder
        self.assertTrue(Path(folder).is_absolute())
        self.assertEqual(Path(folder).name, "spoken")

    def test_unusable_settings_are_refused(self) -> None:
        for line, message in (
            ("engine = 'festival'", "speech.engine: 'festival' is no engine; allowed"),
            (
                "engine = ['mytts', '{wav}']",
                "speech.engine: 'mytts {wav}' is no engine",
            ),
            ("engine = []", "speech.engine: has no command"),
            ("voice = ''", "speech.voice: '' is not a voice"),
            ("speed = 3", "speech.speed: 3 is out of range; allowed are 0.5 to 2"),
            ("rate = 44100", "speech.rate: 44100 is not a rate of Asterisk"),
            ("url = 'pbx'", "speech.url: 'pbx' is not a URL"),
            ("listen = '8087'", "speech.listen: '8087' is not an endpoint"),
            ("listen = 'unix:/run/x'", "speech.listen: is no TCP port"),
        ):
            with self.subTest(line=line):
                [problem] = self.file_problems(f"[speech]\n{line}")
                self.assertIn(message, problem)

    def test_socket_needs_a_url(self) -> None:
        speech = SpeechSettings(listen="unix:/run/x", url="http://pbx/sounds")
        self.assertEqual(speech.url, "http://pbx/sounds")


class TextsTests(ConfigCase):
    def test_texts_have_names_of_sounds(self) -> None:
        settings = self.load(
            """
            [texts]
            "acme/welcome" = "Welcome."
            "sound:acme/hours" = { en = "From 9 to 5.", fr = "De 9 à 17 heures." }
            """
        )
        self.assertEqual(settings.texts["acme/welcome"], {"": "Welcome."})
        self.assertEqual(settings.texts["acme/hours"]["en"], "From 9 to 5.")

    def test_unusable_names_and_texts_are_refused(self) -> None:
        for line, message in (
            ('"a b" = "x"', "a name has no space"),
            ('"digits/{digits}" = "x"', "a text is of one sound"),
            ('"acme/welcome" = 3', "expected text in quotes, or a table with one"),
            ('"acme/welcome" = "{name}"', "are allowed in braces"),
        ):
            with self.subTest(line=line):
                [problem] = self.file_problems(f"[texts]\n{line}")
                self.assertIn(message, problem)
