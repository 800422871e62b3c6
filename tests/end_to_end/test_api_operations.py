"""Every operation of ARI on the real Asterisk: its request, its result, its events."""

from __future__ import annotations

import json
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, Union

import msgspec
import pytest
import pytest_twisted

from channel_aa.ari import (
    AriError,
    ForbiddenError,
    NotFoundError,
    ServerError,
    Transport,
)
from channel_aa.ari.api import (
    Api,
    ReportedVariable,
    UnsupportedOperationError,
    events,
)
from channel_aa.ari.api.models import ConfigTuple
from channel_aa.ari.api.operation import Body, Operation, Resource, Segment
from real_asterisk.harness import Asterisk
from real_asterisk.phones.call import Call
from real_asterisk.phones.phone import registered_phones
from real_asterisk.sounds import LONG, PRESS_1
from tests.support.asterisk_harness import APP, RealAsteriskHarness
from tests.support.client_harness import ClientHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.posixbase import PosixReactorBase

    from channel_aa.ari.api.models import Channel
    from channel_aa.ari.wire.requests import Request
    from real_asterisk.installation import Installation
    from real_asterisk.raw_ari import Events

pytestmark = pytest.mark.asterisk

T = TypeVar("T")

SOUND = f"sound:{PRESS_1}"
LONG_SOUND = f"sound:{LONG}"
PHONE = "Local/answers@phones"
MODULES = ("res_stasis_broadcast.so", "app_stasis_broadcast.so")
MAILBOXES = {"mailboxes.list", "mailboxes.get", "mailboxes.update", "mailboxes.delete"}
"""Debian's package does not have the module of these."""

decode_event = msgspec.json.Decoder(
    Union[tuple(events.Event.__subclasses__())]  # noqa: UP007 - made from a list
).decode


def undescribed(found: object, model: object, place: str = "$") -> list[str]:
    """Return the places of JSON that a model, as plain data, does not have."""
    if isinstance(found, dict) and isinstance(model, dict):
        return [
            each
            for key, value in found.items()
            for each in (
                undescribed(value, model[key], f"{place}.{key}")
                if key in model
                else [f"{place}.{key}"]
            )
        ]
    if isinstance(found, list) and isinstance(model, (list, tuple)):
        return [
            each
            for one, other in zip(found, model, strict=True)
            for each in undescribed(one, other, f"{place}[]")
        ]
    return []


