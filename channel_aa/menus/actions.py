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
from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from channel_aa.config_errors import moved, refusal, type_name
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import (
    Between,
    Explain,
    Flag,
    FrozenMapping,
    Name,
    OneOrMany,
    OrFlag,
)
from channel_aa.menus.action_fields import (
    STRATEGIES,
    TERMINATORS,
    ArgumentName,
    ArgumentValue,
    DialplanExtension,
    DialplanName,
    Endpoint,
    Label,
    Mailbox,
    MusicClass,
    OwnCallerId,
    RecordingName,
    RegisteredName,
    VariableName,
    VariableValue,
    harmless,
    one_of,
)
from channel_aa.menus.sounds import (
    DIGITS,
    NAMES_NO_SOUND,
    LanguageCode,
    Prompt,
    Sound,
    only_keys,
    prompt_of,
)
from channel_aa.problems import Problem, path_of, quoted

__all__ = [
    "BACK",
    "HANGUP",
    "REPEAT",
    "TOP",
    "Action",
    "Continue",
    "Dial",
    "DialplanPlace",
    "Directory",
    "GoTo",
    "Keyword",
    "Language",
    "Named",
    "Play",
    "Queue",
    "Record",
    "Run",
    "SetVariables",
    "Voicemail",
]

ANY_ACTION = {"title": "Action"}
"""The placeholder of an action in a JSON Schema; ``channel-aa schema`` replaces it."""

KEYWORDS = ("repeat", "back", "top", "hangup")
"""The words that are actions themselves, so that nothing else may be called so."""
MAX_RING_SECONDS = 300
MAX_RECORD_SECONDS = 3600
MAX_SILENCE_SECONDS = 60
MAX_RUN_SECONDS = 86_400
MAX_ENDPOINTS = 20
MAX_PRIORITY = 1_000_000

# Of Asterisk's core sounds: "You have an incoming call. Press 1 to accept this call, or
# 2 to reject it."
CONFIRM_PROMPT = prompt_of("followme/no-recording", "followme/options")
"""What ``confirm = true`` plays."""


def _read_action(value: object) -> "Action":
    """Read an action: a word, or a table with one verb."""
    if isinstance(value, Action):
        return value
    if isinstance(value, str):
        with moved(lambda _: ()):
            return (
                Keyword.model_validate({"word": value})
                if value in KEYWORDS
                else Named.model_validate({"name": value})
            )
    if isinstance(value, Mapping):
        return VERBS[_verb_of(value)].model_validate(value)
    raise ValueError(
        "expected an action: a name in quotes, or a table such as"
        f' {{ menu = "sales" }}; found {type_name(value)}'
    )


def _verb_of(table: Mapping[object, object]) -> str:
    verbs = [verb for verb in VERBS if verb in table]
    if len(verbs) == 1:
        return verbs[0]
    if verbs:
        raise ValueError(
            f"has several verbs: {', '.join(verbs)}; keep one, and put the other into"
            " its 'then'"
        )
    near = [
        (key, match)
        for key in table
        for match in get_close_matches(str(key).lower(), VERBS, n=1)
    ]
    if near:
        raise refusal(
            Problem(
                path_of("", key),
                f"{quoted(key)} is not a verb; did you mean {match!r}?",
            )
            for key, match in near
        )
    raise ValueError(f"has no verb; it needs one of {', '.join(VERBS)}")


class Action(ConfigModel, frozen=True):
    """Something that an attendant does for a caller."""

    label: Label = ""
    """A description, for example for ``channel-aa graph``. Dialled phones show it
    before the caller's name."""

    secret: Flag = False
    """Whether the keys that lead here, of an option or of extensions, are secret, such
    as a PIN: they are masked as all of a menu with ``secret`` are, and so are wrong
    keys in their menu."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if ConfigModel in cls.__bases__:  # `Action` itself stands for any of them
            return core_schema.no_info_plain_validator_function(_read_action)
        return handler(source)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**ANY_ACTION} if ConfigModel in cls.__bases__ else handler(schema)


class Keyword(Action, frozen=True):
    """An action that is one word."""

    word: Annotated[str, one_of(KEYWORDS)]
    """``repeat`` (hear the menu again; the counts of no-input and no-match stay),
    ``back`` (enter the menu before this one anew), ``top`` (enter the call's first menu
    anew) or ``hangup``."""


class Named(Action, frozen=True):
    """A reference to a menu, or to an entry of ``[actions]``."""

    name: Name
    """The name; `CallFlow.resolve` returns the action that it refers to."""


REPEAT = Keyword(word="repeat")
"""Hear the menu again."""

BACK = Keyword(word="back")
"""Enter the menu before this one."""

TOP = Keyword(word="top")
"""Enter the call's first menu."""

HANGUP = Keyword(word="hangup")
"""Hang up."""


