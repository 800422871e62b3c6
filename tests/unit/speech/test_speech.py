"""What is played for texts and for missing sounds, with a fake renderer."""

from __future__ import annotations

import os
import time
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.interfaces import TelephonyError
from channel_aa.settings import Settings
from channel_aa.speech.rendering import KEPT_DAYS
from channel_aa.speech.speech import WAITING_SECONDS, Speech
from tests.support.speech_engine import ENGINE
from tests.support.speech_fakes import FakeRenderer

URL = "http://127.0.0.1:8087"
FIVE = ("press-1", "or", "press-2", "option-is-invalid", "are-you-still-there")
MENU = """
[menus.main]
prompt = [{ say = "Welcome." }]
noinput = ["silence/1"]
nomatch = ["silence/1"]
"""
TEXTS = """
[texts]
"acme/welcome" = "Welcome to Acme."
[menus.main]
prompt = ["acme/welcome"]
noinput = ["silence/1"]
nomatch = ["silence/1"]
"""


class SpeechCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.clock = Clock()
        self.url = URL
        self.language = "en"
        self.error: Exception = TelephonyError("the connection is lost")
        self.served = 0
        self.files: dict[str, frozenset[str] | None] = {}
        self.asked: list[str] = []
        self.log: list[str] = []

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def settings(self, text: str, **speech: object) -> Settings:
        table = {"engine": ENGINE, "folder": str(self.folder), **speech}
        return Settings(**(tomllib.loads(text) | {"speech": table}))

    def start(self, text: str, **speech: object) -> Speech:
        """Configure, and look up sounds."""
        settings = self.settings(text, **speech)
        self.speech = Speech(
            settings,
            reactor=self.clock,
            url=lambda: self.url,
            serve=self.serve,
            languages_of=self.languages_of,
            default_language=self.default_language,
            renderer=FakeRenderer,  # type: ignore[arg-type]
        )
        self.configure(settings)
        return self.speech

    def configure(self, settings: Settings) -> None:
        with capturedLogs() as events:
            self.speech.configure(settings)
            self.look_up()
        self.log = [
            str(formatEvent(event))
            for event in events
            if event["log_level"] > LogLevel.debug
        ]

    def look_up(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.speech.look_up_sounds()))

    @property
    def renderer(self) -> FakeRenderer:
        renderer = self.speech._renderer
        assert isinstance(renderer, FakeRenderer)
        return renderer

    def serve(self) -> None:
        self.served += 1

    async def languages_of(self, name: str) -> frozenset[str] | None:
        self.asked.append(name)
        if name not in self.files:
            raise self.error
        return self.files[name]

    async def default_language(self) -> str:
        return self.language

    def lack(self, *names: str) -> None:
        self.files.update(dict.fromkeys(names, frozenset()))

    def have(self, *names: str, languages: tuple[str, ...] = ("en",)) -> None:
        self.files.update(dict.fromkeys(names, frozenset(languages)))

    def rendered(self) -> str:
        """Finish a text, and return its media URI."""
        job = self.renderer.jobs[0]
        (self.folder / job.file_name).write_bytes(b"RIFF")
        self.renderer.finish()
        return f"sound:{URL}/{job.file_name}"


