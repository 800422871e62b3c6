"""Sounds, and prompts made of them.

Frozen, validated when they are built, and pure. Sounds are written as an
administrator knows them, ``press-1``, and kept as media URIs,
``sound:press-1``, in which a placeholder may stand.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from channel_aa.config_errors import moved
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import Explain, Flag, OneOrMany, Text
from channel_aa.menus.digits import KEYS
from channel_aa.problems import Problem, quoted

DIGITS = "{digits}"
"""What the caller pressed, where it stands in what an option does."""

RECORDING = "{recording}"
"""The name of the caller's last recording, in ``recording:{recording}``."""

MAX_SOUND_LENGTH = 200
"""The longest name of a sound; file systems end at 255, with the extension."""

MAX_SPELLED = 80
"""The most digits or characters that one sound may spell."""

MAX_SECONDS = 3600
"""The longest time that a caller is made to wait or listen, in seconds."""

# The core sounds that Asterisk itself says these keys with (main/say.c).
_SPOKEN_KEYS = {"*": "star", "#": "pound"}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_NAME_RULES = (
    (r"\A\Z", "the name is empty"),
    (r"\A/", "a name begins within Asterisk's folder of sounds, not with '/'"),
    (r"[{}]", f"only {DIGITS} is allowed in braces"),
    (r"[\s,&:]|\.\.", "a name has no space, ',', '&', ':' or '..' in it"),
    (
        rf"(?s:.){{{MAX_SOUND_LENGTH + 1},}}",
        f"a name has at most {MAX_SOUND_LENGTH} characters",
    ),
)


_KEY = re.escape(DIGITS)
_FILE = r"(?!.*//)(?!.*\.\.)[A-Za-z0-9_.-]([A-Za-z0-9_./-]{0,198}[A-Za-z0-9_.-])?"
# What stands behind each scheme, and how to say so.
_VALUES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "digits": (
            rf"(?:{_KEY}|[0-9*#A-Da-d]){{1,{MAX_SPELLED}}}",
            f"only the keys 0 to 9, '*', '#' and A to D, or {DIGITS}, can be said",
        ),
        "number": (
            rf"-?(?:{_KEY}|[0-9]){{1,9}}",
            f"a whole number of at most 9 digits is needed, or {DIGITS}",
        ),
        "characters": (
            rf"(?:{_KEY}|[A-Za-z0-9*#]){{1,{MAX_SPELLED}}}",
            f"only letters, digits, '*' and '#', or {DIGITS}, can be spelled",
        ),
        "tone": (
            r"[A-Za-z0-9_+*/!,=.;-]{1,80}",
            "name a tone of indications.conf, such as 'tone:ring' or 'tone:busy'",
        ),
        "recording": (
            f"{re.escape(RECORDING)}|{_FILE}",
            (
                f"write 'recording:{RECORDING}' for the caller's last recording, or a"
                " name of letters, digits, '-', '_', '.' and '/' that begins within"
                " Asterisk's folder of recordings"
            ),
        ),
    }
)


def _media_schema(*, with_tones: bool) -> dict[str, str]:
    """Give the JSON Schema of what is written for a sound."""
    schemes = (
        rf"|{scheme}:(?:{value})"
        for scheme, (value, _) in _VALUES.items()
        if with_tones or scheme != "tone"
    )
    name = rf"(?:sound:)?(?!/)(?!.*\.\.)(?:{_KEY}|[^\s,&:{{}}]){{1,{MAX_SOUND_LENGTH}}}"
    return {"type": "string", "pattern": f"^(?:{name}{''.join(schemes)})$"}


def _check_value(scheme: str, value: str) -> None:
    if scheme == "sound":
        _check_name(value)
    elif scheme not in _VALUES:
        raise ValueError(
            f"{quoted(scheme + ':')} is unknown; allowed are a sound's name alone, and "
            + ", ".join(f"'{each}:'" for each in _VALUES)
        )
    elif not re.fullmatch(_VALUES[scheme][0], value):
        raise ValueError(_VALUES[scheme][1])


def _check_name(name: str) -> None:
    plain = name.replace(DIGITS, "0")
    for pattern, message in _NAME_RULES:
        if re.search(pattern, plain):
            raise ValueError(message)
    if not plain.isprintable():
        raise ValueError("a name has no control characters in it")


def media_uri(sound: str) -> str:
    """Make a media URI of what is written for a sound: a validator.

    Raises:
        ValueError: Asterisk could not play it.
    """
    match = _SCHEME.fullmatch(sound)
    scheme, value = match.groups() if match else ("sound", sound)
    try:
        _check_value(scheme, value)
    except ValueError as error:
        raise ValueError(f"{quoted(sound)}: {error}") from None
    return f"{scheme}:{value}"


Media = Annotated[
    Text,
    AfterValidator(media_uri),
    WithJsonSchema(_media_schema(with_tones=True)),
]
Seconds = Annotated[
    float,
    Field(strict=True, gt=0, le=MAX_SECONDS),
    Explain(
        "{value} is out of range; allowed are seconds, more than 0 and at most"
        f" {MAX_SECONDS}"
    ),
]
"""A time that a caller can wait or listen through."""


