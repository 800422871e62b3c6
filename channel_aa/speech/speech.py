"""What is played for texts, and for sound files that Asterisk does not have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.interfaces import ISpeech, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.default_sounds import CORE_SOUNDS, DEFAULT_TEXTS
from channel_aa.menus.languages import Languages
from channel_aa.menus.sounds import Utterance, in_language
from channel_aa.speech.asterisk_sounds import AsteriskSounds
from channel_aa.speech.engines import EngineError, find_engine, speech_folder
from channel_aa.speech.renderer import Renderer
from channel_aa.speech.rendering import job_for, remove_unused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from channel_aa.menus.flow import CallFlow
    from channel_aa.settings import Settings
    from channel_aa.speech.engines import Engine
    from channel_aa.speech.rendering import Job

WAITING_SECONDS = 5.0
"""How long a caller waits for a text that is not rendered yet."""

_SHOWN = 60
_FETCHED = ("sound:http:", "sound:https:")


def spoken_by_place(flow: CallFlow) -> Iterator[tuple[str, Utterance]]:
    """Yield each text of a call flow that has to be spoken, and its place."""
    for placed in flow.all_sounds():
        for utterance in placed.sound.utterances():
            yield placed.place, utterance


def texts_by_name(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of sound files: those of the file, and of the default menu."""
    return {**DEFAULT_TEXTS, **settings.texts}


