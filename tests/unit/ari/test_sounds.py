"""Which sound files Asterisk has, from its responses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import ServerError
from channel_aa.ari.sounds import default_language, sound_languages
from channel_aa.ari.wire.errors import error_for

if TYPE_CHECKING:
    from channel_aa.ari import AriClient


class DefaultLanguageTests(SynchronousTestCase):
    def default_language(self, answer: Deferred[object]) -> Deferred[str]:
        client = SimpleNamespace(request=lambda *_: answer)
        return Deferred.fromCoroutine(default_language(cast("AriClient", client)))

    def test_language_is_that_of_the_configuration(self) -> None:
        for answer, language in (
            ({"config": {"default_language": "fr"}}, "fr"),
            ({"config": {}}, "en"),
            ({}, "en"),
            ([], "en"),
        ):
            found = self.default_language(succeed(answer))
            self.assertEqual(self.successResultOf(found), language)

    def test_asterisk_without_the_module_speaks_english(self) -> None:
        missing = fail(error_for("GET", "asterisk/info", 404, b"{}"))
        self.assertEqual(self.successResultOf(self.default_language(missing)), "en")


class SoundLanguagesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sounds: dict[str, object] = {}
        self.error = b'{"message": "Sound not found"}'
        self.status = 404

    def request(self, method: str, *path: str) -> Deferred[object]:
        self.assertEqual((method, path[0]), ("GET", "sounds"))
        if path[1] in self.sounds:
            return succeed(self.sounds[path[1]])
        return fail(error_for(method, "/".join(path), self.status, self.error))

    def languages_of(self, name: str) -> Deferred[frozenset[str] | None]:
        client = cast("AriClient", SimpleNamespace(request=self.request))
        return Deferred.fromCoroutine(sound_languages(client, name))

    def add(self, name: str, *languages: str) -> None:
        formats = [{"language": each, "format": "slin"} for each in languages]
        self.sounds[name] = {"id": name, "formats": formats}

    def test_languages_are_those_of_the_formats(self) -> None:
        self.add("acme/welcome", "en", "fr", "fr")
        found = self.successResultOf(self.languages_of("acme/welcome"))
        self.assertEqual(found, {"en", "fr"})

    def test_missing_sound_has_none(self) -> None:
        for name in ("press-1", "acme/welcome"):
            self.assertEqual(self.successResultOf(self.languages_of(name)), set())

    def test_sound_beside_the_folders_of_languages_is_for_all(self) -> None:
        self.add("welcome", "acme")
        self.assertEqual(self.successResultOf(self.languages_of("acme/welcome")), {""})
        self.assertEqual(self.successResultOf(self.languages_of("b/welcome")), set())

    def test_asterisk_without_the_module_does_not_tell(self) -> None:
        self.error = b'{"message": "Resource not found"}'
        self.assertIsNone(self.successResultOf(self.languages_of("press-1")))

    def test_other_errors_are_raised(self) -> None:
        self.status = 500
        self.failureResultOf(self.languages_of("press-1"), ServerError)
