"""Where in the dialplan a channel is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class DialplanLocation:
    """A priority of an extension of a context."""

    context: str
    extension: str
    priority: int

    def __str__(self) -> str:
        return f"{self.context},{self.extension},{self.priority}"

    @property
    def after(self) -> DialplanLocation:
        """The next priority."""
        return replace(self, priority=self.priority + 1)

    def moved(
        self, *, context: str = "", extension: str = "", priority: int | None = None
    ) -> DialplanLocation:
        """Tell where ``continue`` goes on; with nothing given, at the next."""
        if not context and not extension:
            return replace(self, priority=priority or self.priority + 1)
        return DialplanLocation(
            context or self.context,
            extension or ("s" if context else self.extension),
            priority or 1,
        )

    def snapshot(self) -> dict[str, Any]:
        """Describe it as Asterisk does."""
        return {
            "context": self.context,
            "exten": self.extension,
            "priority": self.priority,
        }
