"""The company's callers hear the same on a real Asterisk and in a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.company_harness import NUMBER
from tests.support.company_walks import CompanyWalk

if TYPE_CHECKING:
    from tests.support.company_harness import CompanyHarness

pytestmark = pytest.mark.asterisk

MAIN = "acme/welcome, acme/main-menu"
SALES = f"{MAIN}, acme/sales-menu"
TALK = "conversation begins, conversation ends"
MAILBOX = """
    sets CHANNEL_AA_ARGUMENT = 410@default
    continued in dialplan at channel-aa-voicemail,s,1
"""

WALKS = {
    "sales answer": CompanyWalk(
        script="1, 1, hang up",
        hears=f"""
            {SALES}, dials Local/410@phones, Local/410@phones answers
            {TALK}, hung up by caller
        """,
    ),
    "sales are busy": CompanyWalk(
        script="1, 1",
        phones={"410": "busy"},
        hears=f"{SALES}, dials Local/410@phones, Local/410@phones is busy, {MAILBOX}",
        executes="VoiceMail 410@default,u",
    ),
    "sales do not answer": CompanyWalk(
        script="1, 1",
        phones={"410": "rings"},
        hears=f"""
            {SALES}, dials Local/410@phones, Local/410@phones does not answer, {MAILBOX}
        """,
        executes="VoiceMail 410@default,u",
    ),
    # The greeting is heard to its end; the keys are kept for later.
    "an extension dialled during the greeting": CompanyWalk(
        script="hear acme/welcome, 410, hang up",
        hears=f"""
            acme/welcome, dials Local/410@phones, Local/410@phones answers
            {TALK}, hung up by caller
        """,
    ),
    "an extension that nobody answers": CompanyWalk(
        script="412, hang up",
        hears=f"""
            {MAIN}, dials Local/412@phones, Local/412@phones does not answer
            vm-extension, digits/4, digits/1, digits/2, vm-isunavail
            acme/main-menu, hung up by caller
        """,
    ),
    "three times an extension that is denied": CompanyWalk(
        script="499, 499, 499",
        phones={"operator": "busy"},
        hears=f"""
            {MAIN}, option-is-invalid, acme/main-menu
            option-is-invalid, acme/main-menu
            dials Local/operator@phones, Local/operator@phones is busy, {MAILBOX}
        """,
    ),
    "silence": CompanyWalk(
        script="ended",
        phones={"operator": "congested"},
        hears=f"""
            {MAIN}, are-you-still-there, acme/main-menu
            please-try-again, acme/main-menu
            dials Local/operator@phones, Local/operator@phones is congested, {MAILBOX}
        """,
    ),
    "the queue, with a variable": CompanyWalk(
        script="2",
        hears=f"""
            {MAIN}, sets QUEUE_PRIO = 5, sets CHANNEL_AA_ARGUMENT = support
            continued in dialplan at channel-aa-queue,s,1
        """,
        executes="Queue support,,,,300",
    ),
    "the directory": CompanyWalk(
        script="3",
        hears=f"""
            {MAIN}, sets CHANNEL_AA_ARGUMENT = default
            continued in dialplan at channel-aa-directory,s,1
        """,
        executes="Directory default,phones",
    ),
    "elsewhere in the dialplan": CompanyWalk(
        script="1, 4",
        hears=f"{SALES}, continued in dialplan at offers,today,1",
        executes="Wait 60",
    ),
    "repeat and the language": CompanyWalk(
        script="*, 9, hang up",
        hears=f"{MAIN}, acme/main-menu, language fr, acme/main-menu, hung up by caller",
    ),
    "back, top and hangup": CompanyWalk(
        script="1, *, 1, #, 1, 9",
        hears=f"""
            {SALES}, acme/main-menu, acme/sales-menu, acme/main-menu, acme/sales-menu
            hung up by application
        """,
    ),
    # Who answered hangs up first, and the caller has the main menu.
    "whoever answers first": CompanyWalk(
        script="1, 2, hang up",
        phones={"415": "hangs-up"},
        hears=f"""
            {SALES}, dials Local/412@phones, dials Local/415@phones
            Local/415@phones answers, Local/412@phones does not answer
            {TALK}, {MAIN}, hung up by caller
        """,
    ),
    "an order, heard again": CompanyWalk(
        script="1, 3, wait 2, speak 0.4, #",
        hears=f"""
            {SALES}, records orders/NAME, recording:orders/NAME, acme/thanks, goodbye
            hung up by application
        """,
    ),
    "what the dialplan passes on": CompanyWalk(
        script="9", argument="shop", hears="acme/sales-menu, hung up by application"
    ),
    "open": CompanyWalk(
        script="hang up",
        dialled=NUMBER,
        at="2026-11-23 12:00",
        hears=f"{MAIN}, hung up by caller",
    ),
    "closed": CompanyWalk(
        script="1",
        dialled=NUMBER,
        at="2026-11-27 16:00",
        hears=f"acme/closed, acme/night-menu, {MAILBOX}",
    ),
    "closed, and silence": CompanyWalk(
        script="ended",
        dialled=NUMBER,
        at="2026-11-22 12:00",
        hears="acme/closed, acme/night-menu, hung up by application",
    ),
    "a holiday": CompanyWalk(
        script="ended",
        dialled=NUMBER,
        at="2026-12-24 13:00",
        hears="acme/holiday, goodbye, hung up by application",
    ),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
@pytest_twisted.ensureDeferred
async def test_a_call_is_as_it_is_simulated(
    company: CompanyHarness, walk: CompanyWalk
) -> None:
    assert walk.simulated() == walk.expected
    assert await walk.made(company) == walk.expected
