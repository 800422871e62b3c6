"""Operations: their requests, their results and their errors."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from channel_aa.ari.api import (
    Api,
    ArgumentError,
    ReportedVariable,
    UnsupportedOperationError,
)
from channel_aa.ari.api.models import (
    Channel,
    ConfigTuple,
    StoredRecording,
)
from channel_aa.ari.api.operation import Operation, Segment
from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ConnectionLostError,
    NotFoundError,
)
from tests.support.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from tests.support.ari_fakes import Exchange

CHANNEL = {
    "id": "c1",
    "protocol_id": "",
    "name": "PJSIP/alice-00000001",
    "state": "Up",
    "caller": {"name": "Alice", "number": "410"},
    "connected": {"name": "", "number": ""},
    "accountcode": "",
    "dialplan": {
        "context": "default",
        "exten": "1000",
        "priority": 1,
        "app_name": "Stasis",
        "app_data": "channel-aa",
    },
    "creationtime": "2026-11-28T01:17:16.123+0000",
    "language": "en",
}


class OperationTestCase(AriTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.api = self.client.api

    def sent(self, result: Deferred[Any]) -> Exchange:
        """Return the only request; its result is of no interest."""
        result.addErrback(lambda failure: failure.trap(AriError))
        return self.sender.only_unanswered()

    def assert_sent(
        self, result: Deferred[Any], line: str, body: object = None
    ) -> None:
        exchange = self.sent(result)
        self.assertEqual(exchange.line, line)
        sent = json.loads(json.dumps(exchange.request.body, default=_plain))
        self.assertEqual(sent, body)
        exchange.refuse(404)


def _plain(value: object) -> object:
    if isinstance(value, ReportedVariable):
        return {"value": value.value, "report_events": value.report_events}
    if isinstance(value, ConfigTuple):
        return {"attribute": value.attribute, "value": value.value}
    raise TypeError(value)


class RequestTests(OperationTestCase):
    def test_path_is_quoted(self) -> None:
        self.assert_sent(
            self.api.endpoints.get(tech="PJSIP", resource="a/../b c"),
            "GET endpoints/PJSIP/a%2F..%2Fb%20c",
        )

    def test_arguments_that_are_not_given_are_not_sent(self) -> None:
        self.assert_sent(
            self.api.channels.hangup(channel_id="c1"), "DELETE channels/c1"
        )

    def test_query_has_the_names_of_asterisk(self) -> None:
        self.assert_sent(
            self.api.channels.record(
                channel_id="c1",
                name="n",
                format="wav",
                max_duration_seconds=0,
                beep=False,
                terminate_on="#",
            ),
            "POST channels/c1/record"
            "?name=n&format=wav&maxDurationSeconds=0&beep=false&terminateOn=%23",
        )

    def test_empty_text_is_sent(self) -> None:
        self.assert_sent(
            self.api.channels.set_channel_var(channel_id="c1", variable="X", value=""),
            "POST channels/c1/variable?variable=X&value=",
        )

    def test_several_values_are_divided_by_commas(self) -> None:
        self.assert_sent(
            self.api.channels.play(channel_id="c1", media=["sound:a", "sound:b"]),
            "POST channels/c1/play?media=sound%3Aa%2Csound%3Ab",
        )

    def test_values_with_commas_are_a_list_in_the_body(self) -> None:
        self.assert_sent(
            self.api.channels.play(
                channel_id="c1", media=["sound:a", "sound:http://b/c,d"], lang="en"
            ),
            "POST channels/c1/play?lang=en",
            {"media": ["sound:a", "sound:http://b/c,d"]},
        )

    def test_a_single_value_needs_no_list(self) -> None:
        self.assert_sent(
            self.api.bridges.add_channel(bridge_id="b1", channel="c1"),
            "POST bridges/b1/addChannel?channel=c1",
        )

    def test_variables_are_an_entry_of_the_body(self) -> None:
        self.assert_sent(
            self.api.channels.set_channel_vars(
                channel_id="c1",
                variables={"A": "1", "B": ReportedVariable(value="2")},
            ),
            "POST channels/c1/variables",
            {"variables": {"A": "1", "B": {"value": "2", "report_events": True}}},
        )

    def test_no_variables_are_no_body(self) -> None:
        self.assert_sent(
            self.api.bridges.create(type="mixing"), "POST bridges?type=mixing"
        )

    def test_filter_is_the_whole_body(self) -> None:
        result = self.api.applications.filter(
            application_name="a", filter={"allowed": [{"type": "StasisStart"}]}
        )
        result.addErrback(lambda failure: failure.trap(AriError))
        request = self.sender.filters[-1]
        self.assertEqual(request.quoted_path, "applications/a/eventFilter")
        self.assertEqual(request.body, {"allowed": ({"type": "StasisStart"},)})

    def test_fields_are_a_list_of_tuples(self) -> None:
        self.assert_sent(
            self.api.asterisk.update_object(
                config_class="res_pjsip",
                object_type="endpoint",
                id="alice",
                fields=[ConfigTuple(attribute="context", value="default")],
            ),
            "PUT asterisk/config/dynamic/res_pjsip/endpoint/alice",
            {"fields": [{"attribute": "context", "value": "default"}]},
        )

    def test_keyword_of_python_has_an_underscore(self) -> None:
        self.assert_sent(
            self.api.endpoints.send_message(to="pjsip:410", from_="pjsip:1"),
            "PUT endpoints/sendMessage?to=pjsip%3A410&from=pjsip%3A1",
        )


class ArgumentTests(OperationTestCase):
    def assert_refused(self, text: str, operation: Any, **arguments: object) -> None:  # noqa: ANN401 - of any type
        with self.assertRaises(ArgumentError) as raised:
            operation(**arguments)
        self.assertEqual(str(raised.exception), text)
        self.assertEqual(self.sender.lines, [])

    def test_wrong_type(self) -> None:
        self.assert_refused(
            "channels.get, argument channel_id: Expected `str`, got `int`",
            self.api.channels.get,
            channel_id=1,
        )

    def test_truth_value_as_a_number(self) -> None:
        self.assert_refused(
            "channels.dial, argument timeout: Expected `int`, got `bool`",
            self.api.channels.dial,
            channel_id="c1",
            timeout=True,
        )

    def test_negative_number_of_seconds(self) -> None:
        self.assert_refused(
            "channels.dial, argument timeout: Expected `int` >= 0",
            self.api.channels.dial,
            channel_id="c1",
            timeout=-1,
        )

    def test_number_above_32_bits(self) -> None:
        self.assert_refused(
            "channels.originate, argument priority: Expected `int` <= 2147483647",
            self.api.channels.originate,
            endpoint="PJSIP/410",
            priority=2**31,
        )

    def test_value_that_asterisk_does_not_know(self) -> None:
        self.assert_refused(
            "channels.mute, argument direction: Invalid enum value 'up'",
            self.api.channels.mute,
            channel_id="c1",
            direction="up",
        )

    def test_required_argument_that_is_none(self) -> None:
        self.assert_refused(
            "channels.get_channel_var, argument variable: it is required",
            self.api.channels.get_channel_var,
            channel_id="c1",
            variable=None,
        )

    def test_id_that_leads_to_another_path(self) -> None:
        for text in ("", ".", ".."):
            self.assert_refused(
                f"channels.get, argument channel_id: {text!r} cannot be a part of a"
                " path",
                self.api.channels.get,
                channel_id=text,
            )

    def test_no_value_where_one_is_needed(self) -> None:
        self.assert_refused(
            "channels.play, argument media: it has no value",
            self.api.channels.play,
            channel_id="c1",
            media=[],
        )

    def test_empty_one_of_several_values(self) -> None:
        self.assert_refused(
            "channels.play, argument media: one of its values is empty",
            self.api.channels.play,
            channel_id="c1",
            media=["sound:a", ""],
        )

    def test_nul(self) -> None:
        self.assert_refused(
            "channels.set_channel_var, argument value: it has a NUL, at which Asterisk"
            " would end it",
            self.api.channels.set_channel_var,
            channel_id="c1",
            variable="X",
            value="a\0b",
        )

    def test_text_that_is_not_unicode(self) -> None:
        with self.assertRaises(ArgumentError):
            self.api.channels.get(channel_id="\ud800")

    def test_value_of_a_variable_that_is_no_text(self) -> None:
        with self.assertRaises(ArgumentError) as raised:
            self.api.channels.set_channel_vars(
                channel_id="c1",
                variables={"X": 1},  # type: ignore[dict-item]
            )
        self.assertEqual(
            str(raised.exception),
            "channels.set_channel_vars, argument variables:"
            " Expected `str | object`, got `int` - at `$[...]`",
        )


class ResultTests(OperationTestCase):
    def test_result_is_a_model(self) -> None:
        result = self.api.channels.get(channel_id="c1")
        body = json.dumps({**CHANNEL, "future": "field"}).encode()
        self.sender.only_unanswered().accept(body)
        channel = self.successResultOf(result)
        self.assertIsInstance(channel, Channel)
        self.assertEqual(channel.caller.number, "410")
        self.assertEqual(channel.creationtime.isoformat()[:10], "2026-11-28")
        self.assertIsNone(channel.channelvars)

    def test_lists_are_tuples(self) -> None:
        result = self.api.recordings.list_stored()
        self.sender.only_unanswered().accept(b'[{"name":"n","format":"wav"}]')
        expected = (StoredRecording(name="n", format="wav"),)
        self.assertEqual(self.successResultOf(result), expected)

    def test_operation_without_a_result(self) -> None:
        result = self.api.channels.answer(channel_id="c1")
        self.sender.only_unanswered().accept(b"")
        self.assertIsNone(self.successResultOf(result))

    def test_binary_result(self) -> None:
        result = self.api.recordings.get_stored_file(recording_name="n")
        self.sender.only_unanswered().accept(b"RIFF\0\xff")
        self.assertEqual(self.successResultOf(result), b"RIFF\0\xff")

    def test_result_that_is_not_as_described(self) -> None:
        result = self.api.channels.list()
        body = json.dumps([{**CHANNEL, "caller": {"name": 1, "number": ""}}]).encode()
        self.sender.only_unanswered().accept(body)
        error = self.failureResultOf(result, AriError).value
        self.assertEqual(
            str(error),
            "GET channels: the response is not a valid result of channels.list:"
            " Expected `str`, got `int` - at `$[0].caller.name`",
        )

    def test_empty_result_of_an_operation_that_has_one(self) -> None:
        result = self.api.channels.get(channel_id="c1")
        self.sender.only_unanswered().accept(b"")
        error = self.failureResultOf(result, AriError).value
        self.assertIn("is not a valid result of channels.get", str(error))

    def test_refusal(self) -> None:
        result = self.api.channels.answer(channel_id="c1")
        self.sender.only_unanswered().refuse(409, "not in Stasis")
        self.failureResultOf(result, ConflictError)


class RetryTests(OperationTestCase):
    def test_idempotent_operation_is_sent_again(self) -> None:
        result = self.api.channels.mute(channel_id="c1", direction="in")
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.clock.advance(1.0)
        self.sender.only_unanswered().accept()
        self.assertIsNone(self.successResultOf(result))

    def test_other_operation_is_not(self) -> None:
        result = self.api.channels.originate(endpoint="PJSIP/410", app="a")
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.failureResultOf(result, ConnectionLostError)

    def test_put_that_sends_a_message_is_not(self) -> None:
        result = self.api.endpoints.send_message(to="pjsip:1", from_="pjsip:2")
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.failureResultOf(result, ConnectionLostError)

    def test_request_is_held_without_a_connection(self) -> None:
        self.connection.lose()
        result = self.api.mailboxes.list()
        self.assertEqual(self.sender.unanswered, [])
        self.connection.open()
        self.client.reconciler.stop()
        self.sender.only_unanswered().accept(b"[]")
        self.assertEqual(self.successResultOf(result), ())


class VersionTests(OperationTestCase):
    def test_operation_that_this_version_lacks(self) -> None:
        self.client.asterisk_version = "16.28.0"
        for status in (404, 405, 501):
            result = self.api.channels.get_channel_vars(
                channel_id="c1", variables=["A"]
            )
            self.sender.only_unanswered().refuse(status, "Invalid method")
            error = self.failureResultOf(result, UnsupportedOperationError).value
            self.assertEqual(error.status, status)
            self.assertEqual(
                error.message,
                "Asterisk 16.28.0 does not have the operation"
                " channels.get_channel_vars:"
                " 20.20.0, 22.10.0, 23.4.0 and later have it",
            )

    def test_operation_whose_module_is_not_loaded(self) -> None:
        for status, message in ((404, "Resource not found"), (405, "Invalid method")):
            result = self.api.mailboxes.list()
            self.sender.only_unanswered().refuse(status, message)
            error = self.failureResultOf(result, UnsupportedOperationError).value
            self.assertEqual(
                error.message,
                "Asterisk 22.10.1 does not have the operation mailboxes.list:"
                " is its module res_ari_mailboxes.so loaded?",
            )

    def test_not_found_in_a_version_that_has_the_operation(self) -> None:
        result = self.api.channels.get_channel_vars(channel_id="c1", variables=["A"])
        self.sender.only_unanswered().refuse(404)
        self.failureResultOf(result, NotFoundError)

    def test_not_found_in_an_unknown_version(self) -> None:
        self.client.asterisk_version = ""
        result = self.api.channels.get_channel_vars(channel_id="c1", variables=["A"])
        self.sender.only_unanswered().refuse(404)
        self.failureResultOf(result, NotFoundError)

    def test_versions(self) -> None:
        operation = Operation(
            "channels.x",
            "GET",
            "/x",
            str,
            since=("20.20.0", "22.10.0"),
            idempotent=True,
        )
        for version, expected in {
            "16.28.0": False,
            "20.19.9": False,
            "20.20.0": True,
            "20.20.1-rc1": True,
            "21.99.0": False,
            "22.9.0": False,
            "22.10.0": True,
            "22.10.0+dfsg~cs6": True,
            "22.9.9+dfsg~cs6": False,
            "23.0.0": True,
            "GIT-master-1234": True,
            "certified-20.7": True,
        }.items():
            with self.subTest(version=version):
                self.assertIs(operation.is_in(version), expected)


class AllOperationsTests(OperationTestCase):
    """Each method passes its arguments in the order of the operation's description."""

    def resources(self) -> list[Any]:
        names = [
            name
            for name, value in vars(Api).items()
            if not name.startswith("_") and hasattr(value, "func")
        ]
        return [getattr(self.api, name) for name in names]

    def test_all_operations_send_their_arguments(self) -> None:
        operations = 0
        for resource in self.resources():
            constants = {
                value.name: value
                for value in vars(inspect.getmodule(type(resource))).values()
                if isinstance(value, Operation)
            }
            for name, operation in constants.items():
                operations += 1
                with self.subTest(operation=name):
                    self._check(getattr(resource, name.partition(".")[2]), operation)
        self.assertEqual(operations, 108)

    def _check(self, method: Any, operation: Operation[Any]) -> None:  # noqa: ANN401 - a method
        """Call a method with a distinct value for each argument."""
        sent: list[tuple[object, ...]] = []
        resource = method.__self__
        original = resource._call
        resource._call = lambda described, *values: sent.append((described, *values))
        try:
            method(**{each.name: each.name for each in operation.arguments})
        finally:
            resource._call = original
        expected = (operation, *[each.name for each in operation.arguments])
        self.assertEqual(sent, [expected])
        for argument in operation.arguments:
            self.assertEqual(
                isinstance(argument, Segment),
                f"{{{argument.wire_name}}}" in operation.path.split("/"),
            )
