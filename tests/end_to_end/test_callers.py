"""Who calls: what phones are shown of a caller, and where the number is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

from real_asterisk.phones.call import Call
from real_asterisk.phones.phone import until_speaking
from real_asterisk.phones.tones import ASTERISK
from tests.support.ari_fakes import LogRecorder
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from real_asterisk.phones.phone import SipPhone
    from real_asterisk.phones.sip import Request
    from tests.support.phones_harness import PhonesHarness

pytestmark = pytest.mark.asterisk

SETTINGS = """
[attendant]
drain_timeout = 0
[menus.main]
prompt = ["press-1"]
timeout = 30
[menus.main.options]
1 = { dial = "PJSIP/bob" }
2 = "sales"
3 = { dial = "Local/bob@sip-phones" }
4 = "message"
5 = { dial = "PJSIP/bob", then = "message" }
6 = { set = { "CALLERID(name)" = "VIP" }, then = { dial = "PJSIP/bob" } }
7 = { set = { "CALLERID(pres)" = "prohib" }, then = "sales" }
8 = { dial = "PJSIP/bob", label = "Sales", caller_id = "Acme <+441632960000>" }
9 = { dial = "PJSIP/bob", caller_id = "+441632960000" }
0 = { dial = "Local/bob@sip-phones", caller_id = "+441632960000" }
"*" = { dial = "PJSIP/bob", early_media = true }
A = { dial = "Local/bob@sip-phones", early_media = true }
[actions]
sales = { dial = "PJSIP/bob", label = "Sales" }
message = { record = "messages/{caller}", beep = false, then = "hangup" }
"""

NAME, NUMBER = "Ada Byron", "01632960123"
CALLER = {"name": NAME, "number": NUMBER}
WITHHELD: Mapping[str, Any] = {**CALLER, "is_withheld": True}


@pytest.fixture
def log() -> Iterator[LogRecorder]:
    """Record the log, at all levels."""
    recorder = LogRecorder()
    yield recorder
    recorder.stop()


def identity(invite: Request) -> list[tuple[str, str]]:
    """Return what an INVITE tells of the caller, without what differs in each call."""
    names = ("From", "P-Asserted-Identity", "Remote-Party-ID", "Privacy")
    return [
        (name, value.partition(";tag=")[0])
        for name in names
        for value in invite.all(name)
    ]


async def shown_by_dial(
    caller: SipPhone, called: SipPhone, who: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return what a phone is told of a caller by Asterisk's own Dial()."""
    placed = caller.dial(called.name, **who)
    received = await called.until_called()
    await placed.hang_up()
    await received.until_ended()
    return identity(received.invite)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "3", "*", "A"])
@pytest.mark.parametrize("who", [CALLER, WITHHELD, {}])
async def test_dialled_phone_is_shown_what_dial_shows_of_the_caller(
    harness: PhonesHarness, phones: list[SipPhone], key: str, who: Mapping[str, Any]
) -> None:
    alice, bob, _ = phones
    expected = await shown_by_dial(alice, bob, who)
    placed = await harness.choose(alice, key, **who)
    received = await bob.until_called()
    assert identity(received.invite) == expected
    is_anonymous = received.invite.address("From").user == "anonymous"
    assert is_anonymous == ("is_withheld" in who)
    await placed.hang_up()
    await harness.until_nothing_left()
    assert harness.warnings == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("who", [CALLER, WITHHELD])
async def test_label_precedes_the_name_of_a_caller_who_shows_it(
    harness: PhonesHarness, phones: list[SipPhone], who: Mapping[str, Any]
) -> None:
    alice, bob, _ = phones
    expected = await shown_by_dial(alice, bob, who)
    placed = await harness.choose(alice, "2", **who)
    received = await bob.until_called()
    labelled = [
        (header, value.replace(NAME, f"Sales: {NAME}")) for header, value in expected
    ]
    assert identity(received.invite) == labelled
    shown = received.invite.address("From")
    anonymous = ("Anonymous", "anonymous")
    assert (shown.name, shown.user) == (
        anonymous if who is WITHHELD else (f"Sales: {NAME}", NUMBER)
    )
    await placed.hang_up()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("key", "shown"), [("6", ("VIP", NUMBER)), ("7", ("Anonymous", "anonymous"))]
)
async def test_changes_of_the_caller_id_apply_to_phones(
    harness: PhonesHarness, phones: list[SipPhone], key: str, shown: tuple[str, str]
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, key, **CALLER)
    received = await bob.until_called()
    caller = received.invite.address("From")
    assert (caller.name, caller.user) == shown
    await placed.hang_up()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("key", "name"), [("8", "Acme"), ("9", ""), ("0", "")])
