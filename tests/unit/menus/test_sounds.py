from __future__ import annotations

from channel_aa.menus.sounds import Sound, prompt_of
from tests.support.config_case import ProblemCase


def uris(*media: str, digits: str = "", recording: str = "") -> list[str]:
    return list(Sound(media=media).uris(digits=digits, recording=recording))


class SoundNamesTests(ProblemCase):
    def sound_problem(self, sound: str) -> str:
        problem = self.problem(Sound, media=(sound,))
        self.assertIn(repr(sound)[:20], problem)
        return problem

    def test_bare_name_is_a_sound(self) -> None:
        self.assertEqual(Sound(media=("press-1",)).media, ("sound:press-1",))

    def test_scheme_sound_may_be_written(self) -> None:
        self.assertEqual(Sound(media=("sound:press-1",)).media, ("sound:press-1",))

    def test_name_may_be_a_path_in_any_language(self) -> None:
        self.assertEqual(uris("custom/grüezi_2.b"), ["sound:custom/grüezi_2.b"])

    def test_unknown_schemes_are_refused_with_those_that_there_are(self) -> None:
        for sound in ("SOUND:x", "bogus:x", "http://a/b"):
            self.assertIn("'digits:', 'number:'", self.sound_problem(sound))

    def test_each_scheme_has_values_of_its_own(self) -> None:
        for sound in (
            *("digits:0123456789*#ABCD", "number:-12", "characters:abcXYZ019*#"),
            *("recording:messages/a-1.b", "recording:{recording}"),
            *("digits:{digits}", "number:{digits}", "characters:{digits}"),
        ):
            self.assertEqual(Sound(media=(sound,)).media, (sound,))
        for sound in (
            *("digits:", "digits:1 2", "digits:E", "digits:" + "1" * 81),
            *("number:", "number:ten", "number:1.5", "number:1234567890"),
            *("characters:", "characters:a b", "characters:ä"),
            *("recording:", "recording:/a", "recording:a/../b", "recording:a b"),
            *("recording:a/", "recording:a//b", "recording:{digits}"),
            *("digits:{digit}", "digits:\u0661"),
        ):
            self.sound_problem(sound)

    def test_names_that_lead_out_of_the_sounds_folder_are_refused(self) -> None:
        for sound in ("/etc/passwd", "sound:/x", "a/../../x", "..", "sound:.."):
            self.sound_problem(sound)

    def test_names_that_asterisk_would_take_apart_are_refused(self) -> None:
        for sound in (
            "a&b",
            "a,b",
            "a b",
            "a\tb",
            "a\nb",
            "sound:a:b",
            "a\0",
            "a\u202e",
        ):
            self.sound_problem(sound)

    def test_problem_stays_on_one_line(self) -> None:
        for sound in ("a\nb", "a\r", "a\u2028b", "x" * 5000, "digits:\n"):
            problem = self.sound_problem(sound)
            self.assertEqual(len(problem.splitlines()), 1)
            self.assertLess(len(problem), 300)

    def test_empty_names_are_refused(self) -> None:
        for sound in ("", "sound:"):
            self.assertIn("the name is empty", self.sound_problem(sound))

    def test_name_has_a_length_limit(self) -> None:
        Sound(media=("x" * 200,))
        self.assertIn("at most 200", self.sound_problem("x" * 201))

    def test_placeholders_are_the_only_thing_in_braces(self) -> None:
        for sound in ("{digit}", "{}", "{", "}", "{{digits}}", "x{digits}{"):
            self.assertIn("{digits}", self.sound_problem(sound))
        self.sound_problem("{recording}")

    def test_sound_without_media_is_refused(self) -> None:
        self.assertIn("silence/1", self.problem(Sound, media=()))