class TextTests(SpeechCase):
    def test_text_is_rendered_ahead_and_played_from_the_url(self) -> None:
        self.start(MENU)
        self.assertEqual(self.renderer.texts, ["Welcome."])
        self.assertEqual(self.served, 1)
        media = self.rendered()
        self.assertEqual(self.speech.media_of_text("Welcome.", "en"), media)
        self.assertRegex(media, rf"^sound:{URL}/[0-9a-f]{{64}}\.wav$")

    def test_number_of_texts_is_logged(self) -> None:
        self.start(MENU)
        [line] = self.log
        self.assertRegex(line, "^Texts: 1, spoken by .* in .*; to be rendered: 1$")
        with capturedLogs() as events:
            self.rendered()
        self.assertEqual(
            [formatEvent(event) for event in events], ["All texts are rendered"]
        )

    def test_text_is_rendered_once(self) -> None:
        self.start(MENU)
        media = self.rendered()
        self.start(MENU)
        self.assertEqual(self.renderer.texts, [])
        self.assertEqual(self.speech.media_of_text("Welcome.", "en"), media)

    def test_other_speed_is_another_sound(self) -> None:
        self.start(MENU)
        self.rendered()
        self.start(MENU, speed=1.5)
        self.assertEqual(self.renderer.texts, ["Welcome."])

    def test_wideband_sound_has_another_format(self) -> None:
        self.start(MENU, rate=16000)
        self.assertRegex(self.rendered(), r"\.wav16$")

    def test_text_in_two_languages_is_rendered_with_each_voice(self) -> None:
        self.start(
            'actions.french = { language = "fr", then = "main" }\n'
            + MENU
            + 'options.1 = "french"',
            voice={"en": "alan", "fr": "siwis"},
        )
        jobs = {(job.language, job.voice) for job in self.renderer.jobs}
        self.assertEqual(jobs, {("en", "alan"), ("fr", "siwis")})

    def test_text_is_rendered_with_the_voice_for_asterisk_s_language(self) -> None:
        self.language = "fr"
        self.start(MENU, voice={"en": "alan", "fr": "siwis"})
        self.assertIn("siwis", {job.voice for job in self.renderer.jobs})

    def test_caller_waits_for_a_text_that_is_not_ready(self) -> None:
        self.start(MENU)
        waiting = self.speech.media_of_text("Welcome.", "en")
        assert isinstance(waiting, Deferred)
        self.assertNoResult(waiting)
        media = self.rendered()
        self.assertEqual(self.successResultOf(waiting), media)

    def test_caller_waits_some_seconds_only(self) -> None:
        self.start(MENU)
        waiting = self.speech.media_of_text("Welcome.", "en")
        assert isinstance(waiting, Deferred)
        self.clock.advance(WAITING_SECONDS)
        self.assertEqual(self.successResultOf(waiting), "")
        self.rendered()  # which is too late for this caller

    def test_text_that_a_caller_waits_for_is_rendered_first(self) -> None:
        self.start(
            MENU.replace('{ say = "Welcome." }', '{ say = "One." }, { say = "Two." }')
        )
        waiting = self.speech.media_of_text("Two.", "en")
        assert isinstance(waiting, Deferred)
        self.assertEqual(self.renderer.texts, ["Two.", "One."])
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_text_of_a_program_is_rendered_when_it_is_played(self) -> None:
        self.start(MENU)
        self.rendered()
        waiting = self.speech.media_of_text("Hello Alice.", "en")
        assert isinstance(waiting, Deferred)
        media = self.rendered()
        self.assertEqual(self.successResultOf(waiting), media)

    def test_failure_is_logged_once_with_the_engine_s_message(self) -> None:
        self.start(MENU)
        with capturedLogs() as events:
            self.renderer.finish("no such voice")
            self.assertEqual(self.speech.media_of_text("Welcome.", "en"), "")
        [event] = events
        self.assertEqual(
            formatEvent(event),
            "The text 'Welcome.' cannot be spoken until the next reload: no such voice",
        )
        self.assertEqual(self.renderer.texts, [])

    def test_failed_text_is_tried_again_after_a_reload(self) -> None:
        self.start(MENU)
        self.renderer.finish("no such voice")
        self.configure(self.settings(MENU))
        self.assertEqual(self.renderer.texts, ["Welcome."])

    def test_file_that_was_deleted_is_rendered_again_after_a_reload(self) -> None:
        self.start(MENU)
        self.rendered()
        for file in self.folder.iterdir():
            file.unlink()
        self.configure(self.settings(MENU))
        self.assertEqual(self.renderer.texts, ["Welcome."])

    def test_texts_that_are_not_used_are_removed_after_some_time(self) -> None:
        self.start(MENU)
        used = self.rendered().rpartition("/")[2]
        for name in (f"{'a' * 64}.wav", f"{'b' * 64}.wav", "en_US-a-low.onnx"):
            (self.folder / name).touch()
        old = time.time() - (KEPT_DAYS + 1) * 86400
        for path in self.folder.iterdir():
            if not path.name.startswith("b"):
                os.utime(path, (old, old))
        for _ in range(2):
            self.configure(self.settings(MENU))
        self.assertEqual(
            {path.name for path in self.folder.iterdir()},
            {used, f"{'b' * 64}.wav", "en_US-a-low.onnx"},
        )

    def test_without_an_engine_an_error_names_the_remedy(self) -> None:
        self.start(MENU, engine=["no-such-engine", "{text}", "{wav}"])
        self.assertEqual(
            self.log,
            [
                "Texts cannot be spoken: the command no-such-engine is not installed",
            ],
        )
        self.assertEqual(self.speech.media_of_text("Welcome.", "en"), "")
        self.assertEqual(self.served, 0)

    def test_nothing_is_played_that_is_not_served(self) -> None:
        self.start(MENU)
        self.rendered()
        self.url = ""
        self.assertEqual(self.speech.media_of_text("Welcome.", "en"), "")

    def test_waiting_callers_go_on_at_the_end(self) -> None:
        self.start(MENU)
        waiting = self.speech.media_of_text("Welcome.", "en")
        assert isinstance(waiting, Deferred)
        self.successResultOf(Deferred.fromCoroutine(self.speech.stop()))
        self.assertEqual(self.successResultOf(waiting), "")

    def test_unreachable_text_is_logged_once(self) -> None:
        self.start(MENU)
        media = self.rendered()
        with capturedLogs() as events:
            self.assertEqual(self.speech.playback_failed(media, "en"), ())
            self.speech.playback_failed(media, "en")
        [event] = events
        self.assertIn("res_http_media_cache.so", str(formatEvent(event)))

    def test_other_media_are_none_of_its_business(self) -> None:
        self.start(MENU)
        self.assertEqual(self.speech.media_of_sound("sound:x", "en"), ("sound:x",))
        self.assertIsNone(self.speech.playback_failed("sound:x", "en"))


