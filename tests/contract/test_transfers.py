"""Transfers and pickups by the parties of a conversation: events and requests.

On the real Asterisk the parties are SIP phones; on the simulator, a caller and the
phones that it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call
from real_asterisk.phones.phone import until_speaking
from tests.support.asterisk_harness import ARGUMENTS, SimulatorHarness
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channel_aa.simulator import SimulatedCaller
    from real_asterisk.phones.phone import SipPhone
    from real_asterisk.raw_ari import Events
    from tests.support.asterisk_harness import AsteriskHarness

    Accept = Callable[[], Awaitable[str]]

PHONE, BRIDGE = "the-phone", "the-bridge"
IGNORED = frozenset(
    {
        *("ChannelVarset", "ChannelConnectedLine", "ChannelCallerId", "ChannelUnhold"),
        *("ChannelHold", "BridgeBlindTransfer", "BridgeAttendedTransfer"),
        "ChannelDialplan",
    }
)


class Parties(ABC):
    """A caller, alice; a phone that the application dials, bob; and another, carol.

    Bob rings, carol answers.
    """

    @abstractmethod
    async def call(self, extension: str) -> None:
        """Let alice call an extension of the application."""

    @abstractmethod
    async def answer(self) -> None:
        """Let bob answer."""

    @abstractmethod
    async def transfer(self, kind: str, by: str) -> None:
        """Let the caller or the phone transfer the other one to carol."""

    @abstractmethod
    async def pick_up(self) -> None:
        """Let carol pick up the call that rings at bob."""

    @abstractmethod
    async def hang_up(self) -> None:
        """Let carol hang up."""

    @abstractmethod
    async def transfer_to(self, extension: str, accepted: Accept) -> None:
        """Let bob transfer alice, who talks with him, to an extension; attended.

        ``accepted`` waits for bob's own call to it, and answers that.
        """


class SimulatedParties(Parties):
    def __init__(self, harness: SimulatorHarness) -> None:
        self._simulator = harness.simulator
        self._simulator.phones.change("PJSIP/bob", "rings")
        self._simulator.phones.change("PJSIP/carol", "answers")

    def _call(self, name: str, extension: str, app: str = "") -> SimulatedCaller:
        return self._simulator.call(
            name=name,
            extension=extension,
            app=app,
            args=ARGUMENTS.get(extension, ()),
            dialplan_seconds=60.0,
        )

    async def call(self, extension: str) -> None:
        self._caller = self._call("PJSIP/alice-", extension, "channel-aa")

    async def answer(self) -> None:
        [bob] = self._simulator.dialled_phones
        bob.answer()

    async def transfer(self, kind: str, by: str) -> None:
        [bob] = self._simulator.dialled_phones
        party = self._caller if by == "caller" else bob
        self._carol = party.transfer("PJSIP/carol", attended=kind == "attended")

    async def pick_up(self) -> None:
        [bob] = self._simulator.dialled_phones
        self._carol = bob.be_picked_up("PJSIP/carol")

    async def hang_up(self) -> None:
        self._carol.hang_up()

    async def transfer_to(self, extension: str, accepted: Accept) -> None:
        alice = self._call("PJSIP/alice-", "bob")
        bob = self._call("PJSIP/bob-", extension, "channel-aa")
        await accepted()
        bob.be_replaced_by(alice)


class SipParties(Parties):
    def __init__(self, phones: list[SipPhone]) -> None:
        self._alice, self._bob, self._carol = phones
        self._carol.on_call = Call.answer

    async def call(self, extension: str) -> None:
        self._placed = self._alice.dial(extension)

    async def answer(self) -> None:
        (await self._bob.until_called()).answer()

    async def transfer(self, kind: str, by: str) -> None:
        await until_speaking(self._alice, self._bob)
        party = self._alice if by == "caller" else self._bob
        call = party.calls[0]
        if kind == "blind":
            await call.blind_transfer("carol")
        else:
            await call.hold()
            consultation = party.dial("carol")
            await until_speaking(party, self._carol)
            await call.attended_transfer(consultation)

    async def pick_up(self) -> None:
        self._carol.dial("*8bob")

    async def hang_up(self) -> None:
        await self._carol.calls[-1].hang_up()

    async def transfer_to(self, extension: str, accepted: Accept) -> None:
        self._bob.on_call = Call.answer
        self._alice.dial("bob")
        received = await self._bob.until_called()
        await until_speaking(self._alice, self._bob)
        await received.hold()
        consultation = self._bob.dial(extension)
        await accepted()
        await consultation.until_up()
        await received.attended_transfer(consultation)


@pytest.fixture
def parties(request: pytest.FixtureRequest, backend: AsteriskHarness) -> Parties:
    if isinstance(backend, SimulatorHarness):
        return SimulatedParties(backend)
    return SipParties(request.getfixturevalue("phones"))


async def accept(backend: AsteriskHarness, events: Events) -> str:
    """Answer the first call; return the id of its channel."""
    start = await events.wait_for(lambda it: it.type == "StasisStart")
    channel = str(start.json["channel"]["id"])
    await backend.ari.post(f"/channels/{channel}/answer")
    return channel


async def dial(backend: AsteriskHarness, parties: Parties, events: Events) -> str:
    """Dial the phone for the caller; return the id of the caller's channel."""
    await parties.call("1000")
    caller = await accept(backend, events)
    await backend.ari.post(
        f"/channels/{PHONE}",
        endpoint="PJSIP/bob",
        app="channel-aa",
        appArgs="dialled,two",
        originator=caller,
    )
    await events.wait_for(
        lambda it: it.type == "Dial" and it.json["dialstatus"] == "RINGING"
    )
    return caller


