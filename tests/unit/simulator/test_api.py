from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator.api import Api
from channel_aa.simulator.faults import Faults
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from channel_aa.simulator.routes import OPERATIONS, ROOT, ROUTES, UNMODELLED, describe
from tests.support.simulated import SimulatedPbx

if TYPE_CHECKING:
    from channel_aa.simulator.responses import Response


class ApiTests(SynchronousTestCase):
    """What no request over a socket shows; `tests/contract` has the rest."""

    def setUp(self) -> None:
        self.pbx = SimulatedPbx(dialplan_seconds=1)
        self.api = Api(self.pbx.state, ROOT)

    def ask(self, method: str, *path: str, **parameters: object) -> Response:
        answer = self.api.dispatch(method, path, parameters)
        if isinstance(answer, Deferred):
            self.pbx.clock.advance(1)
            return self.successResultOf(answer)
        return answer

    def ask_channel(self, method: str, *path: str, **parameters: object) -> Response:
        return self.ask(method, "channels", self.pbx.channel.id, *path, **parameters)

    def error(self, response: Response) -> tuple[int, str]:
        return response.status, response.content["message"]

    def test_play_response_describes_the_queued_playback(self) -> None:
        answer = self.ask_channel("POST", "play", media="sound:or", playbackId="a")
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.content["state"], "queued")
        self.assertEqual(self.pbx.published[1:2], ["PlaybackStarted a"])

    def test_play_response_comes_after_playback_started(self) -> None:
        answer = self.ask_channel("POST", "play", media="sound:or")
        self.assertEqual(len(self.pbx.events), 2)
        self.assertTrue(answer.events_are_first)

    def test_media_may_be_a_list(self) -> None:
        answer = self.ask_channel("POST", "play", media=["sound:a", "sound:b"])
        self.assertEqual(answer.content["next_media_uri"], "sound:b")

    def test_play_without_media_is_refused(self) -> None:
        self.assertEqual(
            self.error(self.ask_channel("POST", "play")),
            (500, "Failed to queue media for playback"),
        )

    def test_ringing_outbound_channel_is_in_an_invalid_state(self) -> None:
        self.pbx.channel.state = "Ringing"
        for path in ("answer", "play", "continue", "ring"):
            self.assertEqual(
                self.error(self.ask_channel("POST", path)),
                (412, "Channel in invalid state"),
            )
        self.assertEqual(self.ask_channel("DELETE").status, 204)

    def test_channel_in_the_dialplan_is_not_in_the_application(self) -> None:
        self.assertEqual(self.ask_channel("POST", "continue").status, 204)
        self.assertEqual(
            self.error(self.ask_channel("POST", "answer")),
            (409, "Channel not in Stasis application"),
        )
        self.assertEqual(self.ask_channel("GET").status, 200)

    def test_channel_leaving_the_application_cannot_be_answered(self) -> None:
        self.pbx.play("a", "sound:or")
        self.ask_channel("POST", "continue")
        self.pbx.play("b", "sound:long")
        self.pbx.clock.advance(0.5)
        self.assertEqual(
            self.error(self.ask_channel("POST", "answer")),
            (500, "Failed to answer channel"),
        )

    def test_continue_sets_the_dialplan_location(self) -> None:
        self.ask_channel("POST", "continue", context="menus", label="7")
        self.assertEqual(
            self.pbx.channel.snapshot()["dialplan"],
            {
                "context": "menus",
                "exten": "s",
                "priority": 7,
                "app_name": "",
                "app_data": "",
            },
        )

    def test_continue_with_a_label_that_is_no_number_is_refused(self) -> None:
        self.assertEqual(
            self.error(self.ask_channel("POST", "continue", label="menu")),
            (404, "Requested label can not be found"),
        )
        self.assertEqual(
            self.error(self.ask_channel("POST", "continue", label="0")),
            (400, "Requested priority is illegal"),
        )

    def test_stop_of_spoken_digits_is_refused(self) -> None:
        self.pbx.play("a", "digits:12")
        self.assertEqual(
            self.error(self.ask("DELETE", "playbacks", "a")),
            (500, "Could not stop playback"),
        )

    def test_wrong_method_is_answered_with_the_allowed_ones(self) -> None:
        answer = self.ask("PUT", "channels", "1")
        self.assertEqual(self.error(answer), (405, "Invalid method"))
        self.assertEqual(answer.headers, {"Allow": "OPTIONS,DELETE,GET,POST"})
        self.assertEqual(self.ask("OPTIONS", "channels").status, 204)

    def test_unknown_path_below_a_resource_is_not_found(self) -> None:
        self.assertEqual(
            self.error(self.ask("GET", "channels", "1", "nothing")),
            (404, "Resource not found"),
        )

    def test_operation_that_is_not_modelled_is_answered_with_501(self) -> None:
        answer = self.ask("POST", "channels", "externalMedia", endpoint="Local/1")
        self.assertEqual(
            self.error(answer),
            (501, "POST /ari/channels/externalMedia is not modelled by the simulator"),
        )
        self.assertEqual(set(self.pbx.state.channels), {self.pbx.channel.id})
        self.assertEqual(self.ask_channel("POST", "snoop").status, 501)

    def test_every_operation_of_asterisk_is_modelled_or_answered_with_501(
        self,
    ) -> None:
        self.assertEqual(len(OPERATIONS), 109)
        self.assertLessEqual({(each.method, each.path) for each in ROUTES}, OPERATIONS)
        for method, path in sorted(OPERATIONS):
            answer = self.ask(method, *path.format_map(_Ids()).split("/")[1:])
            with self.subTest(method=method, path=path):
                is_unmodelled = (method, path) in UNMODELLED
                self.assertEqual(answer.status == 501, is_unmodelled)
                self.assertNotEqual(answer.status, 405)
                if answer.status == 404:
                    self.assertNotEqual(self.error(answer)[1], "Resource not found")


