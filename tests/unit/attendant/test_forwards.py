"""Calls that the attendant's own dialling leads back to it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs

from channel_aa.interfaces import ChannelGoneError, TelephonyError
from tests.support.attendant_fakes import FakeChannel
from tests.support.call_case import CallTestCase

LOCAL = "Local/1000@default-00000001;2"
DIALLED = "main>Local/1000@default"
LOOP = ["set CHANNEL_AA_REASON=loop", "continue"]
VARIABLE = "CHANNEL_AA_FORWARDS"


class UnreadableChannel(FakeChannel):
    """A channel whose variables cannot be read."""

    error: Exception = TelephonyError("500")

    def get_variable(self, name: str) -> Deferred[str]:
        return fail(self.error)


class ForwardsTestCase(CallTestCase):
    FLOW = """
    max_forwards = 2
    [menus.main]
    prompt = ["main"]
    options.1 = "phones"
    [actions]
    phones = { dial = ["Local/1000@default", "PJSIP/410"], strategy = "ringall" }
    [[routes]]
    argument = "direct"
    to = { dial = "PJSIP/410", else = "hangup" }
    """

    def setUp(self) -> None:
        super().setUp()
        self.channel.name = LOCAL

    def forwarded(self, *forwards: str) -> None:
        """Let the call enter after these dials."""
        self.channel.variables[VARIABLE] = ",".join(forwards)

    def dialled_with(self) -> list[str]:
        """Return the variable of each phone, and check that it has no other."""
        found = [dict(phone.variables) for phone in self.channel.phones]
        return [each.pop(f"__{VARIABLE}") for each in found if len(each) == 1]


class ForwardLimitTests(ForwardsTestCase):
    def test_call_within_the_limit_is_answered(self) -> None:
        self.forwarded(DIALLED, DIALLED)
        self.enter()
        self.assert_plays("main")

    def test_call_beyond_the_limit_continues_in_the_dialplan_unanswered(self) -> None:
        self.forwarded(DIALLED, "PJSIP/9", "sales>Local/x@y")
        with capturedLogs() as events:
            self.enter()
        self.assertEqual(self.sent(), LOOP)
        self.assert_logged(
            events,
            f"{LOCAL}: the attendant's own dialling has led the call back 3 times,",
            "menu main dialled Local/1000@default, a route dialled PJSIP/9,"
            " menu sales dialled Local/x@y. ",
        )

    def test_adopted_call_beyond_the_limit_continues_in_the_dialplan(self) -> None:
        self.forwarded(DIALLED, DIALLED, DIALLED)
        self.call = self.attendant.channel_entered(self.channel, (), adopted=True)
        self.assertEqual(self.sent(), LOOP)

    def test_variable_of_a_channel_that_is_not_local_is_not_read(self) -> None:
        self.channel.name = "PJSIP/Local/alice-00000001"
        self.forwarded(DIALLED, DIALLED, DIALLED)
        self.enter()
        self.assert_plays("main")

    def test_call_whose_variable_cannot_be_read_is_answered(self) -> None:
        self.channel = UnreadableChannel(LOCAL)
        with capturedLogs() as events:
            self.enter()
        self.assert_plays("main")
        self.assert_logged(events, f"has dialled {LOCAL}: 500")

    def test_call_that_hangs_up_meanwhile_ends(self) -> None:
        self.channel = UnreadableChannel(LOCAL)
        self.channel.error = ChannelGoneError("404")
        self.enter()
        self.assertEqual(self.sent(), [])


class SlowChannel(FakeChannel):
    """A channel whose variable is read when `value` fires."""

    value: Deferred[str]

    def get_variable(self, name: str) -> Deferred[str]:
        self.value = Deferred()
        return self.value


class SlowReadingTests(ForwardsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.channel = self.slow = SlowChannel(LOCAL)

    def test_call_is_answered_when_the_variable_is_read(self) -> None:
        self.enter()
        self.assertEqual(self.sent(), [])
        self.slow.value.callback("")
        self.assertEqual(self.sent()[0], "answer")

    def test_stop_while_the_variable_is_read_continues_the_call(self) -> None:
        self.enter()
        self.successResultOf(self.close())
        self.assertEqual(self.sent(), ["set CHANNEL_AA_REASON=stopping", "continue"])

    def test_hangup_while_the_variable_is_read_ends_the_call(self) -> None:
        self.enter()
        self.call.left()
        self.assertEqual(self.sent(), [])


class ForwardVariableTests(ForwardsTestCase):
    def test_each_phone_gets_the_menu_and_its_endpoint(self) -> None:
        self.enter()
        self.press("1")
        self.assertEqual(self.dialled_with(), [DIALLED, "main>PJSIP/410"])

    def test_phone_of_a_forwarded_call_gets_the_earlier_dials_first(self) -> None:
        self.forwarded("sales>Local/x@y", DIALLED)
        self.enter()
        self.press("1")
        way = f"sales>Local/x@y,{DIALLED}"
        self.assertEqual(
            self.dialled_with(), [f"{way},{DIALLED}", f"{way},main>PJSIP/410"]
        )

    def test_phone_that_a_route_dials_gets_the_endpoint_alone(self) -> None:
        self.enter("direct")
        self.assertEqual(self.dialled_with(), ["PJSIP/410"])
