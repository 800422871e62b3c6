from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import ScriptError
from channel_aa.simulator.api import Api, Response
from channel_aa.simulator.caller_id import CallerId
from channel_aa.simulator.phone_behaviour import PhoneBehaviour, Phones
from channel_aa.simulator.routes import ROUTES
from tests.support.simulated import Simulated


class ParsingTests(SynchronousTestCase):
    def test_what_a_telephone_does_is_written_in_words(self) -> None:
        for text, phone in (
            ("answers", PhoneBehaviour()),
            ("answers 2", PhoneBehaviour(answers_after=2.0)),
            ("answers hangs-up 5", PhoneBehaviour(hangs_up_after=5.0)),
            (
                "answers 1.5 press 12# hangs-up 3",
                PhoneBehaviour(answers_after=1.5, keys="12#", hangs_up_after=3.0),
            ),
            ("busy", PhoneBehaviour(answers_after=None, refusal="busy")),
            (
                "declines 1",
                PhoneBehaviour(answers_after=None, refusal="declines", refuses_after=1),
            ),
            ("rings", PhoneBehaviour(answers_after=None)),
            ("silent", PhoneBehaviour(answers_after=None, is_silent=True)),
            ("unreachable", PhoneBehaviour(answers_after=None, is_reachable=False)),
        ):
            self.assertEqual(PhoneBehaviour.parse(text), phone, text)

    def test_what_cannot_be_understood_is_named(self) -> None:
        for text, message in (
            ("dances", "no telephone does 'dances'; they do: answers, busy"),
            ("", "no telephone does ''"),
            ("busy soon", "how many seconds?"),
            ("busy 1 2", "nothing is to follow"),
            ("answers 1 press x", "it cannot press x"),
        ):
            error = self.assertRaises(ScriptError, PhoneBehaviour.parse, text)
            self.assertIn(message, str(error))

    def test_telephones_are_found_by_patterns_and_a_default(self) -> None:
        phones = Phones.of(
            {"PJSIP/41*": "busy", "PJSIP/4*": "rings", "*": PhoneBehaviour()}
        )
        self.assertEqual(phones.find("PJSIP/410"), PhoneBehaviour.parse("busy"))
        self.assertEqual(phones.find("PJSIP/420"), PhoneBehaviour.parse("rings"))
        self.assertEqual(phones.find("Local/410@phones"), PhoneBehaviour())
        self.assertIsNone(Phones().find("PJSIP/410"))

    def test_a_caller_id_has_a_name_and_a_number(self) -> None:
        for text, party in (
            ('"Sales: Ada" <0123>', CallerId("Sales: Ada", "0123")),
            ("Ada <0123>", CallerId("Ada", "0123")),
            ("<0123>", CallerId("", "0123")),
            ("0123", CallerId("", "0123")),
            ('"Ada"', CallerId("Ada", "")),
            ("", CallerId()),
            ('"A" <1> x', CallerId("", '"A" <1> x')),
        ):
            self.assertEqual(CallerId.parse(text), party, text)


class RingingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.on = Simulated()
        self.api = Api(self.on.state, ROUTES)
        self.caller = self.on.caller

    def ask(self, method: str, path: str, **given: object) -> Response:
        answer = self.api.dispatch(method, path.split("/"), given)
        if isinstance(answer, Deferred):
            return self.successResultOf(answer)
        return answer

    def ring(self, phone: str, **given: object) -> Response:
        self.on.state.phones.by_endpoint["PJSIP/410"] = PhoneBehaviour.parse(phone)
        self.on.forget_events()
        asked = {"endpoint": "PJSIP/410", "app": "channel-aa", **given}
        answer = self.ask("POST", "channels/dialled", **asked)
        self.on.clock.advance(0)
        return answer

    def converse(self, phone: str = "answers") -> None:
        """Let the caller speak with a telephone."""
        self.ring(phone)
        self.on.pass_time(0.1)
        self.ask("POST", "bridges/one")
        both = f"{self.caller.channel.id},dialled"
        added = self.ask("POST", "bridges/one/addChannel", channel=both)
        self.assertEqual(added.status, 204)

    @property
    def became(self) -> list[str]:
        return [it["dialstatus"] for it in self.on.events if it["type"] == "Dial"]

    def heard(self) -> list[tuple[str, str]]:
        return [(each.media, each.how) for each in self.caller.heard]

    def test_it_rings_for_as_long_as_it_is_said_to(self) -> None:
        self.ring("answers 3")
        self.on.pass_time(2.9)
        self.assertEqual(self.became, ["", "RINGING"])
        self.on.pass_time(0.2)
        self.assertEqual(self.became, ["", "RINGING", "ANSWER"])
        self.assertEqual(self.on.said[-1], "StasisStart")

    def test_one_that_is_not_answered_gives_its_cause_away(self) -> None:
        for phone, status, cause in (
            ("busy", "BUSY", 17),
            ("congested 1", "CONGESTION", 34),
            ("declines 1", "NOANSWER", 21),
            ("unallocated", "NOANSWER", 1),
        ):
            self.ring(phone)
            self.on.pass_time(1.5)
            self.assertEqual(
                self.on.said[-3:], ["ChannelHangupRequest", "Dial", "ChannelDestroyed"]
            )
            self.assertEqual(self.became[-1], status)
            self.assertEqual(self.on.events[-1]["cause"], cause)
            self.assertEqual(self.on.state.dialled_phones, {})

    def test_it_presses_keys_and_hangs_up_as_it_is_said_to(self) -> None:
        self.ring("answers press 12 hangs-up 2")
        self.on.pass_time(1)
        self.assertEqual(
            self.on.said[-2:], ["ChannelDtmfReceived 1", "ChannelDtmfReceived 2"]
        )
        self.on.pass_time(1.5)
        self.assertEqual(self.on.state.dialled_phones, {})
        self.assertEqual(self.on.said[-1], "ChannelDestroyed")
        self.assertEqual(self.on.clock.getDelayedCalls(), [])

    def test_whoever_has_it_may_be_made_to_answer_and_hang_up(self) -> None:
        self.ring("rings")
        self.on.pass_time(5)
        (telephone,) = self.on.state.dialled_phones.values()
        self.assertEqual(telephone.endpoint, "PJSIP/410")
        telephone.answer()
        self.assertEqual(self.became[-1], "ANSWER")
        telephone.answer()
        self.assertEqual(self.became.count("ANSWER"), 1)
        telephone.hang_up()
        self.assertEqual(telephone.outcome, "hung up by telephone")
        self.assertEqual(self.on.clock.getDelayedCalls(), [])

    def test_it_is_not_given_up_without_a_timeout(self) -> None:
        self.ring("rings", timeout=-1)
        self.on.pass_time(500)
        self.assertEqual(len(self.on.state.dialled_phones), 1)

    def test_those_who_speak_with_each_other_hear_each_other(self) -> None:
        self.converse()
        (telephone,) = self.on.state.dialled_phones.values()
        self.assertEqual(self.heard(), [("voice:PJSIP/410", "")])
        self.assertEqual(telephone.heard, ["voice:PJSIP/alice"])
        telephone.hang_up()
        self.assertEqual(self.heard(), [("voice:PJSIP/410", "stopped")])

    def test_a_conversation_ends_what_was_heard_before(self) -> None:
        path = f"channels/{self.caller.channel.id}"
        self.ask("POST", f"{path}/ring")
        self.ask("POST", f"{path}/moh", mohClass="jazz")
        self.converse()
        self.assertEqual(
            self.heard(),
            [
                ("ringing", "stopped"),
                ("music:jazz", "stopped"),
                ("voice:PJSIP/410", ""),
            ],
        )

    def test_a_sound_ends_the_ring_tone_and_not_a_conversation(self) -> None:
        self.ask("POST", f"channels/{self.caller.channel.id}/ring")
        self.on.play("a", "sound:or")
        self.assertEqual(self.heard()[0], ("ringing", "stopped"))
        self.on.pass_time(1)
        self.converse()
        self.on.play("b", "sound:or")
        self.on.pass_time(1)
        self.assertEqual(
            self.heard()[1:],
            [("sound:or", "done"), ("voice:PJSIP/410", ""), ("sound:or", "done")],
        )

    def test_the_ring_tone_waits_for_the_sound_before_it(self) -> None:
        self.on.play("a", "sound:or")
        self.ask("POST", f"channels/{self.caller.channel.id}/ring")
        self.assertEqual(self.heard(), [("sound:or", "")])
        self.on.pass_time(1)
        self.assertEqual(self.heard(), [("sound:or", "done"), ("ringing", "")])
        self.ask("DELETE", f"channels/{self.caller.channel.id}/ring")
        self.assertEqual(self.heard()[-1], ("ringing", "stopped"))

    def test_who_hangs_up_while_waiting_to_enter_passes_through_the_bridge(
        self,
    ) -> None:
        self.ask("POST", "bridges/one")
        self.on.play("a", "tone:ring")
        path = ("bridges", "one", "addChannel")
        given = {"channel": self.caller.channel.id}
        waiting = self.api.dispatch("POST", path, given)
        assert isinstance(waiting, Deferred)
        self.assertNoResult(waiting)
        self.on.forget_events()
        self.caller.hang_up()
        self.assertEqual(self.successResultOf(waiting).status, 204)
        self.assertEqual(
            self.on.said,
            [
                "ChannelHangupRequest",
                "PlaybackFinished a failed",
                "ChannelEnteredBridge",
                "ChannelLeftBridge",
                "StasisEnd",
            ],
        )

    def test_a_restart_forgets_telephones_and_bridges(self) -> None:
        self.converse("answers press 1 hangs-up 60")
        self.on.state.clear()
        self.assertEqual(self.on.state.dialled_phones, {})
        self.assertEqual(self.on.state.bridges, {})
        self.assertEqual(self.on.clock.getDelayedCalls(), [])
