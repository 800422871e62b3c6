"""Device states: a caller switches a lamp by key: 0 is off, 1 is on, 2 blinks.

The lamp is the device ``Stasis:lamp``. Phones show it with this in the dialplan::

    exten => 800,hint,Stasis:lamp
    exten => 800,1,Stasis(lamp)

Run it with the URL of Asterisk's HTTP server, and the user and the password of
ari.conf::

    python examples/ari/device_states.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, run
from channel_aa.ari.api.events import DeviceStateChanged

if TYPE_CHECKING:
    from collections.abc import Sequence

LAMP = "Stasis:lamp"


def state_changed(event: DeviceStateChanged) -> None:
    """Print the state of the lamp."""
    print(f"{event.device_state.name} is {event.device_state.state}")


class Lamp:
    """A lamp, and its switch."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address, on_call=self.call)
        self.client.events.on(
            DeviceStateChanged, state_changed, source=f"deviceState:{LAMP}"
        )

    async def call(self, channel: Channel, _arguments: Sequence[str]) -> None:
        """Let a caller switch the lamp."""
        await channel.answer()
        devices = self.client.api.device_states
        prompt = ("vm-press", "digits/0", "digits/1", "digits/2")
        while key := await channel.dialogue.choose("012", prompt=prompt):
            match key:
                case "0":
                    await devices.update(device_name=LAMP, device_state="NOT_INUSE")
                case "1":
                    await devices.update(device_name=LAMP, device_state="INUSE")
                case "2":
                    await devices.update(device_name=LAMP, device_state="RINGING")


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="lamp")
    run(Lamp(address).client)