@pytest.mark.parametrize("who", [CALLER, WITHHELD])
async def test_own_caller_id_is_all_that_a_phone_is_told(
    harness: PhonesHarness,
    phones: list[SipPhone],
    key: str,
    name: str,
    who: Mapping[str, Any],
) -> None:
    alice, bob, _ = phones
    placed = await harness.choose(alice, key, **who)
    invite = (await bob.until_called()).invite
    for header in ("From", "P-Asserted-Identity"):
        shown = invite.address(header)
        assert (shown.name, shown.user) == (name, "+441632960000")
    assert invite.get("Privacy") == ""
    told = [value for header, value in invite.headers if header != "To"]
    assert not [each for each in told if NAME in each or NUMBER in each]
    await placed.hang_up()


@pytest_twisted.ensureDeferred
async def test_withheld_number_is_in_no_file_name_and_in_no_log_line(
    harness: PhonesHarness, phones: list[SipPhone], log: LogRecorder
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = await harness.choose(alice, "5", **WITHHELD)
    await until_speaking(alice, bob)
    await (await bob.until_called()).hang_up()
    await harness.until_recorded("messages/withheld")
    await placed.press("#")
    await placed.until_ended()
    await harness.until_nothing_left()
    lines = log.texts()
    assert any("recorded messages/withheld" in line for line in lines)
    assert not [line for line in lines if NUMBER in line or NAME in line]
    assert harness.warnings == []


@pytest_twisted.ensureDeferred
async def test_shown_number_is_in_the_file_name(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, *_ = phones
    placed = await harness.choose(alice, "4", **CALLER)
    await harness.until_recorded(f"messages/{NUMBER}")
    await placed.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
async def test_number_stays_withheld_after_a_lost_connection(
    harness: PhonesHarness, phones: list[SipPhone]
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = await harness.choose(alice, "5", **WITHHELD)
    await until_speaking(alice, bob)
    await harness.lose_connection()
    await (await bob.until_called()).hang_up()
    await harness.until_recorded("messages/withheld")
    await placed.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("kind", ["blind", "attended"])
async def test_number_of_a_caller_transferred_to_the_attendant_stays_withheld(
    harness: PhonesHarness, phones: list[SipPhone], kind: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = alice.dial("bob", **WITHHELD)
    received = await bob.until_called()
    await until_speaking(alice, bob)
    if kind == "blind":
        await received.blind_transfer("1000")
        prompts = 1
    else:
        await received.hold()
        consultation = bob.dial("1000")
        await bob.until_hears(ASTERISK)
        await received.attended_transfer(consultation)
        prompts = 2
    await harness.until_played("press-1", times=prompts)
    bob.on_call = Call.reject
    await placed.press("2")
    invite = (await bob.until_called()).invite
    assert invite.address("From").user == "anonymous"
    await placed.press("4")
    await harness.until_recorded("messages/withheld")
    await placed.hang_up()
    await harness.until_nothing_left()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2", "3", "8"])
async def test_caller_is_shown_who_has_answered(
    harness: PhonesHarness, phones: list[SipPhone], key: str
) -> None:
    alice, bob, _ = phones
    bob.on_call = Call.answer
    placed = await harness.choose(alice, key, **CALLER)
    await until(
        harness.attendant.backend.reactor,
        lambda: placed.remote_party.name == "Bob",
        "the name of the phone that has answered",
    )
    await until_speaking(alice, bob)
    await placed.hang_up()
    await harness.until_nothing_left()