class ToneTests(ProblemCase):
    def test_tone_says_how_long_it_is_heard(self) -> None:
        tone = Sound(media=("tone:ring",), seconds=2)
        self.assertEqual((tone.uris(), tone.seconds), (("tone:ring",), 2.0))

    def test_tone_without_an_end_is_refused_with_the_remedy(self) -> None:
        self.assertEqual(
            self.problem(Sound, media=("tone:ring",)),
            "media: 'tone:ring': a tone does not end by itself; set its duration: {"
            ' media = ["tone:ring"], seconds = 2 }',
        )

    def test_seconds_of_other_sounds_are_refused(self) -> None:
        for media in (("press-1",), ("tone:ring", "press-1")):
            problem = self.problem(Sound, media=media, seconds=2)
            self.assertTrue(problem.startswith("seconds: is only for tones"))

    def test_seconds_are_more_than_nothing_and_at_most_an_hour(self) -> None:
        for seconds in (0, -1, 3600.5, float("inf"), float("nan")):
            problem = self.problem(Sound, media=("tone:ring",), seconds=seconds)
            self.assertIn("more than 0 and at most 3600", problem)


class UriTests(ProblemCase):
    def test_sound_plays_as_it_is(self) -> None:
        self.assertEqual(uris("press-1", "or"), ["sound:press-1", "sound:or"])

    def test_digits_are_a_sound_each_that_a_key_can_stop(self) -> None:
        """The names are those of the files in asterisk-core-sounds."""
        self.assertEqual(
            uris("digits:{digits}", digits="10*#ABCD"),
            [
                *("sound:digits/1", "sound:digits/0"),
                *("sound:digits/star", "sound:digits/pound"),
                *("sound:letters/a", "sound:letters/b"),
                *("sound:letters/c", "sound:letters/d"),
            ],
        )
        self.assertEqual(uris("digits:42"), ["sound:digits/4", "sound:digits/2"])

    def test_characters_are_a_sound_each(self) -> None:
        heard = uris("characters:Ab1#")
        self.assertEqual(
            [each.removeprefix("sound:") for each in heard],
            ["letters/a", "letters/b", "digits/1", "digits/pound"],
        )

    def test_number_is_said_by_asterisk(self) -> None:
        self.assertEqual(uris("number:-12"), ["number:-12"])
        self.assertEqual(uris("number:{digits}", digits="410"), ["number:410"])

    def test_keys_that_are_no_number_are_said_one_by_one(self) -> None:
        self.assertEqual(
            uris("number:{digits}", digits="1*"),
            ["sound:digits/1", "sound:digits/star"],
        )
        self.assertEqual(uris("number:{digits}"), [])
        self.assertEqual(uris("number:-{digits}", digits="*"), ["sound:digits/star"])

    def test_digits_in_a_name_are_put_there(self) -> None:
        self.assertEqual(uris("names/{digits}", digits="410"), ["sound:names/410"])
        self.assertEqual(uris("key-{digits}", digits="*"), ["sound:key-star"])
        self.assertEqual(uris("key-{digits}", digits="A"), ["sound:key-a"])

    def test_last_recording_is_played_where_there_is_one(self) -> None:
        sound = "recording:{recording}"
        self.assertEqual(uris(sound, recording="a/b"), ["recording:a/b"])
        self.assertEqual(uris(sound), [])
        self.assertEqual(uris("recording:welcome"), ["recording:welcome"])

    def test_other_characters_than_keys_are_left_out(self) -> None:
        for media in ("digits:{digits}", "names/{digits}"):
            self.assertEqual(uris(media, digits="../&,:1 \n"), uris(media, digits="1"))


class PromptTests(ProblemCase):
    def test_prompt_is_made_of_names_and_sounds(self) -> None:
        whole = Sound(media=("welcome",), barge_in=False)
        self.assertEqual(
            prompt_of("press-1", whole), (Sound(media=("press-1",)), whole)
        )

    def test_invalid_sound_is_refused(self) -> None:
        self.problems(lambda: prompt_of("a b"))
