"""The menu tree: what callers are offered, and what their keys do.

Frozen, checked when it is built, and pure: nothing here plays a sound. Sounds are
written as an administrator knows them, ``press-1``, and kept as the media URIs
that ARI plays, ``sound:press-1``.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from channel_aa.checked import Checked, quoted

MAX_TIMEOUT = 3600
"""The longest silence that a menu may wait through, in seconds."""

MAX_SOUND_LENGTH = 200
"""The longest name of a sound; file systems end at 255, with the extension."""

_DIGITS = "{digits}"
_KEYS = "0123456789*#ABCD"

# The core sounds that Asterisk itself says these keys with (main/say.c).
_SPOKEN_KEYS = {"*": "star", "#": "pound", "A": "a", "B": "b", "C": "c", "D": "d"}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_MISTAKES = (
    (r"\A\Z", "the name is empty"),
    (r"\A/", "a name begins within Asterisk's folder of sounds, not with '/'"),
    (r"[{}]", f"nothing but {_DIGITS} may stand in braces"),
    (r"[\s,&:]|\.\.", "a name has no space, ',', '&', ':' or '..' in it"),
    (
        rf"(?s:.){{{MAX_SOUND_LENGTH + 1},}}",
        f"a name has at most {MAX_SOUND_LENGTH} characters",
    ),
)


def pattern_media(sound: str) -> str:
    """Make a sound's name a media URI, in which ``{digits}`` may stand: a rule.

    Raises:
        ValueError: Asterisk could not play it as one sound that a key stops.
    """
    name = _without_scheme(sound)
    plain = name.replace(_DIGITS, "0")
    for pattern, message in _MISTAKES:
        if re.search(pattern, plain):
            raise ValueError(f"{quoted(sound)}: {message}")
    if not plain.isprintable():
        raise ValueError(f"{quoted(sound)}: a name has no control characters in it")
    return f"sound:{name}"


def plain_media(sound: str) -> str:
    """Make a sound's name a media URI, without ``{digits}``: a rule.

    Raises:
        ValueError: as `pattern_media`, and for ``{digits}``.
    """
    if _DIGITS in sound:
        raise ValueError(
            f"{quoted(sound)}: {_DIGITS} can be said only where keys have been"
            " pressed, in an option's play"
        )
    return pattern_media(sound)


def dtmf_key(key: str) -> str:
    """Allow a key of a telephone, with A to D as Asterisk reports them: a rule."""
    upper = key.upper()
    if len(upper) == 1 and upper in _KEYS:
        return upper
    raise ValueError(
        f"{quoted(key)} is not a key of a telephone; allowed are 0 to 9, '*', '#'"
        " and A to D, one for each option"
    )


def some_sounds(sounds: tuple[str, ...]) -> tuple[str, ...]:
    """Allow no empty list of sounds: a rule."""
    if sounds:
        return sounds
    raise ValueError(
        'names no sound; name at least one, or a silent one: ["silence/1"]'
    )


def bounded_timeout(seconds: float) -> float:
    """Allow a time that a caller can wait through: a rule."""
    if 0 < seconds <= MAX_TIMEOUT:
        return seconds
    raise ValueError(
        f"{seconds:g} is out of range; allowed are seconds, more than 0 and at"
        f" most {MAX_TIMEOUT}"
    )


Key = Annotated[str, dtmf_key]
PatternSounds = Annotated[tuple[Annotated[str, pattern_media], ...], some_sounds]
PlainSounds = Annotated[tuple[Annotated[str, plain_media], ...], some_sounds]


class Option(Checked, frozen=True, kw_only=True):
    """What happens when a caller chooses an option of a menu.

    Attributes:
        play: media URIs, heard one after another; then the menu is heard again.
            ``{digits}`` in them is what the caller pressed: see `media`.
    """

    play: PatternSounds

    def media(self, digits: str) -> tuple[str, ...]:
        """Tell what to play to somebody who pressed these keys.

        A sound with ``{digits}`` in its name is there once for each key: the digit
        itself, ``star``, ``pound`` or a small letter takes the braces' place.
        Asterisk keeps the letters' sounds in a folder of their own, so that
        ``digits/{digits}`` is ``letters/a`` for the key A.
        """
        media: list[str] = []
        for pattern in self.play:
            if _DIGITS in pattern:
                media.extend(_filled(pattern, key) for key in digits)
            else:
                media.append(pattern)
        return tuple(media)


class Menu(Checked, frozen=True, kw_only=True):
    """What a caller hears, and what the keys do.

    Attributes:
        prompt: media URIs, heard one after another; a key interrupts them.
        timeout: how many seconds of silence after the prompt are a no-input.
        noinput: media URIs, heard at a no-input; then the menu is heard again.
        nomatch: media URIs, heard after a key without an option; then the menu is
            heard again.
        options: what each key does. A to D are upper-case.
    """

    prompt: PlainSounds
    timeout: Annotated[float, bounded_timeout] = 10.0
    noinput: PlainSounds = ("are-you-still-there",)
    nomatch: PlainSounds = ("option-is-invalid",)
    options: Mapping[Key, Option] = {}


def default_menu() -> Menu:
    """Give the menu for those who configure none: 1 and 2 say what was pressed."""
    say_digits = Option(play=("you-entered", "digits/{digits}"))
    return Menu(
        prompt=("press-1", "or", "press-2"),
        options={"1": say_digits, "2": say_digits},
    )


def _without_scheme(sound: str) -> str:
    match = _SCHEME.fullmatch(sound)
    if match is None:
        return sound
    scheme, name = match.groups()
    if scheme == "sound":
        return name
    if scheme == "digits":
        raise ValueError(
            f"{quoted(sound)}: a key cannot stop what Asterisk says with 'digits:';"
            f" name the sounds themselves: 'digits/{_DIGITS}' or 'digits/1'"
        )
    raise ValueError(
        f"{quoted(sound)}: 'sound:' is the only scheme, and may be left out"
    )


def _filled(pattern: str, key: str) -> str:
    if key.isalpha() and pattern == f"sound:digits/{_DIGITS}":
        pattern = f"sound:letters/{_DIGITS}"
    return pattern.replace(_DIGITS, _SPOKEN_KEYS.get(key, key))