class Scene:
    """A client, and the operations that it has called.

    Attributes:
        called: the names of the operations with a result so far.
        surprises: the fields of results that their models do not have.
    """

    def __init__(
        self, harness: ClientHarness, asterisk: Asterisk, monitor: Events
    ) -> None:
        self.harness = harness
        self.asterisk = asterisk
        self.monitor = monitor
        self.api = harness.client.api
        self.called: set[str] = set()
        self.surprises: set[str] = set()
        self._body = b""

    def observe(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note each operation that is called, and compare its result."""
        call, requests = Resource._call, self.harness.client.requests
        send = requests.send

        def observed_send(request: Request) -> Deferred[bytes]:
            return send(request).addCallback(self._note_body)

        def observed_call(
            resource: Resource, operation: Operation[T], *values: object
        ) -> Deferred[T]:
            result = call(resource, operation, *values)
            return result.addCallback(self._note_result, operation)

        monkeypatch.setattr(requests, "send", observed_send)
        monkeypatch.setattr(Resource, "_call", observed_call)

    def _note_body(self, body: bytes) -> bytes:
        self._body = body
        return body

    def _note_result(self, result: T, operation: Operation[T]) -> T:
        self.called.add(operation.name)
        if result is not None and not isinstance(result, bytes):
            found = undescribed(json.loads(self._body), msgspec.to_builtins(result))
            self.surprises |= {f"{operation.name}: {each}" for each in found}
        return result

    async def call(self) -> str:
        """Place a call, and return the id of its channel in the application."""
        return (await self.harness.call()).channel.id

    async def until_in_application(self, channel: Channel) -> None:
        client = self.harness.client
        await self.harness.until(lambda: channel.id in client.channels, "the channel")

    async def until_event(self, kind: str, about: str) -> Mapping[str, Any]:
        event = await self.monitor.wait_for(
            lambda it: it.type == kind and it.is_about(about)
        )
        return event.json


async def refused(status: int, result: Deferred[Any]) -> AriError:
    """Wait for the error of an operation that Asterisk refuses."""
    with pytest.raises(AriError) as raised:
        await result
    assert raised.value.status == status, raised.value
    return raised.value


async def call_modules_and_logs(scene: Scene) -> None:
    asterisk = scene.api.asterisk
    loaded = {each.name for each in await asterisk.list_modules()}
    for name in MODULES:
        if name not in loaded:
            await asterisk.load_module(module_name=name)
    await refused(409, asterisk.load_module(module_name=MODULES[0]))
    assert (await asterisk.get_module(module_name=MODULES[0])).status == "Running"
    await asterisk.reload_module(module_name="res_pjsip.so")
    await asterisk.unload_module(module_name="app_verbose.so")
    await asterisk.load_module(module_name="app_verbose.so")

    await asterisk.add_log(log_channel_name="api", configuration="notice,warning")
    [file] = [each for each in await asterisk.list_log_channels() if each.channel]
    # By its path, unlike the others.
    await asterisk.delete_log(log_channel_name=file.channel)
    await asterisk.add_log(log_channel_name="api", configuration="notice,warning")
    await asterisk.rotate_log(log_channel_name="api")


async def call_information_and_variables(scene: Scene) -> None:
    asterisk = scene.api.asterisk
    info = await asterisk.get_info(only=["system", "status"])
    assert info.system is not None
    assert info.status is not None
    assert info.config is None
    assert info.status.startup_time.utcoffset() is not None
    assert (await asterisk.get_info()).build is not None
    assert (await asterisk.ping()).ping == "pong"
    value = 'a b&c=d,"é"'
    await asterisk.set_global_var(variable="X", value=value)
    assert (await asterisk.get_global_var(variable="X")).value == value


async def call_dynamic_configuration(scene: Scene) -> None:
    asterisk = scene.api.asterisk
    contact = {"config_class": "res_pjsip", "object_type": "contact", "id": "x;@y"}
    uri = ConfigTuple(attribute="uri", value="sip:x@127.0.0.1:9")
    assert uri in await asterisk.update_object(**contact, fields=[uri])
    assert uri in await asterisk.get_object(**contact)
    await asterisk.delete_object(**contact)


async def call_applications(scene: Scene) -> None:
    applications = scene.api.applications
    assert APP in {each.name for each in await applications.list()}
    before = await applications.get(application_name=APP)
    subscribed = await applications.subscribe(
        application_name=APP,
        event_source=["endpoint:PJSIP/410", "deviceState:Stasis:a"],
    )
    assert subscribed.endpoint_ids == ("PJSIP/410",)
    unsubscribed = await applications.unsubscribe(
        application_name=APP,
        event_source=["endpoint:PJSIP/410", "deviceState:Stasis:a"],
    )
    assert unsubscribed.device_names == ()
    await applications.filter(
        application_name=APP, filter={"disallowed": [{"type": "ChannelHold"}]}
    )
    restored = await applications.filter(
        application_name=APP,
        filter={"allowed": before.events_allowed, "disallowed": []},
    )
    assert restored.events_disallowed == ()


async def call_endpoints(scene: Scene) -> None:
    endpoints, asterisk = scene.api.endpoints, scene.asterisk
    reactor = scene.harness.reactor
    async with registered_phones(reactor, asterisk.sip_port, "alice"):
        alice = await endpoints.get(tech="PJSIP", resource="alice")
        assert (alice.technology, alice.resource) == ("PJSIP", "alice")
        # Its state may change meanwhile.
        for listed in (
            await endpoints.list_by_tech(tech="PJSIP"),
            await endpoints.list(),
        ):
            assert "alice" in {each.resource for each in listed}
        sender = "sip:410@127.0.0.1"
        await endpoints.send_message(
            to="pjsip:alice", from_=sender, body="hello", variables={"X-A": "b"}
        )
        await endpoints.send_message_to_endpoint(
            tech="PJSIP", resource="alice", from_=sender, body="hello"
        )
        await endpoints.refer(to="pjsip:alice", from_=sender, refer_to="sip:1@x")
        await endpoints.refer_to_endpoint(
            tech="PJSIP", resource="alice", from_=sender, refer_to="sip:1@x"
        )


async def call_device_states(scene: Scene) -> None:
    states = scene.api.device_states
    await states.update(device_name="Stasis:a", device_state="INUSE")
    state = await states.get(device_name="Stasis:a")
    assert (state.name, state.state) == ("Stasis:a", "INUSE")
    assert state in await states.list()
    await states.delete(device_name="Stasis:a")


async def call_operations_that_are_forbidden(scene: Scene) -> None:
    """They are no matter of the user's rights: the connection stays."""
    channel_id = await scene.call()
    since = scene.harness.client.connected_since
    error = await refused(403, scene.api.channels.rtp_statistics(channel_id=channel_id))
    assert isinstance(error, ForbiddenError)
    endpoint = {"config_class": "res_pjsip", "object_type": "endpoint", "id": "x"}
    fields = [ConfigTuple(attribute="context", value="default")]
    result = scene.api.asterisk.update_object(**endpoint, fields=fields)
    assert isinstance(await refused(403, result), ForbiddenError)
    await scene.api.channels.hangup(channel_id=channel_id)
    assert scene.harness.client.connected_since == since


async def call_mailboxes(scene: Scene) -> None:
    mailboxes = scene.api.mailboxes
    for result in (
        mailboxes.list(),
        mailboxes.get(mailbox_name="410@default"),
        mailboxes.update(mailbox_name="410@default", old_messages=1, new_messages=2),
        mailboxes.delete(mailbox_name="410@default"),
    ):
        error = await refused(404, result)
        assert isinstance(error, UnsupportedOperationError)
        assert "res_ari_mailboxes.so" in error.message


async def call_sounds(scene: Scene) -> None:
    sounds = scene.api.sounds
    sound = await sounds.get(sound_id=PRESS_1)
    assert sound.formats[0].language == "en"
    assert sound in await sounds.list(lang="en", format=sound.formats[0].format)


async def call_indications(scene: Scene) -> None:
    channels, channel_id = scene.api.channels, await scene.call()
    for operation in (
        *(channels.answer, channels.ring, channels.ring_stop, channels.progress),
        *(channels.hold, channels.unhold, channels.start_moh, channels.stop_moh),
        *(channels.start_silence, channels.stop_silence),
    ):
        await operation(channel_id=channel_id)
    await channels.mute(channel_id=channel_id, direction="in")
    await channels.unmute(channel_id=channel_id, direction="in")
    await channels.send_dtmf(channel_id=channel_id, dtmf="12", between=10, duration=50)
    await channels.transfer_progress(channel_id=channel_id, states="channel_progress")
    [channel] = [each for each in await channels.list() if each.id == channel_id]
    assert channel == await channels.get(channel_id=channel_id)
    assert channel.state == "Up"
    assert channel.dialplan.app_name == "Stasis"
    await channels.hangup(channel_id=channel_id, reason="busy")
    await scene.until_event("ChannelDestroyed", channel_id)
    await refused(404, channels.get(channel_id=channel_id))


async def call_channel_variables(scene: Scene) -> None:
    channels, channel_id = scene.api.channels, await scene.call()
    await channels.set_channel_var(
        channel_id=channel_id, variable="A", value="x,y", report_events=True
    )
    variable = await channels.get_channel_var(channel_id=channel_id, variable="A")
    assert variable.value == "x,y"
    await channels.set_channel_var(channel_id=channel_id, variable="A", value="")
    await channels.set_channel_vars(
        channel_id=channel_id, variables={"B": "1", "C": ReportedVariable(value="2")}
    )
    names = ["B", "C", "CHANNEL(state)"]
    read = await channels.get_channel_vars(channel_id=channel_id, variables=names)
    assert read.variables == {"B": "1", "C": "2", "CHANNEL(state)": "Up"}
    names = ["C", "IF(1?a,b:c,d)"]
    read = await channels.get_channel_vars(channel_id=channel_id, variables=names)
    assert read.variables == {"C": "2", "IF(1?a,b:c,d)": "a,b"}
    await channels.hangup(channel_id=channel_id)


async def call_playbacks(scene: Scene) -> None:
    channels, channel_id = scene.api.channels, await scene.call()
    playbacks = scene.api.playbacks
    playback = await channels.play(
        channel_id=channel_id, media=[LONG_SOUND, SOUND], skip_ms=100, lang="en"
    )
    assert playback.next_media_uri == SOUND
    await scene.until_event("PlaybackStarted", playback.id)
    await playbacks.control(playback_id=playback.id, operation="pause")
    await playbacks.control(playback_id=playback.id, operation="unpause")
    state = (await playbacks.get(playback_id=playback.id)).state
    assert state == "playing"
    await playbacks.stop(playback_id=playback.id)
    await channels.play_with_id(
        channel_id=channel_id, playback_id="p", media=SOUND, offset_ms=500
    )
    await scene.until_event("PlaybackFinished", "p")
    playback = await channels.play(channel_id=channel_id, media=[SOUND, "sound:a,b"])
    assert playback.next_media_uri == "sound:a,b"
    await channels.hangup(channel_id=channel_id)


async def call_recordings(scene: Scene) -> None:
    channels, channel_id = scene.api.channels, await scene.call()
    recordings = scene.api.recordings
    live = await channels.record(
        channel_id=channel_id, name="r/1", format="wav", if_exists="overwrite"
    )
    assert (live.name, live.target_uri) == ("r/1", f"channel:{channel_id}")
    await scene.until_event("RecordingStarted", "r/1")
    assert (await recordings.get_live(recording_name="r/1")).state == "recording"
    for operation in (
        *(recordings.pause, recordings.unpause, recordings.mute, recordings.unmute),
        recordings.stop,
    ):
        await operation(recording_name="r/1")
    await scene.until_event("RecordingFinished", "r/1")
    stored = await recordings.get_stored(recording_name="r/1")
    assert stored in await recordings.list_stored()
    audio = await recordings.get_stored_file(recording_name="r/1")
    assert audio[:4] == b"RIFF"
    await recordings.copy_stored(recording_name="r/1", destination_recording_name="r/2")
    await recordings.delete_stored(recording_name="r/2")
    await refused(404, recordings.get_stored(recording_name="r/2"))
    names = (f"c{number}" for number in count())
    name = ""

    async def record() -> None:
        nonlocal name
        name = next(names)
        await channels.record(channel_id=channel_id, name=name, format="wav")
        await scene.until_event("RecordingStarted", name)

    async def is_cancelled() -> bool:
        try:
            await recordings.cancel(recording_name=name)
        except ServerError:  # too early: the recording has only just started
            return False
        except NotFoundError:  # the refused request has cancelled it all the same
            await record()
            return False
        return True

    await record()
    await until(scene.harness.reactor, is_cancelled)
    await channels.hangup(channel_id=channel_id)


async def call_outbound_channels(scene: Scene) -> None:
    channels = scene.api.channels
    made = [
        await channels.originate(
            endpoint=PHONE,
            app=APP,
            app_args="one,two",
            formats="ulaw",
            timeout=5,
            variables={"Z": "1", "Y": ReportedVariable(value="2")},
        ),
        await channels.originate_with_id(
            channel_id="o1", endpoint=PHONE, app=APP, formats="ulaw"
        ),
        await channels.create(channel_id="o2", endpoint=PHONE, app=APP, formats="ulaw"),
    ]
    for channel in made:
        await scene.until_in_application(channel)
    await channels.dial(channel_id="o2", timeout=5)
    variable = await channels.get_channel_var(channel_id=made[0].id, variable="Z")
    assert variable.value == "1"
    await end_channels(scene, *made)


async def end_channels(scene: Scene, *channels: Channel) -> None:
    """Hang channels up; the application learns of their end."""
    for channel in channels:
        await scene.api.channels.hangup(channel_id=channel.id)
    await scene.harness.until(
        lambda: not {each.id for each in channels} & set(scene.harness.client.channels),
        "the end of the channels",
    )


async def call_snooping_and_external_media(scene: Scene) -> None:
    channels, channel_id = scene.api.channels, await scene.call()
    made = [
        await channels.snoop_channel(channel_id=channel_id, app=APP, spy="in"),
        await channels.snoop_channel_with_id(
            channel_id=channel_id, snoop_id="s", app=APP, whisper="out"
        ),
        await channels.external_media(
            app=APP,
            external_host="127.0.0.1:9",
            format="ulaw",
            channel_id="e",
            variables={"A": "1"},
        ),
    ]
    for channel in made:
        await scene.until_in_application(channel)
    await end_channels(scene, *made)
    await channels.hangup(channel_id=channel_id, reason_code="17")


async def call_rtp_statistics(scene: Scene) -> None:
    channels, asterisk = scene.api.channels, scene.asterisk
    reactor = scene.harness.reactor
    async with registered_phones(reactor, asterisk.sip_port, "alice") as [alice]:
        alice.on_call = Call.answer
        channel = await channels.originate(endpoint="PJSIP/alice", app=APP)
        await scene.until_in_application(channel)

        async def has_statistics() -> bool:
            try:
                read = await channels.rtp_statistics(channel_id=channel.id)
            except AriError:
                return False
            return read.channel_uniqueid == channel.id

        await until(reactor, has_statistics)
        await end_channels(scene, channel)


async def call_departures(scene: Scene) -> None:
    channels = scene.api.channels
    moved, continued, redirected = [await scene.call() for _ in range(3)]
    await channels.move(channel_id=moved, app="monitor", app_args="a,b")
    await scene.until_event("StasisStart", moved)
    await channels.continue_in_dialplan(
        channel_id=continued, context="elsewhere", extension="s", priority=1
    )
    await channels.redirect(channel_id=redirected, endpoint=PHONE)
    await scene.harness.until(
        lambda: not {moved, continued} & set(scene.harness.client.channels),
        "the departures",
    )
    for channel_id in (moved, continued):
        await channels.hangup(channel_id=channel_id)


async def call_bridges(scene: Scene) -> None:
    bridges, channel_id = scene.api.bridges, await scene.call()
    made = await bridges.create(type="mixing", name="made")
    assert made.name == "made"
    bridge = await bridges.create_with_id(
        bridge_id="b", type="mixing,dtmf_events", variables={"A": "1"}
    )
    assert bridge.id in {each.id for each in await bridges.list()}
    value = await bridges.get_bridge_var(bridge_id="b", variable="A")
    assert value.value == "1"
    await bridges.set_bridge_var(
        bridge_id="b", variable="B", value="2", report_events=True
    )
    await bridges.set_bridge_vars(
        bridge_id="b", variables={"C": ReportedVariable(value="3")}
    )
    read = await bridges.get_bridge_vars(bridge_id="b", variables=["A", "B", "C"])
    assert read.variables == {"A": "1", "B": "2", "C": "3"}

    await bridges.add_channel(bridge_id="b", channel=channel_id)
    assert (await bridges.get(bridge_id="b")).channels == (channel_id,)
    await bridges.set_video_source(bridge_id="b", channel_id=channel_id)
    await bridges.clear_video_source(bridge_id="b")
    await bridges.start_moh(bridge_id="b")
    await bridges.stop_moh(bridge_id="b")
    playback = await bridges.play(bridge_id="b", media=SOUND)
    await scene.until_event("PlaybackFinished", playback.id)
    await bridges.play_with_id(bridge_id="b", playback_id="bp", media=[SOUND])
    await scene.until_event("PlaybackFinished", "bp")
    await bridges.record(bridge_id="b", name="br", format="wav")
    await scene.until_event("RecordingStarted", "br")
    await scene.api.recordings.stop(recording_name="br")
    await bridges.remove_channel(bridge_id="b", channel=[channel_id])
    for bridge_id in ("b", made.id):
        await bridges.destroy(bridge_id=bridge_id)
    await scene.api.channels.hangup(channel_id=channel_id)


async def call_events(scene: Scene) -> None:
    channel_id = await scene.call()
    await scene.api.events.user_event(
        event_name="mine",
        application="monitor",
        source=[f"channel:{channel_id}"],
        variables={"a": {"b": [1, None]}},
    )
    event = await scene.until_event("ChannelUserevent", channel_id)
    decoded = decode_event(json.dumps(event))
    assert isinstance(decoded, events.ChannelUserevent)
    assert decoded.userevent["a"] == {"b": [1, None]}
    await scene.api.channels.hangup(channel_id=channel_id)


async def call_claim(scene: Scene) -> None:
    application = "StasisBroadcast 60000,,,yes"  # tells the others who has claimed it
    await scene.asterisk.cli(f"channel originate {PHONE} application {application}")
    offered = await scene.monitor.wait_for(lambda it: it.type == "CallBroadcast")
    channel_id = offered.json["channel"]["id"]
    claim = scene.api.events.claim_channel
    await claim(channel_id=channel_id, application=APP)
    await refused(409, claim(channel_id=channel_id, application="monitor"))
    await scene.monitor.wait_for(lambda it: it.type == "CallClaimed")
    client = scene.harness.client
    await scene.harness.until(lambda: channel_id in client.channels, "the channel")
    await scene.api.channels.hangup(channel_id=channel_id)


SCENARIOS = (
    *(call_modules_and_logs, call_information_and_variables),
    *(call_dynamic_configuration, call_applications, call_endpoints),
    *(call_device_states, call_mailboxes, call_sounds, call_indications),
    *(call_channel_variables, call_playbacks, call_recordings, call_departures),
    *(call_outbound_channels, call_snooping_and_external_media),
    call_operations_that_are_forbidden,
    *(call_rtp_statistics, call_bridges, call_events, call_claim),
)


def all_operations() -> list[Operation[Any]]:
    """Return all operations that the package has."""
    resources = [name for name, each in vars(Api).items() if hasattr(each, "func")]
    modules = [
        import_module(f"channel_aa.ari.api.operations.{name}") for name in resources
    ]
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, Operation)
    ]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("transport", [Transport.HTTP, Transport.WEBSOCKET])
