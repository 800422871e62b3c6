"""``channel-aa speak``: the texts of a configuration file as sound files."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from channel_aa.commands.cli import CommandError, add_file, load_file
from channel_aa.menus.languages import Languages
from channel_aa.menus.sounds import Utterance
from channel_aa.speech.engines import EngineError, find_engine
from channel_aa.speech.rendering import RenderError, job_for, render
from channel_aa.speech.speech import named_by_place

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from channel_aa.commands.cli import Subparsers
    from channel_aa.settings import Settings

_EPILOG = """\
Each text of [texts] becomes a file where Asterisk looks for it, by its language:
DIR/en/acme/welcome.wav. Copy the folder to Asterisk's folder of sounds, mostly
/usr/share/asterisk/sounds or /var/lib/asterisk/sounds. Files that are there already,
such as recordings, stay as they are.

example:
  channel-aa speak twistd.conf --output /tmp/sounds
"""


def add(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "speak",
        help="write the texts of a configuration file as sound files",
        description=(
            "Speaks the texts of the table [texts], and writes a sound file for each."
        ),
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_file(parser)
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="the folder for the sound files; it is created if need be",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="also write files that are there already",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Write the files; the exit code is 1 if one could not be written."""
    settings = load_file(arguments.file)
    files = dict(_files(settings))
    if not files:
        raise CommandError(f"{arguments.file}: there is no text in [texts]")
    try:
        engine = find_engine(settings.speech)
    except EngineError as error:
        raise CommandError(f"{arguments.file}: speech.engine: {error}") from error
    if engine is None:
        raise CommandError(f"{arguments.file}: speech.engine: the engine is 'none'")
    failures = 0
    for number, (name, text) in enumerate(files.items(), start=1):
        extension = "wav" if settings.speech.rate == 8000 else "wav16"  # noqa: PLR2004
        path: Path = arguments.output / f"{name}.{extension}"
        progress = f"{number}/{len(files)} {path}"
        if path.exists() and not arguments.overwrite:
            print(f"{progress}: exists", flush=True)
            continue
        try:
            render(job_for(text, settings.speech, engine), path)
        except RenderError as error:
            failures += 1
            print(f"{progress}: {error}", flush=True)
        else:
            print(progress, flush=True)
    return int(failures > 0)


def _files(settings: Settings) -> Iterator[tuple[str, Utterance]]:
    """Yield the name of each file, with its language, and its text."""
    languages = Languages(settings.flow, "en")
    played: dict[str, set[str]] = {}
    for place, name in named_by_place(settings):
        played.setdefault(name, set()).update(languages.at(place))
    for name, texts in settings.texts.items():
        for language, text in texts.items():
            for each in [language] if language else sorted(played.get(name, {"en"})):
                if each == language or each not in texts:
                    yield f"{each}/{name}", Utterance(text, each)
