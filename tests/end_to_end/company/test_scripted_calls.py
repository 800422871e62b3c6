"""Calls to the company are the same on a real Asterisk and simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.company_harness import NUMBER
from tests.support.scripted_calls import CompanyCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

MAIN = "acme/welcome, acme/main-menu"
SALES = f"{MAIN}, acme/sales-menu"
TALK = "conversation begins, conversation ends"
MAILBOX = """
    sets CHANNEL_AA_ARGUMENT = 410@default
    continued in dialplan at channel-aa-voicemail,s,1
"""

CALLS = {
    "sales answer": CompanyCall(
        script="1, 1, hang up",
        expectation=f"""
            {SALES}, dials Local/410@phones, Local/410@phones answers
            {TALK}, hung up by caller
        """,
    ),
    "sales are busy": CompanyCall(
        script="1, 1",
        phones={"410": "busy"},
        expectation=f"""
            {SALES}, dials Local/410@phones, Local/410@phones is busy, {MAILBOX}
        """,
        executes="VoiceMail 410@default,u",
    ),
    "sales do not answer": CompanyCall(
        script="1, 1",
        phones={"410": "rings"},
        expectation=f"""
            {SALES}, dials Local/410@phones, Local/410@phones does not answer, {MAILBOX}
        """,
        executes="VoiceMail 410@default,u",
    ),
    # The greeting plays to its end; the keys are kept for the menu.
    "an extension dialled during the greeting": CompanyCall(
        script="hear acme/welcome, 410, hang up",
        expectation=f"""
            acme/welcome, dials Local/410@phones, Local/410@phones answers
            {TALK}, hung up by caller
        """,
    ),
    "an extension that nobody answers": CompanyCall(
        script="412, hang up",
        expectation=f"""
            {MAIN}, dials Local/412@phones, Local/412@phones does not answer
            vm-extension, digits/4, digits/1, digits/2, vm-isunavail
            acme/main-menu, hung up by caller
        """,
    ),
    "three times an extension that is denied": CompanyCall(
        script="499, 499, 499",
        phones={"operator": "busy"},
        expectation=f"""
            {MAIN}, option-is-invalid, acme/main-menu
            option-is-invalid, acme/main-menu
            dials Local/operator@phones, Local/operator@phones is busy, {MAILBOX}
        """,
    ),
    "silence": CompanyCall(
        script="ended",
        phones={"operator": "congested"},
        expectation=f"""
            {MAIN}, are-you-still-there, acme/main-menu
            please-try-again, acme/main-menu
            dials Local/operator@phones, Local/operator@phones is congested, {MAILBOX}
        """,
    ),
    "the queue, with a variable": CompanyCall(
        script="2",
        expectation=f"""
            {MAIN}, sets QUEUE_PRIO = 5, sets CHANNEL_AA_ARGUMENT = support
            continued in dialplan at channel-aa-queue,s,1
        """,
        executes="Queue support,,,,300",
    ),
    "the directory": CompanyCall(
        script="3",
        expectation=f"""
            {MAIN}, sets CHANNEL_AA_ARGUMENT = default
            continued in dialplan at channel-aa-directory,s,1
        """,
        executes="Directory default,phones",
    ),
    "elsewhere in the dialplan": CompanyCall(
        script="1, 4",
        expectation=f"{SALES}, continued in dialplan at offers,today,1",
        executes="Wait 60",
    ),
    "repeat and the language": CompanyCall(
        script="*, 9, hang up",
        expectation=f"""
            {MAIN}, acme/main-menu, language fr, acme/main-menu, hung up by caller
        """,
    ),
    "back, top and hangup": CompanyCall(
        script="1, *, 1, 8, 1, 9",
        expectation=f"""
            {SALES}, acme/main-menu, acme/sales-menu, acme/main-menu, acme/sales-menu
            hung up by application
        """,
    ),
    # The phone hangs up first, and the caller gets the main menu.
    "whoever answers first": CompanyCall(
        script="1, 2, hang up",
        phones={"415": "answers-later-hangs-up"},
        expectation=f"""
            {SALES}, dials Local/412@phones, dials Local/415@phones
            Local/415@phones answers, Local/412@phones does not answer
            {TALK}, {MAIN}, hung up by caller
        """,
    ),
    "an order, heard again": CompanyCall(
        script="1, 3, wait 2, speak 0.4, #",
        expectation=f"""
            {SALES}, records orders/NAME, recording:orders/NAME, acme/thanks, goodbye
            hung up by application
        """,
    ),
    "what the dialplan passes on": CompanyCall(
        script="9",
        argument="shop",
        expectation="acme/sales-menu, hung up by application",
    ),
    "open": CompanyCall(
        script="hang up",
        dialled=NUMBER,
        at="2026-11-23 12:00",
        expectation=f"{MAIN}, hung up by caller",
    ),
    "closed": CompanyCall(
        script="1",
        dialled=NUMBER,
        at="2026-11-27 16:00",
        expectation=f"acme/closed, acme/night-menu, {MAILBOX}",
    ),
    "closed, and silence": CompanyCall(
        script="ended",
        dialled=NUMBER,
        at="2026-11-22 12:00",
        expectation="acme/closed, acme/night-menu, hung up by application",
    ),
    "a holiday": CompanyCall(
        script="ended",
        dialled=NUMBER,
        at="2026-12-24 13:00",
        expectation="acme/holiday, goodbye, hung up by application",
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest_twisted.ensureDeferred
async def test_real_call_equals_the_simulated_one(
    harness: CompanyHarness, call: CompanyCall
) -> None:
    assert call.simulated() == call.expected
    assert in_order(await call.made(harness)) == call.expected


def in_order(transcript: Sequence[str]) -> list[str]:
    """Put the end of a phone that rang in vain before the conversation that began.

    The two have no order on a real Asterisk.
    """
    lines = list(transcript)
    for place in range(len(lines) - 1):
        begins, ends = lines[place : place + 2]
        if begins == "conversation begins" and ends.endswith(" does not answer"):
            lines[place : place + 2] = ends, begins
    return lines