class Play(Action, frozen=True):
    """Play sounds, in which ``{digits}`` stands for the keys that were pressed."""

    play: Annotated[tuple[Sound, ...], Field(min_length=1), NAMES_NO_SOUND]
    """The sounds."""

    then: Action = REPEAT
    """The next action."""


class GoTo(Action, frozen=True):
    """Enter a menu: its counts start again, and its greeting is heard."""

    menu: Name
    """The menu's name."""


class Dial(Action, frozen=True):
    """Ring phones, and connect the caller with the one that answers."""

    dial: Annotated[
        tuple[Endpoint, ...],
        Field(min_length=1, max_length=MAX_ENDPOINTS),
        Explain(f"has no phone, or too many; allowed are 1 to {MAX_ENDPOINTS}"),
        OneOrMany(),
    ]
    """The endpoint of a phone, or several: ``PJSIP/410``,
    ``Local/410@from-internal``. ``{digits}`` stands for the keys that the caller
    pressed."""

    ring: Annotated[int, Between(1, MAX_RING_SECONDS, " seconds")] = 20
    """How many seconds each phone rings."""

    strategy: Annotated[str, one_of(STRATEGIES)] = "hunt"
    """``hunt`` rings them one after another, ``ringall`` all at once."""

    caller_id: OwnCallerId = ""
    """The name and number that phones show instead of the caller's and the ``label``:
    ``Acme <+441632960000>``, or the number alone, for example the company's own towards
    a carrier. They are shown even if the caller withholds the number. Empty: the
    caller's."""

    music: MusicClass = ""
    """The class of musiconhold.conf that the caller hears while phones ring; empty:
    the ring tone."""

    confirm: Annotated[
        Prompt, Field(min_length=1), NAMES_NO_SOUND, OrFlag(CONFIRM_PROMPT)
    ] = Field(default=False, validate_default=True)
    """Whether the call is taken only by pressing 1 on the phone that has answered: a
    mailbox does not. ``true`` plays a prompt of Asterisk's core sounds there; a list of
    sounds is another prompt. With any other key, a hangup, or no key within 10 seconds,
    twice, the phone counts as not answered."""

    early_media: Flag = False
    """Whether the caller hears what the network sends before the answer, such as "the
    number is not in service", instead of the ring tone. Not with ``ringall``,
    ``music`` or ``confirm``."""

    else_: Action | None = None
    """The action if no phone answers. Without it, the caller hears the reason, and
    then the menu again."""

    then: Action = HANGUP
    """The action after the conversation, if the caller has not hung up."""

    @property
    def own_caller_id(self) -> tuple[str, str] | None:
        """The name and the number of ``caller_id``, if it is set; no name is empty."""
        if not self.caller_id:
            return None
        name, _, number = self.caller_id.rpartition("<")
        return name.strip(), number.rstrip(">")

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what early media excludes."""
        del faulty
        excluded = {
            "strategy = 'ringall'": self.strategy == "ringall",
            "music": bool(self.music),
            "confirm": bool(self.confirm),
        }
        for key, is_set in excluded.items():
            if self.early_media and is_set:
                yield Problem(
                    "early_media",
                    f"cannot be combined with {key}; remove one of them",
                )


class Record(Action, frozen=True):
    """Record what the caller says, in Asterisk's folder of recordings."""

    record: RecordingName
    """The recording's name in Asterisk's folder of recordings, without an extension.
    ``{channel}``, ``{caller}``, ``{date}`` and ``{time}`` are replaced; ``{caller}`` by
    ``withheld`` if the caller withholds the number."""

    overwrite: Flag = False
    """Whether it replaces a recording of the same name. Otherwise that one is kept, and
    the new one gets a suffix: ``messages/410-5f3c09ab``."""

    review: Flag = False
    """Whether the caller hears the recording, and then keeps it, records another, or
    drops it. Only one that is kept replaces the one of the same name; an empty one is
    not offered."""

    beep: Flag = True
    """Whether a beep is heard before the recording."""

    max_seconds: Annotated[int, Between(1, MAX_RECORD_SECONDS, " seconds")] = 120
    """The maximum duration of the recording, in seconds."""

    max_silence: Annotated[
        int,
        Between(0, MAX_SILENCE_SECONDS, " seconds; 0: silence does not end it"),
    ] = 5
    """How many seconds of silence end the recording; 0: silence does not end it."""

    terminator: Annotated[str, one_of(TERMINATORS)] = "#"
    """The key that ends the recording: ``#``, ``*``, ``any`` or ``none``."""

    else_: Action | None = None
    """The action if the recording fails or is dropped; default: the menu again, after
    an announcement if it has failed."""

    then: Action = REPEAT
    """The next action."""

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find what a review excludes."""
        if faulty or not self.review:
            return
        if not self.max_silence:
            yield Problem(
                "max_silence",
                "must not be 0 with review = true: an empty recording shows by its"
                " silence",
            )
        if self.overwrite:
            yield Problem(
                "overwrite",
                "has no effect with review = true, which replaces the recording of the"
                " same name once the caller keeps the new one; remove it",
            )

    @property
    def names_caller(self) -> bool:
        """Whether the recording's name has the caller's number in it."""
        return "{caller}" in self.record

    def name(self, *, channel: str, caller: str, at: datetime) -> str:
        """Return the recording's name, which cannot leave Asterisk's folder.

        Different channels, and different callers, have different names.

        Args:
            channel: the channel's unique id, for ``{channel}``.
            caller: the caller's number, for ``{caller}``; ``unknown`` where it is
                empty. A withheld one is not to be passed.
            at: when it is, for ``{date}`` (``2026-12-24``) and ``{time}``
                (``130000``).
        """
        values = {
            "channel": harmless(channel),
            "caller": harmless(caller),
            "date": f"{at:%Y-%m-%d}",
            "time": f"{at:%H%M%S}",
        }
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], self.record)


class DialplanPlace(ConfigModel, frozen=True):
    """A place in the dialplan."""

    context: DialplanName
    """The context."""

    extension: DialplanExtension = "s"
    """The extension. ``{digits}`` stands for the keys that the caller pressed."""

    priority: Annotated[int, Between(1, MAX_PRIORITY)] = 1
    """The priority."""


class Continue(Action, frozen=True):
    """Continue the call in the dialplan."""

    continue_: DialplanPlace
    """The context, extension and priority where the call continues."""


class Voicemail(Action, frozen=True):
    """Let the caller leave a message, with Asterisk's VoiceMail()."""

    voicemail: Mailbox
    """The mailbox: ``410`` or ``410@default``. ``{digits}`` stands for the keys that
    the caller pressed."""