class NamedTextTests(SpeechCase):
    NAME = "acme/welcome"
    SOUND = "sound:acme/welcome"

    def test_text_of_a_missing_sound_is_spoken(self) -> None:
        self.lack(self.NAME)
        self.start(TEXTS)
        self.assertEqual(self.renderer.texts, ["Welcome to Acme."])
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (media,))
        [line] = self.log
        self.assertIn("Asterisk lacks these sounds: acme/welcome. Their texts", line)

    def test_sound_that_asterisk_has_is_played(self) -> None:
        self.have(self.NAME)
        self.start(TEXTS)
        self.assertEqual(self.renderer.texts, [])
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (self.SOUND,))
        self.assertEqual(self.log, [])

    def test_sound_is_played_once_asterisk_has_it(self) -> None:
        self.lack(self.NAME)
        self.start(TEXTS)
        self.rendered()
        self.have(self.NAME)
        self.look_up()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (self.SOUND,))

    def test_sound_without_a_language_is_for_all(self) -> None:
        self.have(self.NAME, languages=("",))
        self.start(TEXTS)
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "fr"), (self.SOUND,))

    def test_text_is_spoken_where_the_sound_is_in_another_language(self) -> None:
        self.have(self.NAME, languages=("fr",))
        self.start(TEXTS)
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (media,))
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "fr"), (self.SOUND,))

    def test_asterisk_s_own_choice_wins_over_a_text_in_another_language(self) -> None:
        self.have(self.NAME)
        self.start(TEXTS.replace('"Welcome to Acme."', '{ fr = "Bienvenue." }'))
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "de"), (self.SOUND,))

    def test_first_text_is_spoken_where_there_is_no_other(self) -> None:
        self.lack(self.NAME)
        self.start(
            TEXTS.replace('"Welcome to Acme."', '{ en = "Welcome.", fr = "Bonjour." }')
        )
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "de"), (media,))

    def test_text_is_ready_where_asterisk_does_not_tell(self) -> None:
        """It has not loaded res_ari_sounds.so."""
        self.files[self.NAME] = None
        self.start(TEXTS)
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (self.SOUND,))
        self.assertEqual(self.speech.playback_failed(self.SOUND, "en"), (media,))

    def test_sound_that_has_failed_is_looked_up_again(self) -> None:
        self.have(self.NAME)
        self.start(TEXTS)
        self.lack(self.NAME)
        self.assertEqual(self.speech.playback_failed(self.SOUND, "en"), ())
        self.assertEqual(self.asked, [self.NAME] * 2)
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (media,))

    def test_failure_at_a_hangup_changes_nothing(self) -> None:
        self.have(self.NAME)
        self.start(TEXTS)
        self.speech.playback_failed(self.SOUND, "en")
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (self.SOUND,))

    def test_look_up_may_be_cancelled(self) -> None:
        """The service stops."""
        self.error = CancelledError()
        self.start(TEXTS)
        self.assertEqual(self.log, [])

    def test_lost_connection_is_no_missing_sound(self) -> None:
        self.start(TEXTS)  # `languages_of` raises
        self.assertEqual(self.speech.media_of_sound(self.SOUND, "en"), (self.SOUND,))
        self.assertEqual(self.log, [])


