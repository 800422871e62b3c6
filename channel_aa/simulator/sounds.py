"""The sounds and stored recordings that can be played, and how long they last."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_SIGNS = {"*": "star", "#": "pound", "-": "minus"}
_ANY = f"{digits}{ascii_lowercase}{''.join(_SIGNS)}"
_LAST_WORD = 20
"""The last number that is one word, but for tens, hundreds and so on."""
_NUMBER = re.compile(r"[+-]?\d{1,9}\Z")
_TONES = frozenset(
    {"dial", "busy", "ring", "congestion", "callwaiting", "dialrecall", "record"}
    | {"info", "stutter"}
)
_TONE_LIST = re.compile(r"!?\d+([+*]\d+)?(/\d+)?")


@dataclass(frozen=True, kw_only=True)
class StoredRecording:
    """A recording that can be played: ``recording:NAME``."""

    name: str
    format: str
    seconds: float

    def snapshot(self) -> dict[str, str]:
        """Describe it as Asterisk does."""
        return {"name": self.name, "format": self.format}


@dataclass(frozen=True)
class Sound:
    """Media that can be played, and its seconds; None: it is missing, and fails."""

    seconds: float | None
    can_stop: bool = True


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """The simulated Asterisk's sound files, and the recordings made there.

    Args:
        seconds: how long each sound lasts, by its name without ``sound:``.
        default_seconds: how long every other sound lasts; None: there is none.
        missing: names of sounds that do not exist all the same.
        recordings: the stored recordings, by name.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    default_seconds: float | None = 0.5
    missing: Collection[str] = frozenset()
    recordings: dict[str, StoredRecording] = field(default_factory=dict)

    def find(self, media: str) -> Sound | None:  # noqa: PLR0911 - one for each scheme
        """Look up a media URI: ``sound:press-1``, ``digits:12``, ``tone:ring``.

        None: Asterisk starts to play it and then sends no other event of it, as with
        an unknown scheme or a missing ``recording:``.
        """
        scheme, _, name = media.partition(":")
        match scheme:
            case "sound":
                return Sound(self.length(name))
            case "digits":
                return Sound(self._spelt(name, of="0123456789*#-"), can_stop=False)
            case "characters":
                return Sound(self._spelt(name, of=_ANY), can_stop=False)
            case "number" if _NUMBER.match(name):
                return Sound(self._counted(name), can_stop=False)
            case "recording" if name in self.recordings:
                # An empty one cannot be played.
                return Sound(self.recordings[name].seconds or None)
            case "recording" if media in self.seconds:
                return Sound(self.seconds[media])
            case "tone":
                is_known = name.partition(";")[0] in _TONES or _TONE_LIST.match(name)
                return Sound(inf if is_known else None)
            case _:
                return None

    def length(self, name: str) -> float | None:
        """Return how many seconds a sound lasts; None: it does not exist."""
        if name in self.missing:
            return None
        return self.seconds.get(name, self.default_seconds)

    def names(self) -> Iterator[str]:
        """List the sounds known by name."""
        return (
            name
            for name in self.seconds
            if name not in self.missing and not name.startswith("recording:")
        )

    def _spelt(self, characters: str, *, of: str) -> float:
        """Return the seconds it takes to spell this; unknown characters are skipped."""
        names = (sound_of(each) for each in characters.lower() if each in of)
        return sum(self.length(name) or 0.0 for name in names)

    def _counted(self, number: str) -> float | None:
        """Return the seconds it takes to say a number; None: a word is missing."""
        lengths = [self.length(f"digits/{word}") for word in words_of(int(number))]
        present = [length for length in lengths if length is not None]
        return sum(present) if len(present) == len(lengths) else None


def sound_of(character: str) -> str:
    """Return the sound of a character: ``digits/1``, ``letters/a``."""
    if character.isdigit() or character in _SIGNS:
        return f"digits/{_SIGNS.get(character, character)}"
    return f"letters/{character}"


def words_of(number: int) -> Sequence[str]:
    """Return the words of a number in English, by the names of sounds in ``digits``."""
    if number < 0:
        return ["minus", *words_of(-number)]
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return [*words_of(number // size), name, *(words_of(rest) if rest else ())]
    if number > _LAST_WORD and number % 10:
        return [str(number - number % 10), str(number % 10)]
    return [str(number)]
