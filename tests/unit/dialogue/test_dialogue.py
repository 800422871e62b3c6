from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs, formatEvent

from channel_aa.ari import (
    ChannelGoneError,
    DialOutcome,
    KeypadInUseError,
    TelephonyError,
)
from tests.support.programs import ProgramTestCase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_aa.ari import Channel


class PlayTests(ProgramTestCase):
    def test_sounds_follow_one_another(self) -> None:
        async def program(channel: Channel) -> None:
            dialogue = channel.dialogue
            await dialogue.play("welcome", dialogue.say.number(21), "tone:busy")

        caller = self.call(program)
        heard = self.until_heard(caller, 4)
        self.assertEqual(heard, ["welcome", "digits/20", "digits/1", "tone:busy"])
        caller.hang_up()
        self.clock.advance(1)

    def test_key_stops_the_sound_and_those_behind_it(self) -> None:
        async def program(channel: Channel) -> str | None:
            await channel.dialogue.play("long", "or")
            return await channel.dialogue.next_key(1)

        caller = self.call(program)
        self.until_heard(caller, 1)
        self.clock.advance(1)
        caller.press("5")
        self.until_over(caller)
        self.assertEqual(self.heard(caller), ["long"])
        self.assertEqual(caller.heard[0].how, "stopped")
        self.assertEqual(self.returned, ["5"])

    def test_key_stays_during_a_wait(self) -> None:
        async def program(channel: Channel) -> str | None:
            await channel.dialogue.wait(3)
            return await channel.dialogue.next_key(0)

        caller = self.call(program)
        caller.press("5")
        self.clock.advance(2.9)
        self.assertEqual(self.returned, [])
        self.clock.advance(0.1)
        self.assertEqual(self.returned, ["5"])
        self.until_over(caller)

    def test_key_does_not_stop_a_sound_without_barge_in(self) -> None:
        async def program(channel: Channel) -> None:
            await channel.dialogue.play("long", "or", barge_in=False)

        caller = self.call(program)
        self.until_heard(caller, 1)
        caller.press("5")
        self.until_over(caller)
        self.assertEqual([each.how for each in caller.heard], ["done", "done"])

    def test_missing_sound_is_logged_and_left_out(self) -> None:
        async def program(channel: Channel) -> None:
            await channel.dialogue.play("missing", "or")

        with capturedLogs() as logs:
            caller = self.call(program)
            self.until_over(caller)
        lines = [str(formatEvent(each)) for each in logs]
        self.assertTrue(
            any(
                line.startswith("sound:missing was not played to PJSIP/alice")
                for line in lines
            ),
            lines,
        )
        self.assertEqual(caller.heard[-1].media, "sound:or")


