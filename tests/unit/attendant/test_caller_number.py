"""The caller's number in the name of a recording, and callers who withhold it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.logger import LogLevel, capturedLogs, formatEvent

from channel_aa.interfaces import ChannelGoneError, RecordingEnd, TelephonyError
from tests.support.call_case import CHANNEL, CallTestCase

PRESENTATION = "CALLERID(pres)"


class CallerNumberTests(CallTestCase):
    FLOW = """
    [menus.main]
    prompt = ["main"]
    [menus.main.options]
    1 = { record = "{caller}" }
    2 = { record = "{channel}" }
    3 = { dial = "PJSIP/410", label = "Sales" }
    """

    def record(self, key: str = "1") -> str:
        """Make a recording, and return its name; silence plays on."""
        self.press(key)
        recording = self.channel.recordings[-1]
        recording.end(RecordingEnd.DONE)
        return recording.name

    def test_shown_number_is_in_the_name(self) -> None:
        self.enter()
        for presentation in ("allowed_not_screened", "allowed_passed_screen"):
            self.channel.variables[PRESENTATION] = presentation
            self.assertEqual(self.record(), "+441632960100")

    def test_withheld_number_is_neither_in_the_name_nor_in_the_log(self) -> None:
        for presentation in ("prohib_not_screened", "prohib", "unavailable", ""):
            with self.subTest(presentation=presentation):
                self.setUp()
                self.channel.variables[PRESENTATION] = presentation
                with capturedLogs() as events:
                    self.enter()
                    self.assertEqual(self.record(), "withheld")
                lines = " ".join(str(formatEvent(event)) for event in events)
                self.assertIn("recorded withheld", lines)
                self.assertNotIn(self.channel.caller_number, lines)
                self.tearDown()

    def test_presentation_is_read_once(self) -> None:
        self.enter()
        self.assertEqual(self.channel.reads, [])
        for _ in range(2):
            self.record()
            self.assertEqual(self.channel.reads, [PRESENTATION])

    def test_number_is_not_read_where_none_is_used(self) -> None:
        self.enter()
        self.record("2")
        self.press("3")
        self.assertEqual(self.channel.reads, [])

    def test_caller_without_a_number_needs_no_request(self) -> None:
        self.channel.caller_number = ""
        self.enter()
        self.assertEqual(self.record(), "unknown")
        self.assertEqual(self.channel.reads, [])

    def test_withheld_number_of_an_adopted_call_is_not_in_the_name(self) -> None:
        self.channel.variables[PRESENTATION] = "prohib_not_screened"
        self.call = self.attendant.channel_entered(self.channel, (), adopted=True)
        self.assertEqual(self.record(), "withheld")

    def test_number_whose_presentation_cannot_be_read_counts_as_withheld(self) -> None:
        self.channel.reading = lambda: fail(TelephonyError("500"))
        self.enter()
        with capturedLogs() as events:
            self.assertEqual(self.record(), "withheld")
        (warning,) = (it for it in events if it["log_level"] is LogLevel.warn)
        self.assertEqual(
            formatEvent(warning),
            f"Could not read whether {CHANNEL} withholds its number; it is treated as"
            " withheld: 500",
        )

    def test_party_that_takes_the_callers_place_has_its_own_presentation(self) -> None:
        self.channel.variables[PRESENTATION] = "prohib_not_screened"
        self.enter()
        self.assertEqual(self.record(), "withheld")
        self.channel.id, self.channel.caller_number = "2", "5"
        self.channel.variables[PRESENTATION] = "allowed_not_screened"
        self.assertEqual(self.record(), "5")
        self.channel.id, self.channel.caller_number = "3", ""
        self.assertEqual(self.record(), "unknown")
        self.assertEqual(self.channel.reads, [PRESENTATION] * 2)

    def test_place_taken_during_the_request_repeats_it(self) -> None:
        readings: list[Deferred[str]] = []

        def reading() -> Deferred[str]:
            readings.append(Deferred())
            return readings[-1]

        self.channel.reading = reading
        self.enter()
        self.press("1")
        self.channel.id = "2"
        readings[0].callback("allowed_not_screened")
        self.assertEqual(self.channel.recordings, [])
        readings[1].callback("prohib_not_screened")
        self.assertEqual([it.name for it in self.channel.recordings], ["withheld"])

    def test_caller_who_hangs_up_meanwhile_is_not_recorded(self) -> None:
        self.channel.reading = lambda: fail(ChannelGoneError("404"))
        self.enter()
        self.press("1")
        self.assertEqual(self.channel.recordings, [])
