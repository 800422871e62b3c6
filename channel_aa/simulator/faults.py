"""Fault injection: what the simulated Asterisk does wrong on request."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class RequestFault:
    """A fault of one request.

    Args:
        status: the status to answer with, without serving the request.
        message: the message of that error.
        delay: seconds before the answer leaves; the request is served at once.
        lose: close the connection without an answer: ``"request"`` without having
            served it, ``"answer"`` after having served it.
    """

    status: int | None = None
    message: str = "Simulated fault"
    delay: float = 0.0
    lose: str = ""


@dataclass
class _Rule:
    """A fault that is injected some times, or, with None, any number of times."""

    pattern: str
    remaining: int | None
    fault: RequestFault | None = None

    def matches(self, text: str) -> bool:
        if self.remaining == 0 or not fnmatchcase(text, self.pattern):
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True


class Faults:
    """The faults that a simulator injects.

    Each is injected ``times`` times; None: until `clear`. Patterns are those of
    ``fnmatch``: ``*`` stands for anything. If several rules match, the oldest one that
    is not used up is taken.

    Attributes:
        is_booting: whether every request, websockets too, is answered with a 503.
    """

    def __init__(self) -> None:
        self.is_booting = False
        self._requests: list[_Rule] = []
        self._events: list[_Rule] = []
        self._ignored: list[_Rule] = []

    def answer(
        self,
        request: str,
        status: int,
        *,
        message: str = "Simulated fault",
        times: int | None = 1,
    ) -> None:
        """Answer a request such as ``"POST /channels/*/answer"`` with an error."""
        fault = RequestFault(status=status, message=message)
        self._requests.append(_Rule(request, times, fault))

    def delay(self, request: str, seconds: float, *, times: int | None = 1) -> None:
        """Serve a request, but answer it only after so many simulated seconds."""
        self._requests.append(_Rule(request, times, RequestFault(delay=seconds)))

    def lose_request(self, request: str, *, times: int | None = 1) -> None:
        """Close the connection, the websocket too, instead of serving a request."""
        self._requests.append(_Rule(request, times, RequestFault(lose="request")))

    def lose_answer(self, request: str, *, times: int | None = 1) -> None:
        """Serve a request, then close the connection without an answer."""
        self._requests.append(_Rule(request, times, RequestFault(lose="answer")))

    def ignore_over_websocket(
        self, request: str = "*", *, times: int | None = None
    ) -> None:
        """Ignore a request over a websocket: it is not served, and not answered."""
        self._ignored.append(_Rule(request, times))

    def drop_event(self, event_type: str, *, times: int | None = 1) -> None:
        """Send no event of this type: ``"PlaybackFinished"``."""
        self._events.append(_Rule(event_type, times))

    def clear(self) -> None:
        """Inject no more faults."""
        self.is_booting = False
        for rules in (self._requests, self._events, self._ignored):
            rules.clear()

    def for_request(self, method: str, path: str) -> RequestFault | None:
        """Return the fault of this request, if any."""
        text = f"{method} {path}" if self._requests else ""
        return next((each.fault for each in self._requests if each.matches(text)), None)

    def ignores_over_websocket(self, method: str, path: str) -> bool:
        """Return whether this request is ignored over a websocket."""
        text = f"{method} {path}" if self._ignored else ""
        return any(rule.matches(text) for rule in self._ignored)

    def drops(self, event_type: str) -> bool:
        """Return whether this event is dropped."""
        return any(rule.matches(event_type) for rule in self._events)
