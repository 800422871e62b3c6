"""A dialogue with the person at a phone: sounds, keys, entries and recordings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.internet.task import deferLater
from zope.interface import implementer

from channel_aa.dialogue.digits import TERMINATOR
from channel_aa.dialogue.keypad import Keypad
from channel_aa.dialogue.playing import check_present, play_media
from channel_aa.dialogue.questions import Questions
from channel_aa.dialogue.say import Say
from channel_aa.interfaces import IChannel, IKeyListener, TelephonyError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.interfaces import IRecording, ISoundTarget

_log = Logger()


@implementer(IKeyListener)
class Dialogue(Questions[str | Iterable[str]]):
    """A dialogue with the person at a phone.

    Sounds are media URIs, such as ``sound:welcome``, ``recording:greeting`` or
    ``tone:busy``; ``welcome`` stands for ``sound:welcome``. What takes several, takes
    one, or a sequence of them, as `Say` returns it.

    A key stops the present sound, and stays until a method takes it (type-ahead): as
    long as there is one, no further sound is played. Each method that waits raises
    `ChannelGoneError` if the person has hung up, and leaves nothing behind if it is
    cancelled. After a lost connection to Asterisk, keys may be missing: a wait for keys
    begins again then.

    Args:
        channel: the channel.
        clock: the clock for its timers.
        language: the language of its sounds: ``en``.

    Attributes:
        channel: the channel.
        keypad: the keys.
        say: makes the sounds for numbers and the like, in the language.
        is_hung_up: whether the person has hung up.
    """

    def __init__(
        self, channel: ISoundTarget, *, clock: IReactorTime, language: str = "en"
    ) -> None:
        self.channel = channel
        self.clock = clock
        self.keypad = Keypad(clock)
        self.say = Say(language)
        self.is_hung_up = False

    def dtmf_received(self, digit: str) -> None:
        """Press a key."""
        self.keypad.press(digit)

    def hung_up(self) -> None:
        """End the present wait for a key."""
        self.is_hung_up = True
        self.keypad.report_loss()

    async def play(self, *sounds: str | Iterable[str], barge_in: bool = True) -> None:
        """Play sounds, until the last has ended or a key is pressed.

        A sound that cannot be played is logged, and left out.

        Args:
            *sounds: the sounds.
            barge_in: whether a key stops them.

        Raises:
            ChannelGoneError: the person has hung up.
        """
        check_present(self)
        for media in _media_of(sounds):
            if barge_in and self.keypad.has_keys:
                break
            failed = await play_media(self, media, barge_in=barge_in)
            if failed is not None and not (barge_in and self.keypad.has_keys):
                _log.warn(
                    "{media} was not played to {channel}: {problem}",
                    channel=self.channel.name,
                    media=media,
                    problem=failed.problem,
                )

    async def wait(self, seconds: float) -> None:
        """Wait; a key that is pressed meanwhile stays for what follows.

        Args:
            seconds: how long.

        Raises:
            ChannelGoneError: the person has hung up.
        """
        check_present(self)
        await deferLater(self.clock, seconds)
        check_present(self)

    async def record(
        self,
        name: str,
        *,
        max_seconds: int = 0,
        max_silence_seconds: int = 0,
        terminator: str = TERMINATOR,
        beep: bool = True,
        overwrite: bool = False,
    ) -> IRecording:
        """Record the person, until the recording ends; discard the keys meanwhile.

        The arguments are those of `IChannel.record`.

        Returns:
            The recording, which is stored; ``recording:NAME`` plays it.

        Raises:
            ChannelGoneError: the person has hung up; what was said until then is
                stored.
            TelephonyError: nothing is stored.
        """
        check_present(self)
        recording: IRecording = IChannel(self.channel).record(
            name,
            max_seconds=max_seconds,
            max_silence_seconds=max_silence_seconds,
            terminator=terminator,
            beep=beep,
            overwrite=overwrite,
        )
        await recording.finished
        self.keypad.clear()
        check_present(self)
        if recording.problem:
            raise TelephonyError(f"could not record {name}: {recording.problem}")
        return recording

    @property
    def _party(self) -> Dialogue:
        return self

    async def _play_prompt(self, prompt: str | Iterable[str]) -> None:
        await self.play(prompt)


def _media_of(sounds: Iterable[str | Iterable[str]]) -> tuple[str, ...]:
    """Return media URIs, in one sequence."""
    media: list[str] = []
    for sound in sounds:
        media += [sound] if isinstance(sound, str) else sound
    return tuple(each if ":" in each else f"sound:{each}" for each in media)
