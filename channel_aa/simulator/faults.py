"""Trouble on request: what a test makes the simulated Asterisk do wrong."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

_EVER = -1


@dataclass(frozen=True, kw_only=True)
class RequestFault:
    """What becomes of a request.

    Args:
        status: answer with this status instead of serving the request.
        message: what the error's body says.
        delay: seconds before the answer leaves; the request is served at once.
        lose: close the connection with no answer: ``"request"`` without having
            served it, ``"answer"`` after having served it.
    """

    status: int | None = None
    message: str = "Simulated fault"
    delay: float = 0.0
    lose: str = ""


@dataclass
class _Rule:
    pattern: str
    remaining: int
    fault: RequestFault | None = None

    def matches(self, text: str) -> bool:
        if self.remaining == 0 or not fnmatchcase(text, self.pattern):
            return False
        if self.remaining > 0:
            self.remaining -= 1
        return True


def _times(times: int | None) -> int:
    return _EVER if times is None else times


class Faults:
    """The faults a simulator has been told to make.

    Each is made ``times`` times; None: until `clear`. Patterns are those of
    `fnmatch`: ``*`` stands for anything. Where several rules match, the first
    one told that is not used up yet is taken.
    """

    def __init__(self) -> None:
        self._requests: list[_Rule] = []
        self._events: list[_Rule] = []
        self._sounds: list[_Rule] = []
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
        self._requests.append(_Rule(request, _times(times), fault))

    def delay(self, request: str, seconds: float, *, times: int | None = 1) -> None:
        """Serve a request, but answer it only after so many simulated seconds."""
        fault = RequestFault(delay=seconds)
        self._requests.append(_Rule(request, _times(times), fault))

    def lose_request(self, request: str, *, times: int | None = 1) -> None:
        """Close the connection instead of serving a request.

        The connection is the websocket where the request came that way.
        """
        fault = RequestFault(lose="request")
        self._requests.append(_Rule(request, _times(times), fault))

    def lose_answer(self, request: str, *, times: int | None = 1) -> None:
        """Serve a request, then close the connection without an answer."""
        fault = RequestFault(lose="answer")
        self._requests.append(_Rule(request, _times(times), fault))

    def ignore_over_websocket(
        self, request: str = "*", *, times: int | None = None
    ) -> None:
        """Take no notice of a request where it comes over a websocket."""
        self._ignored.append(_Rule(request, _times(times)))

    def drop_event(self, event_type: str, *, times: int | None = 1) -> None:
        """Send no event of this type: ``"PlaybackFinished"``."""
        self._events.append(_Rule(event_type, _times(times)))

    def never_finish(self, media: str, *, times: int | None = 1) -> None:
        """Let a sound such as ``"sound:or"`` play on until it is stopped."""
        self._sounds.append(_Rule(media, _times(times)))

    def clear(self) -> None:
        """Make no more faults."""
        self._requests.clear()
        self._events.clear()
        self._sounds.clear()
        self._ignored.clear()

    def for_request(self, method: str, path: str) -> RequestFault | None:
        """Say what becomes of this request; None: nothing out of the ordinary."""
        text = f"{method} {path}" if self._requests else ""
        for rule in self._requests:
            if rule.matches(text):
                return rule.fault
        return None

    def ignores_over_websocket(self, method: str, path: str) -> bool:
        """Say whether no notice is taken of this request over a websocket."""
        text = f"{method} {path}" if self._ignored else ""
        return any(rule.matches(text) for rule in self._ignored)

    def drops(self, event_type: str) -> bool:
        """Say whether this event is not to be sent."""
        return any(rule.matches(event_type) for rule in self._events)

    def keeps_playing(self, media: str) -> bool:
        """Say whether this sound is never to end by itself."""
        return any(rule.matches(media) for rule in self._sounds)
