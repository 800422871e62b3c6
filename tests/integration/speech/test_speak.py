"""``channel-aa speak``: texts as files for Asterisk."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

from channel_aa.commands.main import main
from tests.support.printed import printed
from tests.support.speech_engine import ENGINE

if TYPE_CHECKING:
    from pathlib import Path

FILE = f"""
[speech]
engine = {ENGINE!r}
[menus.main]
prompt = ["acme/welcome"]
options.1 = {{ language = "fr" }}
[texts]
"acme/welcome" = {{ en = "Welcome.", fr = "Bienvenue." }}
"acme/hours" = "From 9 to 5."
"""


def speak(folder: Path, text: str, *options: str) -> tuple[int, list[str], str]:
    file = folder / "twistd.conf"
    file.write_text(text)
    arguments = ["speak", str(file), "--output", str(folder / "sounds"), *options]
    code, out, err = printed(main, arguments)
    return code, out.replace(str(folder), "").splitlines(), err.replace(str(file), "")


def test_texts_become_files_where_asterisk_looks_for_them(tmp_path: Path) -> None:
    code, lines, err = speak(tmp_path, FILE)
    assert (code, err) == (0, "")
    assert lines == [
        "1/3 /sounds/en/acme/welcome.wav",
        "2/3 /sounds/fr/acme/welcome.wav",
        "3/3 /sounds/en/acme/hours.wav",
    ]
    for name in ("en/acme/welcome", "fr/acme/welcome", "en/acme/hours"):
        with wave.open(str(tmp_path / f"sounds/{name}.wav")) as file:
            assert file.getframerate() == 8000


def test_recordings_are_kept(tmp_path: Path) -> None:
    recording = tmp_path / "sounds/en/acme/welcome.wav"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"by a professional")
    _, lines, _ = speak(tmp_path, FILE)
    assert lines[0] == "1/3 /sounds/en/acme/welcome.wav: exists"
    assert recording.read_bytes() == b"by a professional"
    speak(tmp_path, FILE, "--overwrite")
    assert recording.read_bytes() != b"by a professional"


def test_failure_is_printed_and_the_rest_is_written(tmp_path: Path) -> None:
    code, lines, _ = speak(tmp_path, FILE.replace("Bienvenue.", "fail"))
    assert code == 1
    assert lines[1].endswith("ended with code 1: the engine is broken")
    assert (tmp_path / "sounds/en/acme/hours.wav").is_file()


def test_nothing_to_speak_is_an_error(tmp_path: Path) -> None:
    code, _, err = speak(tmp_path, '[menus.main]\nprompt = ["or"]\n')
    assert (code, err) == (1, "channel-aa: : there is no text in [texts]\n")


def test_missing_engine_is_an_error(tmp_path: Path) -> None:
    for engine, message in (
        ('["no-such-tts", "{text}", "{wav}"]', "no-such-tts is not installed"),
        ('"none"', "the engine is 'none'"),
    ):
        code, _, err = speak(tmp_path, FILE.replace(repr(ENGINE), engine))
        assert code == 1
        assert message in err