async def test_every_operation(
    reactor: PosixReactorBase,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    transport: Transport,
) -> None:
    async with Asterisk.running(reactor, installation=installation) as asterisk:
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        monitor = await backend.listen_to_everything()
        harness = await ClientHarness.open(backend, transport)
        scene = Scene(harness, asterisk, monitor)
        try:
            with monkeypatch.context() as patch:
                scene.observe(patch)
                for scenario in SCENARIOS:
                    await scenario(scene)
            assert not scene.surprises, sorted(scene.surprises)
            expected = {each.name for each in all_operations()} - MAILBOXES
            assert expected - scene.called == set()
            assert_events_are_described(monitor)
        finally:
            await harness.close()
            await backend.close()


def assert_events_are_described(monitor: Events) -> None:
    """Decode all events so far: no field may be unknown to its class."""
    surprises = set()
    for event in monitor.all:
        decoded = decode_event(json.dumps(event.json))
        found = undescribed(event.json, msgspec.to_builtins(decoded))
        surprises |= {f"{event.type}: {each}" for each in found}
    assert not surprises, sorted(surprises)
    assert len({event.type for event in monitor.all}) > 20


@pytest_twisted.ensureDeferred
async def test_operations_that_asterisk_16_lacks(
    reactor: PosixReactorBase, installation_of_16: Installation
) -> None:
    async with Asterisk.running(reactor, installation=installation_of_16) as asterisk:
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        harness = await ClientHarness.open(backend, Transport.HTTP)
        try:
            version = harness.client.asterisk_version
            lacking = [each for each in all_operations() if not each.is_in(version)]
            assert len(lacking) == 11
            for operation in lacking:
                resource, _, name = operation.name.partition(".")
                arguments = {
                    each.name: {} if isinstance(each, Body) else "x"
                    for each in operation.arguments
                    if each.is_required or isinstance(each, Segment)
                }
                method = getattr(getattr(harness.client.api, resource), name)
                with pytest.raises(UnsupportedOperationError) as raised:
                    await method(**arguments)
                assert f"Asterisk {version} does not have" in raised.value.message
        finally:
            await harness.close()
            await backend.close()
