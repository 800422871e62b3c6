"""What sounds there are, and how long they last."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


@dataclass(frozen=True)
class Sound:
    """Something that can be asked for: how many seconds it lasts.

    None: it is missing, and fails.
    """

    seconds: float | None
    can_stop: bool = True


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """The simulated Asterisk's sound files.

    Args:
        seconds: how long each sound lasts, by its name without ``sound:``.
        default_seconds: how long every other sound lasts; None: there is none.
        missing: names of sounds that are not there all the same.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    default_seconds: float | None = 0.5
    missing: Collection[str] = frozenset()

    def find(self, media: str) -> Sound | None:
        """Look up a media URI: ``sound:press-1``, ``digits:12``, ``tone:ring``.

        None stands for what Asterisk starts to play and then never says another
        word of: a scheme that it does not know, a ``recording:`` that is missing.
        """
        scheme, _, name = media.partition(":")
        match scheme:
            case "sound":
                return Sound(self.length(name))
            case "digits" | "number" | "characters":
                return Sound(self._spoken(name), can_stop=False)
            case "recording" if media in self.seconds:
                return Sound(self.seconds[media])
            case "tone":
                return Sound(inf)
            case _:
                return None

    def length(self, name: str) -> float | None:
        """Say how many seconds the sound of this name lasts; None: no such sound."""
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

    def _spoken(self, characters: str) -> float:
        """Say how long it takes to spell this; what has no sound is left out."""
        return sum(self.length(f"digits/{each}") or 0.0 for each in characters)
