from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError as TCPConnectionRefusedError
from twisted.internet.error import DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived

from channel_aa.ari import ConnectionLostError
from channel_aa.ari.wire.errors import error_for
from channel_aa.commands import check
from channel_aa.commands.findings import Findings, Level, Topic
from channel_aa.commands.main import main
from channel_aa.commands.preflight import MODULES, preflight
from channel_aa.settings import Settings
from tests.support.ari_fakes import make_address
from tests.support.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.ari import AriClient

INFO = {"system": {"version": "22.10.1"}, "config": {"default_language": "en"}}
NOTHING = "DELETE playbacks"


class CannedClient:
    """Answers from a table; what is not in it is not found."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.address = make_address()
        self.asked: list[str] = []
        self._answers = {"GET asterisk/info": INFO, **answers}

    def request(self, method: str, *path: str) -> Deferred[Any]:
        line = f"{method} {'/'.join(path)}"
        self.asked.append(line)
        kind = line if line in self._answers else f"{method} {path[0]}"
        answer = self._answers.get(kind, 404)
        if isinstance(answer, int):
            body = b'{"message": "no"}'
            return fail(error_for(method, "/".join(path), answer, body))
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)


def sound(*languages: str) -> dict[str, object]:
    return {"formats": [{"language": each, "format": "slin"} for each in languages]}


class PreflightTests(SynchronousTestCase):
    def ask(
        self, document: Mapping[str, Any], answers: Mapping[str, object]
    ) -> Findings:
        settings = Settings(**document)
        self.client = CannedClient(answers)

        async def can_fetch() -> Findings:
            return Findings()

        client = cast("AriClient", self.client)
        asked = preflight(settings, client, can_fetch=can_fetch)
        return self.successResultOf(Deferred.fromCoroutine(asked))

    def ask_for(self, answers: Mapping[str, object], **options: object) -> list[str]:
        """Ask for a menu's options; give what was found wrong, without places."""
        menu = {"prompt": ["or"], "noinput": ["or"], "nomatch": ["or"]}
        document = {"menus": {"main": {**menu, "options": options}}}
        found = self.ask(document, {"GET sounds/or": sound("en"), **answers})
        return [each.message for each in (*found.errors, *found.warnings)]

    def test_unreachable_server_gets_no_further_request(self) -> None:
        lost = ConnectionLostError("GET", "asterisk/info", message="refused.")
        found = self.ask({}, {"GET asterisk/info": lost})
        (problem,) = found.errors
        self.assertEqual(problem.place, "asterisk.url")
        self.assertIn("(refused). Check that Asterisk runs there", problem.message)
        self.assertEqual(len(self.client.asked), 1)

    def test_connection_that_fails_is_explained_as_in_the_log(self) -> None:
        tls = TLSError([("SSL routines", "", "wrong version number")])
        for cause, expected in (
            (TCPConnectionRefusedError(), "Nothing listens at pbx.example:8088. Check"),
            (DNSLookupError(), "The host name 'pbx.example' is unknown."),
            (ConnectTimeoutError(), "Check the url, the network and the firewall"),
            (
                ResponseNeverReceived([Failure(tls)]),
                "No TLS connection to pbx.example:8088: wrong version number. Check",
            ),
        ):
            lost = ConnectionLostError("GET", "asterisk/info", message="no")
            lost.__cause__ = cause
            [problem] = self.ask({}, {"GET asterisk/info": lost}).errors
            self.assertIn(expected, problem.message)

    def test_user_who_may_only_read_is_an_error_with_section_and_key(self) -> None:
        body = b'{"message": "Write access denied"}'
        refusal = error_for("DELETE", "playbacks/x", 403, body)
        found = self.ask({}, {NOTHING: refusal})
        [(_, _, problem)] = found.of(Topic.RIGHTS)
        self.assertEqual(problem.place, "asterisk.username")
        self.assertIn("read_only = no in the section [alice] of", problem.message)
        self.assertIn("asterisk -rx 'module reload res_ari.so'", problem.message)

    def test_server_that_is_no_asterisk_is_detected(self) -> None:
        answers: tuple[object, ...] = ({}, [], None, {"system": None})
        for answer in answers:
            found = self.ask({}, {"GET asterisk/info": answer})
            self.assertIn(
                "does not respond like ARI; check the url", found.errors[0].message
            )
        found = self.ask({}, {"GET asterisk/info": 404})
        self.assertIn("There is no ARI at", found.errors[0].message)

    def test_application_in_use_is_noted(self) -> None:
        answer = {"channel_ids": ["1", "2"]}
        answers = {"GET applications/channel-aa": answer, "GET applications": []}
        found = self.ask({}, answers)
        self.assertIn(
            "in use now, with 2 calls, by the running attendant",
            found.of(Topic.APPLICATION)[0].problem.message,
        )

    def test_attendant_with_the_application_is_named(self) -> None:
        answers = {
            "GET applications/channel-aa": {"channel_ids": ["1"]},
            "GET applications": [
                {"name": "channel-aa"},
                {"name": "channel-aa@pbx:42:0123abcd"},
            ],
        }
        found = self.ask({}, answers)
        self.assertIn(
            "with 1 call, by process 42 on pbx;",
            found.of(Topic.APPLICATION)[0].problem.message,
        )

    def test_missing_recording_folder_is_an_error_with_its_remedy(self) -> None:
        option = {"record": "said", "else": "hangup", "beep": False}
        found = self.ask_for({"GET recordings/stored": 500}, **{"1": option})
        (problem,) = found
        self.assertIn("install -d -o asterisk -g asterisk /var/spool/", problem)
        self.assertEqual(
            self.ask_for({"GET recordings/stored": []}, **{"1": option}), []
        )
        # Only a file that records needs the folder.
        self.assertEqual(self.ask_for({"GET recordings/stored": 500}), [])

    def test_missing_voicemail_is_an_error_with_its_module(self) -> None:
        device = {"GET deviceStates": {"state": "NOT_INUSE"}}
        for modules, expected in (
            ([], 1),
            (["app_voicemail.so"], 0),
            (["app_voicemail_imap.so"], 0),
        ):
            answer = [{"name": each} for each in (*MODULES, *modules)]
            found = self.ask_for(
                {"GET asterisk/modules": answer, **device},
                **{"1": {"voicemail": "410"}},
            )
            self.assertEqual(len(found), expected)
            self.assertTrue(all("app_voicemail.so" in each for each in found))

    def test_missing_modules_are_errors_with_what_they_are_for(self) -> None:
        loaded = [
            {"name": each, "status": "Running"}
            for each in MODULES
            if each != "res_ari_playbacks.so"
        ]
        not_running = {"name": "res_ari_playbacks.so", "status": "Not Running"}
        found = self.ask_for({"GET asterisk/modules": [*loaded, not_running]})
        [problem] = found
        self.assertIn("res_ari_playbacks.so, so keys cannot interrupt", problem)
        self.assertIn("'module load res_ari_playbacks.so'", problem)

    def test_modules_for_recordings_are_required_by_recordings_only(self) -> None:
        loaded = [{"name": each} for each in MODULES if "recording" not in each]
        answers = {"GET asterisk/modules": loaded, "GET recordings/stored": []}
        self.assertEqual(self.ask_for(answers), [])
        option = {"record": "said", "else": "hangup", "beep": False}
        self.assertEqual(len(self.ask_for(answers, **{"1": option})), 2)

    def test_asterisk_without_the_module_for_its_version_is_checked(self) -> None:
        found = self.ask({}, {"GET asterisk/info": 404, "GET applications": []})
        notes = [each.message for each in found.at(Level.NOTE)]
        self.assertTrue(notes[0].startswith("Asterisk answers at "), notes)
        self.assertIn("has not loaded res_ari_asterisk.so", notes[1])

    def test_shipped_dialplan_is_looked_for(self) -> None:
        device = "GET deviceStates/Local/1000@channel-aa"
        found = self.ask({}, {device: {"state": "INVALID"}})
        [note] = [
            each.problem.message
            for each in found.of(Topic.DIALPLAN)
            if each.level is Level.NOTE
        ]
        self.assertIn("Unless another extension calls Stasis(channel-aa)", note)
        found = self.ask({}, {device: {"state": "NOT_INUSE"}})
        self.assertEqual([each.level for each in found.of(Topic.DIALPLAN)], [Level.OK])
        found = self.ask({"asterisk": {"app": "other"}}, {device: {"state": "INVALID"}})
        self.assertEqual(
            [each.problem.message for each in found.of(Topic.DIALPLAN)],
            ["the file names no extension or queue"],
        )

    def test_no_request_changes_anything(self) -> None:
        self.ask({}, {})
        writing = [each for each in self.client.asked if not each.startswith("GET ")]
        self.assertEqual(len(writing), 1)
        self.assertRegex(writing[0], "^DELETE playbacks/channel-aa-check-[0-9a-f]{32}$")

    def test_each_sound_is_looked_up_once(self) -> None:
        self.ask_for(
            {}, **{"1": {"play": ["or", "digits:{digits}"]}, "2": {"play": ["or"]}}
        )
        sounds = [each for each in self.client.asked if each.startswith("GET sounds")]
        self.assertEqual(
            sounds, ["GET sounds/or", "GET sounds/digits/1", "GET sounds/1"]
        )

    def test_sound_beside_the_language_folders_is_found(self) -> None:
        option = {"play": ["custom/x"]}
        found = self.ask_for({"GET sounds/x": sound("custom")}, **{"1": option})
        self.assertEqual(found, [])

    def test_language_without_its_country_is_accepted(self) -> None:
        document = {"menus": {"main": {"prompt": ["or"], "language": "en_GB"}}}
        for has, warnings in (("en", 0), ("en_GB", 0), ("fr", 3)):
            found = self.ask(document, {"GET sounds": sound(has)})
            self.assertEqual(
                (len(found.errors), len(found.warnings)), (0, warnings), has
            )

    def test_phones_are_looked_up_by_endpoint(self) -> None:
        phones = {
            "PJSIP/410": "PJSIP/410",
            "PJSIP/123@trunk": "PJSIP/trunk",
            "PJSIP/trunk/sip:1@x": "PJSIP/x",
            "SIP/trunk/123": "SIP/trunk",
            "PJSIP/{digits}": "PJSIP/1",
        }
        for phone, endpoint in phones.items():
            option = {"dial": phone, "else": "hangup"}
            found = self.ask_for({}, **{"1": option})
            [problem] = found
            self.assertIn(f"Asterisk has no endpoint {endpoint}", problem)

    def test_names_completed_by_keys_are_not_looked_up(self) -> None:
        menu = {
            "prompt": ["or"],
            "extensions": {"pattern": "4XX", "dial": "PJSIP/{digits}", "else": "top"},
        }
        self.ask({"menus": {"main": menu}}, {"GET sounds": sound("en")})
        self.assertNotIn("endpoints", " ".join(self.client.asked))

    def test_unloaded_device_state_module_is_noted(self) -> None:
        menu = {"prompt": ["or"], "options": {"1": {"queue": "support"}}}
        found = self.ask({"menus": {"main": menu}}, {"GET sounds": sound("en")})
        self.assertEqual(found.errors, [])
        self.assertIn("queue support, extension s in", found.at(Level.NOTE)[-1].message)
        self.assertIn("res_ari_device_states.so", found.at(Level.NOTE)[-1].message)

    def test_error_of_a_single_lookup_is_a_warning(self) -> None:
        found = self.ask({}, {"GET sounds": 500, NOTHING: 500})
        self.assertEqual(found.errors, [])
        self.assertIn("Asterisk could not answer: ", found.warnings[-1].message)


class CheckCommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "twistd.conf")

    def check(self, text: str, *options: str) -> tuple[int, list[str]]:
        self.file.write_text(text)
        code, out, err = printed(main, ["check", str(self.file), *options])
        self.assertEqual(err, "")
        name = f"{self.file}: "
        lines = out.splitlines()
        self.assertTrue(all(line.startswith(name) for line in lines), lines)
        return code, [line.removeprefix(name) for line in lines]

    def test_valid_file_prints_the_summary_only(self) -> None:
        menu = '[menus.main]\nprompt = ["or"]\noptions = {1 = "hangup"}\n'
        self.assertEqual(self.check(menu, "--strict"), (0, ["no errors, no warnings"]))

    def test_all_errors_are_printed(self) -> None:
        code, lines = self.check(
            '[menus.main]\npromt = []\n[asterisk]\nurl = "localhost"\n'
        )
        self.assertEqual(code, 1)
        self.assertEqual(
            [line.partition(":")[0] for line in lines],
            ["menus.main.promt", "menus.main.prompt", "asterisk.url", lines[-1]],
        )
        self.assertEqual(lines[-1], "3 errors, no warnings")

    def test_files_that_others_can_read_or_write_get_warnings(self) -> None:
        password = self.file.with_name("password")
        password.write_text("secret")
        password.chmod(0o644)
        self.file.touch()
        self.file.chmod(0o666)
        menu = '[menus.main]\nprompt = ["or"]\noptions = {1 = "hangup"}\n'
        text = f'{menu}[asterisk]\npassword_file = "password"\n'
        code, lines = self.check(text, "--strict")
        self.assertEqual(code, 1)
        self.assertEqual(
            [line.partition(" (mode")[0] for line in lines],
            [
                f"warning: others can change {self.file}",
                (
                    "asterisk.password_file: warning: every user of this machine can"
                    f" read the secret in {password}"
                ),
                "no errors, 2 warnings",
            ],
        )

    def test_folders_that_others_can_write_get_warnings(self) -> None:
        for name in ("records", "speech", "status"):
            folder = self.file.with_name(name)
            folder.mkdir()
            folder.chmod(0o1777)
        _, lines = self.check(
            '[menus.main]\nprompt = ["or"]\noptions = {1 = "hangup"}\n'
            '[records]\nfolder = "records"\n[speech]\nfolder = "speech"\n'
            '[status]\nlisten = "unix:status/socket"\n'
        )
        self.assertEqual(
            [line.partition(" (mode")[0] for line in lines[:-1]],
            [
                f"{place}: warning: others can put files of their own into"
                f" {self.file.with_name(name)}"
                for place, name in (
                    ("speech.folder", "speech"),
                    ("records.folder", "records"),
                    ("status.listen", "status"),
                )
            ],
        )

    def test_password_of_the_unit_is_the_one_in_force(self) -> None:
        """The sample's own may be read by all then, as the daemon has to read it."""
        text = 'asterisk.password = "asterisk"'
        self.file.write_text(text)
        self.file.chmod(0o644)
        self.assertIn("can read the secret", self.check(text)[1][0])
        beside = self.file.with_name("password")
        beside.write_text("of the unit")
        beside.chmod(0o600)
        self.assertNotIn("can read the secret", "".join(self.check(text)[1]))

    def test_strict_makes_warnings_fail(self) -> None:
        menu = '[menus.main]\nprompt = ["or"]\noptions = {1 = "repeat"}\n'
        code, lines = self.check(menu)
        self.assertEqual(code, 0)
        self.assertTrue(lines[0].startswith("menus.main: warning: "))
        self.assertEqual(lines[-1], "no errors, 1 warning")
        self.assertEqual(self.check(menu, "--strict"), (1, lines))

    def test_tls_files_are_checked(self) -> None:
        code, lines = self.check('[asterisk]\nca_file = "nowhere.pem"\n')
        self.assertEqual(code, 1)
        self.assertTrue(lines[0].startswith("asterisk.ca_file: "), lines)

    def test_missing_file_is_one_error(self) -> None:
        code, out, err = printed(main, ["check", "no/such.conf"])
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(
            out,
            "no/such.conf: cannot be read: No such file or directory\nno/such.conf: 1"
            " error, no warnings\n",
        )

    def test_control_characters_of_the_server_are_escaped(self) -> None:
        """Asterisk's own words are among those that are printed."""
        menu = '[menus.main]\nprompt = ["or"]\noptions = {1 = "hangup"}\n'

        def answer(task: object) -> int:
            findings.note(Topic.CONNECTION, "asterisk.url", "Asterisk \x1b[2J\n22")
            return 0

        findings = Findings()
        self.patch(check, "Findings", lambda: findings)
        self.patch(check, "run_in_reactor", answer)
        _, lines = self.check(menu, "--asterisk")
        self.assertEqual(lines[0], "asterisk.url: Asterisk \\x1b[2J\\n22")
