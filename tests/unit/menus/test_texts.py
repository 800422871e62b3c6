"""Sounds that are texts."""

from __future__ import annotations

from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import DIGITS, Sound, Utterance, in_language
from tests.support.config_case import ProblemCase


class TextTests(ProblemCase):
    def test_text_is_spoken_in_the_language_of_the_call(self) -> None:
        sound = Sound(say={"": "Welcome to Acme."})
        spoken = Utterance("Welcome to Acme.", "")
        self.assertEqual(sound.parts(language="fr"), (spoken,))
        self.assertEqual([*sound.utterances()], [spoken])

    def test_text_is_chosen_by_language(self) -> None:
        sound = Sound(say={"en": "Welcome.", "fr": "Bienvenue."})
        for language, text in (
            ("fr", "Bienvenue."),
            ("fr_CA", "Bienvenue."),
            ("en_GB", "Welcome."),
            ("de", "Welcome."),  # the first
            ("", "Welcome."),
        ):
            with self.subTest(language=language):
                [part] = sound.parts(language=language)
                assert isinstance(part, Utterance)
                self.assertEqual(part.text, text)

    def test_text_for_a_country_wins(self) -> None:
        texts = {"en": "Elevator", "en_GB": "Lift", "": "Aufzug"}
        self.assertEqual(in_language(texts, "en_GB"), Utterance("Lift", "en_GB"))
        self.assertEqual(in_language(texts, "en_AU"), Utterance("Elevator", "en"))
        self.assertEqual(in_language(texts, "de"), Utterance("Aufzug", ""))
        self.assertIsNone(in_language({"en": "Lift"}, "de"))

    def test_digits_are_said_by_asterisk_between_the_texts(self) -> None:
        sound = Sound(say={"": "You entered {digits}. Goodbye."})
        self.assertEqual(
            sound.parts(digits="4*"),
            (
                Utterance("You entered", ""),
                "sound:digits/4",
                "sound:digits/star",
                Utterance("Goodbye.", ""),
            ),
        )
        self.assertEqual(
            [each.text for each in sound.utterances()], ["You entered", "Goodbye."]
        )

    def test_recording_is_played_between_the_texts(self) -> None:
        sound = Sound(say={"": "You said: {recording}"})
        self.assertEqual(
            sound.parts(recording="msg/1"),
            (Utterance("You said:", ""), "recording:msg/1"),
        )
        self.assertEqual(sound.parts(), (Utterance("You said:", ""),))

    def test_media_have_no_utterances(self) -> None:
        sound = Sound(media=("press-1", "digits:{digits}"))
        self.assertEqual([*sound.utterances()], [])
        self.assertEqual(sound.parts(digits="1"), ("sound:press-1", "sound:digits/1"))

    def test_unusable_texts_are_refused(self) -> None:
        for say, message in (
            ("", "say: '' has nothing to say"),
            ("...", "say: '...' has nothing to say"),
            ({}, "say: has no text"),
            ("a\nb", r"say: 'a\nb': a text has no control characters in it"),
            (
                "Hello {caller}",
                "say: 'Hello {caller}': only {digits} and {recording} are allowed",
            ),
            ("a } b", "say: 'a } b': only {digits} and {recording} are allowed in"),
            ("a" * 1001, "say: a text has at most 1000 characters"),
            ({"e!": "x"}, "say.'e!': 'e!' is not a language"),
            (
                3,
                "say: expected text in quotes, or a table with one for each language",
            ),
        ):
            with self.subTest(say=say):
                self.assertIn(message, self.problem(Sound, say=say))

    def test_text_beside_media_is_refused(self) -> None:
        self.assertEqual(
            self.problem(Sound, say="x", media="press-1"),
            "say: is set in addition to media; keep only one",
        )
        self.assertEqual(
            self.problem(Sound, barge_in=False),
            "media: is missing; write a sound, or a text: say",
        )

    def test_digits_in_a_prompt_are_refused(self) -> None:
        """No key precedes it."""
        problem = self.problem(Menu, prompt=[{"say": f"You entered {DIGITS}"}])
        self.assertIn("has a value only in the action of an option", problem)
