"""The programs of examples/ari on the real Asterisk, with SIP phones where it matters.

Others are in tests/contract: those that the simulator serves, too.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue

from channel_aa.ari import AriClient
from real_asterisk.harness import Asterisk
from real_asterisk.phones.call import Call
from real_asterisk.phones.phone import registered_phones, until_speaking
from real_asterisk.phones.rtp import PCMU, RtpPacket
from real_asterisk.phones.tones import ASTERISK, heard
from tests.support.ari_programs import EXAMPLES, Program, address_of, example
from tests.support.asterisk_harness import RealAsteriskHarness
from tests.support.waiting import TIMEOUT_SECONDS, until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.phones.phone import SipPhone

pytestmark = pytest.mark.asterisk


async def until_in_bridge(program: Program, bridge: Any, count: int) -> None:  # noqa: ANN401 - of an untyped module
    """Wait until a bridge of a program has so many channels."""
    await until(
        program.reactor,
        lambda: len(bridge.channels) == count,
        f"{count} channels in {bridge.name}",
    )


@pytest_twisted.ensureDeferred
async def test_conference(backend: RealAsteriskHarness, phones: list[SipPhone]) -> None:
    alice, bob, carol = phones
    conference = example("conference").Conference(address_of(backend))
    async with Program.running(backend, conference.client) as program:
        first = alice.dial("1000")
        await program.hears("conf-onlyperson", "beep")
        for phone in (bob, carol):
            phone.dial("1000")
        await until_in_bridge(program, conference.bridge, 3)
        await until_speaking(alice, bob, carol)
        await first.hang_up()
        await until_speaking(bob, carol)
        assert program.heard == ["conf-onlyperson", *["beep"] * 3]


@pytest_twisted.ensureDeferred
async def test_callers_wait_for_an_agent(
    backend: RealAsteriskHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    holding = example("holding_bridge").WaitingCallers(address_of(backend))
    async with Program.running(backend, holding.client) as program:
        gone = alice.dial("1000")
        await alice.until_hears(ASTERISK)  # the music
        waiting = bob.dial("1000")
        await until_in_bridge(program, holding.bridge, 2)
        await bob.until_hears(ASTERISK)  # and not alice
        await gone.hang_up()
        await until_in_bridge(program, holding.bridge, 1)
        agent = carol.dial("7agent")
        await until_speaking(bob, carol)
        await waiting.hang_up()
        await carol.until_hears()
        second = alice.dial("1000")
        await until_speaking(alice, carol)
        await agent.hang_up()
        await second.until_ended()
        await program.is_over()
    bridges = (await backend.ari.get("/bridges")).json
    assert [each["bridge_type"] for each in bridges] == ["holding"]


@pytest_twisted.ensureDeferred
async def test_bridge_operations(
    backend: RealAsteriskHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    rooms = example("bridge_operations").Rooms(address_of(backend))
    async with Program.running(backend, rooms.client) as program:
        first = alice.dial("1000")
        bob.dial("1000")
        await until_speaking(alice, bob)
        await first.press("1")
        await deferLater(backend.reactor, 0.5)  # a phone is silent while it sends keys
        await bob.until_hears()
        await alice.until_hears("bob")
        await first.press("1")
        await until_speaking(alice, bob)
        await first.press("3")
        await program.hears("beep")
        await first.press("2")
        await until_in_bridge(program, rooms.second, 1)
        await until_in_bridge(program, rooms.first, 1)
        await alice.until_hears()
        await first.press("2")
        await until_speaking(alice, bob)


@pytest_twisted.ensureDeferred
async def test_message_is_controlled_by_keys(backend: RealAsteriskHarness) -> None:
    mailbox = example("mailbox")
    async with Program.running(
        backend, mailbox.Mailbox(address_of(backend)).client
    ) as program:
        events = await backend.listen_to_everything()
        await record(backend, program, "voicemail/410/1")
        caller = await backend.place_call("7410")
        await program.hears("recording:voicemail/410/1")
        [playback] = program.client.playbacks.values()

        async def state() -> str:
            found = await program.client.api.playbacks.get(playback_id=playback.id)
            return found.state

        await caller.press("2")

        async def is_paused() -> bool:
            return await state() == "paused"

        await until(backend.reactor, is_paused)
        await caller.press("5")

        async def is_playing() -> bool:
            return await state() == "playing"

        await until(backend.reactor, is_playing)
        for key in "1349":
            await caller.press(key)
        await caller.press("#")
        await program.hears("vm-nomore", "vm-goodbye")
        await program.is_over()
        finished = await events.wait_for_type("PlaybackFinished", playback.id)
        assert finished.json["playback"]["state"] == "done"
    stored = (await backend.ari.get("/recordings/stored")).json
    assert [each["name"] for each in stored] == ["voicemail/410/1"]


async def record(backend: RealAsteriskHarness, program: Program, name: str) -> None:
    """Store a recording of some seconds."""
    prepare = program.client.prepare_call
    channel = await prepare("Local/speaks@phones").originate()
    await channel.record(
        name, max_seconds=4, max_silence_seconds=0, terminator="none", beep=False
    ).finished
    await channel.hang_up()
    await program.is_over()


@pytest_twisted.ensureDeferred
async def test_originate_connects_two_phones(
    backend: RealAsteriskHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    originate = example("originate")
    originate.FIRST, originate.SECOND = "PJSIP/alice", "PJSIP/bob"
    alice.on_call = Call.answer
    client = AriClient(address_of(backend))
    async with Program.running(backend, client) as program:
        connected = Deferred.fromCoroutine(originate.connect(client))
        called = await bob.until_called()
        await called.until_ringing()
        await alice.until_hears(ASTERISK)  # the ringing tone
        called.answer()
        await until_speaking(alice, bob)
        await called.hang_up()
        await connected
        await alice.calls[0].until_ended()
        await program.is_over()


@pytest_twisted.ensureDeferred
async def test_program_ends_with_its_coroutine(backend: RealAsteriskHarness) -> None:
    output, errors, status = await getProcessOutputAndValue(
        sys.executable,
        [
            str(EXAMPLES / "originate.py"),
            *(backend.url, backend.username, backend.password),
        ],
        env={"PYTHONPATH": str(EXAMPLES.parents[1])},
        reactor=backend.reactor,
    )
    assert (errors, status) == (b"", 0)
    assert b"PJSIP/410 did not answer" in output


@pytest_twisted.ensureDeferred
async def test_supervisor_hears_and_whispers(
    backend: RealAsteriskHarness, phones: list[SipPhone]
) -> None:
    alice, bob, carol = phones
    snoop = example("snoop")
    snoop.AGENT = "PJSIP/bob"
    bob.on_call = Call.answer
    supervision = snoop.Supervision(address_of(backend))
    async with Program.running(backend, supervision.client) as program:
        caller = alice.dial("1000")
        await until_speaking(alice, bob)
        supervisor = carol.dial("7supervisor")
        await carol.until_hears("alice", "bob")
        await bob.until_hears("alice", "carol")
        await alice.until_hears("bob")
        await supervisor.hang_up()
        await until_speaking(alice, bob)
        supervisor = carol.dial("7supervisor")
        await carol.until_hears("alice", "bob")
        await caller.hang_up()
        await supervisor.until_ended()
        await program.is_over()
    assert (await backend.ari.get("/bridges")).json == []


@pytest_twisted.ensureDeferred
async def test_external_media(
    backend: RealAsteriskHarness,
    phones: list[SipPhone],
    capsys: pytest.CaptureFixture[str],
) -> None:
    external_media = example("external_media")
    datagrams: DeferredQueue[bytes] = DeferredQueue()
    receive = external_media.Receiver.datagramReceived

    def datagram_received(
        receiver: object, datagram: bytes, address: tuple[str, int]
    ) -> None:
        datagrams.put(datagram)
        receive(receiver, datagram, address)

    def received() -> Deferred[bytes]:
        return datagrams.get().addTimeout(TIMEOUT_SECONDS, backend.reactor)

    external_media.Receiver.datagramReceived = datagram_received
    calls = external_media.ExternalMedia(address_of(backend))
    async with Program.running(backend, calls.client) as program:
        caller = phones[0].dial("1000")
        names: frozenset[str] = frozenset()
        while not names:
            packet = RtpPacket.parse(await received())
            assert packet.payload_type == PCMU
            names = heard(packet.payload)
        assert names == {"alice"}
        for _ in range(50):
            await received()
        await caller.hang_up()
        await program.is_over()
    assert "8000 samples of" in capsys.readouterr().out
    assert (await backend.ari.get("/bridges")).json == []


@pytest_twisted.ensureDeferred
async def test_device_states(
    backend: RealAsteriskHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    lamp = example("device_states").Lamp(address_of(backend))
    async with Program.running(backend, lamp.client) as program:
        caller = await backend.place_call("1000")
        printed: list[str] = []

        def has_printed(line: str) -> bool:
            printed.extend(capsys.readouterr().out.splitlines())
            return line in printed

        for key, state in {"1": "INUSE", "2": "RINGING", "0": "NOT_INUSE"}.items():
            await program.hears("digits/2")
            program.heard.clear()
            await caller.press(key)
            line = f"Stasis:lamp is {state}"
            await until(backend.reactor, partial(has_printed, line), line)
            found = await backend.ari.get("/deviceStates/Stasis:lamp")
            assert found.json == {"name": "Stasis:lamp", "state": state}
        await caller.hang_up()
        await program.is_over()
        await program.client.api.device_states.delete(device_name="Stasis:lamp")


@pytest_twisted.ensureDeferred
async def test_user_events(
    backend: RealAsteriskHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    poll = example("user_events").Poll(address_of(backend))
    async with Program.running(backend, poll.client) as program:
        for key in "121":
            caller = await backend.place_call("1000")
            await program.hears("vm-press", *(f"digits/{each}" for each in "123"))
            await caller.press(key)
            await program.is_over()
        assert poll.votes == {"1": 2, "2": 1}
    assert capsys.readouterr().out.splitlines()[-1] == "{'1': 2, '2': 1}"


@pytest_twisted.ensureDeferred
async def test_text_messages(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    # An Asterisk of its own: for messages it keeps a channel without an end.
    async with (
        Asterisk.running(reactor, installation=installation) as asterisk,
        registered_phones(reactor, asterisk.sip_port, "alice", "bob") as (alice, bob),
    ):
        backend = RealAsteriskHarness(reactor, asterisk.url)
        echo = example("text_messages").Echo(address_of(backend))
        async with Program.running(backend, echo.client):
            await alice.send_message("Hello")
            await until(
                reactor,
                lambda: b"You wrote: Hello" in [each.body for each in alice.messages],
                "the answer",
            )
        assert not [each for each in bob.messages if b"Hello" in each.body]
