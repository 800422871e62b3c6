"""Callers on a real Asterisk: Local channels that an ARI application drives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from real_asterisk.sounds import LONG, PRESS_1, QUIET

if TYPE_CHECKING:
    from real_asterisk.raw_ari import Ari, Events

CALLERS_APP = "phones"
"""The application that the callers' channels are in."""


@dataclass(frozen=True)
class LocalCaller:
    """The far half of a Local channel; its near half goes through the dialplan.

    To the dialplan, the near half is what a telephone's channel would be. The far half
    is in `CALLERS_APP`, which plays what the caller says and sends the keys.

    Attributes:
        ari: the user whose requests drive the caller.
        events: the websocket of `CALLERS_APP`.
        id: the far half's channel id.
        name: the near half's channel name, which the dialplan's application sees.
    """

    ari: Ari
    events: Events
    id: str
    name: str

    @classmethod
    async def place_call(
        cls, ari: Ari, events: Events, extension: str, **query: object
    ) -> LocalCaller:
        """Call an extension of the context ``default``.

        Args:
            ari: the user whose requests drive the caller.
            events: the websocket of `CALLERS_APP`.
            extension: the extension to dial.
            query: further parameters of ``POST /channels``, such as ``callerId``.
        """
        placed = await ari.post(
            "/channels",
            endpoint=f"Local/{extension}@default",
            app=CALLERS_APP,
            # Given no format, Asterisk chooses one that no endpoint here has.
            formats="ulaw",
            **query,
        )
        assert placed.status == 200, placed.json
        far_half: str = placed.json["name"]
        near_half = far_half.removesuffix("1") + "2"
        return cls(ari, events, placed.json["id"], near_half)

    async def press(self, key: str) -> None:
        """Send a key, once the call is answered."""
        # The far half enters its application when the call is answered.
        await self.events.wait_for_type("StasisStart", self.id)
        pressed = await self.ari.post(f"/channels/{self.id}/dtmf", dtmf=key)
        assert pressed.status == 204, pressed.json

    async def speak(self) -> None:
        """Say a word, once the call is answered; return when it is said."""
        said = await self._play(PRESS_1)
        await self.events.wait_for_type("PlaybackFinished", said)

    async def keep_talking(self) -> None:
        """Begin to talk for some seconds."""
        await self._play(LONG)

    async def keep_quiet(self) -> None:
        """Begin some seconds of silence."""
        await self._play(QUIET)

    async def hang_up(self) -> None:
        """Hang up, answered or not."""
        hung_up = await self.ari.delete(f"/channels/{self.id}")
        assert hung_up.status == 204, hung_up.json

    async def _play(self, sound: str) -> str:
        """Play a sound to the near half, and return the playback's id."""
        await self.events.wait_for_type("StasisStart", self.id)
        played = await self.ari.post(
            f"/channels/{self.id}/play", media=f"sound:{sound}"
        )
        playback_id: str = played.json["id"]
        return playback_id
