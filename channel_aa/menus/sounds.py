"""Sounds, and prompts made of them.

Frozen, validated when they are built, and pure. Sounds are written as an
administrator knows them, ``press-1``, and kept as media URIs,
``sound:press-1``, in which a placeholder may stand. A sound may be a text instead,
which is spoken.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, Self

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from channel_aa.config_errors import moved, type_name
from channel_aa.config_model import ConfigModel
from channel_aa.config_types import (
    Explain,
    Flag,
    FrozenMapping,
    Matching,
    OneOrMany,
    Text,
    Wrapper,
)
from channel_aa.dialogue.digits import KEYS
from channel_aa.problems import Problem, quoted

__all__ = [
    "Prompt",
    "Sound",
    "prompt_of",
]

DIGITS = "{digits}"
"""What the caller pressed, where it stands in what an option does."""

RECORDING = "{recording}"
"""The name of the caller's last recording, in ``recording:{recording}``."""

MAX_SOUND_LENGTH = 200
"""The longest name of a sound; file systems end at 255, with the extension."""

MAX_SPELLED = 80
"""The most digits or characters that one sound may spell."""

MAX_TEXT_LENGTH = 1000
"""The most characters of a text that is spoken: about a minute."""

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


def _plain_name(name: str) -> str:
    name = name.removeprefix("sound:")
    if DIGITS in name:
        raise ValueError(f"{quoted(name)}: a text is of one sound, without {DIGITS}")
    try:
        _check_name(name)
    except ValueError as error:
        raise ValueError(f"{quoted(name)}: {error}") from None
    return name


SoundName = Annotated[
    Text,
    AfterValidator(_plain_name),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?:sound:)?(?!/)(?!.*\.\.)"
            rf"[^\s,&:{{}}]{{1,{MAX_SOUND_LENGTH}}}$",
        }
    ),
]
"""The name of a sound file."""

Media = Annotated[
    Text,
    AfterValidator(media_uri),
    WithJsonSchema(_media_schema(with_tones=True)),
]
_LANGUAGE = "[A-Za-z][A-Za-z0-9_-]{1,39}"
_NO_LANGUAGE = (
    "{value} is not a language of Asterisk's sounds; write it as in 'en' or 'en_GB'"
)
LanguageCode = Annotated[str, Matching(_LANGUAGE, _NO_LANGUAGE)]
LanguageOrNone = Annotated[str, Matching(f"({_LANGUAGE})?", _NO_LANGUAGE)]

_PLACEHOLDERS = (DIGITS, RECORDING)
_BRACES = re.compile(r"\{[^{}]*\}?|\}")
_SPLIT = re.compile("|".join(f"({re.escape(each)})" for each in _PLACEHOLDERS))


