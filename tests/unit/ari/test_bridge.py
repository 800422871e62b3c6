from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred

from channel_aa.ari import NotFoundError, PlaybackEnd, RecordingEnd, ServerError
from channel_aa.ari.api.events import ChannelEnteredBridge
from channel_aa.simulator.in_memory import pass_time, wait_for
from tests.support.ari_fakes import AriTestCase
from tests.support.programs import PATIENCE, ProgramTestCase

if TYPE_CHECKING:
    from channel_aa.ari import Bridge, Channel


class BridgeTests(ProgramTestCase):
    async def wait(self, channel: Channel) -> None:
        await channel.answer()
        await Deferred()

    def prepared(self, *, callers: int) -> tuple[Bridge, list[Channel]]:
        """Make a bridge, and answered calls."""
        bridge = self.client.prepare_bridge(name="conference")
        wait_for(self.clock, bridge.create(), seconds=PATIENCE)
        self.callers = [self.call(self.wait) for _ in range(callers)]
        self.clock.pump([0.1] * 5)
        return bridge, [channel for channel, _ in self.calls]

    def wait_for(self, deferred: Deferred[None]) -> None:
        wait_for(self.clock, deferred, seconds=PATIENCE)
        self.clock.pump([0.1] * 5)

    def test_channels_that_enter_and_leave_are_known(self) -> None:
        bridge, channels = self.prepared(callers=3)
        entered: list[str] = []
        bridge.on(
            ChannelEnteredBridge,
            lambda event: entered.append(event.channel.id if event.channel else ""),
        )
        self.wait_for(bridge.add(*channels))
        ids = [each.id for each in channels]
        self.assertEqual(bridge.channels, frozenset(ids))
        self.wait_for(bridge.remove(channels[0]))
        self.assertEqual(bridge.channels, frozenset(ids[1:]))
        self.callers[1].hang_up()
        self.clock.pump([0.1] * 5)
        self.assertEqual(bridge.channels, {ids[2]})
        self.assertEqual(sorted(entered), sorted(ids))

    def test_destroyed_bridge_is_over(self) -> None:
        bridge, channels = self.prepared(callers=1)
        self.wait_for(bridge.add(channels[0]))
        self.wait_for(bridge.destroy())
        self.assertTrue(bridge.is_over)
        self.assertEqual(bridge.channels, frozenset())
        self.assertEqual(self.simulator.state.bridges, {})
        self.assertEqual(len(self.client.channels), 1)

    def test_bridge_that_another_program_destroys_is_over(self) -> None:
        bridge, channels = self.prepared(callers=1)
        self.wait_for(bridge.add(channels[0]))
        self.wait_for(self.client.api.bridges.destroy(bridge_id=bridge.id))
        self.assertTrue(bridge.is_over)

    def test_bridge_that_is_over_is_made_anew(self) -> None:
        bridge, channels = self.prepared(callers=1)
        self.wait_for(bridge.destroy())
        self.wait_for(bridge.create())
        self.assertFalse(bridge.is_over)
        self.wait_for(bridge.add(channels[0]))
        self.assertEqual(bridge.channels, {channels[0].id})
        self.wait_for(bridge.destroy())
        self.assertTrue(bridge.is_over)

    def test_bridge_that_is_not_found_is_over(self) -> None:
        """Asterisk sends no event of a bridge that never had a channel of ours."""
        bridge, channels = self.prepared(callers=1)
        self.wait_for(self.client.api.bridges.destroy(bridge_id=bridge.id))
        with self.assertRaises(NotFoundError):
            self.wait_for(bridge.add(channels[0]))
        self.assertTrue(bridge.is_over)

    def test_channels_are_known_after_a_lost_connection(self) -> None:
        bridge, channels = self.prepared(callers=2)
        self.wait_for(bridge.add(*channels))
        self.link.cut()
        self.clock.advance(1)
        self.callers[0].hang_up()
        self.clock.advance(1)
        self.link.mend()
        pass_time(self.clock, until=lambda: self.client.is_connected, seconds=PATIENCE)
        self.clock.pump([0.1] * 10)
        self.assertEqual(bridge.channels, {channels[1].id})

    def test_bridge_that_is_gone_after_a_lost_connection_is_over(self) -> None:
        bridge, _ = self.prepared(callers=0)
        self.link.cut()
        self.clock.advance(1)
        self.simulator.state.bridges[bridge.id].destroy()
        self.link.mend()
        pass_time(self.clock, until=lambda: bridge.is_over, seconds=PATIENCE)

    def test_lost_response_makes_no_second_bridge(self) -> None:
        self.simulator.faults.lose_answer("POST /bridges/*")
        bridge, _ = self.prepared(callers=0)
        self.assertEqual(list(self.simulator.state.bridges), [bridge.id])

    def test_reconciliation_does_not_end_a_bridge_that_is_being_created(self) -> None:
        self.link.drop()
        bridge = self.client.prepare_bridge()
        created = bridge.create()
        wait_for(self.clock, created, seconds=PATIENCE)
        self.clock.pump([0.1] * 5)
        self.assertFalse(bridge.is_over)
        self.assertIn("ChannelEnteredBridge", self.client.events.types)

    def test_bridge_without_two_channels_stays_after_a_reconnect(self) -> None:
        """Those of conversations are removed then."""
        bridge, _ = self.prepared(callers=0)
        self.link.drop()
        self.clock.pump([1] * 5)
        self.assertEqual(list(self.simulator.state.bridges), [bridge.id])

    def test_stop_of_the_client_leaves_it_in_asterisk(self) -> None:
        bridge, _ = self.prepared(callers=0)
        wait_for(self.clock, self.client.stopService(), seconds=PATIENCE)
        self.assertTrue(bridge.is_over)
        self.assertEqual(list(self.simulator.state.bridges), [bridge.id])


