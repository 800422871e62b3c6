"""Channels and bridges that the client finds after connecting."""

from __future__ import annotations

import json

from tests.support.ari_cases import BRIDGES, ReconcileTestCase, in_stasis
from tests.support.ari_fakes import APP


class AdoptionTests(ReconcileTestCase):
    def test_unknown_channel_is_adopted(self) -> None:
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["GET channels/c1"])
        self.sender.only_unanswered().accept(in_stasis("c1", f"{APP},sales,a b,"))
        self.assertEqual(self.application.entered, [("c1", ("sales", "a b", ""))])
        self.assertEqual(self.application.adopted, ["c1"])
        self.assertEqual(self.client.channels["c1"].dialled, "1000")
        self.assertEqual(self.listener("c1").log, [])

    def test_sixteen_channels_are_adopted_at_a_time(self) -> None:
        channel_ids = [f"c{number}" for number in range(100)]
        self.reconnect(*channel_ids)
        most = 0
        while self.sender.unanswered:
            most = max(most, len(self.sender.unanswered))
            exchange = self.sender.unanswered[0]
            exchange.accept(in_stasis(exchange.request.path[-1]))
        self.assertEqual(sorted(self.application.adopted), sorted(channel_ids))
        self.assertEqual(most, 16)
        self.assertFalse(self.client.reconciler.is_running)

    def test_channel_of_a_forwarded_call_is_hung_up(self) -> None:
        self.reconnect("c1")
        self.sender.only_unanswered().accept(
            in_stasis("c1", f"{APP},channel-aa-dialled-1")
        )
        self.assertEqual(self.lines(), ["DELETE channels/c1"])
        self.sender.only_unanswered().accept()
        self.assertEqual(self.application.entered, [])

    def test_channels_outside_the_application_are_left_alone(self) -> None:
        self.reconnect("c1", "c2", "c3")
        first, second, third = self.sender.unanswered
        first.accept(in_stasis("c1", "another,sales"))
        second.accept(b'{"id":"c2","dialplan":{"app_name":"Wait","app_data":"1"}}')
        third.refuse(404)
        self.assertEqual(self.client.channels, {})

    def test_channel_that_enters_meanwhile_is_not_adopted(self) -> None:
        self.reconnect("c1")
        channel = self.enter("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertIs(self.client.channels["c1"], channel)
        self.assertEqual(len(self.application.entered), 1)
        self.assertEqual(self.application.adopted, [])

    def test_channel_that_enters_and_leaves_meanwhile_is_not_adopted(self) -> None:
        self.reconnect("c1")
        self.enter("c1")
        self.receive_channel("StasisEnd", "c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.client.channels, {})
        self.assertEqual(len(self.application.entered), 1)

    def test_channel_that_leaves_meanwhile_is_not_adopted(self) -> None:
        for kind in ("StasisEnd", "ChannelDestroyed"):
            self.reconnect("c1")
            self.receive_channel(kind, "c1")
            self.sender.only_unanswered().accept(in_stasis("c1"))
            self.assertEqual(self.client.channels, {})

    def test_failed_query_does_not_delay_other_adoptions(self) -> None:
        self.reconnect("c1", "c2")
        first, second = self.sender.unanswered
        first.refuse(500)
        second.accept(in_stasis("c2"))
        self.assertEqual(self.application.adopted, ["c2"])
        self.clock.advance(1)
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c2", "c1"])

    def test_adopted_channel_without_a_listener_continues_in_the_dialplan(self) -> None:
        self.application.is_raising = True
        self.reconnect("c1")
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.lines(), ["POST channels/c1/continue"])

    def test_ids_cannot_lead_to_other_paths(self) -> None:
        odd = ["..", ".", "a/b", "../x", "a%2Fb", "a?b#c", "ü", "x" * 250]
        self.reconnect(*odd)
        self.assertEqual(
            self.lines(),
            [
                "GET channels/a%2Fb",
                "GET channels/..%2Fx",
                "GET channels/a%252Fb",
                "GET channels/a%3Fb%23c",
                "GET channels/%C3%BC",
                f"GET channels/{'x' * 250}",
            ],
        )
        for exchange in self.sender.unanswered:
            exchange.accept(in_stasis(exchange.request.path[-1]))
        self.client.channels["../x"].hang_up().addErrback(lambda _: None)
        self.assertEqual(self.lines(), ["DELETE channels/..%2Fx"])
        self.sender.only_unanswered().accept()


class LeftoverTests(ReconcileTestCase):
    PHONE = "channel-aa-dialled-old-1"

    def test_outbound_channel_of_an_earlier_run_is_hung_up(self) -> None:
        for app_name, app_data in (
            ("Stasis", f"channel-aa,{self.PHONE}"),
            ("AppDial2", "(Outgoing Line)"),
        ):
            self.reconnect(self.PHONE, f"{self.PHONE};2")
            phone, far_half = self.sender.unanswered
            self.assertEqual(phone.line, f"GET channels/{self.PHONE}")
            self.assertEqual(far_half.line, f"GET channels/{self.PHONE}%3B2")
            far_half.refuse(404)
            dialplan = {"app_name": app_name, "app_data": app_data}
            phone.accept(json.dumps({"id": self.PHONE, "dialplan": dialplan}).encode())
            self.assertEqual(self.lines(), [f"DELETE channels/{self.PHONE}"])
            self.sender.only_unanswered().refuse(404)
            self.assertEqual(self.application.entered, [])

    def test_outbound_channel_elsewhere_is_left_alone(self) -> None:
        for app_name, app_data in (("Playback", "x"), ("Stasis", "other")):
            self.reconnect(self.PHONE)
            dialplan = {"app_name": app_name, "app_data": app_data}
            body = json.dumps({"id": self.PHONE, "dialplan": dialplan}).encode()
            self.sender.only_unanswered().accept(body)
            self.assertEqual(self.lines(), [])

    def test_outbound_channel_of_this_run_is_kept(self) -> None:
        phone = self.enter("c1").dial("PJSIP/410", ring_seconds=60)
        self.sender.only_unanswered().accept(b"{}")
        self.receive_channel("StasisStart", phone.id, args=[])
        self.sender.answers[f"GET channels/{phone.id}"] = in_stasis(phone.id)
        self.reconnect("c1", phone.id)
        self.assertEqual(self.lines(), [])
        self.receive_channel("StasisEnd", phone.id)

    def test_only_bridges_of_this_application_are_removed(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=[], somebody_elses=[])
        bridges = json.loads(self.sender.answers[BRIDGES])
        other = {"id": "channel-aa-bridge-other-1", "name": "channel-aa another"}
        self.sender.answers[BRIDGES] = json.dumps([*bridges, other]).encode()
        self.reconnect()
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
        self.sender.only_unanswered().accept()

    def test_caller_in_a_bridge_is_adopted_after_its_removal(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1"])
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
        self.sender.only_unanswered().accept()
        self.assertEqual(self.lines(), ["GET channels/c1"])
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c1"])

    def test_bridge_with_a_channel_outside_the_application_is_removed(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
        self.sender.only_unanswered().accept()
        self.sender.only_unanswered().accept(in_stasis("c1"))
        self.assertEqual(self.application.adopted, ["c1"])

    def test_phone_whose_early_media_is_heard_is_hung_up(self) -> None:
        for state in ("Down", "Ringing"):
            self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
            self.answer_phone(state)
            self.reconnect("c1", self.PHONE)
            self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-old-1"])
            self.sender.only_unanswered().accept()
            self.assertEqual(
                self.lines(), ["GET channels/c1", f"DELETE channels/{self.PHONE}"]
            )
            caller, phone = self.sender.unanswered
            phone.accept()
            caller.accept(in_stasis("c1"))
            self.assertEqual(self.application.adopted, ["c1"])
            self.application.adopted.clear()
            self.receive_channel("StasisEnd", "c1")

    def test_caller_who_enters_before_the_phone_is_known_is_not_adopted(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
        self.reconnect("c1", self.PHONE)
        question = self.sender.only_unanswered()
        self.assertEqual(question.line, f"GET channels/{self.PHONE}")
        self.enter("c1")
        question.refuse(404)
        self.sender.unanswered[0].accept()
        self.assertEqual(self.application.adopted, [])

    def answer_phone(self, state: str) -> None:
        """Set the state of the phone's channel."""
        phone = json.loads(in_stasis(self.PHONE))
        body = json.dumps({**phone, "state": state}).encode()
        self.sender.answers[f"GET channels/{self.PHONE}"] = body

    def adopt_conversation(self) -> None:
        self.answer_phone("Up")
        self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
        self.reconnect("c1", self.PHONE)
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.application.entered, [])

    def test_callers_beside_a_conversation_and_a_phone_are_adopted(self) -> None:
        stray = "channel-aa-dialled-old-2"
        self.client._context.cleanup.remove("channels", stray)
        removal = self.sender.only_unanswered()
        self.answer_phone("Up")
        self.list_bridges(channel_aa_bridge_old_1=["c1", self.PHONE])
        self.list_channels("c1", self.PHONE, stray, "c2")
        self.client.reconciler.start()
        self.assertEqual(self.lines(), [removal.line, "GET channels/c2"])
        self.sender.unanswered[1].accept(in_stasis("c2"))
        self.assertEqual(self.application.adopted, ["c2"])
        removal.accept()
        self.receive_channel("StasisEnd", "c1")
        self.end_conversation("c1")

    def end_conversation(self, left: str) -> None:
        """Check that all are removed but who has left by itself."""
        [other] = {"c1", self.PHONE} - {left}
        self.assertEqual(
            set(self.lines()),
            {f"DELETE channels/{other}", "DELETE bridges/channel-aa-bridge-old-1"},
        )
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual(self.client.bridges, {})

    def test_adopted_bridge_is_over_when_a_channel_ends(self) -> None:
        for leaver in ("c1", self.PHONE):
            self.adopt_conversation()
            self.receive_channel("StasisEnd", leaver)
            self.end_conversation(leaver)

    def test_adopted_bridge_is_over_when_a_channel_leaves_it(self) -> None:
        self.adopt_conversation()
        self.receive(
            "ChannelLeftBridge",
            bridge={"id": "channel-aa-bridge-old-1"},
            channel={"id": "c1"},
        )
        self.end_conversation("c1")

    def test_adopted_bridge_is_over_if_a_channel_left_unseen(
        self,
    ) -> None:
        self.adopt_conversation()
        self.list_bridges(channel_aa_bridge_old_1=["c1"])
        self.reconnect("c1")
        self.end_conversation(self.PHONE)

    def test_adopted_bridge_outlasts_another_lost_connection(self) -> None:
        self.adopt_conversation()
        self.reconnect("c1", self.PHONE)
        self.assertEqual(self.lines(), [])
        self.receive_channel("StasisEnd", "c1")
        self.end_conversation("c1")
