"""Calls that were refused: counted, and logged once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

SECONDS = 60
"""How long refusals are counted before the next line of the log."""

_log = Logger()


class OverloadLog:
    """Logs the first refusal at once, and those that follow once a minute.

    Args:
        clock: keeps the time.

    Attributes:
        total: how many there were so far.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.total = 0
        self._clock = clock
        self._logged = 0
        self._timer: IDelayedCall | None = None

    def count(self) -> None:
        """Count a refusal."""
        self.total += 1
        if self._timer is None:
            self._tell()

    def stop(self) -> None:
        """Log what was not logged yet; no timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._log()

    def _tell(self) -> None:
        self._timer = None
        if self._log():
            self._timer = self._clock.callLater(SECONDS, self._tell)

    def _log(self) -> bool:
        count = self.total - self._logged
        if count:
            _log.warn(
                "Too many calls: {count} went on in the dialplan ({total} so far)",
                count=count,
                total=self.total,
            )
            self._logged = self.total
        return count > 0
