from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogLevel, capturedLogs, formatEvent

from channel_aa.ari import AriClient, ChannelGoneError
from channel_aa.ari.coroutine_calls import send_back
from tests.support.ari_fakes import make_address
from tests.support.listeners import RecordingApplication
from tests.support.programs import ProgramTestCase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.ari import Channel


class CoroutineCallTests(ProgramTestCase):
    def test_program_gets_the_channel_and_the_arguments(self) -> None:
        async def program(channel: Channel) -> str:
            return channel.dialled

        caller = self.call(program, "sales", "2")
        self.until_over(caller)
        self.assertEqual([arguments for _, arguments in self.calls], [("sales", "2")])
        self.assertEqual(self.returned, ["1000"])
        self.assertFalse(self.calls[0][0].is_adopted)

    def test_call_ends_with_its_coroutine(self) -> None:
        async def program(channel: Channel) -> None:
            await channel.answer()
            await channel.dialogue.play("long")

        caller = self.call(program)
        self.assertEqual(self.until_over(caller), "hung up by application")
        self.assertEqual(self.heard(caller), ["long"])

    def test_hangup_cancels_the_coroutine(self) -> None:
        async def program(_channel: Channel) -> None:
            await Deferred()

        caller = self.call(program)
        caller.hang_up()
        self.until_over(caller)
        self.clock.advance(0)
        self.assertEqual([type(each) for each in self.returned], [CancelledError])

    def test_hangup_while_a_sound_plays_cancels_it_without_a_line_of_the_log(
        self,
    ) -> None:
        async def program(channel: Channel) -> None:
            await channel.dialogue.play("long")

        with capturedLogs() as logs:
            caller = self.call(program)
            self.until_heard(caller, 1)
            caller.hang_up()
            self.clock.advance(1)
        warnings = [each for each in logs if each["log_level"] > LogLevel.info]
        self.assertEqual(warnings, [])
        self.assertEqual(len(self.returned), 1)

    def test_call_that_continues_in_the_dialplan_is_not_hung_up(self) -> None:
        async def program(channel: Channel) -> None:
            await channel.continue_in_dialplan(context="sales", extension="1")

        caller = self.call(program)
        self.assertEqual(self.until_over(caller), "continued in dialplan at sales,1,1")

    def test_error_is_logged_and_the_call_continues_in_the_dialplan(self) -> None:
        async def program(_channel: Channel) -> None:
            raise LookupError("no such customer")

        caller = self.call(program)
        self.assertIn("continued in dialplan", self.until_over(caller))
        logged = self.flushLoggedErrors(LookupError)
        self.assertEqual(len(logged), 1)

    def test_cancellation_without_a_hangup_is_an_error(self) -> None:
        async def program(_channel: Channel) -> None:
            lookup: Deferred[None] = Deferred()
            self.clock.callLater(1, lookup.cancel)
            await lookup

        caller = self.call(program)
        self.assertIn("continued in dialplan", self.until_over(caller))
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_refused_hangup_is_logged(self) -> None:
        async def program(_channel: Channel) -> None:
            self.simulator.faults.answer("DELETE /channels/*", 500, times=None)

        with capturedLogs() as logs:
            self.call(program)
            self.clock.advance(60)
        lines = [str(formatEvent(each)) for each in logs]
        found = [line for line in lines if line.startswith("Could not hang up PJSIP/")]
        self.assertEqual(len(found), 1, lines)

    def test_lost_client_cancels_the_coroutine_and_hangs_nobody_up(self) -> None:
        async def program(_channel: Channel) -> None:
            await Deferred()

        caller = self.call(program)
        stopped = self.client.stopService()
        self.clock.pump([0.1] * 50)
        self.successResultOf(stopped)
        self.assertEqual([type(each) for each in self.returned], [CancelledError])
        self.assertFalse(caller.is_over)

    def test_coroutine_may_take_its_time_after_the_hangup(self) -> None:
        async def program(_channel: Channel) -> None:
            try:
                await Deferred()
            finally:
                await deferLater(self.clock, 5)
                self.returned.append("billed")

        caller = self.call(program)
        caller.hang_up()
        self.clock.pump([1] * 6)
        self.assertEqual(self.returned[0], "billed")

    def test_coroutine_may_ignore_the_hangup(self) -> None:
        async def program(channel: Channel) -> str:
            with contextlib.suppress(CancelledError):
                await Deferred()
            with self.assertRaises(ChannelGoneError):
                await channel.dialogue.play("long")
            return "billed"

        caller = self.call(program)
        caller.hang_up()
        self.clock.advance(1)
        self.assertEqual(self.returned, ["billed"])


class ArgumentTests(ProgramTestCase):
    def test_client_without_either_sends_calls_back(self) -> None:
        with capturedLogs() as logs:
            caller = self.call(lambda channel: send_back(channel, ()))
            self.clock.advance(1)
        self.assertEqual(caller.outcome, "continued in dialplan at default,1000,2")
        texts = [formatEvent(each) for each in logs]
        self.assertTrue(any("continues in the dialplan" in each for each in texts))

    def test_client_takes_either_an_application_or_a_coroutine(self) -> None:
        async def call(_channel: Channel, _arguments: Sequence[str]) -> None:
            """Do nothing."""

        with self.assertRaisesRegex(TypeError, "either an application or on_call"):
            AriClient(
                make_address(),
                RecordingApplication(),
                on_call=call,
                reactor=self.clock,
            )
