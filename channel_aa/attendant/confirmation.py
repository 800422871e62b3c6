"""Asks the person who answers a dialled phone whether to take the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.attendant.prompts import play_prompt
from channel_aa.dialogue.keypad import Keypad
from channel_aa.interfaces import ChannelGoneError, IKeyListener
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from channel_aa.attendant.context import CallContext
    from channel_aa.interfaces import IOutboundChannel
    from channel_aa.menus.sounds import Prompt

CONFIRM_KEY = "1"
"""The key that takes the call; any other refuses it."""

CONFIRM_SECONDS = 10.0
CONFIRM_TRIES = 2
"""How long to wait for a key after the prompt, and how often to play that."""

_log = Logger()


async def is_confirmed(
    call: CallContext, phone: IOutboundChannel, prompt: Prompt
) -> bool:
    """Ask on a phone that has answered; return whether the call is taken."""
    party = _AnsweringParty(call, phone)
    phone.listener = party
    try:
        problem = await _refusal(party, prompt)
    finally:
        phone.listener = None
    _log.info(
        "{endpoint} did not take the call of {channel}: {problem}"
        if problem
        else "{endpoint} took the call of {channel}",
        endpoint=phone.endpoint,
        channel=call.channel.name,
        problem=problem,
        is_confirmed=not problem,
    )
    return not problem


async def _refusal(party: _AnsweringParty, prompt: Prompt) -> str:
    """Ask, and return why the call is not taken; empty: it is."""
    for _ in range(CONFIRM_TRIES):
        try:
            await play_prompt(party, prompt)
        except ChannelGoneError:
            return "hung up"
        key = await party.keypad.next_key(CONFIRM_SECONDS)
        if party.is_hung_up:
            return "hung up"
        if key is not None:
            return "" if key == CONFIRM_KEY else f"pressed {key}"
    return "no key was pressed"


@implementer(IKeyListener)
class _AnsweringParty:
    """Who has answered a phone; a `Party` that hears a prompt.

    Args:
        call: the call that is to be taken.
        phone: the phone.
    """

    def __init__(self, call: CallContext, phone: IOutboundChannel) -> None:
        self.sound_failed = call.sound_failed
        self.channel = phone
        self.clock = call.clock
        self.digits = call.digits
        self.recording = call.recording
        self.language = call.language
        self.speech = call.speech
        self.keypad = Keypad(call.clock)
        self.is_hung_up = False

    def dtmf_received(self, digit: str) -> None:
        """Press a key."""
        self.keypad.press(digit)

    def hung_up(self) -> None:
        """End the wait for a key; a sound fails."""
        self.is_hung_up = True
        self.keypad.report_loss()
