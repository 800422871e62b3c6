"""What ``channel-aa check`` finds about the texts of a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.commands.findings import counted
from channel_aa.menus.languages import Languages
from channel_aa.menus.sounds import in_language
from channel_aa.problems import Problem, path_of
from channel_aa.service import address_of
from channel_aa.speech.engines import (
    EngineError,
    download_command,
    find_engine,
    speech_folder,
)
from channel_aa.speech.rendering import job_for
from channel_aa.speech.speech import named_by_place, spoken_by_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_aa.menus.sounds import Utterance
    from channel_aa.settings import Settings
    from channel_aa.speech.engines import Engine

_DEFAULT_LANGUAGE = "en"


def spoken_texts(settings: Settings) -> dict[Utterance, str]:
    """Return each text of a configuration, with its language and its first place."""
    languages = Languages(settings.flow, _DEFAULT_LANGUAGE)
    found: dict[Utterance, str] = {}
    for place, utterance in spoken_by_place(settings.flow):
        for language in sorted(languages.at(place)):
            spoken = utterance._replace(language=utterance.language or language)
            found.setdefault(spoken, place)
    for place, name in named_by_place(settings):
        texts = settings.texts.get(name)
        for language in sorted(languages.at(place)):
            chosen = in_language(texts, language) if texts else None
            if chosen is not None:
                spoken = chosen._replace(language=chosen.language or language)
                found.setdefault(spoken, path_of("texts", name))
    return found


def speech_warnings(settings: Settings) -> Iterator[Problem]:
    """Find texts that cannot be spoken, or not in the language of the calls."""
    texts = spoken_texts(settings)
    if texts:
        try:
            engine = find_engine(settings.speech)
        except EngineError as error:
            yield Problem("speech.engine", f"texts cannot be spoken here: {error}")
        else:
            yield from _voices(settings, texts, engine)
        yield from _unreachable(settings)
    yield from _missing_languages(settings)
    played = {name for _, name in named_by_place(settings)}
    for name in settings.texts:
        if name not in played:
            yield Problem(
                path_of("texts", name), "unused text: no menu or action plays the sound"
            )


def speech_notes(settings: Settings) -> Iterator[Problem]:
    """Say what would be rendered."""
    texts = spoken_texts(settings)
    try:
        engine = find_engine(settings.speech)
    except EngineError:
        return
    if engine is None or not texts:
        return
    folder = speech_folder(settings.speech)
    names = {job_for(text, settings.speech, engine).file_name for text in texts}
    new = sum(not (folder / name).is_file() for name in names)
    yield Problem(
        "speech",
        f"{engine.name} speaks {counted(len(names), 'text')}; not rendered yet in"
        f" {folder}: {new or 'none'}",
    )


def _voices(
    settings: Settings, texts: dict[Utterance, str], engine: Engine | None
) -> Iterator[Problem]:
    if engine is None:
        yield Problem("speech.engine", "texts are not spoken: the engine is 'none'")
        return
    reported: set[str] = set()
    for (_, language), place in texts.items():
        if engine.speaks(language) or language in reported:
            continue
        reported.add(language)
        remedy = "set speech.voice for it"
        if engine.name == "piper":
            command = download_command(speech_folder(settings.speech), language)
            remedy = f"fetch one: {command}"
        voice = Path(engine.voice(language)).stem or engine.name
        yield Problem(
            place, f"there is no voice for {language}, so {voice} speaks it; {remedy}"
        )


def _unreachable(settings: Settings) -> Iterator[Problem]:
    address = address_of(settings.asterisk)
    if not address.is_this_machine and not settings.speech.url:
        yield Problem(
            "speech.url",
            f"Asterisk runs on {address.host}, and fetches spoken texts from this"
            " machine: set listen to a port that it can reach, and url to its URL",
        )


def _missing_languages(settings: Settings) -> Iterator[Problem]:
    languages = Languages(settings.flow, _DEFAULT_LANGUAGE)
    for placed in settings.flow.all_sounds():
        for language in sorted(languages.at(placed.place)):
            texts = placed.sound.say
            if texts and in_language(texts, language) is None:
                yield Problem(
                    f"{placed.place}.say",
                    f"calls in {language} hear the text in {next(iter(texts))}: there"
                    f" is none in {language}",
                )