def _check_text(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{quoted(text)}: a text has no control characters in it")
    for found in _BRACES.findall(text):
        if found not in _PLACEHOLDERS:
            raise ValueError(
                f"{quoted(text)}: only {DIGITS} and {RECORDING} are allowed in braces"
            )
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(
            f"a text has at most {MAX_TEXT_LENGTH} characters; divide it into several"
        )
    if not any(_pieces(text)):
        raise ValueError(f"{quoted(text)} has nothing to say")
    return text


class OneLanguage(Wrapper):
    """Take a text like a table by language with that text for every language."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        table = handler(schema)
        return {"anyOf": [table["additionalProperties"], table]}

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        if isinstance(value, str):
            with moved(lambda _: ()):
                return handler({"": value})
        if not isinstance(value, Mapping):
            raise ValueError(  # noqa: TRY004 - pydantic's, not Python's
                "expected text in quotes, or a table with one for each language; found"
                f" {type_name(value)}"
            )
        return handler(value)


SpokenText = Annotated[
    Text,
    AfterValidator(_check_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_TEXT_LENGTH}),
]
Texts = Annotated[FrozenMapping[LanguageOrNone, SpokenText], OneLanguage()]
"""What is said, by language; the key is empty where the language is the call's."""


class Utterance(NamedTuple):
    """A text without placeholders, to be spoken.

    Attributes:
        text: the text.
        language: its language: ``en``, ``en_GB``; empty: that of the call.
    """

    text: str
    language: str


def related(language: str) -> Iterator[str]:
    """Yield a language and those that may stand for it: ``en_GB``, ``en``, none."""
    while language:
        yield language
        language = language.rpartition("_")[0]
    yield ""


def in_language(texts: Mapping[str, str], language: str) -> Utterance | None:
    """Return the text for a language, or None."""
    for each in related(language):
        if each in texts:
            return Utterance(texts[each], each)
    return None


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
    ] = ()
    """Names of sound files or media URIs, played one after another. ``{digits}``
    stands for the keys that the caller pressed, ``{recording}`` for the caller's
    last recording."""

    say: Texts | None = None
    """A text to speak instead of media, or a table with one for each language:
    ``{ en = "Welcome.", fr = "Bienvenue." }``. ``{digits}`` in it says the keys that
    the caller pressed, one by one; ``{recording}`` plays the caller's last
    recording."""

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
        del table["properties"]["media"]["default"]
        table["oneOf"] = [{"required": ["media"]}, {"required": ["say"]}]
        # A tone needs a table, which says how long it is heard.
        shared["anyOf"] = [_media_schema(with_tones=False), table]
        return reference

    def conflicts(self, faulty: Mapping[str, Any]) -> Iterator[Problem]:
        """Find a sound that is none, tones without ``seconds``, and the like."""
        if faulty:
            return
        if self.say is not None:
            if self.media:
                yield Problem("say", "is set in addition to media; keep only one")
            if not self.say:
                yield Problem("say", "has no text")
        elif not self.media:
            yield Problem("media", "is missing; write a sound, or a text: say")
        tones = [each for each in self.media if each.startswith("tone:")]
        if tones and self.seconds is None:
            yield Problem(
                "media",
                f"{quoted(tones[0])}: a tone does not end by itself; set its"
                f' duration: {{ media = ["{tones[0]}"], seconds = 2 }}',
            )
        elif len(tones) < len(self.media) and self.seconds is not None:
            yield Problem("seconds", "is only for tones; other media end by themselves")

    @property
    def templates(self) -> tuple[str, ...]:
        """The media and texts, in which ``{digits}`` may stand."""
        return (*self.media, *(self.say or {}).values())

    def utterances(self) -> Iterator[Utterance]:
        """Yield what has to be spoken, in every language."""
        for language, text in (self.say or {}).items():
            for piece in _pieces(text):
                if piece not in _PLACEHOLDERS:
                    yield Utterance(piece, language)

    def parts(
        self, *, digits: str = "", recording: str = "", language: str = ""
    ) -> tuple[str | Utterance, ...]:
        """Return what is played one after another: media URIs, and texts to speak.

        Args:
            digits: as for `uris`.
            recording: as for `uris`.
            language: that of the call. Without a text in it, the first text is
                spoken.
        """
        if not self.say:
            return self.uris(digits=digits, recording=recording)
        first = Utterance(*next(iter(self.say.items()))[::-1])
        spoken = in_language(self.say, language) or first
        return tuple(
            part
            for piece in _pieces(spoken.text)
            for part in _parts(piece, spoken.language, only_keys(digits), recording)
        )

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
    for template in sound.templates:
        if DIGITS in template:
            raise ValueError(
                f"{quoted(template)}: {DIGITS} has a value only in the action of an"
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


def _pieces(text: str) -> Iterator[str]:
    """Divide a text into placeholders, and the texts between them."""
    for piece in _SPLIT.split(text):
        # A piece that begins behind a placeholder may begin with its full stop.
        said = (piece or "").lstrip(" .,;:!?").rstrip()
        if any(map(str.isalnum, said)):
            yield said


def _parts(
    piece: str, language: str, digits: str, recording: str
) -> Iterator[str | Utterance]:
    if piece == DIGITS:
        yield from _spelled(digits)
    elif piece == RECORDING:
        yield from _uris(f"recording:{RECORDING}", digits, recording)
    else:
        yield Utterance(piece, language)


def _spelled(characters: str) -> Iterator[str]:
    for each in characters:
        if each.isalpha():
            yield f"sound:letters/{each.lower()}"
        elif each != "-":
            yield f"sound:digits/{_SPOKEN_KEYS.get(each, each)}"
