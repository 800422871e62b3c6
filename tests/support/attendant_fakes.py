"""Fakes of the interfaces that the attendant uses, controlled by the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from zope.interface import alsoProvides, implementer

from channel_aa.interfaces import (
    DialOutcome,
    HangupReason,
    IChannel,
    IKeyListener,
    IOutboundChannel,
    IPlayback,
    IRecording,
    PlaybackEnd,
    RecordingEnd,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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


@implementer(IRecording)
class FakeRecording:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.problem = ""
        self.talking_seconds: int | None = 2
        self.replacement: Deferred[None] = succeed(None)
        self.finished: Deferred[RecordingEnd] = Deferred(
            lambda _: log.append(f"keep {name}")
        )
        self._log = log

    def discard(self) -> Deferred[None]:
        self._log.append(f"discard {self.name}")
        return succeed(None)

    def replace(self, name: str) -> Deferred[None]:
        self._log.append(f"replace {name}")

        def replaced(_: None) -> None:
            self.name = name

        return self.replacement.addCallback(replaced)

    def end(self, end: RecordingEnd = RecordingEnd.DONE) -> None:
        if end is RecordingEnd.FAILED:
            self.problem = "the disk is full"
        self.finished.callback(end)


class FakeSoundTarget:
    """A channel whose sounds the test ends; records them in `log`."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.playbacks: list[FakePlayback] = []

    @property
    def playing(self) -> FakePlayback | None:
        """The current sound, if there is one."""
        if not self.playbacks or self.playbacks[-1].finished.called:
            return None
        return self.playbacks[-1]

    @property
    def heard(self) -> list[str]:
        """All sounds so far, in order; without ``sound:``."""
        return [playback.media.removeprefix("sound:") for playback in self.playbacks]

    def end_sound(self, end: PlaybackEnd = PlaybackEnd.DONE) -> None:
        """End the current sound."""
        assert self.playing is not None, f"nothing plays after {self.heard}"
        self.playing.end(end)

    def play(self, media: str) -> FakePlayback:
        assert self.playing is None, f"{media} over {self.playing}"
        self.log.append(media)
        playback = FakePlayback(f"playback-{len(self.playbacks)}", media)
        self.playbacks.append(playback)
        return playback


@implementer(IOutboundChannel)
class FakePhone(FakeSoundTarget):
    """A phone that the test answers or hangs up.

    As on Asterisk, a conversation ends when the phone is hung up.
    """

    def __init__(self, endpoint: str, log: list[str]) -> None:
        super().__init__(endpoint, log)
        self.endpoint = endpoint
        self.listener: IKeyListener | None = None
        self.is_hung_up = False
        self.variables: Mapping[str, str] = {}
        self.connected: Deferred[None] | None = None
        self.outcome: Deferred[DialOutcome] = Deferred(lambda _: self._log_hang_up())

    @property
    def is_in_use(self) -> bool:
        """Whether it rings, or is in a conversation."""
        return not self.is_hung_up

    def end_dialling(self, outcome: DialOutcome) -> None:
        """Answer it, or let the dialling fail."""
        if outcome is not DialOutcome.ANSWERED:
            self.is_hung_up = True
        self.outcome.callback(outcome)

    def hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> None:
        self._log_hang_up(reason)
        if not self.outcome.called:
            self.outcome.callback(DialOutcome.NO_ANSWER)
        self._end_conversation()

    def connect(self) -> Deferred[None]:
        self.log.append(f"connect {self.endpoint}")
        self.connected = Deferred(lambda _: self._log_hang_up())
        return self.connected

    def press(self, keys: str) -> None:
        """Press keys; a sound that one stops ends at once."""
        for key in keys:
            assert self.listener is not None, "no keys are expected"
            self.listener.dtmf_received(key)
            if self.playing is not None and self.playing.stops:
                self.playing.end()

    def callee_hangs_up(self) -> None:
        """Hang up on the callee's side; the caller stays."""
        self.is_hung_up = True
        if self.listener is not None:
            self.listener.hung_up()
        if self.playing is not None:
            self.playing.end(PlaybackEnd.FAILED)
        self._end_conversation()

    def _log_hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> None:
        if not self.is_hung_up:
            self.is_hung_up = True
            self.log.append(_with_reason(f"hang up {self.endpoint}", reason))

    def _end_conversation(self) -> None:
        if self.connected is not None and not self.connected.called:
            self.connected.callback(None)