class BridgeRequestTests(AriTestCase):
    """What the simulator does not have: sounds, music and recordings of a bridge."""

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.client.prepare_bridge(kind="holding", name="queue")
        self.created = self.bridge.create()
        while "eventFilter" in self.sender.only_unanswered().line:
            self.sender.only_unanswered().accept(b"{}")
        self.path = f"bridges/{self.bridge.id}"

    def sent(self) -> str:
        request = self.sender.only_unanswered()
        request.accept(b"{}")
        return request.line.replace(self.path, "BRIDGE")

    def test_requests(self) -> None:
        self.assertEqual(self.sent(), "POST BRIDGE?type=holding&name=queue")
        self.successResultOf(self.created)
        for deferred, expected in (
            (
                lambda: self.bridge.add("1.1", role="announcer", mute=True),
                "POST BRIDGE/addChannel?channel=1.1&role=announcer&mute=true",
            ),
            (
                lambda: self.bridge.start_music("jazz"),
                "POST BRIDGE/moh?mohClass=jazz",
            ),
            (self.bridge.stop_music, "DELETE BRIDGE/moh"),
        ):
            done = deferred()
            self.assertEqual(self.sent(), expected)
            self.successResultOf(done)

    def test_second_creation_waits_for_the_first(self) -> None:
        again, cancelled = self.bridge.create(), self.bridge.create()
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.assertNoResult(again)
        self.sent()
        for created in (self.created, again, self.bridge.create()):
            self.successResultOf(created)
        self.assertEqual(self.sender.unanswered, [])

    def test_failed_creation_is_tried_again(self) -> None:
        again = self.bridge.create()
        self.sender.only_unanswered().refuse(500)
        for created in (self.created, again):
            self.failureResultOf(created, ServerError)
        created = self.bridge.create()
        self.assertEqual(self.sent(), "POST BRIDGE?type=holding&name=queue")
        self.successResultOf(created)

    def test_phones_in_a_mixing_bridge_report_their_keys(self) -> None:
        self.sent()
        self.client.prepare_bridge().create()
        self.assertIn("?type=mixing%2Cdtmf_events&", self.sent())

    def test_sound(self) -> None:
        self.sent()
        playback = self.bridge.play("sound:hello")
        line = f"POST BRIDGE/play/{playback.id}?media=sound:hello"
        self.assertEqual(self.sent(), line)
        for control, operation in (
            (playback.pause, "pause"),
            (playback.resume, "unpause"),
            (playback.restart, "restart"),
            (playback.skip_back, "reverse"),
            (playback.skip_forward, "forward"),
        ):
            done = control()
            self.assertEqual(
                self.sent(),
                f"POST playbacks/{playback.id}/control?operation={operation}",
            )
            self.successResultOf(done)
        self.receive("BridgeDestroyed", bridge={**BRIDGE, "id": self.bridge.id})
        self.assertIs(self.successResultOf(playback.finished), PlaybackEnd.FAILED)
        late = playback.pause()
        self.sender.only_unanswered().refuse(404)
        self.successResultOf(late)

    def test_recording(self) -> None:
        self.sent()
        recording = self.bridge.record("meeting", max_seconds=60)
        self.assertIn("POST BRIDGE/record?name=meeting&format=wav", self.sent())
        for control, line in (
            (recording.pause, "POST recordings/live/meeting/pause"),
            (recording.resume, "DELETE recordings/live/meeting/pause"),
            (recording.mute, "POST recordings/live/meeting/mute"),
            (recording.unmute, "DELETE recordings/live/meeting/mute"),
        ):
            done = control()
            self.assertEqual(self.sent(), line)
            self.successResultOf(done)
        recording.stop()
        self.assertEqual(self.sent(), "POST recordings/live/meeting/stop")
        described = {"name": "meeting", "format": "wav", "state": "done"}
        target = {"target_uri": f"bridge:{self.bridge.id}"}
        self.receive("RecordingFinished", recording={**described, **target})
        self.assertIs(self.successResultOf(recording.finished), RecordingEnd.DONE)


BRIDGE = {
    "id": "",
    "technology": "holding_bridge",
    "bridge_type": "holding",
    "bridge_class": "stasis",
    "creator": "Stasis",
    "name": "queue",
    "channels": [],
    "creationtime": "2026-11-28T12:00:00.000+0000",
}