class DefaultMenuTests(SpeechCase):
    def test_menu_whose_sounds_exist_needs_nothing(self) -> None:
        self.have(*FIVE)
        self.start("")
        self.assertEqual(self.renderer.texts, [])
        self.assertEqual((self.served, self.log), (0, []))

    def test_missing_sounds_are_spoken(self) -> None:
        self.lack(*FIVE)
        self.start("")
        self.assertEqual(len(self.renderer.texts), 5)
        media = self.rendered()
        self.assertEqual(self.speech.media_of_sound("sound:press-1", "en"), (media,))

    def test_core_sounds_are_played_until_texts_are_ready(self) -> None:
        self.lack(*FIVE)
        self.start("")
        for _ in range(2):
            self.assertEqual(
                self.speech.media_of_sound("sound:press-1", "en"),
                ("sound:vm-press", "sound:digits/1"),
            )
            self.assertEqual(self.speech.media_of_sound("sound:or", "en"), ())
            self.speech.configure(self.settings("", engine="none"))

    def test_core_sounds_are_played_in_other_languages(self) -> None:
        self.lack(*FIVE)
        self.start("")
        self.rendered()
        self.assertEqual(
            self.speech.media_of_sound("sound:press-1", "fr"),
            ("sound:vm-press", "sound:digits/1"),
        )

    def test_core_sounds_are_played_if_asterisk_cannot_fetch(self) -> None:
        self.lack(*FIVE)
        self.start("")
        media = self.rendered()
        self.speech.playback_failed(media, "en")
        self.assertEqual(
            self.speech.media_of_sound("sound:press-1", "en"),
            ("sound:vm-press", "sound:digits/1"),
        )

    def test_missing_sounds_are_logged_once_with_the_remedy(self) -> None:
        self.lack("press-1", "or")
        self.have("press-2", "option-is-invalid", "are-you-still-there")
        self.start("", engine="none")
        [line] = self.log
        self.assertIn("Asterisk lacks these sounds: press-1, or. Core sounds", line)
        self.assertTrue(line.endswith("into Asterisk's folder of sounds"), line)
        with capturedLogs() as events:
            self.look_up()
        self.assertEqual(events, [])

    def test_missing_sounds_are_logged_once_after_a_reload(self) -> None:
        """Those of the new file are not known before Asterisk was asked."""
        self.lack("press-1", "or", "acme/welcome")
        self.have("press-2", "option-is-invalid", "are-you-still-there")
        self.start("")
        prompt = '"acme/welcome", "press-1"'
        self.configure(self.settings(TEXTS.replace('"acme/welcome"]', f"{prompt}]")))
        [line] = [each for each in self.log if each.startswith("Asterisk lacks")]
        self.assertIn("Asterisk lacks these sounds: acme/welcome, press-1. ", line)

    def test_missing_sounds_come_with_what_to_install_to_have_them_spoken(self) -> None:
        self.lack(*FIVE)
        engine = ["/no/such/tts", "{text}", "{wav}"]
        self.start("", engine=engine)
        [line] = self.log
        problem = "the command /no/such/tts is not installed"
        self.assertTrue(line.endswith(f"texts cannot be spoken: {problem}"), line)

    def test_missing_sounds_are_not_called_spoken_while_no_text_is_served(self) -> None:
        """Another program may listen on the port."""
        self.lack("press-1", "or")
        self.have("press-2", "option-is-invalid", "are-you-still-there")
        self.url = ""
        self.start("")
        [line] = self.log
        self.assertIn("press-1, or. Core sounds are played instead", line)
        self.assertIn("Their texts are spoken when Asterisk can fetch them", line)

    def test_failing_sound_is_logged_once_where_asterisk_does_not_tell(self) -> None:
        self.files = dict.fromkeys(FIVE)
        self.start("", engine="none")
        with capturedLogs() as events:
            for _ in range(2):
                self.assertEqual(
                    self.speech.playback_failed("sound:press-1", "en"),
                    ("sound:vm-press", "sound:digits/1"),
                )
        self.assertEqual(len(events), 1)

    def test_sounds_in_another_language_are_not_missing(self) -> None:
        self.have(*FIVE)
        self.start('actions.french = { language = "fr" }')
        self.assertEqual((self.renderer.texts, self.log), ([], []))
        self.assertEqual(
            self.speech.media_of_sound("sound:press-1", "fr"), ("sound:press-1",)
        )

    def test_other_menus_are_not_looked_up(self) -> None:
        self.start(MENU)
        self.assertEqual(self.asked, [])