@implementer(IChannel)
class FakeChannel(FakeSoundTarget):
    """A channel that records requests, in order, in `log`.

    Requests succeed, except those for which the test sets a result: `answered`,
    `continued`, `reading` for variables, or a function that returns it in `responses`,
    by the line of the log. `reads` has the variables that were read.
    """

    def __init__(self, name: str = "PJSIP/alice-00000001") -> None:
        super().__init__(name, [])
        self.id = "1700000000.1"
        self.caller_name = "Alice"
        self.caller_number = "+441632960100"
        self.dialled = "1000"
        self.language = "en"
        self.hangup_cause = 0
        self.phones: list[FakePhone] = []
        self.recordings: list[FakeRecording] = []
        self.variables = {"CALLERID(pres)": "allowed_not_screened"}
        self.reads: list[str] = []
        self.reading: Callable[[], Deferred[str]] | None = None
        self.responses: dict[str, Callable[[], Deferred[None]]] = {}
        self.answered: Deferred[None] = succeed(None)
        self.continued: Deferred[None] = succeed(None)

    @property
    def phones_in_use(self) -> list[str]:
        """The phones that ring, or are in a conversation."""
        return [phone.endpoint for phone in self.phones if phone.is_in_use]

    def answer(self) -> Deferred[None]:
        self.log.append("answer")
        return self.answered

    def hang_up(self, reason: HangupReason = HangupReason.NORMAL) -> Deferred[None]:
        return self._request(_with_reason("hang up", reason))

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        if not context:
            self.log.append("continue")
            return self.continued
        return self._request(f"continue {extension}@{context}:{priority}")

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        return self._request(f"set {name}={value}").addCallback(
            lambda _: self.variables.update({name: value})
        )

    def get_variable(self, name: str) -> Deferred[str]:
        self.reads.append(name)
        if self.reading is not None:
            return self.reading()
        return succeed(self.variables.get(name, ""))

    def start_ringing(self) -> Deferred[None]:
        return self._request("start ringing")

    def stop_ringing(self) -> Deferred[None]:
        return self._request("stop ringing")

    def start_music(self, music_class: str) -> Deferred[None]:
        return self._request(f"start music {music_class}")

    def stop_music(self) -> Deferred[None]:
        return self._request("stop music")

    def record(
        self,
        name: str,
        *,
        max_seconds: int,
        max_silence_seconds: int,
        terminator: str,
        beep: bool,
        overwrite: bool = False,
    ) -> FakeRecording:
        assert self.playing is None, f"recording {name} over {self.playing}"
        self.log.append(
            f"record {name} {max_seconds} {max_silence_seconds} {terminator} {beep}"
            f"{' overwrite' if overwrite else ''}"
        )
        self.recordings.append(FakeRecording(name, self.log))
        return self.recordings[-1]

    def dial(
        self,
        endpoint: str,
        *,
        ring_seconds: int,
        label: str = "",
        caller_id: tuple[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        early_media: bool = False,
        is_withheld: bool = False,
    ) -> FakePhone:
        shown = label if caller_id is None else f"{caller_id[0]} <{caller_id[1]}>"
        line = f"dial {endpoint} {ring_seconds} {shown}".rstrip()
        self.log.append(f"{line} early media" if early_media else line)
        self.phones.append(FakePhone(endpoint, self.log))
        self.phones[-1].variables = variables or {}
        return self.phones[-1]

    def _request(self, line: str) -> Deferred[None]:
        self.log.append(line)
        respond = self.responses.get(line)
        return succeed(None) if respond is None else respond()


def _with_reason(line: str, reason: HangupReason) -> str:
    return line if reason is HangupReason.NORMAL else f"{line}: {reason.value}"


def memory_reactor() -> MemoryReactorClock:
    """Make a reactor without sockets for a service."""
    reactor = MemoryReactorClock()
    # MemoryReactorClock provides no name resolver before Twisted 25.5.
    vars(reactor).setdefault("nameResolver", None)
    alsoProvides(reactor, IReactorPluggableNameResolver)
    return reactor
