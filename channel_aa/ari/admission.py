"""How many channels a client holds, and when no more may enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Sized

    from channel_aa.ari.wire.requests import IRequestSender

MAX_CHANNELS = 6000
"""The most channels that a client holds; each uses some 11 KiB.

They are the calls that an attendant serves, 5000 at most, and those that it is turning
away."""

MAX_PENDING_TO_ENTER = 2000
"""No channel enters while so many requests have no response: nearly each would send
more. Requests of channels that have entered may still be sent then."""


class Admission:
    """Tells whether a further channel may enter.

    Channels that may not are left in Asterisk until an audit finds them again.

    Args:
        channels: the channels that have entered.
        requests: carries the requests of the client.
    """

    _log = Logger()

    def __init__(self, channels: Sized, requests: IRequestSender) -> None:
        self._channels = channels
        self._requests = requests
        self._is_logged = False

    def is_open(self) -> bool:
        """Tell whether a further channel may enter; log once if not."""
        if (
            len(self._channels) < MAX_CHANNELS
            and self._requests.pending < MAX_PENDING_TO_ENTER
        ):
            return True
        if not self._is_logged:
            self._is_logged = True
            self._log.error(
                "Channels enter faster than they can be served; further ones wait in"
                " Asterisk until there are less than {channels} channels and"
                " {requests} requests. Limit the calls in the dialplan.",
                channels=MAX_CHANNELS,
                requests=MAX_PENDING_TO_ENTER,
            )
        return False

    def connection_opened(self) -> None:
        """Log the next excess again."""
        self._is_logged = False
