"""Lint: what a call flow may say, and probably does not mean.

Pure: for ``channel-aa check``.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

from channel_aa.dialogue.digits import TERMINATOR, Pattern
from channel_aa.menus.actions import (
    Continue,
    Dial,
    Keyword,
    Record,
    dialled_numbers,
)
from channel_aa.menus.reachability import (
    Reachability,
    menus_with_exit,
    reachability,
)
from channel_aa.menus.schedules import DAYS, written_time
from channel_aa.menus.secret_keys import SecretKeys
from channel_aa.menus.sounds import DIGITS
from channel_aa.menus.traversal import (
    digit_texts,
    reachable_actions,
    target_menu,
)
from channel_aa.problems import Problem, path_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from channel_aa.menus.actions import Action
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.menu import Extensions, Menu
    from channel_aa.menus.schedules import Schedule

MAX_OPTIONS = 5
"""How many options people remember while they listen."""

SHORTEST_WAIT = 3
LONGEST_WAIT = 10
"""How long callers need, and are willing to wait, in seconds."""

LONGEST_EXTENSION = 6
"""The most digits of an internal extension; telephone numbers have more."""

MIN_FREE_KEYS = 5
"""How many keys callers choose, at least, in a number that may be anyone's. A company's
own block of numbers leaves up to four."""

EXPENSIVE = (("00", "0900"), ("011", "1900"))
"""How international and premium numbers begin: in most countries, where ``00`` is the
international prefix (ITU-T E.164), and in North America."""

EXAMPLE_KEYS = 12
"""How many digits an example of a number has, if the pattern leaves that open."""

_SOUND_FILE = re.compile(
    r"sound:(.+)\.(?:alaw|al|g719|g722|gsm|mp3|ogg|opus|siren7|siren14|sln\d*|ulaw"
    r"|ul|wav|WAV|wav16|wav49)"
)
"""A sound with an extension of a format that Asterisk plays."""

_OFFSET = re.compile(r"Etc/GMT([+-])([1-9]\d?)")
"""A time zone without summer time, whose sign is the opposite of ISO 8601's."""

_FREEPBX_CONTEXT = "from-internal"


def lint(flow: CallFlow, *, today: date) -> tuple[Problem, ...]:
    """Return what is probably not meant; places are paths in the file.

    Args:
        flow: the call flow.
        today: the date that holidays are compared with.
    """
    reachable = reachability(flow)
    return (
        *_unreachable_menus(flow, reachable),
        *_menus_without_exit(flow, reachable),
        *(each for menu in flow.menus.items() for each in _check_menu(*menu)),
        *_numbers_at_our_expense(flow),
        *_options_of_the_terminator(flow),
        *_unused_actions(flow, reachable),
        *_unreachable_routes(flow),
        *_numbers_never_dialled(flow),
        *(each for entry in flow.schedules.items() for each in _check_schedule(*entry)),
        *_holidays_in_the_past(flow, today),
        *_unused_schedules(flow),
        *_recordings_that_overwrite(flow),
        *_sounds_with_extension(flow),
        *_secrets_in_the_log(flow),
        *_doubtful_endpoints(flow),
    )


def _unreachable_menus(flow: CallFlow, reachable: Reachability) -> Iterator[Problem]:
    for name in flow.menus:
        if name not in reachable.menus and not reachable.runs_custom_action:
            yield Problem(
                path_of("menus", name),
                "unreachable menu: no route, option or action leads to it",
            )


def _unused_actions(flow: CallFlow, reachable: Reachability) -> Iterator[Problem]:
    for name in flow.actions:
        if name not in reachable.actions and not reachable.runs_custom_action:
            yield Problem(
                path_of("actions", name),
                "unused action: no reachable option, route or limit leads to it",
            )


def _menus_without_exit(flow: CallFlow, reachable: Reachability) -> Iterator[Problem]:
    for name in sorted(reachable.menus - menus_with_exit(flow, reachable)):
        yield Problem(
            path_of("menus", name),
            "callers can leave this menu only by hanging up: no option leaves the"
            " menus, and no limit (max_noinput) ends them; add one",
        )