class KeyTests(ProgramTestCase):
    def test_no_key_in_time(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.next_key(5)

        began = self.clock.seconds()
        self.until_over(self.call(program))
        self.assertEqual(self.returned, [None])
        self.assertApproximates(self.clock.seconds() - began, 5, 0.1)

    def test_lost_connection_is_no_silence(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.next_key(5)

        caller = self.call(program)
        self.clock.advance(4)
        self.link.cut()
        self.clock.pump([1] * 20)
        self.link.mend()
        self.clock.pump([1] * 4)
        self.assertEqual(self.returned, [])
        caller.press("7")
        self.until_over(caller)
        self.assertEqual(self.returned, ["7"])

    def test_wait_that_begins_without_a_connection_lasts_until_there_is_one(
        self,
    ) -> None:
        async def program(channel: Channel) -> str | None:
            await deferLater(self.clock, 5)
            return await channel.dialogue.next_key(1)

        caller = self.call(program)
        self.link.cut()
        self.clock.pump([1] * 20)
        self.link.mend()
        self.assertEqual(self.returned, [])
        self.until_over(caller)
        self.assertEqual(self.returned, [None])

    def test_two_waits_at_once_are_an_error(self) -> None:
        async def program(channel: Channel) -> str | None:
            first = Deferred.fromCoroutine(channel.dialogue.next_key(5))
            with self.assertRaisesRegex(KeypadInUseError, "another part"):
                await channel.dialogue.next_key(5)
            return await first

        caller = self.call(program)
        caller.press("3")
        self.until_over(caller)
        self.assertEqual(self.returned, ["3"])


class CollectTests(ProgramTestCase):
    def answers(
        self,
        program: Callable[[Channel], Awaitable[object]],
        *steps: tuple[float, str],
    ) -> object:
        """Run a program, press keys after so many seconds each, return its result."""
        caller = self.call(program)
        for seconds, keys in steps:
            self.clock.pump([seconds / 10] * 10)
            caller.press(keys)
        self.until_over(caller)
        self.sounds = self.heard(caller)
        return self.returned[0]

    def test_number_ends_at_its_last_digit(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(
                prompt="long", min_digits=4, max_digits=4
            )

        self.assertEqual(self.answers(program, (1, "12"), (2, "34")), "1234")
        self.assertEqual(self.sounds, ["long"])

    def test_terminator_ends_a_number(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(max_digits=10, terminator="*")

        self.assertEqual(self.answers(program, (1, "12*")), "12")

    def test_silence_ends_a_number(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(max_digits=10, between=3)

        began = self.clock.seconds()
        self.assertEqual(self.answers(program, (1, "12")), "12")
        self.assertApproximates(self.clock.seconds() - began, 4, 0.1)

    def test_short_number_is_invalid(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(
                prompt="vm-password", min_digits=4, max_digits=4, invalid="invalid"
            )

        result = self.answers(program, (1, "12#"), (6, "1234"))
        self.assertEqual(result, "1234")
        self.assertEqual(self.sounds, ["vm-password", "invalid", "vm-password"])

    def test_validator_may_wait(self) -> None:
        async def is_known(number: str) -> bool:
            await deferLater(self.clock, 1)
            return number == "22"

        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(
                min_digits=2, max_digits=2, valid=is_known, invalid="invalid"
            )

        self.assertEqual(self.answers(program, (1, "11"), (6, "22")), "22")
        self.assertEqual(self.sounds, ["invalid"])

    def test_none_after_the_last_try(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(
                prompt="or",
                max_digits=1,
                retries=1,
                first=2,
                valid=lambda _: False,
                invalid="invalid",
            )

        self.assertIsNone(self.answers(program, (1, "1")))
        self.assertEqual(self.sounds, ["or", "invalid", "or"])

    def test_lost_keys_ask_again_without_a_try(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.collect(
                prompt="or", max_digits=3, retries=0, between=60
            )

        caller = self.call(program)
        self.clock.pump([0.5] * 8)
        caller.press("1")
        self.clock.advance(0)
        self.link.drop()
        self.clock.pump([0.5] * 10)
        caller.press("234")
        self.until_over(caller)
        self.assertEqual(self.returned, ["234"])
        self.assertEqual(self.heard(caller), ["or", "or"])

    def test_wrong_arguments(self) -> None:
        async def program(channel: Channel) -> None:
            dialogue = channel.dialogue
            with self.assertRaisesRegex(ValueError, "numbers of 5 to 4 digits"):
                await dialogue.collect(min_digits=5, max_digits=4)
            with self.assertRaisesRegex(ValueError, "numbers of 1 to 33 digits"):
                await dialogue.collect(max_digits=33)
            with self.assertRaisesRegex(ValueError, "a key of a phone, not '##'"):
                await dialogue.collect(max_digits=3, terminator="##")
            with self.assertRaisesRegex(ValueError, r"one or more keys .* \['y'\]"):
                await dialogue.choose("1y")

        self.assertIsNone(self.answers(program))

    def test_choice_among_keys(self) -> None:
        async def program(channel: Channel) -> str | None:
            return await channel.dialogue.choose(
                ["1", "12", "*"], prompt="or", invalid="invalid"
            )

        self.assertEqual(self.answers(program, (1, "4"), (9, "12")), "12")
        self.assertEqual(self.sounds, ["or", "invalid", "or"])

    def test_confirmation(self) -> None:
        async def program(channel: Channel) -> bool | None:
            return await channel.dialogue.confirm(["if-correct-press", "digits/1"])

        for keys, expected in (("1", True), ("2", False)):
            with self.subTest(keys=keys):
                self.returned.clear()
                self.assertIs(self.answers(program, (1, keys)), expected)
        self.returned.clear()
        self.assertIsNone(self.answers(program))


class RecordTests(ProgramTestCase):
    def test_recording_is_stored_and_its_keys_are_discarded(self) -> None:
        async def program(channel: Channel) -> tuple[str, str | None]:
            recording = await channel.dialogue.record("note", max_seconds=20)
            return recording.name, await channel.dialogue.next_key(1)

        caller = self.call(program)
        self.clock.pump([0.5] * 4)
        caller.press("3")
        self.clock.advance(1)
        caller.press("#")
        self.until_over(caller)
        self.assertEqual(self.returned, [("note", None)])

    def test_failure_is_an_error(self) -> None:
        async def program(channel: Channel) -> None:
            with self.assertRaisesRegex(TelephonyError, "could not record a/../b"):
                await channel.dialogue.record("a/../b")

        self.until_over(self.call(program))
        self.assertEqual(self.returned, [None])

    def test_hangup_ends_it(self) -> None:
        async def program(channel: Channel) -> None:
            await channel.dialogue.record("note")

        caller = self.call(program)
        self.clock.pump([0.5] * 4)
        caller.hang_up()
        self.clock.advance(1)
        self.assertEqual(len(self.returned), 1)


class PhoneTests(ProgramTestCase):
    """A dialogue with the person who has answered a phone."""

    def test_phone_is_asked(self) -> None:
        self.simulator.phones.change("PJSIP/410", "answers 2 press 1")

        async def program(channel: Channel) -> bool | None:
            phone = channel.dial("PJSIP/410", ring_seconds=10)
            self.assertIs(await phone.outcome, DialOutcome.ANSWERED)
            return await phone.dialogue.confirm("followme/options")

        self.until_over(self.call(program))
        self.assertEqual(self.returned, [True])

    def test_phone_hangs_up(self) -> None:
        self.simulator.phones.change("PJSIP/410", "answers 2 hangs-up 3")

        async def program(channel: Channel) -> None:
            phone = channel.dial("PJSIP/410", ring_seconds=10)
            await phone.outcome
            with self.assertRaises(ChannelGoneError):
                await phone.dialogue.confirm("followme/options")

        self.until_over(self.call(program))
        self.assertEqual(self.returned, [None])
