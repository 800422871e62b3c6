"""Caller IDs, and the ``CALLERID`` function."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_CALLER_ID = re.compile(r'\s*(?:"([^"]*)"|([^"<]*?))\s*(?:<([^>]*)>)?\s*')


@dataclass(frozen=True)
class CallerId:
    """A name and a number; either may be empty."""

    name: str = ""
    number: str = ""

    @classmethod
    def parse(cls, text: str) -> CallerId:
        """Read ``"Name" <number>``; what has no angle brackets is a number."""
        match = _CALLER_ID.fullmatch(text)
        quoted, plain, number = match.groups() if match else (None, text, None)
        if number is None and quoted is None:
            return cls(number=plain or "")
        return cls(name=quoted or plain or "", number=number or "")

    def __str__(self) -> str:
        return f'"{self.name}" <{self.number}>'

    def snapshot(self) -> dict[str, str]:
        """Describe it as Asterisk does."""
        return {"name": self.name, "number": self.number}

    def read(self, part: str) -> str:
        """Read what ``CALLERID(part)`` reads; empty if the part is unknown."""
        parts = {"name": self.name, "num": self.number, "number": self.number}
        return {**parts, "all": str(self)}.get(part, "")

    def changed(self, part: str, value: str) -> CallerId:
        """Return it with ``CALLERID(part)`` set; unchanged if the part is unknown."""
        match part:
            case "name":
                return replace(self, name=value)
            case "num" | "number":
                return replace(self, number=value)
            case "all":
                return self.parse(value)
            case _:
                return self