class _Ids(dict[str, str]):
    """An id for each parameter of a path."""

    def __missing__(self, name: str) -> str:
        return "none"


class DocumentationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.documents = describe("http://here/ari")

    def test_every_resource_is_listed(self) -> None:
        listed = [each["path"] for each in self.documents["resources.json"]["apis"]]
        named = {
            path.removeprefix("/api-docs/").replace("{format}", "json")
            for path in listed
        }
        self.assertEqual(named | {"resources.json"}, set(self.documents))
        self.assertEqual(self.documents["channels.json"]["basePath"], "http://here/ari")

    def test_every_route_is_described_once(self) -> None:
        described = [
            (operation["httpMethod"], api["path"], operation["nickname"])
            for document in self.documents.values()
            for api in document["apis"]
            for operation in api.get("operations", ())
        ]
        self.assertCountEqual(
            described, [(each.method, each.path, each.nickname) for each in ROUTES]
        )

    def test_parameters_of_the_path_are_required(self) -> None:
        (api,) = [
            each
            for each in self.documents["channels.json"]["apis"]
            if each["path"] == "/channels/{channelId}/answer"
        ]
        (parameter,) = api["operations"][0]["parameters"]
        self.assertEqual(parameter["name"], "channelId")
        self.assertEqual(parameter["paramType"], "path")
        self.assertTrue(parameter["required"])

    def test_every_published_event_is_described(self) -> None:
        models = self.documents["events.json"]["models"]
        pbx = SimulatedPbx()
        pbx.state.bus.register("monitor", pbx.receive, subscribe_all=True)
        pbx.call("channel-aa")
        pbx.channel.answer()
        pbx.play("a", "sound:missing", "sound:missing")
        pbx.channel.press("1")
        pbx.channel.set_variable("CALLERID(name)", "Ada")
        api = Api(pbx.state, ROOT)

        def ask(method: str, path: str, **given: str) -> None:
            api.dispatch(method, path.format(channel=pbx.channel.id).split("/"), given)

        ask("POST", "bridges/one")
        ask("POST", "bridges/one/addChannel", channel=pbx.channel.id)
        ask("DELETE", "bridges/one")
        ask("POST", "channels/{channel}/record", name="one", format="wav")
        ask("POST", "recordings/live/one/stop")
        ask("POST", "channels", endpoint="Local/410", app="channel-aa")
        pbx.state.phones.change("*", PhoneBehaviour())
        ask("POST", "channels", endpoint="PJSIP/410", app="channel-aa")
        pbx.clock.advance(0)
        pbx.channel.hang_up_on_request()
        pbx.call("channel-aa")
        pbx.play("b", "sound:long")
        ask("POST", "channels/{channel}/record", name="two", format="wav")
        pbx.caller.hang_up()
        pbx.state.bus.register("monitor", pbx.receive)
        for event in pbx.events:
            fields = set(event) - {"type", "timestamp", "asterisk_id", "application"}
            self.assertLessEqual(fields, set(models[event["type"]]["properties"]))
        self.assertEqual({event["type"] for event in pbx.events}, set(models))


class FaultsTests(SynchronousTestCase):
    def test_fault_is_injected_the_given_number_of_times(self) -> None:
        faults = Faults()
        faults.answer("GET /channels/*", 500, times=2)
        made = [faults.for_request("GET", "/channels/1") for _ in range(3)]
        self.assertEqual([each and each.status for each in made], [500, 500, None])

    def test_fault_without_a_number_is_injected_until_cleared(self) -> None:
        faults = Faults()
        faults.drop_event("StasisEnd", times=None)
        self.assertTrue(all(faults.drops("StasisEnd") for _ in range(100)))
        faults.clear()
        self.assertFalse(faults.drops("StasisEnd"))

    def test_fault_is_injected_only_if_the_pattern_matches(self) -> None:
        faults = Faults()
        faults.delay("POST /channels/*/play*", 1)
        self.assertIsNone(faults.for_request("POST", "/channels/1/answer"))
        self.assertIsNone(faults.for_request("GET", "/channels/1/play"))
        self.assertIsNotNone(faults.for_request("POST", "/channels/1/play/x"))

    def test_oldest_matching_fault_is_injected_first(self) -> None:
        faults = Faults()
        faults.lose_request("GET *")
        faults.lose_answer("GET *")
        made = [faults.for_request("GET", "/x") for _ in range(2)]
        self.assertEqual([each and each.lose for each in made], ["request", "answer"])
