"""One visit of a menu: from entering it until something else is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.keypad import NOBODY
from channel_aa.attendant.limits import escalated, is_reached
from channel_aa.logs import Logger
from channel_aa.menus.digits import Match, MatchResult

if TYPE_CHECKING:
    from channel_aa.attendant.call import Call
    from channel_aa.attendant.keypad import Keypad
    from channel_aa.menus.actions import Action
    from channel_aa.menus.digits import DigitMap
    from channel_aa.menus.menu import Menu

_log = Logger()


class MenuSession:
    """What is to be remembered of a visit, while the menu is repeated.

    Args:
        menu: the menu.
        digit_map: what can be entered in it.
        is_greeted: whether the caller hears its greeting.

    Attributes:
        noinputs: how often the caller has pressed nothing in time.
        nomatches: how often the caller has pressed what means nothing.
        is_new: whether the menu is still to be entered.
    """

    def __init__(self, menu: Menu, digit_map: DigitMap, *, is_greeted: bool) -> None:
        self.menu = menu
        self.digit_map = digit_map
        self.is_greeted = is_greeted
        self.noinputs = 0
        self.nomatches = 0
        self.is_new = True


async def run_menu(call: Call, visit: MenuSession) -> Action:
    """CallPlan a menu until the caller has chosen something, or a limit is reached."""
    menu = visit.menu
    if visit.is_new:
        visit.is_new = False
        await call.speak(menu.language)
        if visit.is_greeted:
            await call.say(menu.greeting)
    while True:
        await call.say(menu.prompt)
        key = await call.keypad.next_key(menu.timeout)
        if key is None:
            action = await _nothing_entered(call, visit)
        elif key == NOBODY:
            continue
        else:
            reading = await _completed(
                key, visit.digit_map, call.keypad, menu.interdigit_timeout
            )
            if reading is None:
                continue
            action = await _entered(call, visit, reading)
        if action is not None:
            return action


async def _completed(
    key: str, digit_map: DigitMap, keypad: Keypad, seconds: float
) -> MatchResult | None:
    """Take keys until they mean something; ``None`` where the caller was lost."""
    keys = key
    reading = digit_map.match(keys)
    while reading.kind is Match.WAIT:
        following = await keypad.next_key(seconds)
        if following is None:
            return digit_map.match(keys, is_over=True)
        if following == NOBODY:
            return None
        keys += following
        reading = digit_map.match(keys)
    if len(keys) == len(reading.digits) > 1 and digit_map.terminator:
        # Many end a number with it, also one that has counted already.
        keypad.ignore_next(digit_map.terminator, seconds)
    return reading


async def _entered(
    call: Call, visit: MenuSession, reading: MatchResult
) -> Action | None:
    menu = visit.menu
    _log.info(
        "Channel {channel} entered {digits}",
        channel=call.channel.name,
        digits=reading.digits,
    )
    call.digits = reading.digits
    if reading.kind is Match.OPTION:
        return menu.options[reading.digits]
    if reading.kind is Match.EXTENSION and menu.extensions is not None:
        return menu.extensions.action
    _log.info("Channel {channel} entered an invalid option!", channel=call.channel.name)
    call.digits = ""
    call.keypad.clear()
    visit.nomatches += 1
    if is_reached(visit.nomatches, menu.max_nomatch):
        return menu.failure
    await call.say(escalated(menu.nomatch, visit.nomatches))
    return None


async def _nothing_entered(call: Call, visit: MenuSession) -> Action | None:
    menu = visit.menu
    _log.info(
        "Channel {channel} stopped paying attention...", channel=call.channel.name
    )
    call.digits = ""
    visit.noinputs += 1
    if is_reached(visit.noinputs, menu.max_noinput):
        return menu.failure
    await call.say(escalated(menu.noinput, visit.noinputs))
    return None