async def converse(backend: AsteriskHarness, parties: Parties, events: Events) -> str:
    """Connect the caller with the phone; return the id of the caller's channel."""
    caller = await dial(backend, parties, events)
    await parties.answer()
    await events.wait_for_type("StasisStart", PHONE)
    await backend.ari.post(f"/bridges/{BRIDGE}")
    added = f"{caller},{PHONE}"
    await backend.ari.post(f"/bridges/{BRIDGE}/addChannel", channel=added)
    return caller


async def replaced(events: Events) -> Mapping[str, Any]:
    """Wait for the ``StasisStart`` of a channel that takes another's place."""
    start = await events.wait_for(
        lambda it: it.type == "StasisStart" and "replace_channel" in it.json
    )
    return start.json


def about(events: Events, channel: str) -> list[str]:
    """List the types of the events of a channel, with its state or a status."""
    found = []
    for event in events.all:
        channel_data = event.json.get("channel") or event.json.get("peer") or {}
        if channel_data.get("id") == channel and event.type not in IGNORED:
            more = {
                "ChannelStateChange": channel_data["state"],
                "Dial": event.json.get("dialstatus"),
            }
            found.append(" ".join(filter(None, (event.type, more.get(event.type)))))
    return found


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("by", ["phone", "caller"])
@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_channel_of_a_transfer_takes_anothers_place(
    backend: AsteriskHarness, parties: Parties, kind: str, by: str
) -> None:
    events = await backend.listen()
    caller = await converse(backend, parties, events)
    old, stays = (caller, PHONE) if by == "caller" else (PHONE, caller)
    await parties.transfer(kind, by)
    start = await replaced(events)
    new = start["channel"]
    assert start["args"] == []
    assert start["replace_channel"]["id"] == old
    assert new["state"] == "Down"
    assert new["dialplan"]["app_data"] == "channel-aa"
    exten = "_attended@transfer-" if kind == "attended" else "carol@"
    assert new["name"].startswith(f"Local/{exten}")
    assert new["name"].endswith(";1")
    await events.wait_for_type("StasisEnd", old)
    await events.wait_for(
        lambda it: it.type == "Dial" and it.json["peer"]["id"] == new["id"]
    )
    order = [
        f"{it.type} {it.json['channel']['id']}"
        for it in events.all
        if it.type in {"StasisStart", "ChannelLeftBridge", "ChannelEnteredBridge"}
    ]
    assert order[-3:] == [
        f"StasisStart {new['id']}",
        f"ChannelLeftBridge {old}",
        f"ChannelEnteredBridge {new['id']}",
    ]
    bridge = (await backend.ari.get(f"/bridges/{BRIDGE}")).json
    assert sorted(bridge["channels"]) == sorted([stays, new["id"]])
    application = (await backend.ari.get("/applications/channel-aa")).json
    assert sorted(application["channel_ids"]) == sorted([stays, new["id"]])
    channel: dict[str, Any] = {}

    async def is_up() -> bool:
        channel.update((await backend.ari.get(f"/channels/{new['id']}")).json)
        return bool(channel["state"] == "Up")

    await until(backend.reactor, is_up, seconds=10.0)
    # Asterisk tells who has answered a moment after the answer; or, if the transfer has
    # overtaken that, never.
    assert channel["caller"]["number"] in {"carol", ""}
    await parties.hang_up()
    await events.wait_for_type("StasisEnd", new["id"])
    assert about(events, new["id"]) == [
        *("StasisStart", "ChannelEnteredBridge", "ChannelStateChange Up"),
        *("Dial ANSWER", "ChannelHangupRequest", "ChannelLeftBridge", "StasisEnd"),
    ]
    # The application has no other subscription to the caller's channel.
    end = ["StasisEnd"] if by == "caller" else ["ChannelHangupRequest", "StasisEnd"]
    assert about(events, old)[-len(end) - 1 :] == ["ChannelLeftBridge", *end]


