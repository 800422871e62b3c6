"""What an attendant can do for a caller: one kind of frozen data for each verb.

In a file an action is a table with one verb in it (``{ dial = "PJSIP/410" }``), or
a word: the name of a menu or of an entry of ``[actions]``, ``repeat``, ``back``,
``top`` or ``hangup``. What does not end the call's time in the menu has a follow-up,
``then``.

Where ``{digits}`` may stand, `with_digits` puts what the caller pressed. Nothing
else from outside is ever put into an action's text, but for the name of a recording,
whose parts `Record.name` makes harmless.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated

from msgspec import field

from channel_aa.checked import (
    Checked,
    Problem,
    Reader,
    bare_name,
    converted,
    one_or_list,
    path_of,
    quoted,
    sort,
)
from channel_aa.menus import action_rules as rules
from channel_aa.menus.sounds import DIGITS, AnySound, only_keys, some_sounds

KEYWORDS = ("repeat", "back", "top", "hangup")
"""The words that are actions themselves, so that nothing else may be called so."""


def read_action(value: object, place: str, problems: list[Problem]) -> "Action | None":
    """Read an action: a word, or a table with one verb."""
    if isinstance(value, Action):
        return value
    if isinstance(value, str):
        word: Action | None = (
            Keyword(word=value) if value in KEYWORDS else _named(value, place, problems)
        )
        return word
    if isinstance(value, Mapping):
        return _read_table(value, place, problems)
    problems.append(
        Problem(
            place,
            "expected an action: a name in quotes, or a table such as"
            f' {{ menu = "sales" }}; found {sort(type(value))}',
        )
    )
    return None


class Action(Checked, frozen=True, kw_only=True):
    """Something that an attendant does for a caller.

    Attributes:
        label: what people call it: phones that are dialled show it before the
            caller's name.
    """

    label: Annotated[str, rules.label_text] = ""


AnyAction = Annotated[Action, Reader(read_action)]


class Keyword(Action, frozen=True, kw_only=True):
    """An action that is one word.

    Attributes:
        word: ``repeat`` (hear the menu again; the counts of no-input and no-match
            stay), ``back`` (enter the menu before this one anew), ``top`` (enter
            the call's first menu anew) or ``hangup``.
    """

    word: str


class Named(Action, frozen=True, kw_only=True):
    """What a name stands for: a menu, or an entry of ``[actions]``.

    Attributes:
        name: the name; `CallFlow.resolve` tells what it stands for.
    """

    name: Annotated[str, bare_name]


REPEAT = Keyword(word="repeat")
BACK = Keyword(word="back")
TOP = Keyword(word="top")
HANGUP = Keyword(word="hangup")


class Play(Action, frozen=True, kw_only=True):
    """Play sounds, in which ``{digits}`` may stand.

    Attributes:
        play: what the caller hears.
        then: what comes next.
    """

    play: Annotated[tuple[AnySound, ...], some_sounds]
    then: AnyAction = REPEAT


class GoTo(Action, frozen=True, kw_only=True):
    """Enter a menu anew.

    Attributes:
        menu: its name.
    """

    menu: Annotated[str, bare_name]


class Dial(Action, frozen=True, kw_only=True):
    """Ring phones, and connect the caller with the one that answers.

    Attributes:
        dial: the phones' endpoints (``PJSIP/410``), in which ``{digits}`` may stand:
            see `endpoints`.
        ring: for how many seconds each of them rings.
        strategy: ``hunt`` rings them one after another, ``ringall`` all at once.
        music: the class of music on hold that the caller hears meanwhile; the ring
            tone where it is empty.
        else_: what is done when nobody answers; ``None``: the caller hears why, and
            then the menu again.
        then: what comes when the conversation is over and the caller still there.
    """

    dial: Annotated[
        tuple[str, ...],
        one_or_list(Annotated[str, rules.endpoint]),
        rules.some_endpoints,
    ]
    ring: Annotated[int, rules.ring_seconds] = 20
    strategy: Annotated[str, rules.strategy_name] = "hunt"
    music: Annotated[str, rules.music_class] = ""
    else_: AnyAction | None = field(default=None, name="else")
    then: AnyAction = HANGUP

    def endpoints(self, digits: str) -> tuple[str, ...]:
        """Give the phones to ring for somebody who pressed these keys."""
        return tuple(with_digits(each, digits) for each in self.dial)


class Record(Action, frozen=True, kw_only=True):
    """Record what the caller says, in Asterisk's folder of recordings.

    Attributes:
        record: a template of the recording's name: see `name`.
        beep: whether a tone tells the caller to begin.
        max_seconds: the longest recording.
        max_silence: after how many seconds of silence it ends; 0: it does not.
        terminator: the key that ends it: ``#``, ``*``, ``any`` or ``none``.
        else_: what is done when nothing could be recorded; ``None``: as `then`.
        then: what comes next.
    """

    record: Annotated[str, rules.record_template]
    beep: bool = True
    max_seconds: Annotated[int, rules.take_seconds] = 120
    max_silence: Annotated[int, rules.silence_seconds] = 5
    terminator: Annotated[str, rules.terminator_key] = "#"
    else_: AnyAction | None = field(default=None, name="else")
    then: AnyAction = REPEAT

    def name(self, *, channel: str, caller: str, at: datetime) -> str:
        """Give the recording's name, which cannot leave its folder.

        Args:
            channel: the channel's unique id, for ``{channel}``.
            caller: the caller's number, for ``{caller}``; ``unknown`` where it is
                empty.
            at: when it is, for ``{date}`` (``2026-12-24``) and ``{time}``
                (``130000``).
        """
        values = {
            "channel": _harmless(channel),
            "caller": _harmless(caller),
            "date": f"{at:%Y-%m-%d}",
            "time": f"{at:%H%M%S}",
        }
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], self.record)


class DialplanPlace(Checked, frozen=True, kw_only=True):
    """Where a call goes on in the dialplan.

    Attributes:
        context: the context.
        extension: the extension, in which ``{digits}`` may stand.
        priority: the priority.
    """

    context: Annotated[str, rules.dialplan_name]
    extension: Annotated[str, rules.dialplan_extension] = "s"
    priority: Annotated[int, rules.reachable_priority] = 1


class Continue(Action, frozen=True, kw_only=True):
    """Leave the attendant for the dialplan.

    Attributes:
        continue_: where the call goes on.
    """

    continue_: DialplanPlace = field(name="continue")


class Voicemail(Action, frozen=True, kw_only=True):
    """Leave a message, with Asterisk's VoiceMail().

    Attributes:
        voicemail: the mailbox, ``410`` or ``410@default``; ``{digits}`` may stand in
            it.
    """

    voicemail: Annotated[str, rules.mailbox]


class Queue(Action, frozen=True, kw_only=True):
    """Wait for an agent, in a queue of queues.conf.

    Attributes:
        queue: the queue's name.
    """

    queue: Annotated[str, rules.dialplan_name]


class Directory(Action, frozen=True, kw_only=True):
    """Find somebody by name, with Asterisk's Directory().

    Attributes:
        directory: the context of voicemail.conf to search.
    """

    directory: Annotated[str, rules.dialplan_name]


class SetVariables(Action, frozen=True, kw_only=True):
    """Set channel variables, or functions such as ``CALLERID(name)``.

    Attributes:
        set_: the values by name, in which ``{digits}`` may stand.
        then: what comes next.
    """

    set_: Mapping[
        Annotated[str, rules.channel_variable], Annotated[str, rules.variable_value]
    ] = field(name="set")
    then: AnyAction = REPEAT


class Language(Action, frozen=True, kw_only=True):
    """Have the sounds in another language from now on.

    Attributes:
        language: a language of Asterisk's sounds: ``en``, ``en_GB``, ``fr``.
        then: what comes next.
    """

    language: Annotated[str, rules.language_code]
    then: AnyAction = REPEAT


class Run(Action, frozen=True, kw_only=True):
    """Run an action that the embedding program registered; it tells what is next.

    Attributes:
        run: the name that it was registered by.
        timeout: after how many seconds it is given up.
        else_: what is done when it was given up or failed; ``None``: the menu again.
    """

    run: Annotated[str, rules.application_name]
    timeout: Annotated[float, rules.run_seconds] = 10.0
    else_: AnyAction | None = field(default=None, name="else")


VERBS: Mapping[str, type[Action]] = MappingProxyType(
    {
        "play": Play,
        "menu": GoTo,
        "dial": Dial,
        "record": Record,
        "continue": Continue,
        "voicemail": Voicemail,
        "queue": Queue,
        "directory": Directory,
        "set": SetVariables,
        "language": Language,
        "run": Run,
    }
)
"""What an action's table may say is to be done."""


def with_digits(text: str, digits: str) -> str:
    """Put what the caller pressed into a text, without what is no key."""
    return text.replace(DIGITS, only_keys(digits))


def follow_ups(action: Action) -> tuple[tuple[str, Action], ...]:
    """Give the actions within an action, each with its key: ``then``, ``else``."""
    found = ((key, getattr(action, name, None)) for key, name in _FOLLOW_UPS)
    return tuple((key, each) for key, each in found if each is not None)


_FOLLOW_UPS = (("then", "then"), ("else", "else_"))


def _named(name: str, place: str, problems: list[Problem]) -> Named | None:
    kept = converted(name, Annotated[str, bare_name], place, problems)
    return None if kept is None else Named(name=name)


def _read_table(
    table: Mapping[object, object], place: str, problems: list[Problem]
) -> Action | None:
    verbs = [verb for verb in VERBS if verb in table]
    if len(verbs) == 1:
        action: Action | None = converted(table, VERBS[verbs[0]], place, problems)
        return action
    if verbs:
        problems.append(
            Problem(
                place,
                f"says to do several things at once: {', '.join(verbs)}; keep one,"
                " and put the other into its 'then'",
            )
        )
        return None
    problems += list(_near_verbs(table, place)) or [
        Problem(place, f"says nothing to do; it needs one of {', '.join(VERBS)}")
    ]
    return None


def _near_verbs(table: Iterable[object], place: str) -> Iterable[Problem]:
    for key in table:
        near = get_close_matches(str(key).lower(), VERBS, n=1)
        if near:
            yield Problem(
                path_of(place, key),
                f"{quoted(key)} is nothing to do; did you mean {near[0]!r}?",
            )


def _harmless(value: str) -> str:
    return re.sub(r"[^A-Za-z0-9+_-]", "_", value)[:60] or "unknown"