def named_by_place(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each sound file of the call flow that has a text, and its place."""
    texts = texts_by_name(settings)
    for placed in settings.flow.all_sounds():
        for media in placed.sound.media:
            name = media.removeprefix("sound:")
            if name in texts:
                yield placed.place, name


@implementer(ISpeech)
class Speech:
    """Renders the texts of a configuration ahead, and finds what to play.

    Texts are rendered after `configure`, those of sound files after `look_up_sounds`
    has found which of these files Asterisk lacks.

    Args:
        settings: the configuration.
        reactor: the reactor that runs the engine.
        url: returns the URL that Asterisk fetches rendered texts from; empty: they
            are not served.
        serve: called when there is the first text to serve.
        languages_of: asks Asterisk for a sound file; see `AsteriskSounds`.
        default_language: asks Asterisk for the language of calls that have no other.
        renderer: makes the renderer; replaced in tests.

    Attributes:
        folder: the folder of rendered texts.
        is_needed: whether there are texts to serve.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorProcess and IReactorTime
        url: Callable[[], str],
        serve: Callable[[], None],
        languages_of: Callable[[str], Awaitable[frozenset[str] | None]],
        default_language: Callable[[], Awaitable[str]],
        renderer: Callable[..., Renderer] = Renderer,
    ) -> None:
        self.is_needed = False
        self.folder = Path()
        self._reactor = reactor
        self._url = url
        self._serve = serve
        self._renderer = renderer(self._rendered, reactor=reactor)
        self._sounds = AsteriskSounds(languages_of)
        self._ask_default_language = default_language
        self._default_language = "en"
        self._engine: Engine | None = None
        self._no_engine = ""  # why there is none, unless that is logged already
        self._jobs: dict[tuple[str, str], Job] = {}
        self._ready: set[str] = set()
        self._pending: dict[str, list[Deferred[str]]] = {}
        self._failed: set[str] = set()
        self._is_unreachable = False
        self._missing: tuple[str, ...] = ()
        self._looking_up: set[str] = set()
        self._has_looked_up = False
        self._settings = settings
        self._texts: Mapping[str, Mapping[str, str]] = {}

    def configure(self, settings: Settings) -> None:
        """Apply settings: find the engine, and begin to render the texts."""
        self._settings = settings
        self.folder = speech_folder(settings.speech)
        self._texts = {
            f"sound:{name}": texts for name, texts in texts_by_name(settings).items()
        }
        self._jobs.clear()
        self._failed.clear()
        self._ready = {name for name in self._ready if (self.folder / name).is_file()}
        self._is_unreachable = self.is_needed = False
        self._no_engine = ""
        spoken = any(spoken_by_place(settings.flow))
        try:
            self._engine = find_engine(settings.speech)
        except EngineError as error:
            self._engine = None
            if spoken or settings.texts:
                self._log.error("Texts cannot be spoken: {error}", error=error)
            else:
                self._no_engine = str(error)
        self._render_texts()
        if self._has_looked_up:
            self._render_missing()
        if self._jobs and self._engine is not None:
            self._log.info(
                "Texts: {count}, spoken by {engine} and kept in {folder}; to be"
                " rendered: {new}",
                count=len(self._jobs),
                engine=self._engine.name,
                folder=self.folder,
                new=len(self._pending) or "none",
            )
        remove_unused(self.folder, {job.file_name for job in self._jobs.values()})

    async def look_up_sounds(self) -> None:
        """Find which sound files Asterisk lacks; render their texts, and log them.

        Errors of the requests are not reported: the connection is lost, and this is
        repeated for the next one.
        """
        places = [*named_by_place(self._settings)]
        names = dict.fromkeys(name for _, name in places)
        try:
            if names or any(spoken_by_place(self._settings.flow)):
                self._default_language = await self._ask_default_language()
            await self._sounds.look_up(names)
        except (TelephonyError, CancelledError) as error:
            self._log.debug("Could not look up sounds: {error}", error=error)
            return
        self._has_looked_up = True
        self._render_texts()
        self._learned()

    async def stop(self) -> None:
        """Stop to render."""
        for waiting in [*self._pending.values()]:
            for each in waiting:
                _fire(each, "")
        self._pending.clear()
        await self._renderer.stop()

    # What calls ask for: `ISpeech`.

    def media_of_text(self, text: str, language: str) -> str | Deferred[str]:
        """Return the media URI of a text; see `ISpeech`."""
        job = self._job(text, language)
        if job is None:
            return ""
        name = job.file_name
        if name in self._ready:
            return self._media(name)
        if name not in self._pending:
            return ""  # it has failed
        self._renderer.prefer(job)
        waiting: Deferred[str] = Deferred()
        self._pending[name].append(waiting)
        giving_up = self._reactor.callLater(WAITING_SECONDS, _fire, waiting, "")

        def stop_timer(result: object) -> object:
            if giving_up.active():
                giving_up.cancel()
            return result

        waiting.addBoth(stop_timer)
        return waiting

    def media_of_sound(self, media: str, language: str) -> tuple[str, ...]:
        """Return what to play for a sound file; see `ISpeech`."""
        texts = self._texts.get(media)
        name = media.removeprefix("sound:")
        if texts is None or self._sounds.has(name, language) is not False:
            return (media,)
        return self._instead(name, texts, language)

    def playback_failed(self, media: str, language: str) -> tuple[str, ...] | None:
        """Return what to play instead of what has failed; see `ISpeech`."""
        texts = self._texts.get(media)
        if texts is not None:
            name = media.removeprefix("sound:")
            if self._sounds.has(name, language) is None:
                self._report_missing(dict.fromkeys((*self._missing, name)))
            elif name not in self._looking_up:
                # It was there: it is gone, or the caller is.
                self._looking_up.add(name)
                Deferred.fromCoroutine(self._look_up_again(name))
            instead = self._instead(name, texts, language)
            return None if instead == (media,) else instead
        if not media.startswith(_FETCHED):
            return None
        if not self._is_unreachable:
            self._is_unreachable = True
            self._log.error(
                "Asterisk could not play the spoken text {media}: check that it has"
                " loaded res_http_media_cache.so, and that it reaches this URL"
                " ([speech] listen and url)",
                media=media,
            )
        return ()

    def _instead(
        self, name: str, texts: Mapping[str, str], language: str
    ) -> tuple[str, ...]:
        """Return what to play for a file that Asterisk lacks in a language."""
        chosen = in_language(texts, language)
        is_own = name in self._settings.texts
        if chosen is None and self._sounds.has_any(name):
            return (f"sound:{name}",)  # Asterisk plays it in another language
        if chosen is None and is_own:
            chosen = Utterance(*next(iter(texts.items()))[::-1])
        if chosen is not None and not self._is_unreachable:
            job = self._job(chosen.text, chosen.language or language)
            if job is not None and job.file_name in self._ready and self._url():
                return (self._media(job.file_name),)
        core = CORE_SOUNDS.get(name)
        if core is not None:
            return tuple(f"sound:{each}" for each in core)
        return (f"sound:{name}",) if self._sounds.has_any(name) else ()

    def _media(self, name: str) -> str:
        url = self._url()
        return f"sound:{url}/{name}" if url else ""

    def _job(self, text: str, language: str) -> Job | None:
        return self._jobs.get((text, language)) or self._render(text, language)

    async def _look_up_again(self, name: str) -> None:
        try:
            await self._sounds.look_up([name])
        except (TelephonyError, CancelledError):
            return  # all are looked up for the next connection
        finally:
            self._looking_up.discard(name)
        self._learned()

    def _render_texts(self) -> None:
        languages = Languages(self._settings.flow, self._default_language)
        for place, (text, language) in spoken_by_place(self._settings.flow):
            for each in [language] if language else languages.at(place):
                self._render(text, each)

    def _learned(self) -> None:
        """Render the texts of files that Asterisk lacks, and log these files."""
        self._report_missing(self._render_missing())

    def _render_missing(self) -> dict[str, None]:
        """Render the texts of files that Asterisk lacks; return the names."""
        languages = Languages(self._settings.flow, self._default_language)
        missing: dict[str, None] = {}
        for place, name in named_by_place(self._settings):
            for language in languages.at(place):
                has = self._sounds.has(name, language)
                chosen = in_language(self._texts[f"sound:{name}"], language)
                if has is False and (chosen or not self._sounds.has_any(name)):
                    missing[name] = None
                # The default menu's sounds mostly exist.
                is_own = name in self._settings.texts
                if chosen and (has is False or (has is None and is_own)):
                    self._render(chosen.text, chosen.language or language)
        return missing

    def _render(self, text: str, language: str) -> Job | None:
        """Render a text, unless it is rendered already, or failed."""
        engine = self._engine
        if engine is None:
            return None
        if not self.is_needed:
            self.is_needed = True
            self._serve()
        job = job_for(Utterance(text, language), self._settings.speech, engine)
        self._jobs[text, language] = job
        name = job.file_name
        path = self.folder / name
        if name in self._ready or name in self._pending or name in self._failed:
            return job
        if path.is_file():
            self._ready.add(name)
            return job
        self._pending[name] = []
        self._renderer.render(job, path)
        return job

    def _rendered(self, job: Job, error: str) -> None:
        name = job.file_name
        waiting = self._pending.pop(name, [])
        if error:
            self._failed.add(name)
            self._log.error(
                "The text {text} cannot be spoken until the next reload: {error}",
                text=repr(shortened(job.text)),
                error=error,
            )
        else:
            self._ready.add(name)
            if not self._pending:
                self._log.info("All texts are rendered")
        for each in waiting:
            _fire(each, "" if error else self._media(name))

    def _report_missing(self, names: Iterable[str]) -> None:
        """Log the sounds that Asterisk lacks, once as long as they are the same."""
        missing = tuple(names)
        if missing == self._missing:
            return
        self._missing = missing
        if not missing:
            return
        if self._engine is not None and self._url():
            instead = "Their texts are spoken instead."
        else:
            instead = "Core sounds are played instead where there are any."
        self._log.warn(
            "Asterisk lacks these sounds: {names}. {instead} To hear them, put them"
            " into Asterisk's folder of sounds{silent}",
            names=", ".join(missing),
            instead=instead,
            silent=self._why_silent(),
        )

    def _why_silent(self) -> str:
        """Say why texts of missing sounds are not spoken, if that is not wanted."""
        if self._no_engine:
            return f". Their texts cannot be spoken: {self._no_engine}"
        if self._engine is not None and not self._url():
            return ". Their texts are spoken when Asterisk can fetch them"
        return ""


def shortened(text: str, length: int = _SHOWN) -> str:
    """Shorten a text for a line."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _fire(waiting: Deferred[str], result: str) -> None:
    if not waiting.called:
        waiting.callback(result)
