from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.simulator import ScriptError
from channel_aa.simulator.api import Api
from channel_aa.simulator.dialplan import CallerId
from channel_aa.simulator.phone_behaviour import PhoneBehaviour, Phones
from channel_aa.simulator.routes import ROOT
from channel_aa.simulator.simulated_phone import SimulatedPhone
from tests.support.simulated import SimulatedPbx

if TYPE_CHECKING:
    from channel_aa.simulator.responses import Response


class ParsingTests(SynchronousTestCase):
    def test_behaviour_is_parsed(self) -> None:
        for text, phone in (
            ("answers", PhoneBehaviour()),
            ("answers 2", PhoneBehaviour(answers_after=2.0)),
            ("answers hangs-up 5", PhoneBehaviour(hangs_up_after=5.0)),
            (
                "answers 1.5 press 12# hangs-up 3",
                PhoneBehaviour(answers_after=1.5, keys="12#", hangs_up_after=3.0),
            ),
            (
                "answers 2 at PJSIP/411",
                PhoneBehaviour(answers_after=2.0, picked_up_by="PJSIP/411"),
            ),
            (
                "answers transfers-to PJSIP/411 after 5",
                PhoneBehaviour(transfers_to="PJSIP/411", transfers_after=5.0),
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

    def test_unknown_behaviour_is_refused_with_a_reason(self) -> None:
        for text, message in (
            ("dances", "unknown behaviour 'dances'; a phone can do: answers, busy"),
            ("", "unknown behaviour ''"),
            ("busy soon", "write a number of seconds: busy 2"),
            ("busy 1 2", "write only a number of seconds after 'busy'"),
            ("answers 1 press x", "write one of hangs-up 5, press 12#"),
        ):
            error = self.assertRaises(ScriptError, PhoneBehaviour.parse, text)
            self.assertIn(message, str(error))

    def test_phones_are_found_by_pattern_and_default(self) -> None:
        phones = Phones(
            {"PJSIP/41*": "busy", "PJSIP/4*": "rings", "*": PhoneBehaviour()}
        )
        self.assertEqual(phones.find("PJSIP/410"), PhoneBehaviour.parse("busy"))
        self.assertEqual(phones.find("PJSIP/420"), PhoneBehaviour.parse("rings"))
        self.assertEqual(phones.find("Local/410@phones"), PhoneBehaviour())
        self.assertIsNone(Phones().find("PJSIP/410"))

    def test_caller_id_is_parsed(self) -> None:
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
        self.pbx = SimulatedPbx()
        self.api = Api(self.pbx.state, ROOT)
        self.caller = self.pbx.caller

    def ask(self, method: str, path: str, **given: object) -> Response:
        answer = self.api.dispatch(method, path.split("/"), given)
        if isinstance(answer, Deferred):
            return self.successResultOf(answer)
        return answer

    @property
    def phones(self) -> list[SimulatedPhone]:
        listeners = [each.listener for each in self.pbx.state.channels.values()]
        return [each for each in listeners if isinstance(each, SimulatedPhone)]

    def ring(self, phone: str, **given: object) -> Response:
        self.pbx.state.phones.change("PJSIP/410", PhoneBehaviour.parse(phone))
        self.pbx.forget_events()
        asked = {"endpoint": "PJSIP/410", "app": "channel-aa", **given}
        answer = self.ask("POST", "channels/dialled", **asked)
        self.pbx.clock.advance(0)
        return answer

    def converse(self, phone: str = "answers") -> None:
        """Let the caller speak with a phone."""
        self.ring(phone)
        self.pbx.pass_time(0.1)
        self.ask("POST", "bridges/one")
        both = f"{self.caller.channel.id},dialled"
        added = self.ask("POST", "bridges/one/addChannel", channel=both)
        self.assertEqual(added.status, 204)

    @property
    def became(self) -> list[str]:
        return [it["dialstatus"] for it in self.pbx.events if it["type"] == "Dial"]

    def heard(self) -> list[tuple[str, str]]:
        return [(each.media, each.how) for each in self.caller.heard]

    def test_phone_rings_for_the_given_seconds(self) -> None:
        self.ring("answers 3")
        self.pbx.pass_time(2.9)
        self.assertEqual(self.became, ["", "RINGING"])
        self.pbx.pass_time(0.2)
        self.assertEqual(self.became, ["", "RINGING", "ANSWER"])
        self.assertEqual(self.pbx.published[-1], "StasisStart")

    def test_refusing_phone_ends_with_its_status_and_cause(self) -> None:
        for phone, status, cause in (
            ("busy", "BUSY", 17),
            ("congested 1", "CONGESTION", 34),
            ("declines 1", "NOANSWER", 21),
            ("unallocated", "NOANSWER", 1),
        ):
            self.ring(phone)
            self.pbx.pass_time(1.5)
            self.assertEqual(
                self.pbx.published[-3:],
                ["ChannelHangupRequest", "Dial", "ChannelDestroyed"],
            )
            self.assertEqual(self.became[-1], status)
            self.assertEqual(self.pbx.events[-1]["cause"], cause)
            self.assertEqual(self.phones, [])

    def test_answering_phone_presses_keys_and_hangs_up(self) -> None:
        self.ring("answers press 12 hangs-up 2")
        self.pbx.pass_time(1)
        self.assertEqual(
            self.pbx.published[-2:], ["ChannelDtmfReceived 1", "ChannelDtmfReceived 2"]
        )
        self.pbx.pass_time(1.5)
        self.assertEqual(self.phones, [])
        self.assertEqual(self.pbx.published[-1], "ChannelDestroyed")
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])

    def test_ringing_phone_can_be_answered_and_hung_up(self) -> None:
        self.ring("rings")
        self.pbx.pass_time(5)
        (phone,) = self.phones
        self.assertEqual(phone.endpoint, "PJSIP/410")
        phone.answer()
        self.assertEqual(self.became[-1], "ANSWER")
        phone.answer()
        self.assertEqual(self.became.count("ANSWER"), 1)
        phone.hang_up()
        self.assertEqual(phone.outcome, "hung up by phone")
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])

    def test_phone_without_a_timeout_rings_on(self) -> None:
        self.ring("rings", timeout=-1)
        self.pbx.pass_time(500)
        self.assertEqual(len(self.phones), 1)

    def test_bridged_parties_hear_each_other(self) -> None:
        self.converse()
        (phone,) = self.phones
        self.assertEqual(self.heard(), [("voice:PJSIP/410", "")])
        self.assertEqual(phone.heard, ["voice:PJSIP/alice"])
        phone.hang_up()
        self.assertEqual(self.heard(), [("voice:PJSIP/410", "stopped")])

    def test_bridge_ends_ringing_and_music(self) -> None:
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

    def test_playback_ends_ringing_but_not_the_bridge(self) -> None:
        self.ask("POST", f"channels/{self.caller.channel.id}/ring")
        self.pbx.play("a", "sound:or")
        self.assertEqual(self.heard()[0], ("ringing", "stopped"))
        self.pbx.pass_time(1)
        self.converse()
        self.pbx.play("b", "sound:or")
        self.pbx.pass_time(1)
        self.assertEqual(
            self.heard()[1:],
            [("sound:or", "done"), ("voice:PJSIP/410", ""), ("sound:or", "done")],
        )

    def test_ringing_waits_for_the_playback_before_it(self) -> None:
        self.pbx.play("a", "sound:or")
        self.ask("POST", f"channels/{self.caller.channel.id}/ring")
        self.assertEqual(self.heard(), [("sound:or", "")])
        self.pbx.pass_time(1)
        self.assertEqual(self.heard(), [("sound:or", "done"), ("ringing", "")])
        self.ask("DELETE", f"channels/{self.caller.channel.id}/ring")
        self.assertEqual(self.heard()[-1], ("ringing", "stopped"))

    def test_channel_hung_up_while_queued_for_a_bridge_passes_through_it(
        self,
    ) -> None:
        self.ask("POST", "bridges/one")
        self.pbx.play("a", "tone:ring")
        path = ("bridges", "one", "addChannel")
        given = {"channel": self.caller.channel.id}
        waiting = self.api.dispatch("POST", path, given)
        assert isinstance(waiting, Deferred)
        self.assertNoResult(waiting)
        self.pbx.forget_events()
        self.caller.hang_up()
        self.assertEqual(self.successResultOf(waiting).status, 204)
        self.assertEqual(
            self.pbx.published,
            [
                "ChannelHangupRequest",
                "PlaybackFinished a failed",
                "ChannelEnteredBridge",
                "ChannelLeftBridge",
                "StasisEnd",
            ],
        )

    def test_restart_clears_phones_and_bridges(self) -> None:
        self.converse("answers press 1 hangs-up 60")
        self.pbx.state.clear()
        self.assertEqual(self.phones, [])
        self.assertEqual(self.pbx.state.bridges, {})
        self.assertEqual(self.pbx.clock.getDelayedCalls(), [])