class Queue(Action, frozen=True):
    """Put the caller into a queue of queues.conf."""

    queue: DialplanName
    """The queue's name."""


class Directory(Action, frozen=True):
    """Let the caller find a person by name, with Asterisk's Directory()."""

    directory: DialplanName
    """The context of voicemail.conf whose names are searched."""


class SetVariables(Action, frozen=True):
    """Set channel variables, or functions such as ``CALLERID(name)``."""

    set_: FrozenMapping[VariableName, VariableValue]
    """The values by variable name. ``{digits}`` in a value stands for the keys that
    the caller pressed."""

    then: Action = REPEAT
    """The next action."""


class Language(Action, frozen=True):
    """Change the language of the sounds for the rest of the call."""

    language: LanguageCode
    """A language of Asterisk's sounds: ``en``, ``en_GB``, ``fr``."""

    then: Action = REPEAT
    """The next action."""


class Run(Action, frozen=True):
    """Run a custom action, which the embedding Python program has registered."""

    run: RegisteredName
    """The name under which it is registered."""

    timeout: Annotated[float, Between(1, MAX_RUN_SECONDS, " seconds")] = 10.0
    """After how many seconds it is cancelled, without those in which it waits for the
    caller: it plays, records, dials or asks."""

    arguments: FrozenMapping[ArgumentName, ArgumentValue] = Field(
        default_factory=dict, validate_default=True
    )
    """Arguments for the program's function, by name: text, numbers, true or false."""

    else_: Action | None = None
    """The action if it fails or times out. Without it, the menu is repeated."""


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
"""The verbs of actions, with the kind of action that each one makes."""


_VERB_OF = {kind: verb for verb, kind in VERBS.items()}


def verb_of(action: Action) -> str:
    """Return the word of an action in the file; the class's name if it has none."""
    if isinstance(action, Keyword):
        return action.word
    return _VERB_OF.get(type(action)) or type(action).__name__


def with_digits(text: str, digits: str) -> str:
    """Put what the caller pressed into a text, without what is no key."""
    return text.replace(DIGITS, only_keys(digits))


def dialled_numbers(text: str, digits: str) -> tuple[str, ...]:
    """Return the numbers that a text with ``{digits}`` dials, as an exchange reads it.

    They are what the caller pressed, and the same with the digits around it in the
    text: ``PJSIP/+44{digits}@trunk`` dials ``+44…``. A text without ``{digits}``, or a
    caller without an entry, dials no number that the caller chose.
    """
    pressed = only_keys(digits)
    if not pressed or DIGITS not in text:
        return ()
    around = (with_digits(each, digits) for each in _NUMBER.findall(text))
    return tuple(dict.fromkeys((pressed, *around)))


_NUMBER = re.compile(r"[0-9+*#]*(?:\{digits\}[0-9+*#]*)+")


def follow_ups(action: Action) -> tuple[tuple[str, Action], ...]:
    """Return the actions within an action, each with its key: ``then``, ``else``."""
    found = ((key, getattr(action, name, None)) for key, name in _FOLLOW_UPS)
    return tuple((key, each) for key, each in found if each is not None)


_FOLLOW_UPS = (("then", "then"), ("else", "else_"))
