"""Limits on what Asterisk can make the client hold, and do in one turn."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import admission, transfers
from channel_aa.ari.events import (
    MAX_ARGUMENTS,
    MAX_LISTED,
    MAX_TEXT,
    MAX_VARIABLE,
    ChannelData,
    cut_arguments,
)
from channel_aa.ari.reconcile import EARLY_AUDIT_SECONDS, MAX_PER_TURN
from channel_aa.interfaces import DialOutcome
from channel_aa.menus.flow import MAX_CALLS
from tests.support.ari_cases import BRIDGES, LIST, ReconcileTestCase, in_stasis
from tests.support.turns import run_turn

if TYPE_CHECKING:
    from channel_aa.ari.channel import Channel

MEGABYTE = 1024 * 1024
FULL = "Channels enter faster than they can be served"


class FigureTests(SynchronousTestCase):
    def test_calls_above_the_limit_can_enter_to_be_turned_away(self) -> None:
        self.assertEqual(admission.MAX_CHANNELS, MAX_CALLS + 1000)


class AdmissionTests(ReconcileTestCase):
    """Channels that enter while there is no room."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(admission, "MAX_CHANNELS", 3)
        for channel_id in ("c1", "c2", "c3"):
            self.enter(channel_id)

    def enter_in_vain(self, channel_id: str) -> None:
        self.receive_channel("StasisStart", channel_id, args=[])
        self.assertNotIn(channel_id, self.client.channels)

    def excesses(self) -> int:
        return sum(FULL in line for line in self.log.texts())

    def audit(self, *listed: str) -> None:
        self.list_channels(*listed)
        self.client.reconciler.audit()

    def test_channel_above_the_limit_does_not_enter(self) -> None:
        self.enter_in_vain("c4")
        self.assertEqual(self.sender.lines, [])
        self.assertEqual(len(self.application.entered), 3)

    def test_excess_is_logged_once_for_a_connection(self) -> None:
        for number in range(10):
            self.enter_in_vain(f"x{number}")
        self.assertEqual(self.excesses(), 1)
        self.reconnect("c1", "c2", "c3")
        self.enter_in_vain("x")
        self.assertEqual(self.excesses(), 2)

    def test_channel_enters_once_there_is_room(self) -> None:
        self.enter_in_vain("c4")
        self.receive_channel("StasisEnd", "c1")
        self.audit("c2", "c3", "c4")
        self.clock.advance(EARLY_AUDIT_SECONDS)
        self.sender.only_unanswered().accept(in_stasis("c4"))
        self.assertEqual(self.application.entered[-1], ("c4", ()))
        self.assertEqual(self.application.adopted, [])

    def test_audit_adopts_no_channel_above_the_limit(self) -> None:
        for _ in range(3):
            self.audit("c1", "c2", "c3", "c4")
        self.assertEqual(self.sender.lines, [])

    def test_reconciliation_adopts_no_channel_above_the_limit(self) -> None:
        self.reconnect("c1", "c2", "c3", "c4", "c5")
        self.assertEqual(self.lines(), [])
        self.assertEqual(set(self.client.channels), {"c1", "c2", "c3"})

    def test_channel_in_place_of_an_unknown_one_does_not_enter(self) -> None:
        self.receive_channel("StasisStart", "c4", replace_channel={"id": "x"})
        self.assertNotIn("c4", self.client.channels)

    def test_no_channel_enters_while_too_many_requests_are_pending(self) -> None:
        self.patch(admission, "MAX_CHANNELS", 100)
        self.patch(admission, "MAX_PENDING_TO_ENTER", 2)
        for channel_id in ("c1", "c2"):
            self.client.channels[channel_id].answer().addErrback(lambda _: None)
        self.enter_in_vain("c4")
        self.sender.unanswered[0].accept()
        self.enter("c5")

    def test_pickup_of_a_ringing_phone_is_possible_while_full(self) -> None:
        phone = self.client.channels["c1"].dial("PJSIP/410", ring_seconds=20)
        outcomes: list[object] = []
        phone.outcome.addCallback(outcomes.append)
        self.sender.only_unanswered().accept(b"{}")
        self.receive("Dial", peer={"id": phone.id}, dialstatus="RINGING")
        self.receive_channel("StasisStart", "c4", args=[phone.id])
        self.assertEqual(outcomes, [DialOutcome.ANSWERED])
        self.receive_channel("ChannelDestroyed", "c4")

    def test_phone_of_a_forwarded_call_is_not_removed_while_full(self) -> None:
        """Each removal is a request, too."""
        self.receive_channel("StasisStart", "c4", args=["channel-aa-dialled-1"])
        self.assertEqual(self.sender.lines, [])