@pytest_twisted.ensureDeferred
async def test_phone_that_picks_up_enters_with_the_arguments_of_the_dialled_one(
    backend: AsteriskHarness, parties: Parties
) -> None:
    events = await backend.listen()
    await dial(backend, parties, events)
    await parties.pick_up()
    end = await events.wait_for_type("ChannelDestroyed", PHONE)
    assert end.json["cause"] == 26
    start = await events.wait_for(
        lambda it: it.type == "StasisStart" and it.json["args"] == ["dialled", "two"]
    )
    new = start.json["channel"]
    assert "replace_channel" not in start.json
    assert (new["state"], new["caller"]["number"]) == ("Up", "carol")
    assert new["name"].startswith("PJSIP/carol-")
    assert new["dialplan"]["app_data"] == "channel-aa,dialled,two"
    assert about(events, PHONE)[-2:] == ["ChannelHangupRequest", "ChannelDestroyed"]
    assert "Dial ANSWER" not in about(events, PHONE)
    await parties.hang_up()
    await events.wait_for_type("StasisEnd", new["id"])
    assert about(events, new["id"]) == [
        *("StasisStart", "ChannelHangupRequest", "StasisEnd")
    ]


@pytest_twisted.ensureDeferred
async def test_caller_transferred_to_the_application_takes_a_callers_place(
    backend: AsteriskHarness, parties: Parties
) -> None:
    events = await backend.listen()
    await parties.transfer_to("1001", partial(accept, backend, events))
    start = await replaced(events)
    old, new = start["replace_channel"], start["channel"]
    assert start["args"] == []
    assert (old["dialplan"]["exten"], old["dialplan"]["app_data"]) == (
        "1001",
        "channel-aa,one,two",
    )
    assert new["name"].startswith("PJSIP/alice-")
    await events.wait_for_type("StasisEnd", old["id"])
    assert about(events, old["id"])[-1] == "StasisEnd"
    assert "ChannelHangupRequest" not in about(events, old["id"])

    async def has_place() -> bool:
        channel = (await backend.ari.get(f"/channels/{new['id']}")).json
        dialplan = channel.get("dialplan", {})
        return bool(dialplan.get("app_data") == "channel-aa,one,two")

    await until(backend.reactor, has_place, "the place of the caller")