def _check_menu(name: str, menu: Menu) -> Iterator[Problem]:
    place = path_of("menus", name)
    options = [
        keys for keys, action in menu.options.items() if not isinstance(action, Keyword)
    ]
    if len(options) > MAX_OPTIONS:
        yield Problem(
            f"{place}.options",
            f"offers {len(options)} options; people remember about {MAX_OPTIONS}:"
            " move some to a menu of their own",
        )
    if not SHORTEST_WAIT <= menu.timeout <= LONGEST_WAIT:
        length = "short" if menu.timeout < SHORTEST_WAIT else "long"
        yield Problem(
            f"{place}.timeout",
            f"{menu.timeout:g} s is a {length} wait; most callers need"
            f" {SHORTEST_WAIT} to {LONGEST_WAIT}",
        )
    if menu.interdigit_timeout > LONGEST_WAIT:
        yield Problem(
            f"{place}.interdigit_timeout",
            f"{menu.interdigit_timeout:g} s is a long wait; most callers need 1 to 3",
        )
    yield from _waits_for_longer_options(place, menu)
    if menu.extensions is not None:
        yield from _options_and_extensions(place, menu, menu.extensions)


def _waits_for_longer_options(place: str, menu: Menu) -> Iterator[Problem]:
    for keys in menu.options:
        longer = [
            each for each in menu.options if each != keys and each.startswith(keys)
        ]
        if longer:
            yield _waiting(path_of(f"{place}.options", keys), keys, longer[0], menu)


def _options_and_extensions(
    place: str, menu: Menu, extensions: Extensions
) -> Iterator[Problem]:
    denied = [Pattern(text) for text in extensions.deny]
    for text in extensions.pattern:
        pattern = Pattern(text)
        for keys in menu.options:
            option = path_of(f"{place}.options", keys)
            if pattern.matches(keys) and not any(each.matches(keys) for each in denied):
                yield Problem(
                    option,
                    f"hides the extension {keys} of the pattern {quoted(text)}:"
                    " callers get the option; deny the extension, or give the option"
                    " another key",
                )
            if pattern.may_grow(keys):
                yield _waiting(option, keys, text, menu)
            begins = next(
                (
                    keys[:end]
                    for end in range(1, len(keys))
                    if pattern.matches(keys[:end])
                ),
                None,
            )
            if begins is not None:
                yield Problem(
                    f"{place}.extensions.pattern",
                    f"callers who dial {begins} wait {menu.interdigit_timeout:g} s,"
                    f" because the option {keys} begins with it, too; give one of"
                    " them another first key",
                )


def _numbers_at_our_expense(flow: CallFlow) -> Iterator[Problem]:
    """Find patterns whose numbers an action dials, and that telephone numbers match.

    The caller's entry is that of the last menu, so the actions up to the next menu can
    dial it.
    """
    for name, menu in flow.menus.items():
        if menu.extensions is None:
            continue
        texts = list(_dialled_texts(menu.extensions.action, flow))
        for pattern in menu.extensions.pattern:
            for text in texts:
                number = _expensive_number(flow, menu.extensions, pattern, text)
                if number:
                    yield Problem(
                        f"{path_of('menus', name)}.extensions.pattern",
                        f"{quoted(pattern)} lets callers dial {number} with"
                        f" {quoted(text)}, perhaps at your expense; write as many X as"
                        " your extensions have digits, or add such numbers to deny of"
                        " [attendant]",
                    )
                    break


def _dialled_texts(action: Action, flow: CallFlow) -> Iterator[str]:
    """Yield what an action and those after it dial with ``{digits}``."""
    for reached in reachable_actions(action, flow.actions):
        if isinstance(reached, Dial | Continue):
            yield from (text for text in digit_texts(reached) if DIGITS in text)


