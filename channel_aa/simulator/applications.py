"""A Stasis application: its subscriptions and its event filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Application:
    """A Stasis application; it exists while it has a websocket, or is subscribed.

    Attributes:
        channels: the ids of the channels that are in it.
        subscribed_channels: the ids of those that it is subscribed to, in it or not.
        subscribed_bridges: the ids of the bridges that it is subscribed to.
        send: sends an encoded event to its websocket; None: it has none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.channels: set[str] = set()
        self.subscribed_channels: set[str] = set()
        self.subscribed_bridges: set[str] = set()
        self.send: Callable[[bytes], None] | None = None
        self._allowed: list[str] = []
        self._disallowed: list[str] = []

    @property
    def is_in_use(self) -> bool:
        """Whether it has a websocket, a channel or a subscription."""
        return self.send is not None or bool(
            self.channels or self.subscribed_channels or self.subscribed_bridges
        )

    def filter(
        self, *, allowed: list[str] | None = None, disallowed: list[str] | None = None
    ) -> None:
        """Set which types of events it gets.

        Args:
            allowed: only these; empty: all.
            disallowed: none of these.

        None leaves a list as it is; both None: it gets everything.
        """
        if allowed is None and disallowed is None:
            allowed = disallowed = []
        self._allowed = self._allowed if allowed is None else allowed
        self._disallowed = self._disallowed if disallowed is None else disallowed

    def accepts(self, event_type: str) -> bool:
        """Say whether events of this type pass its filter."""
        is_allowed = not self._allowed or event_type in self._allowed
        return is_allowed and event_type not in self._disallowed

    def snapshot(self) -> dict[str, Any]:
        """Describe the application as Asterisk does."""
        return {
            "name": self.name,
            "channel_ids": sorted(self.channels | self.subscribed_channels),
            "bridge_ids": sorted(self.subscribed_bridges),
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [{"type": each} for each in self._allowed],
            "events_disallowed": [{"type": each} for each in self._disallowed],
        }