class Sound(ConfigModel, frozen=True):
    """A sound: the name of a sound file, a media URI, or a table with options."""

    media: Annotated[
        tuple[Media, ...],
        Field(min_length=1),
        Explain('has nothing to play; write a sound: ["silence/1"]'),
        OneOrMany(),
    ]
    """Names of sound files or media URIs, played one after another. ``{digits}``
    stands for the keys that the caller pressed, ``{recording}`` for the caller's
    last recording."""

    barge_in: Flag = True
    """Whether a key stops the sound. Otherwise it plays to its end, and keys are kept
    for later."""

    seconds: Seconds | None = None
    """The duration of a tone (``tone:ring``) in seconds; only for tones."""

    @model_validator(mode="wrap")
    @classmethod
    def _read_name(
        cls, value: object, handler: ModelWrapValidatorHandler[Self]
    ) -> Self:
        if not isinstance(value, str):
            return handler(value)
        with moved(lambda _: ()):
            return handler({"media": (value,)})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = handler(schema)
        shared = handler.resolve_ref_schema(reference)
        table = {**shared}
        shared.clear()
        # A tone needs a table, which says how long it is heard.
        shared["anyOf"] = [_media_schema(with_tones=False), table]
        return reference

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find tones without ``seconds``, and ``seconds`` of other sounds."""
        if faulty:
            return
        tones = [each for each in self.media if each.startswith("tone:")]
        if tones and self.seconds is None:
            yield Problem(
                "media",
                f"{quoted(tones[0])}: a tone does not end by itself; set its"
                f' duration: {{ media = ["{tones[0]}"], seconds = 2 }}',
            )
        elif len(tones) < len(self.media) and self.seconds is not None:
            yield Problem("seconds", "is only for tones; other media end by themselves")

    def uris(self, *, digits: str = "", recording: str = "") -> tuple[str, ...]:
        """Return the media URIs to play, in a form that a key can stop.

        What spells digits or characters becomes a sound for each: a key cannot stop
        Asterisk's own ``digits:`` and ``characters:``. It cannot stop ``number:``
        either, for which there is no other way.

        Args:
            digits: what the caller pressed. What is no key of a telephone is left
                out.
            recording: the name of the caller's last recording; where there is none,
                there is nothing to hear of it.
        """
        return _all_uris(self.media, digits, recording)


Prompt = tuple[Sound, ...]
"""Sounds that are heard one after another."""


def without_digits(sound: Sound) -> Sound:
    """Refuse ``{digits}`` where no key has been pressed: a validator."""
    for media in sound.media:
        if DIGITS in media:
            raise ValueError(
                f"{quoted(media)}: {DIGITS} has a value only in the action of an"
                " option, after keys were pressed"
            )
    return sound


NAMES_NO_SOUND = Explain(
    'has no sound; write at least one, or a silent one: ["silence/1"]'
)
PlainSound = Annotated[
    Sound,
    AfterValidator(without_digits),
    Field(json_schema_extra={"not": {"type": "string", "pattern": _KEY}}),
]


def prompt_of(*sounds: str | Sound) -> Prompt:
    """Make a prompt of sounds, each a name or a `Sound`.

    Raises:
        ConfigError: one of them is not usable.
    """
    return tuple(
        Sound(media=(each,)) if isinstance(each, str) else each for each in sounds
    )


def only_keys(digits: str) -> str:
    """Leave out what is no key of a telephone."""
    return "".join(key for key in digits.upper() if key in KEYS)


@lru_cache(maxsize=1024)
def _all_uris(media: tuple[str, ...], digits: str, recording: str) -> tuple[str, ...]:
    """Return the media URIs of a sound; cached, since most are played often."""
    pressed = only_keys(digits)
    return tuple(chain.from_iterable(_uris(each, pressed, recording) for each in media))


def _uris(media: str, digits: str, recording: str) -> Iterator[str]:
    scheme, _, value = media.partition(":")
    if scheme == "sound" and DIGITS in value:
        spoken = "".join(_SPOKEN_KEYS.get(key, key.lower()) for key in digits)
        yield f"sound:{value.replace(DIGITS, spoken)}"
    elif scheme in {"digits", "characters"}:
        yield from _spelled(value.replace(DIGITS, digits))
    elif scheme == "number":
        number = value.replace(DIGITS, digits)
        if re.fullmatch(r"-?[0-9]{1,9}", number):
            yield f"number:{number}"
        else:  # keys that are no number can still be said one by one
            yield from _spelled(number)
    elif value == RECORDING:
        if recording:
            yield f"recording:{recording}"
    else:
        yield media


def _spelled(characters: str) -> Iterator[str]:
    for each in characters:
        if each.isalpha():
            yield f"sound:letters/{each.lower()}"
        elif each != "-":
            yield f"sound:digits/{_SPOKEN_KEYS.get(each, each)}"