def _expensive_number(
    flow: CallFlow, extensions: Extensions, pattern: str, text: str
) -> str:
    """Return a number that a pattern lets callers dial with a text, or "".

    It begins as international or premium numbers do; or, if nothing is denied, in any
    way. If those of one numbering plan are all denied, that is the country's.
    """
    numbers = Pattern(pattern)
    if numbers.free_keys < MIN_FREE_KEYS:
        return ""
    denied = [Pattern(each) for each in extensions.deny]

    def examples(beginnings: Iterable[str]) -> list[str]:
        made = (numbers.example(each, length=EXAMPLE_KEYS) for each in beginnings)
        return [each for each in made if len(each) > LONGEST_EXTENSION]

    allowed: list[str] = []
    for plan in EXPENSIVE:
        expensive = examples(f"{begin}{key}" for begin in plan for key in "1234567890")
        permitted = [
            each
            for each in expensive
            if not any(own.matches(each) for own in denied)
            and not flow.denied_by(text, each)
        ]
        if expensive and not permitted:
            return ""
        allowed += permitted
    if not (flow.deny or denied):
        allowed += examples([""])
    return dialled_numbers(text, allowed[0])[-1] if allowed else ""


def _options_of_the_terminator(flow: CallFlow) -> Iterator[Problem]:
    """Find the options that callers choose who press ``#`` after every entry."""
    for name, menu in flow.menus.items():
        if TERMINATOR not in menu.options:
            continue
        before = [
            path_of(f"{path_of('menus', earlier)}.options", keys)
            for earlier, each in flow.menus.items()
            if TERMINATOR not in each.options
            for keys, action in each.options.items()
            for reached in reachable_actions(action, flow.actions)
            if target_menu(reached, flow.menus) == name
        ]
        if before:
            yield Problem(
                path_of(f"{path_of('menus', name)}.options", TERMINATOR),
                f"callers who press '#' after every entry choose it when they come from"
                f" {before[0]}; give it another key",
            )


def _waiting(place: str, keys: str, longer: str, menu: Menu) -> Problem:
    return Problem(
        place,
        f"callers who press {keys} wait {menu.interdigit_timeout:g} s, because"
        f" {quoted(longer)} begins with it, too; give one of them another first key",
    )


def _unreachable_routes(flow: CallFlow) -> Iterator[Problem]:
    for index, route in enumerate(flow.routes):
        for number, before in enumerate(flow.routes[:index]):
            if _covers(before.did, route.did) and _covers(
                before.argument, route.argument
            ):
                yield Problem(
                    f"routes[{index}]",
                    f"unreachable route: routes[{number}] comes before it and matches"
                    " all of its calls",
                )
                break


