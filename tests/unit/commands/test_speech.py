"""Texts in the commands: ``check``, ``graph`` and ``simulate``."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.errors import error_for
from channel_aa.commands.findings import Findings
from channel_aa.commands.main import main
from channel_aa.commands.preflight import MODULES, preflight
from channel_aa.settings import Settings
from channel_aa.speech import engines
from tests.support.ari_fakes import make_address
from tests.support.printed import printed
from tests.support.speech_engine import ENGINE

if TYPE_CHECKING:
    from channel_aa.ari import AriClient

MENU = """
[menus.main]
prompt = [{ say = "For sales, press 1." }]
options.1 = { play = [{ say = "You entered {digits}." }], then = "hangup" }
options.2 = "hangup"
"""


class CommandCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "twistd.conf"
        self.speech = f"[speech]\nengine = {ENGINE!r}\nfolder = 'speech'\n"

    def run_command(self, name: str, text: str, *options: str) -> tuple[int, str]:
        self.file.write_text(text)
        code, out, err = printed(main, [name, str(self.file), *options])
        self.assertEqual(err, "")
        return code, out

    def check(self, text: str) -> list[str]:
        _, out = self.run_command("check", text)
        lines = [each.removeprefix(f"{self.file}: ") for each in out.splitlines()]
        places = {str(self.folder): "FOLDER", sys.executable: "PYTHON"}
        for place, name in places.items():
            lines = [each.replace(place, name) for each in lines]
        return lines[:-1]


class CheckTests(CommandCase):
    def test_number_of_texts_is_noted(self) -> None:
        [line] = self.check(MENU + self.speech)
        self.assertRegex(
            line,
            "^speech: PYTHON speaks 2 texts; not rendered yet in FOLDER/speech: 2$",
        )

    def test_engine_that_is_missing_is_a_warning(self) -> None:
        engine = '[speech]\nengine = ["no-such-tts", "{text}", "{wav}"]\n'
        [line] = self.check(MENU + engine)
        self.assertEqual(
            line,
            "speech.engine: warning: texts cannot be spoken here: the command"
            " no-such-tts is not installed",
        )
        [line] = self.check(MENU + '[speech]\nengine = "none"\n')
        self.assertIn("the engine is 'none'", line)

    def test_file_without_texts_needs_no_engine(self) -> None:
        menu = '[menus.main]\nprompt = ["or"]\noptions.1 = "hangup"\n'
        engine = '[speech]\nengine = ["no-such-tts", "{text}", "{wav}"]\n'
        self.assertEqual(self.check(menu + engine), [])

    def test_voice_that_is_missing_comes_with_a_command(self) -> None:
        (self.folder / "speech").mkdir()
        for name in ("en_US-a-low.onnx", "en_US-a-low.onnx.json"):
            (self.folder / "speech" / name).touch()
        text = MENU.replace(
            'say = "For', 'say = { fr = "Pour Alice, 1." } }, { say = "For'
        )
        text = text.replace("{ say = { fr", '{ say = { en = "Hi.", fr')
        with patch.object(
            engines,
            "find_spec",
            lambda name: SimpleNamespace() if (name in {"piper", "soxr"}) else None,
        ):
            line, _ = self.check(
                text + '[speech]\nengine = "piper"\nfolder = "speech"\n'
            )
        self.assertEqual(
            line,
            "menus.main.prompt[0]: warning: there is no voice for fr, so en_US-a-low"
            " speaks it; fetch one: PYTHON -m piper.download_voices --download-dir"
            " FOLDER/speech fr_FR-siwis-medium",
        )

    def test_text_that_is_missing_in_a_language_is_a_warning(self) -> None:
        text = MENU.replace(
            'say = "For sales, press 1."', 'say = { fr = "Pour Alice, tapez 1." }'
        )
        line, _ = self.check(text + self.speech)
        self.assertEqual(
            line,
            "menus.main.prompt[0].say: warning: calls in en hear the text in fr: there"
            " is none in en",
        )

    def test_text_of_an_unused_sound_is_a_warning(self) -> None:
        line, _ = self.check(MENU + self.speech + '[texts]\n"acme/x" = "Hello."\n')
        self.assertIn("texts.'acme/x': warning: unused text", line)

    def test_asterisk_elsewhere_needs_a_url(self) -> None:
        asterisk = '[asterisk]\nurl = "http://pbx.example:8088"\n'
        line, _ = self.check(MENU + self.speech + asterisk)
        self.assertIn("speech.url: warning: Asterisk runs on pbx.example", line)
        speech = self.speech + 'url = "http://here.example:8087"\n'
        self.assertEqual(len(self.check(MENU + speech + asterisk)), 1)


class PreflightTests(SynchronousTestCase):
    def preflight(self, text: str, *modules: str) -> None:
        """Return what is found on an Asterisk without sounds, without places."""

        def request(method: str, *path: str) -> Deferred[object]:
            if path == ("asterisk", "info"):
                return succeed({"system": {"version": "22.10.1"}})
            if path == ("asterisk", "modules"):
                return succeed([{"name": each} for each in (*MODULES, *modules)])
            body = b'{"message": "Sound not found"}'
            return fail(error_for(method, "/".join(path), 404, body))

        async def can_fetch() -> Findings:
            self.fetched += 1
            return Findings()

        self.fetched = 0
        client = SimpleNamespace(request=request, address=make_address())
        checked = preflight(
            Settings(**tomllib.loads(text)),
            cast("AriClient", client),
            can_fetch=can_fetch,
        )
        found = self.successResultOf(Deferred.fromCoroutine(checked))
        self.errors = [each.message for each in found.errors]
        self.warnings = [each.message for each in found.warnings]

    def test_module_that_fetches_texts_is_required(self) -> None:
        engine = f"[speech]\nengine = {ENGINE!r}\n"
        # The default menu's sounds have texts, too.
        for text in (MENU + engine, engine):
            self.preflight(text)
            self.assertIn("has not loaded res_http_media_cache.so", self.errors[0])
            self.assertEqual(self.fetched, 0)
            self.preflight(text, "res_http_media_cache.so")
            self.assertNotIn("res_http_media_cache.so", "".join(self.errors))
            self.assertEqual(self.fetched, 1)

    def test_module_that_fetches_texts_is_not_required_without_an_engine(self) -> None:
        self.preflight(MENU + '[speech]\nengine = "none"\n')
        self.assertNotIn("res_http_media_cache.so", "".join(self.errors))
        self.assertEqual(self.fetched, 0)

    def test_missing_sound_with_a_text_is_a_warning(self) -> None:
        engine = f"[speech]\nengine = {ENGINE!r}\n"
        self.preflight(engine)
        texts = [each for each in self.warnings if "its text is spoken" in each]
        self.assertEqual(len(texts), 5)
        self.assertNotIn("press-1", "".join(self.errors))

    def test_default_menu_needs_no_engine(self) -> None:
        self.preflight('[speech]\nengine = "none"\n')
        self.assertIn(
            "Asterisk has no sound press-1; core sounds are played instead",
            self.warnings[0],
        )


class TranscriptTests(CommandCase):
    def simulate(self, *options: str) -> tuple[int, list[str]]:
        code, out = self.run_command("simulate", MENU, *options)
        return code, [line[10:] for line in out.splitlines()[1:]]

    def test_texts_are_printed_in_quotes(self) -> None:
        _, lines = self.simulate("--press", "1")
        self.assertEqual(
            lines,
            [
                '"For sales, press 1."',
                "key 1",
                '"You entered"',
                "digits/1",
                "hung up by application",
            ],
        )

    def test_texts_may_be_expected(self) -> None:
        expected = (
            '"For sales, press 1.", "You entered", digits/1, hung up by application'
        )
        code, _ = self.simulate("--press", "1", "--expect", expected)
        self.assertEqual(code, 0)

    def test_first_words_are_in_the_graph(self) -> None:
        _, out = self.run_command("graph", MENU, "--format", "dot")
        self.assertIn("For sales, press 1.", out)
        _, out = self.run_command(
            "graph", MENU.replace("press 1.", "press the first of all keys.")
        )
        self.assertIn("For sales, press the first of", out)
        self.assertNotIn("all keys", out)
