"""Subscriptions of a program to events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.logger import LogLevel

from channel_aa.ari.api import events
from channel_aa.ari.events import ChannelData, StasisEnd
from tests.support.ari_fakes import APP, AriTestCase

if TYPE_CHECKING:
    from channel_aa.ari.subscriptions import EventStream

TIMESTAMP = "2026-11-28T01:17:16.123+0000"
SUBSCRIPTION = f"applications/{APP}/subscription?eventSource="


def channel(channel_id: str = "c1") -> dict[str, Any]:
    """Make Asterisk's description of a channel."""
    party = {"name": "", "number": ""}
    return {
        "id": channel_id,
        "protocol_id": "",
        "name": f"PJSIP/{channel_id}",
        "state": "Up",
        "caller": party,
        "connected": party,
        "accountcode": "",
        "dialplan": {
            "context": "default",
            "exten": "1000",
            "priority": 1,
            "app_name": "Stasis",
            "app_data": APP,
        },
        "creationtime": TIMESTAMP,
        "language": "en",
    }


def _note(notes: list[str], text: str, _event: object) -> None:
    notes.append(text)


class SubscriptionTestCase(AriTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.events = self.client.events
        self.received: list[Any] = []

    def receive_event(self, kind: str, **fields: object) -> None:
        self.receive(kind, application=APP, timestamp=TIMESTAMP, **fields)

    def receive_device(self, name: str = "Stasis:a", state: str = "INUSE") -> None:
        device = {"name": name, "state": state}
        self.receive_event("DeviceStateChanged", device_state=device)

    def receive_hold(self, channel_id: str = "c1") -> None:
        self.receive_event("ChannelHold", channel=channel(channel_id))

    def allowed(self) -> set[str]:
        """Return the types of events in the latest filter."""
        body: Any = self.sender.filters[-1].body
        return {each["type"] for each in body["allowed"]}

    def reconnect(self) -> None:
        self.connection.lose()
        self.connection.open()
        self.client.reconciler.stop()

    def accept(self) -> str:
        """Accept the only request, and return its line."""
        exchange = self.sender.only_unanswered()
        exchange.accept(b"{}")
        return exchange.line


class FilterTests(SubscriptionTestCase):
    def test_subscribed_events_are_added_to_the_filter(self) -> None:
        before = self.allowed()
        self.events.on(events.ChannelHold, self.received.append)
        self.assertEqual(self.allowed(), before | {"ChannelHold"})

    def test_end_of_the_last_subscription_removes_them(self) -> None:
        before = self.allowed()
        first = self.events.on(events.ChannelHold, self.received.append)
        second = self.events.on(events.ChannelHold, self.received.append)
        first.cancel()
        self.assertIn("ChannelHold", self.allowed())
        second.cancel()
        self.assertEqual(self.allowed(), before)

    def test_events_that_the_client_needs_stay(self) -> None:
        self.events.on(events.StasisEnd, self.received.append).cancel()
        self.assertIn("StasisEnd", self.allowed())

    def test_another_subscription_to_the_same_event_sends_nothing(self) -> None:
        self.events.on(events.ChannelHold, self.received.append)
        before = len(self.sender.filters)
        self.events.on(events.ChannelHold, self.received.append)
        self.assertEqual(len(self.sender.filters), before)

    def test_filter_is_set_again_after_a_reconnect(self) -> None:
        self.events.on(events.ChannelHold, self.received.append)
        before = len(self.sender.filters)
        self.reconnect()
        self.assertEqual(len(self.sender.filters), before + 1)
        self.assertIn("ChannelHold", self.allowed())

    def test_nothing_is_sent_without_a_connection(self) -> None:
        self.connection.lose()
        before = len(self.sender.filters)
        self.events.on(events.ChannelHold, self.received.append, source="endpoint:A")
        self.assertEqual(len(self.sender.filters), before)
        self.assertEqual(self.sender.unanswered, [])

    def test_subscription_to_all_events(self) -> None:
        self.events.on(events.Event, self.received.append)
        self.assertLessEqual({"BridgeCreated", "Dial", "ChannelHold"}, self.allowed())
        self.receive_hold()
        self.receive_device()
        self.assertEqual(
            [type(each) for each in self.received],
            [events.ChannelHold, events.DeviceStateChanged],
        )


class SourceTests(SubscriptionTestCase):
    def test_application_is_subscribed_once_to_a_device(self) -> None:
        source = "deviceState:Stasis:a"
        kind = events.DeviceStateChanged
        first = self.events.on(kind, self.received.append, source=source)
        self.assertEqual(self.accept(), f"POST {SUBSCRIPTION}{source}")
        second = self.events.on(kind, self.received.append, source=source)
        first.cancel()
        self.assertEqual(self.sender.unanswered, [])
        second.cancel()
        self.assertEqual(self.accept(), f"DELETE {SUBSCRIPTION}{source}")

    def test_application_is_subscribed_again_after_a_reconnect(self) -> None:
        kind = events.EndpointStateChange
        source = "endpoint:PJSIP/410"
        self.events.on(kind, self.received.append, source=source)
        self.accept()
        self.reconnect()
        self.assertEqual(self.accept(), f"POST {SUBSCRIPTION}{source}")

    def test_application_is_not_subscribed_to_channels(self) -> None:
        self.events.on(events.ChannelHold, self.received.append, source="channel:c1")
        self.assertEqual(self.sender.unanswered, [])

    def test_refused_subscription_is_logged_and_not_repeated(self) -> None:
        self.events.on(
            events.DeviceStateChanged, self.received.append, source="deviceState:a"
        )
        self.sender.only_unanswered().refuse(422, "Invalid event source")
        self.assertEqual(self.sender.unanswered, [])
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("subscription of channel-aa to deviceState:a", line)
        self.assertIn("Invalid event source", line)

    def test_change_while_a_request_is_pending_follows_it(self) -> None:
        kind = events.DeviceStateChanged
        first = self.events.on(kind, self.received.append, source="deviceState:a")
        self.events.on(kind, self.received.append, source="deviceState:b")
        first.cancel()
        lines = [self.accept() for _ in range(3)]
        self.assertEqual(
            lines,
            [
                f"POST {SUBSCRIPTION}deviceState:a",
                f"POST {SUBSCRIPTION}deviceState:b",
                f"DELETE {SUBSCRIPTION}deviceState:a",
            ],
        )

    def test_loss_of_the_connection_while_a_request_is_pending(self) -> None:
        kind = events.DeviceStateChanged
        self.events.on(kind, self.received.append, source="deviceState:a")
        self.reconnect()
        self.assertEqual(self.accept(), f"POST {SUBSCRIPTION}deviceState:a")
        self.assertEqual(self.log.texts(level=LogLevel.warn), [])

    def test_only_events_of_the_source_are_handled(self) -> None:
        playback = {"id": "p1", "media_uri": "m", "target_uri": "channel:c1"}
        recording = {"name": "r1", "format": "wav", "target_uri": "bridge:b1"}
        endpoint = {
            "technology": "PJSIP",
            "resource": "410",
            "state": "online",
            "channel_ids": [],
        }
        cases: list[tuple[type[events.Event], dict[str, Any], set[str]]] = [
            (events.ChannelHold, {"channel": channel("c1")}, {"channel:c1"}),
            (
                events.PlaybackStarted,
                {"playback": {**playback, "state": "playing"}},
                {"playback:p1", "channel:c1"},
            ),
            (
                events.RecordingStarted,
                {"recording": {**recording, "state": "recording"}},
                {"recording:r1", "bridge:b1"},
            ),
            (
                events.EndpointStateChange,
                {"endpoint": endpoint},
                {"endpoint:PJSIP/410", "endpoint:PJSIP"},
            ),
            (
                events.DeviceStateChanged,
                {"device_state": {"name": "Stasis:a", "state": "BUSY"}},
                {"deviceState:Stasis:a"},
            ),
        ]
        sources = set().union(*[each for _, _, each in cases]) | {"channel:c2"}
        for kind, fields, expected in cases:
            with self.subTest(kind=kind.__name__):
                found = self.received = []
                made = [
                    self.events.on(kind, partial(_note, found, each), source=each)
                    for each in sources
                ]
                self.receive_event(kind.__name__, **fields)
                self.assertEqual(set(found), expected)
                self.assertEqual(len(found), len(expected))
                for subscription in made:
                    subscription.cancel()
        for exchange in self.sender.unanswered:
            exchange.accept(b"{}")

    def test_class_that_is_no_event_is_an_error(self) -> None:
        for kind in (StasisEnd, int):
            with self.subTest(kind=kind), self.assertRaises(TypeError) as raised:
                self.events.on(kind, self.received.append)  # type: ignore[type-var]
            self.assertIn("channel_aa.ari.api.events", str(raised.exception))

    def test_source_of_another_form_is_an_error(self) -> None:
        for source in ("c1", "channel:", "deviceState:a,endpoint:b", "agent:1"):
            with self.subTest(source=source), self.assertRaises(ValueError) as raised:
                self.events.on(events.ChannelHold, self.received.append, source=source)
            self.assertIn(repr(source), str(raised.exception))


class HandlerTests(SubscriptionTestCase):
    def test_handler_gets_the_whole_event(self) -> None:
        self.events.on(events.ChannelHold, self.received.append)
        self.receive_hold()
        [event] = self.received
        self.assertEqual(event.channel.dialplan.exten, "1000")
        self.assertEqual(event.timestamp.year, 2026)

    def test_client_has_handled_the_event_before(self) -> None:
        def handler(event: events.StasisStart) -> None:
            self.received.append(event.channel.id in self.client.channels)

        self.events.on(events.StasisStart, handler)
        self.receive_event("StasisStart", channel=channel(), args=[])
        self.assertEqual(self.received, [True])

    def test_error_is_logged_and_affects_no_other_handler(self) -> None:
        def fails(_event: object) -> None:
            raise RuntimeError("went wrong")

        self.events.on(events.ChannelHold, fails)
        self.events.on(events.ChannelHold, self.received.append)
        self.receive_hold()
        self.assertEqual(len(self.received), 1)
        self.assertIn("A handler of ChannelHold failed", self.log.texts()[-1])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_coroutine_function(self) -> None:
        waiting: Deferred[None] = Deferred()

        async def handler(event: events.ChannelHold) -> None:
            await waiting
            self.received.append(event)
            raise RuntimeError("went wrong")

        self.events.on(events.ChannelHold, handler)
        self.receive_hold()
        self.assertEqual(self.received, [])
        waiting.callback(None)
        self.assertEqual(len(self.received), 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_handlers_are_called_in_the_order_of_the_subscriptions(self) -> None:
        expected = []
        for number, source in enumerate(("channel:c1", "", "channel:c1", "")):
            expected.append(str(number))
            note = partial(_note, self.received, str(number))
            self.events.on(events.ChannelHold, note, source=source)
        self.receive_hold()
        self.assertEqual(self.received, expected)

    def test_cancelled_subscription_gets_nothing(self) -> None:
        subscription = self.events.on(events.ChannelHold, self.received.append)
        subscription.cancel()
        subscription.cancel()
        self.receive_hold()
        self.assertEqual(self.received, [])

    def test_subscription_that_another_handler_of_the_event_cancels(self) -> None:
        self.events.on(events.ChannelHold, lambda _: second.cancel())
        second = self.events.on(events.ChannelHold, self.received.append)
        self.receive_hold()
        self.assertEqual(self.received, [])

    def test_event_that_is_not_as_described_is_dropped_and_logged_once(self) -> None:
        self.events.on(events.ChannelHold, self.received.append)
        for _ in range(2):
            self.receive_event("ChannelHold", channel={"id": "c1"})
        self.assertEqual(self.received, [])
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("ChannelHold: Object missing required field", line)

    def test_nothing_is_left_of_cancelled_subscriptions(self) -> None:
        for number in range(1000):
            source = f"channel:{number}"
            kind = events.ChannelHold
            self.events.on(kind, self.received.append, source=source).cancel()
            self.events.wait_for(kind, timeout=1, source=source)
            self.receive_hold(str(number))
        self.assertEqual(self.events._subscriptions, {})
        self.assertEqual(self.events._waits, set())
        self.assertEqual(self.events.types, set())


class WaitTests(SubscriptionTestCase):
    def test_first_event_that_fits(self) -> None:
        waiting = self.events.wait_for(
            events.ChannelHold,
            timeout=5,
            where=lambda event: event.channel.id == "c2",
        )
        self.receive_hold("c1")
        self.assertNoResult(waiting)
        self.receive_hold("c2")
        self.receive_hold("c2")
        self.assertEqual(self.successResultOf(waiting).channel.id, "c2")
        self.assertEqual(self.events.types, set())

    def test_timeout(self) -> None:
        waiting = self.events.wait_for(events.ChannelHold, timeout=5)
        self.clock.advance(5)
        self.failureResultOf(waiting, DeferredTimeoutError)
        self.assertEqual(self.events.types, set())

    def test_end_of_the_client(self) -> None:
        waiting = self.events.wait_for(events.ChannelHold, timeout=5)
        self.client.stopService()
        self.failureResultOf(waiting, CancelledError)

    def test_error_of_the_condition(self) -> None:
        def fails(_event: object) -> bool:
            raise RuntimeError("went wrong")

        waiting = self.events.wait_for(events.ChannelHold, timeout=5, where=fails)
        self.receive_hold()
        self.assertNoResult(waiting)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)


class StreamTests(SubscriptionTestCase):
    def read(self, stream: EventStream[events.ChannelHold]) -> Deferred[list[str]]:
        async def read() -> list[str]:
            self.received = []
            async for event in stream:
                self.received.append(event.channel.id)
            return self.received

        return Deferred.fromCoroutine(read())

    def test_events_before_and_while_they_are_awaited(self) -> None:
        stream = self.events.stream(events.ChannelHold)
        self.receive_hold("c1")
        self.receive_hold("c2")
        reading = self.read(stream)
        self.assertEqual(self.received, ["c1", "c2"])
        self.receive_hold("c3")
        stream.close()
        self.receive_hold("c4")
        self.assertEqual(self.successResultOf(reading), ["c1", "c2", "c3"])
        self.assertEqual(self.events.types, set())

    def test_end_of_the_client(self) -> None:
        reading = self.read(self.events.stream(events.ChannelHold))
        self.client.stopService()
        self.assertEqual(self.successResultOf(reading), [])

    def test_block_closes_the_stream(self) -> None:
        async def read() -> None:
            async with self.events.stream(events.ChannelHold) as stream:
                await anext(stream)

        reading = Deferred.fromCoroutine(read())
        self.receive_hold()
        self.successResultOf(reading)
        self.assertEqual(self.events.types, set())

    def test_cancelled_reader_loses_no_event(self) -> None:
        stream = self.events.stream(events.ChannelHold)
        reading = Deferred.fromCoroutine(anext(stream))
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.receive_hold("c1")
        again = Deferred.fromCoroutine(anext(stream))
        self.assertEqual(self.successResultOf(again).channel.id, "c1")
        stream.close()

    def test_second_reader_is_an_error(self) -> None:
        stream = self.events.stream(events.ChannelHold)
        first = Deferred.fromCoroutine(anext(stream))
        second = Deferred.fromCoroutine(anext(stream))
        self.failureResultOf(second, RuntimeError)
        self.receive_hold()
        self.successResultOf(first)
        stream.close()


class SettledTests(SubscriptionTestCase):
    def test_fires_at_once_if_nothing_is_pending(self) -> None:
        self.successResultOf(self.events.settled())
        self.successResultOf(self.client.when_connected())

    def test_fires_after_the_pending_request(self) -> None:
        kind = events.DeviceStateChanged
        self.events.on(kind, self.received.append, source="deviceState:a")
        settled = self.events.settled()
        self.assertNoResult(settled)
        self.accept()
        self.successResultOf(settled)

    def test_fires_after_the_next_connection(self) -> None:
        self.connection.lose()
        connected = self.client.when_connected()
        self.assertNoResult(connected)
        self.connection.open()
        self.client.reconciler.stop()
        self.successResultOf(connected)

    def test_cancellation_and_the_end_of_the_client(self) -> None:
        self.connection.lose()
        cancelled, waiting = self.events.settled(), self.events.settled()
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.client.stopService()
        self.failureResultOf(waiting, CancelledError)


class ConnectionTests(SubscriptionTestCase):
    def test_connections_and_losses(self) -> None:
        end_connected = self.events.on_connected(partial(self.received.append, "up"))
        end_lost = self.events.on_lost(partial(self.received.append, "down"))
        self.reconnect()
        self.assertEqual(self.received, ["down", "up"])
        for end in (end_connected, end_lost, end_lost):
            end()
        self.reconnect()
        self.assertEqual(self.received, ["down", "up"])

    def test_connection_counts_when_its_subscriptions_are_made(self) -> None:
        self.events.on_connected(partial(self.received.append, "up"))
        kind = events.DeviceStateChanged
        self.events.on(kind, self.received.append, source="deviceState:a")
        self.accept()
        self.reconnect()
        self.assertEqual(self.received, [])
        self.accept()
        self.assertEqual(self.received, ["up"])

    def test_connection_that_is_lost_before_is_none(self) -> None:
        self.events.on_connected(partial(self.received.append, "up"))
        self.events.on_lost(partial(self.received.append, "down"))
        kind = events.DeviceStateChanged
        self.events.on(kind, self.received.append, source="deviceState:a")
        self.accept()
        self.reconnect()
        self.connection.lose()
        self.assertEqual(self.received, ["down"])

    def test_error_is_logged_and_affects_no_other_handler(self) -> None:
        def fails() -> None:
            raise RuntimeError("went wrong")

        async def succeeds() -> None:
            self.received.append("up")

        self.events.on_connected(fails)
        self.events.on_connected(succeeds)
        self.reconnect()
        self.assertEqual(self.received, ["up"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class ChannelTests(SubscriptionTestCase):
    def test_handler_gets_the_events_of_its_channel(self) -> None:
        self.enter("c1").on(events.ChannelHold, self.received.append)
        self.receive_hold("c2")
        self.receive_hold("c1")
        self.assertEqual([each.channel.id for each in self.received], ["c1"])

    def test_subscription_ends_with_the_channel_after_the_end_itself(self) -> None:
        handle = self.enter("c1")
        handle.on(events.StasisEnd, self.received.append)
        handle.on(events.ChannelHold, self.received.append)
        self.receive_event("StasisEnd", channel=channel("c1"))
        self.assertEqual([type(e) for e in self.received], [events.StasisEnd])
        self.assertEqual(self.events._subscriptions, {})
        self.receive_hold("c1")
        self.assertEqual(len(self.received), 1)

    def test_cancelled_subscriptions_are_not_kept(self) -> None:
        handle = self.enter("c1")
        for _ in range(3):
            handle.on(events.ChannelHold, self.received.append).cancel()
        handle.on(events.ChannelHold, self.received.append)
        self.assertEqual(len(handle._subscriptions), 1)

    def test_subscription_follows_a_replaced_channel(self) -> None:
        handle = self.enter("c1")
        handle.on(events.ChannelHold, self.received.append)
        cancelled = handle.on(events.ChannelHold, self.received.append)
        cancelled.cancel()
        handle.replaced_by(ChannelData(id="c9", name="PJSIP/c9"))
        self.receive_hold("c1")
        self.receive_hold("c9")
        self.assertEqual([each.channel.id for each in self.received], ["c9"])