def _covers(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    return not before or (bool(after) and set(after) <= set(before))


def _numbers_never_dialled(flow: CallFlow) -> Iterator[Problem]:
    """Find dialled numbers that no call can have."""
    numbers = [
        (f"routes[{index}].did", number)
        for index, route in enumerate(flow.routes)
        for number in route.did
    ]
    without_plus = [number for _, number in numbers if number.isdigit()]
    for place, number in numbers:
        if re.search(r"^_|[XZN.]", number) and not re.fullmatch("[A-Za-z]+", number):
            yield Problem(
                place,
                f"{quoted(number)} looks like a pattern; a route compares numbers as"
                " they are: list them, or let the dialplan choose with an argument,"
                " as in Stasis(app,sales)",
            )
        elif re.search("[A-Za-z]", number) and re.search("[0-9]", number):
            yield Problem(
                place,
                f"{quoted(number)} has letters and digits; no telephone number has"
                " both",
            )
        elif number.startswith("+") and without_plus:
            yield Problem(
                place,
                f"{quoted(number)} begins with '+', and {quoted(without_plus[0])} does"
                " not; write each as the dialplan has it: 'asterisk -rx \"core show"
                " channels\"' shows the extension of a call",
            )


def _check_schedule(name: str, schedule: Schedule) -> Iterator[Problem]:
    place = path_of("schedules", name)
    offset = _OFFSET.fullmatch(schedule.timezone)
    if offset:
        side = "behind" if offset[1] == "+" else "ahead of"
        yield Problem(
            f"{place}.timezone",
            f"{quoted(schedule.timezone)} is {offset[2]} h {side} Greenwich, and has"
            " no summer time; write it by a city, as in 'Europe/London'",
        )
    if not schedule.open:
        yield Problem(
            f"{place}.open",
            "the schedule is never open; add times",
        )
    for (first, one), (second, other) in combinations(enumerate(schedule.open), 2):
        days = [day for day in one.days if day in other.days]
        begin, end = max(one.begin, other.begin), min(one.end, other.end)
        if days and begin < end:
            yield Problem(
                f"{place}.open[{second}]",
                f"overlaps with open[{first}]: {DAYS[days[0]]}"
                f" {written_time(begin)}-{written_time(end)}",
            )


def _holidays_in_the_past(flow: CallFlow, today: date) -> Iterator[Problem]:
    for name, schedule in flow.schedules.items():
        last = max((each.last for each in schedule.holidays), default=today)
        if last < today:
            yield Problem(
                f"{path_of('schedules', name)}.holidays",
                f"all holidays are in the past, the last one on {last}; add those to"
                " come",
            )


def _unused_schedules(flow: CallFlow) -> Iterator[Problem]:
    used = {route.schedule for route in flow.routes}
    for name in flow.schedules:
        if name not in used:
            yield Problem(
                path_of("schedules", name), "unused schedule: no route refers to it"
            )


def _recordings_that_overwrite(flow: CallFlow) -> Iterator[Problem]:
    """Find recordings that a caller can replace with another's number."""
    for place, action in flow.all_actions():
        if not (isinstance(action, Record) and action.overwrite):
            continue
        if "{caller}" in action.record and "{channel}" not in action.record:
            yield Problem(
                f"{place}.overwrite",
                f"callers can forge the number in {quoted(action.record)}, and so"
                " replace the recordings of others; remove overwrite, or put {channel}"
                " into the name",
            )


def _sounds_with_extension(flow: CallFlow) -> Iterator[Problem]:
    for place, sound in flow.all_sounds():
        for media in sound.media:
            if match := _SOUND_FILE.fullmatch(media):
                yield Problem(
                    place,
                    f"{quoted(media.removeprefix('sound:'))} has a file's extension,"
                    f" which Asterisk adds by itself; write {quoted(match[1])}",
                )


def _secrets_in_the_log(flow: CallFlow) -> Iterator[Problem]:
    """Find the dials of secret keys: the log has each dialled endpoint."""
    for name, menu in flow.menus.items():
        extensions = menu.extensions
        if extensions is None or not SecretKeys(menu, flow.resolve).extensions:
            continue
        place = path_of("menus", name)
        if not menu.secret:
            place += ".extensions"
        for action in reachable_actions(extensions.action, flow.actions):
            if isinstance(action, Dial) and any(DIGITS in each for each in action.dial):
                yield Problem(
                    f"{place}.secret",
                    f"dials {quoted(action.dial[0])}, and the log has each dialled"
                    " phone, so that the keys are not secret; remove secret, or dial a"
                    " phone without {digits}",
                )
                break


def _doubtful_endpoints(flow: CallFlow) -> Iterator[Problem]:
    """Find endpoints that Asterisk most probably does not have."""
    for place, action in flow.all_actions():
        if not isinstance(action, Dial):
            continue
        for index, endpoint in enumerate(action.dial):
            technology, _, resource = endpoint.partition("/")
            number, _, provider = resource.partition("@")
            if technology.upper() == "SIP":
                message = (
                    f"{quoted(endpoint)}: Asterisk has no SIP/ since version 21; write"
                    f" PJSIP/{resource}"
                )
            elif technology != "Local" and provider == _FREEPBX_CONTEXT:
                message = (
                    f"{quoted(endpoint)}: {provider} is a context of the dialplan, and"
                    f" no trunk; write Local/{number}@{provider}"
                )
            else:
                continue
            # One phone is written without a list around it.
            item = f"[{index}]" if len(action.dial) > 1 else ""
            yield Problem(f"{place}.dial{item}", message)
