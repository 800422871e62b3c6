"""A Stasis application: who hears of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel


class Application:
    """A Stasis application: known while it is listened to, or has anything.

    Attributes:
        channels: those that are in it, by their id.
        watched: those that it hears of without that, for all of their life.
        bridges: those that it hears of.
        send: where its events go; None: nobody listens.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.channels: dict[str, Channel] = {}
        self.watched: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.send: Callable[[bytes], None] | None = None
        self.hears_everything = False
        self._allowed: list[str] = []
        self._disallowed: list[str] = []

    @property
    def is_in_use(self) -> bool:
        """Whether there is a reason to know it."""
        has_anything = self.channels or self.watched or self.bridges
        return self.send is not None or bool(has_anything)

    def filter(
        self, *, allowed: list[str] | None = None, disallowed: list[str] | None = None
    ) -> None:
        """Hear only those types that are allowed (none named: all), and not disallowed.

        What is None stays as it is; both None: everything is heard.
        """
        if allowed is None and disallowed is None:
            allowed = disallowed = []
        self._allowed = self._allowed if allowed is None else allowed
        self._disallowed = self._disallowed if disallowed is None else disallowed

    def hears(self, event_type: str) -> bool:
        """Say whether events of this type pass its filter."""
        is_allowed = not self._allowed or event_type in self._allowed
        return is_allowed and event_type not in self._disallowed

    def snapshot(self) -> dict[str, Any]:
        """Describe the application as Asterisk does."""
        return {
            "name": self.name,
            "channel_ids": list({**self.channels, **self.watched}),
            "bridge_ids": list(self.bridges),
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [{"type": each} for each in self._allowed],
            "events_disallowed": [{"type": each} for each in self._disallowed],
        }
