"""Stand-ins for what the attendant speaks to, moved on by hand."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from channel_aa.interfaces import IChannel, IPlayback, PlaybackEnd


@implementer(IPlayback)
class FakePlayback:
    def __init__(self, playback_id: str, media: str) -> None:
        self.id = playback_id
        self.media = media
        self.problem = ""
        self.stops = 0
        self.finished: Deferred[PlaybackEnd] = Deferred(lambda _: self.stop())

    def stop(self) -> None:
        self.stops += 1

    def end(self, end: PlaybackEnd = PlaybackEnd.DONE) -> None:
        if end is PlaybackEnd.FAILED:
            self.problem = "no such sound"
        if not self.finished.called:
            self.finished.callback(end)


@implementer(IChannel)
class FakeChannel:
    """A channel that records what is asked of it, in order, in `log`.

    A stopped sound ends by itself where ``obeys`` is true, as on Asterisk;
    otherwise the test ends it.
    """

    def __init__(self, name: str = "PJSIP/alice-00000001") -> None:
        self.id = name
        self.name = name
        self.log: list[str] = []
        self.playbacks: list[FakePlayback] = []
        self.answered: Deferred[None] = succeed(None)
        self.continued: Deferred[None] = succeed(None)

    @property
    def playing(self) -> FakePlayback | None:
        """The sound that is heard now, if there is one."""
        if not self.playbacks or self.playbacks[-1].finished.called:
            return None
        return self.playbacks[-1]

    @property
    def heard(self) -> list[str]:
        """All sounds so far, in order, without their scheme."""
        return [playback.media.removeprefix("sound:") for playback in self.playbacks]

    def end_sound(self, end: PlaybackEnd = PlaybackEnd.DONE) -> None:
        """End the sound that is heard now."""
        assert self.playing is not None, f"nothing plays after {self.heard}"
        self.playing.end(end)

    def answer(self) -> Deferred[None]:
        self.log.append("answer")
        return self.answered

    def play(self, media: str) -> FakePlayback:
        assert self.playing is None, f"{media} over {self.playing}"
        self.log.append(media)
        playback = FakePlayback(f"playback-{len(self.playbacks)}", media)
        self.playbacks.append(playback)
        return playback

    def hang_up(self) -> Deferred[None]:
        self.log.append("hang up")
        return succeed(None)

    def continue_in_dialplan(self) -> Deferred[None]:
        self.log.append("continue")
        return self.continued
