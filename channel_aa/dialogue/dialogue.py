"""A dialogue with the person at a phone: sounds, keys, entries and recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.dialogue.collecting import ask
from channel_aa.dialogue.digits import KEYS, TERMINATOR, DigitMap, number_patterns
from channel_aa.dialogue.keypad import KEYS_LOST, Keypad
from channel_aa.dialogue.playing import check_present, play_media
from channel_aa.dialogue.say import Say
from channel_aa.interfaces import IChannel, IKeyListener, TelephonyError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.dialogue.collecting import Validator
    from channel_aa.interfaces import IRecording, ISoundTarget

_log = Logger()


@implementer(IKeyListener)
class Dialogue:
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
        say: what says numbers and the like in the language.
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

    async def next_key(self, seconds: float) -> str | None:
        """Take the next key.

        Args:
            seconds: how long to wait for it.

        Returns:
            The key: 0-9, ``*``, ``#`` or A-D; ``None`` if none was pressed in time.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for it.
        """
        key: str | None = KEYS_LOST
        while key == KEYS_LOST:
            check_present(self)
            key = await self.keypad.next_key(seconds)
        return key

    async def collect(
        self,
        *,
        max_digits: int,
        min_digits: int = 1,
        prompt: str | Iterable[str] = (),
        terminator: str = TERMINATOR,
        first: float = 10.0,
        between: float = 4.0,
        retries: int = 2,
        valid: Validator | None = None,
        invalid: str | Iterable[str] = (),
    ) -> str | None:
        """Ask for a number.

        It ends at its last possible digit, with the terminator, or when no further
        digit follows in time.

        Args:
            max_digits: the maximum number of digits, at most 32.
            min_digits: the minimum number of digits.
            prompt: the sounds that ask for it, at each try.
            terminator: the key that ends it; empty: none does.
            first: how many seconds after the prompt to wait for the first digit.
            between: how many seconds to wait for each further one.
            retries: how often to ask again after silence or an invalid number.
            valid: tells whether a number is valid, at once or by an awaitable.
            invalid: the sounds after an invalid number.

        Returns:
            The number; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
            ValueError: an argument is wrong.
        """
        patterns = number_patterns(min_digits, max_digits)
        return await ask(
            self,
            self._play_prompt,
            DigitMap((), patterns, terminator=terminator),
            prompt=_media_of([prompt]),
            invalid=_media_of([invalid]),
            first=first,
            between=between,
            retries=retries,
            valid=valid,
        )

    async def choose(
        self,
        keys: Iterable[str],
        *,
        prompt: str | Iterable[str] = (),
        first: float = 10.0,
        between: float = 4.0,
        retries: int = 2,
        invalid: str | Iterable[str] = (),
    ) -> str | None:
        """Ask for one of several keys, or sequences of keys, as a menu does.

        Args:
            keys: the options: ``"12*"`` or ``["1", "2", "10"]``.
            prompt: as for `collect`; likewise the following.
            first: seconds until the first key.
            between: seconds until a further one, where options have several.
            retries: how often to ask again.
            invalid: the sounds after keys that are no option.

        Returns:
            The option; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
            ValueError: an option has something else than keys in it.
        """
        options = list(keys)
        wrong = [each for each in options if not each or set(each) - set(KEYS)]
        if wrong:
            raise ValueError(f"an option is one or more keys of a phone: {wrong}")
        return await ask(
            self,
            self._play_prompt,
            DigitMap(options),
            prompt=_media_of([prompt]),
            invalid=_media_of([invalid]),
            first=first,
            between=between,
            retries=retries,
        )

    async def confirm(
        self,
        *prompt: str | Iterable[str],
        yes: str = "1",
        no: str = "2",
        first: float = 10.0,
        retries: int = 2,
    ) -> bool | None:
        """Ask a question with two answers.

        Args:
            *prompt: the sounds that ask it.
            yes: the key for yes.
            no: the key for no.
            first: how many seconds after the prompt to wait for the key.
            retries: how often to ask again after silence or another key.

        Returns:
            Whether the answer is yes; ``None`` after the last try.

        Raises:
            ChannelGoneError: the person has hung up.
            KeypadInUseError: something else waits for keys.
        """
        media = _media_of(prompt)
        key = await self.choose((yes, no), prompt=media, first=first, retries=retries)
        return None if key is None else key == yes

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

    async def _play_prompt(self, media: Iterable[str]) -> None:
        await self.play(media)


def _media_of(sounds: Iterable[str | Iterable[str]]) -> tuple[str, ...]:
    """Return media URIs, in one sequence."""
    media: list[str] = []
    for sound in sounds:
        media += [sound] if isinstance(sound, str) else sound
    return tuple(each if ":" in each else f"sound:{each}" for each in media)
