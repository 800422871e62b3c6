"""What callers hear: sounds, and prompts made of them.

Frozen, checked when they are built, and pure: nothing here plays a sound. Sounds
are written as an administrator knows them, ``press-1``, and kept as media URIs,
``sound:press-1``, in which a placeholder may stand.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from channel_aa.checked import (
    Checked,
    ConfigError,
    Problem,
    Reader,
    converted,
    one_or_list,
    quoted,
)
from channel_aa.menus.digits import KEYS

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
_MISTAKES = (
    (r"\A\Z", "the name is empty"),
    (r"\A/", "a name begins within Asterisk's folder of sounds, not with '/'"),
    (r"[{}]", f"nothing but {DIGITS} may stand in braces"),
    (r"[\s,&:]|\.\.", "a name has no space, ',', '&', ':' or '..' in it"),
    (
        rf"(?s:.){{{MAX_SOUND_LENGTH + 1},}}",
        f"a name has at most {MAX_SOUND_LENGTH} characters",
    ),
)


def _sound(name: str) -> None:
    plain = name.replace(DIGITS, "0")
    for pattern, message in _MISTAKES:
        if re.search(pattern, plain):
            raise ValueError(message)
    if not plain.isprintable():
        raise ValueError("a name has no control characters in it")


def _matching(pattern: str, message: str) -> Callable[[str], None]:
    rule = re.compile(pattern, re.ASCII)

    def check(value: str) -> None:
        if not rule.fullmatch(value.replace(DIGITS, "0")):
            raise ValueError(message)

    return check


def _recording(name: str) -> None:
    if name == RECORDING:
        return
    if not re.fullmatch(r"(?!.*//)[\w.-][\w./-]{0,199}(?<!/)", name, re.ASCII) or (
        ".." in name
    ):
        raise ValueError(
            f"write 'recording:{RECORDING}' for the caller's last recording, or a"
            " name of letters, digits, '-', '_', '.' and '/' that begins within"
            " Asterisk's folder of recordings"
        )


_SCHEMES: Mapping[str, Callable[[str], None]] = MappingProxyType(
    {
        "sound": _sound,
        "digits": _matching(
            rf"[0-9*#A-Da-d]{{1,{MAX_SPELLED}}}",
            f"only the keys 0 to 9, '*', '#' and A to D, or {DIGITS}, can be said",
        ),
        "number": _matching(
            r"-?[0-9]{1,9}",
            f"a whole number of at most 9 digits is needed, or {DIGITS}",
        ),
        "characters": _matching(
            rf"[A-Za-z0-9*#]{{1,{MAX_SPELLED}}}",
            f"only letters, digits, '*' and '#', or {DIGITS}, can be spelled",
        ),
        "tone": _matching(
            r"[A-Za-z0-9_+*/!,=.;-]{1,80}",
            "name a tone of indications.conf, such as 'tone:ring' or 'tone:busy'",
        ),
        "recording": _recording,
    }
)


def media_uri(sound: str) -> str:
    """Make what is written for a sound a media URI: a rule.

    Raises:
        ValueError: Asterisk could not play it.
    """
    match = _SCHEME.fullmatch(sound)
    scheme, value = match.groups() if match else ("sound", sound)
    if scheme not in _SCHEMES:
        raise ValueError(
            f"{quoted(sound)}: {quoted(scheme + ':')} is unknown; allowed are a"
            " sound's name alone, and "
            + ", ".join(f"'{each}:'" for each in _SCHEMES if each != "sound")
        )
    try:
        _SCHEMES[scheme](value)
    except ValueError as error:
        raise ValueError(f"{quoted(sound)}: {error}") from None
    return f"{scheme}:{value}"


def sound_seconds(seconds: float) -> float:
    """Allow a time that a caller can listen through: a rule."""
    if 0 < seconds <= MAX_SECONDS:
        return seconds
    raise ValueError(
        f"{seconds:g} is out of range; allowed are seconds, more than 0 and at"
        f" most {MAX_SECONDS}"
    )


def some_media(media: tuple[str, ...]) -> tuple[str, ...]:
    """Allow no empty list of media: a rule."""
    if media:
        return media
    raise ValueError('names nothing to play; name a sound: ["silence/1"]')


class Sound(Checked, frozen=True, kw_only=True):
    """Something that callers hear.

    Attributes:
        media: media URIs, heard one after another, in which `DIGITS` and
            `RECORDING` may stand: see `uris`.
        barge_in: whether a key stops it. Otherwise it plays to its end, and the
            keys are kept for later.
        seconds: after how many seconds a tone ends, which has no end of its own;
            ``None`` for everything else.
    """

    media: Annotated[
        tuple[str, ...], one_or_list(Annotated[str, media_uri]), some_media
    ]
    barge_in: bool = True
    seconds: Annotated[float, sound_seconds] | None = None

    @classmethod
    def omissions(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Find tones without an end, and ends of what has one."""
        media, seconds = values["media"], values["seconds"]
        tones = [each for each in media if each.startswith("tone:")]
        if tones and seconds is None:
            yield Problem(
                "media",
                f"{quoted(tones[0])}: a tone has no end of its own; say how long it"
                f' is heard: {{ media = ["{tones[0]}"], seconds = 2 }}',
            )
        elif len(tones) < len(media) and seconds is not None:
            yield Problem(
                "seconds", "is for a tone; everything else is heard to its own end"
            )

    def uris(self, *, digits: str = "", recording: str = "") -> tuple[str, ...]:
        """Give what Asterisk is to play, as it can be stopped by a key.

        What spells digits or characters becomes a sound for each: a key cannot stop
        Asterisk's own ``digits:`` and ``characters:``. It cannot stop ``number:``
        either, for which there is no other way.

        Args:
            digits: what the caller pressed. What is no key of a telephone is left
                out.
            recording: the name of the caller's last recording; where there is none,
                there is nothing to hear of it.
        """
        pressed = only_keys(digits)
        uris: list[str] = []
        for media in self.media:
            uris += _uris(media, pressed, recording)
        return tuple(uris)


Prompt = tuple[Sound, ...]
"""Sounds that are heard one after another."""


def read_sound(value: object, place: str, problems: list[Problem]) -> Sound | None:
    """Read a sound: its name, or a table."""
    if isinstance(value, str):
        try:
            return Sound(media=(value,))
        except ConfigError as error:
            problems += [Problem(place, each.message) for each in error.problems]
            return None
    sound: Sound | None = converted(value, Sound, place, problems)
    return sound


def some_sounds(prompt: Prompt) -> Prompt:
    """Allow no empty list of sounds: a rule."""
    if prompt:
        return prompt
    raise ValueError(
        'names no sound; name at least one, or a silent one: ["silence/1"]'
    )


def without_digits(sound: Sound) -> Sound:
    """Refuse ``{digits}`` where no key has been pressed: a rule."""
    for media in sound.media:
        if DIGITS in media:
            raise ValueError(
                f"{quoted(media)}: {DIGITS} can be said only where keys have been"
                " pressed, in what an option does"
            )
    return sound


AnySound = Annotated[Sound, Reader(read_sound)]
PlainSound = Annotated[AnySound, without_digits]


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
