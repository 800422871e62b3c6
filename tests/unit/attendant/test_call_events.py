"""The events of a call, and the line about its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerIdentified,
    CallerRecorded,
    CallEvent,
    CallStarted,
    ConversationEnded,
    ConversationStarted,
    EndReason,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
)
from channel_aa.dialogue.digits import Match
from channel_aa.interfaces import DialOutcome, RecordingEnd
from tests.support.call_case import CHANNEL, CallTestCase

if TYPE_CHECKING:
    from tests.support.attendant_fakes import FakePhone

COMPANY = """
max_call_seconds = 100
[menus.main]
prompt = ["main"]
noinput = ["hello"]
[menus.main.options]
1 = { dial = "PJSIP/410", label = "Sales", then = "repeat" }
2 = { record = "message", beep = false }
3 = { queue = "support" }
4 = { continue = { context = "phones", extension = "{digits}" } }
5 = "hangup"
[menus.main.extensions]
pattern = "8X"
play = ["extension"]
[menus.pin]
prompt = ["pin"]
secret = true
options = { 1 = "hangup" }
[[routes]]
did = "100"
to = "main"
[[routes]]
argument = "pin"
to = "pin"
language = "fr"
"""


class EventsTestCase(CallTestCase):
    FLOW = COMPANY

    def setUp(self) -> None:
        super().setUp()
        self.events: list[CallEvent] = []
        self.attendant.observers.append(self.events.append)

    def told(self) -> list[CallEvent]:
        """Return and forget the events so far."""
        events = self.events.copy()
        self.events.clear()
        return events

    def event(
        self, kind: type[CallEvent], seconds: float = 0.0, **data: object
    ) -> CallEvent:
        return kind(channel_id=self.channel.id, seconds=seconds, **data)

    def enter_and_forget(self, *arguments: str) -> None:
        self.enter(*arguments)
        self.told()

    def dial(self) -> FakePhone:
        self.enter_and_forget()
        self.press("1")
        return self.channel.phones[-1]

    def end(self) -> tuple[CallEnded, str]:
        """End the call; return its last event, and the last line of the log."""
        with capturedLogs() as logged:
            self.call.left()
        event = self.told()[-1]
        assert isinstance(event, CallEnded)
        return event, formatEvent(logged[-1]) or ""


class EventTests(EventsTestCase):
    def test_call_starts_and_enters_a_menu(self) -> None:
        self.channel.dialled = "100"
        self.enter("a", "b")
        self.assertEqual(
            self.told(),
            [
                self.event(
                    CallStarted,
                    channel=CHANNEL,
                    dialled="100",
                    arguments=("a", "b"),
                    language="en",
                    route=0,
                    is_adopted=False,
                ),
                self.event(ActionStarted, verb="menu", label=""),
                self.event(MenuEntered, menu="main"),
            ],
        )

    def test_route_decides_the_language(self) -> None:
        self.enter("pin")
        started = self.told()[0]
        assert isinstance(started, CallStarted)
        self.assertEqual((started.route, started.language), (1, "fr"))

    def identified(self) -> CallerIdentified | None:
        """Return the event of who calls, after the time that it takes."""
        self.enter()
        self.clock.advance(1)
        return next((e for e in self.told() if isinstance(e, CallerIdentified)), None)

    def test_caller_is_identified_after_a_second(self) -> None:
        self.enter()
        self.clock.advance(0.9)
        self.assertEqual(self.channel.reads, [])
        self.clock.advance(0.1)
        self.assertEqual(
            self.told()[-1],
            self.event(
                CallerIdentified,
                1.0,
                channel=CHANNEL,
                number="+441632960100",
                name="Alice",
                is_withheld=False,
                dialled="1000",
                route=None,
            ),
        )

    def test_withheld_number_is_in_no_event_and_no_line(self) -> None:
        self.channel.variables["CALLERID(pres)"] = "prohib_passed_screen"
        with capturedLogs() as logged:
            event = self.identified()
            self.call.left()
        assert event is not None
        self.assertTrue(event.is_withheld)
        text = repr([self.events, [formatEvent(each) for each in logged]])
        self.assertIn("call from a withheld number to 1000", text)
        self.assertNotIn("441632960100", text)
        self.assertNotIn("Alice", text)

    def test_line_about_who_calls(self) -> None:
        self.channel.dialled = "100"
        for name, number, shown in (
            ("Alice", "100", '"Alice" <100> to 100, routes[0]'),
            ("", "100", "<100> to 100, routes[0]"),
            ("Alice", "", '"Alice" without a number to 100, routes[0]'),
        ):
            self.channel.caller_name, self.channel.caller_number = name, number
            with capturedLogs() as logged:
                self.identified()
            self.call.left()
            self.assert_logged(logged, f"{CHANNEL}: call from {shown}")

    def test_caller_who_hangs_up_at_once_is_not_identified(self) -> None:
        self.enter().left()
        self.clock.advance(1)
        self.assertEqual(self.channel.reads, [])

    def test_hangup_while_the_caller_is_being_identified(self) -> None:
        self.channel.reading = Deferred
        self.assertIsNone(self.identified())
        self.call.left()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_keys_and_silence(self) -> None:
        self.enter_and_forget()
        self.hear("main")
        self.clock.advance(10)
        self.hear("hello")
        self.hear("main")
        self.press("9#")
        self.hear("option-is-invalid")
        self.press("81")
        entered = [
            each
            for each in self.told()
            if not isinstance(each, ActionStarted | CallerIdentified)
        ]
        self.assertEqual(
            entered,
            [
                self.event(NoInput, 10.0, menu="main"),
                self.event(
                    KeysEntered, 10.0, menu="main", keys="9", match=Match.NO_MATCH
                ),
                self.event(
                    KeysEntered, 10.0, menu="main", keys="81", match=Match.EXTENSION
                ),
            ],
        )

    def test_keys_of_a_secret_menu_are_masked(self) -> None:
        self.enter_and_forget("pin")
        self.press("1")
        keys = self.told()[0]
        assert isinstance(keys, KeysEntered)
        self.assertEqual((keys.keys, keys.match), ("(secret)", Match.OPTION))

    def test_conversation(self) -> None:
        phone = self.dial()
        phone.end_dialling(DialOutcome.ANSWERED)
        self.clock.advance(5)
        phone.callee_hangs_up()
        _, action, *others = [
            each for each in self.told() if not isinstance(each, CallerIdentified)
        ]
        self.assertEqual(action, self.event(ActionStarted, verb="dial", label="Sales"))
        self.assertEqual(
            others[:3],
            [
                self.event(PhoneDialled, endpoint="PJSIP/410", outcome="ANSWER"),
                self.event(ConversationStarted, endpoint="PJSIP/410"),
                self.event(ConversationEnded, 5.0),
            ],
        )

    def test_phone_that_is_busy(self) -> None:
        self.dial().end_dialling(DialOutcome.BUSY)
        self.assertIn(
            self.event(PhoneDialled, endpoint="PJSIP/410", outcome="BUSY"), self.told()
        )

    def test_recording(self) -> None:
        self.enter_and_forget()
        self.press("2")
        self.channel.recordings[-1].end(RecordingEnd.DONE)
        self.assertIn(self.event(CallerRecorded, name="message"), self.told())

    def test_observer_that_fails_harms_neither_the_call_nor_others(self) -> None:
        def fail(_event: CallEvent) -> None:
            raise ValueError

        self.attendant.observers.insert(0, fail)
        self.enter()
        self.assert_plays("main")
        self.call.left()
        self.assertEqual(len(self.told()), 4)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 4)

    def test_events_are_json(self) -> None:
        self.enter_and_forget()
        self.press("9#")
        (event,) = self.told()
        encoded = msgspec.json.encode(event)
        self.assertIn(b'"event":"KeysEntered"', encoded)
        self.assertEqual(msgspec.json.decode(encoded, type=KeysEntered), event)


class EndTests(EventsTestCase):
    def test_caller_hangs_up_in_a_menu(self) -> None:
        self.enter()
        self.clock.advance(7.4)
        self.channel.hangup_cause = 16
        event, line = self.end()
        self.assertEqual((event.reason, event.menus), (EndReason.CALLER, ("main",)))
        self.assertEqual(event.cause, 16)
        self.assertEqual(
            line, f"{CHANNEL}: the caller hung up in the menu main after 7 s"
        )

    def test_caller_hangs_up_in_a_conversation(self) -> None:
        self.dial().end_dialling(DialOutcome.ANSWERED)
        event, line = self.end()
        self.assertEqual(event.partner, "PJSIP/410")
        self.assertIn("hung up in a conversation with PJSIP/410 after 0 s", line)

    def test_caller_hangs_up_after_a_conversation(self) -> None:
        phone = self.dial()
        phone.end_dialling(DialOutcome.ANSWERED)
        phone.callee_hangs_up()
        self.assertIn("hung up in the menu main", self.end()[1])

    def test_action_hangs_up(self) -> None:
        self.enter()
        self.press("5")
        event, line = self.end()
        self.assertIs(event.reason, EndReason.ATTENDANT)
        self.assertIn("hung up by an action in the menu main", line)

    def test_call_continues_in_the_dialplan(self) -> None:
        for key, destination in (("3", "queue support"), ("4", "phones,4,1")):
            self.enter()
            self.press(key)
            event, line = self.end()
            self.assertIs(event.reason, EndReason.DIALPLAN)
            self.assertEqual(event.destination, destination)
            self.assertIn(f"continued in the dialplan at {destination} after", line)

    def test_call_that_cannot_continue_goes_on(self) -> None:
        self.channel.responses["continue 4@phones:1"] = lambda: self.failed("500")
        self.enter()
        self.press("4")
        self.assertIs(self.end()[0].reason, EndReason.CALLER)

    def test_call_reaches_its_limit(self) -> None:
        self.enter()
        self.clock.advance(100)
        self.assertIs(self.end()[0].reason, EndReason.LIMIT)

    def test_attendant_stops(self) -> None:
        self.enter()
        self.successResultOf(self.close())
        event, line = self.end()
        self.assertIs(event.reason, EndReason.STOPPING)
        self.assertIn("released because the attendant stops", line)

    def test_another_program_takes_over(self) -> None:
        self.enter()
        self.attendant.replaced()
        event = self.told()[-1]
        assert isinstance(event, CallEnded)
        self.assertIs(event.reason, EndReason.REPLACED)

    def test_refused_call_has_a_start_and_an_end_and_no_line(self) -> None:
        self.attendant.max_calls = 1
        first = self.enter()
        self.told()
        with capturedLogs() as logged:
            self.enter().left()
        self.assertEqual([type(each) for each in self.told()], [CallStarted, CallEnded])
        self.assertEqual(
            [each for each in logged if "call_log" in each["log_namespace"]], []
        )
        first.left()
        self.successResultOf(self.close())