class TextTests(ReconcileTestCase):
    """Texts are cut when a channel enters."""

    LONG = "x" * MEGABYTE

    def enter_long(self, channel_id: str) -> Channel:
        party = {"name": self.LONG, "number": self.LONG}
        channel = {
            "id": channel_id,
            "name": self.LONG,
            "caller": party,
            "language": self.LONG,
            "dialplan": {"exten": self.LONG},
        }
        self.receive("StasisStart", channel=channel, args=[self.LONG, self.LONG])
        return self.client.channels[channel_id]

    def test_texts_of_a_channel_are_cut(self) -> None:
        channel = self.enter_long("c1")
        for text in (
            channel.name,
            channel.caller_name,
            channel.caller_number,
            channel.dialled,
            channel.language,
        ):
            self.assertEqual(len(text), MAX_TEXT)
        ((_, arguments),) = self.application.entered
        self.assertEqual(arguments, (self.LONG[:MAX_ARGUMENTS],))

    def test_texts_of_an_adopted_and_a_transferred_channel_are_cut(self) -> None:
        self.reconnect("c1")
        self.sender.only_unanswered().accept(in_stasis("c1", f"channel-aa,{self.LONG}"))
        ((_, arguments),) = self.application.entered
        self.assertEqual(len(arguments[0]), MAX_ARGUMENTS)
        channel = self.client.channels["c1"]
        channel.replaced_by(ChannelData(id="c2", name=self.LONG))
        self.assertEqual(channel.name, self.LONG[:MAX_TEXT])

    def test_long_names_use_no_memory(self) -> None:
        self.enter_long("first")
        tracemalloc.start()
        try:
            for number in range(20):
                self.enter_long(f"c{number}")
            self.application.entered.clear()
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        self.assertLess(held, MEGABYTE)

    def test_value_of_a_variable_is_cut(self) -> None:
        value = self.enter("c1").get_variable("X")
        self.sender.only_unanswered().accept(json.dumps({"value": self.LONG}).encode())
        self.assertEqual(self.successResultOf(value), self.LONG[:MAX_VARIABLE])

    def test_arguments_within_the_limit_are_kept(self) -> None:
        for arguments in ((), ("",), ("a", "", "b,c"), ("x" * (MAX_ARGUMENTS - 1),)):
            self.assertIs(cut_arguments(arguments), arguments)

    def test_arguments_above_the_limit_are_cut_in_all(self) -> None:
        for arguments in (["x" * 5000] * 5, [""] * 100_000, ["é" * 100_000]):
            cut = cut_arguments(arguments)
            self.assertLessEqual(len(",".join(cut)), MAX_ARGUMENTS)
            self.assertEqual(",".join(cut), ",".join(arguments)[:MAX_ARGUMENTS])


class AnsweringAll(dict[str, bytes]):
    """The answers of a `FakeSender` that answers each request at once."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__(answers)
        self.asked: list[str] = []

    def __contains__(self, line: object) -> bool:
        return True

    def __missing__(self, line: str) -> bytes:
        self.asked.append(line)
        return b""


class ListTests(ReconcileTestCase):
    """Long lists of channels and bridges."""

    def reconnect_with(self, **answers: bytes) -> None:
        for line, body in answers.items():
            self.sender.answers[{"channels": LIST, "bridges": BRIDGES}[line]] = body
        self.connection.lose()
        self.connection.open()

    def test_list_of_too_many_channels_is_refused(self) -> None:
        self.enter("c1")
        ids = ",".join(f'"{number}"' for number in range(400_000))
        body = f'{{"channel_ids":[{ids}]}}'.encode()
        tracemalloc.start()
        try:
            self.reconnect_with(channels=body)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 50 * MEGABYTE)
        self.assertEqual(self.sender.lines, [])
        self.assertIn("c1", self.client.channels)
        for _ in range(10):
            self.clock.advance(5)
        (line,) = [each for each in self.log.texts() if "list of calls" in each]
        self.assertIn(str(MAX_LISTED), line)
        self.list_channels("c1")
        self.clock.advance(5)
        self.assertFalse(self.client.reconciler.is_running)

    def test_list_of_too_many_bridges_is_refused(self) -> None:
        bridge = '{"id":"channel-aa-bridge-%d","name":"channel-aa channel-aa"}'
        bridges = ",".join(bridge % number for number in range(MAX_LISTED + 1))
        self.reconnect_with(bridges=f"[{bridges}]".encode())
        self.assertEqual(self.sender.lines, [])
        self.client.reconciler.stop()

    def test_bridges_are_removed_in_turns(self) -> None:
        count = 1000
        answers = AnsweringAll(self.sender.answers)
        self.sender.answers = answers
        removed = answers.asked
        self.list_bridges(**{f"channel_aa_bridge_{n}": [] for n in range(count)})
        self.connection.lose()
        self.connection.open()
        numbers = [len(removed)]
        while run_turn(self.clock):
            numbers.append(len(removed) - sum(numbers))
        self.assertEqual(sum(numbers), count)
        self.assertLessEqual(max(numbers), MAX_PER_TURN)

    def test_stop_during_the_removal_of_bridges_ends_the_reconciliation(self) -> None:
        self.list_bridges(channel_aa_bridge_1=[])
        self.reconnect("c1")
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-1"])
        self.client.reconciler.stop()
        self.assertEqual(self.lines(), ["DELETE bridges/channel-aa-bridge-1"])
        self.assertEqual(self.log.texts(), [])

    def test_fault_in_one_adoption_is_logged_and_others_go_on(self) -> None:
        faults = [RuntimeError("fault")]

        def picked_up(*_: object) -> None:
            if faults:
                raise faults.pop()

        self.patch(transfers, "picked_up", picked_up)
        self.reconnect("c1", "c2")
        for exchange in self.sender.unanswered:
            exchange.accept(in_stasis(exchange.request.path[-1]))
        self.assertEqual(self.application.adopted, ["c2"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_few_of_many_channels_are_queried_at_once(self) -> None:
        self.reconnect(*[f"c{number}" for number in range(MAX_LISTED)])
        self.assertEqual(len(self.sender.unanswered), 16)
        self.client.reconciler.stop()

    def test_missing_calls_are_ended_in_turns(self) -> None:
        count = 1000
        for number in range(count):
            self.enter(f"c{number}")
        self.reconnect()
        left = [len(self.client.channels)]
        while run_turn(self.clock):
            left.append(len(self.client.channels))
        self.assertEqual(left[-1], 0)
        most = max(
            before - after for before, after in zip([count, *left], left, strict=False)
        )
        self.assertLessEqual(most, MAX_PER_TURN)

    def test_id_that_is_too_long_is_ignored(self) -> None:
        self.reconnect("c" * 301)
        self.assertEqual(self.lines(), [])
