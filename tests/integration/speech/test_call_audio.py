"""``channel-aa simulate --wav``: what the caller hears, as a file."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

from channel_aa.commands.main import main
from real_asterisk.sounds import write_sounds
from tests.support.printed import printed
from tests.support.speech_engine import ENGINE, SECONDS_A_CHARACTER

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "A greeting of fifty characters, for sales press 1."
FILE = f"""
[speech]
engine = {ENGINE!r}
folder = "speech"
[menus.main]
greeting = [{{ say = "{TEXT}" }}, "acme/jingle", "missing", "acme/named"]
prompt = ["silence/1"]
options.1 = {{ play = [{{ say = "{TEXT}", barge_in = false }}], then = "hangup" }}
[texts]
"acme/named" = "Named."
"""


def simulate(folder: Path, text: str, *options: str) -> tuple[int, list[str], str]:
    file = folder / "twistd.conf"
    file.write_text(text)
    write_sounds(folder / "sounds/en", {"acme/jingle": 2.0, "silence/1": 1.0})
    arguments = ["simulate", str(file), "--wav", str(folder / "call.wav"), *options]
    code, out, err = printed(main, arguments)
    return code, out.splitlines()[1:], err.replace(str(folder), "")


def tenths(path: Path) -> str:
    """Return "#" for each tenth of a second with a sound, "." for the others."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == 8000
        samples = file.readframes(-1)
    blocks = (samples[at : at + 1600] for at in range(0, len(samples) - 1599, 1600))
    return "".join("#" if any(block) else "." for block in blocks)


def test_call_is_written_with_texts_and_sounds(tmp_path: Path) -> None:
    seconds = len(TEXT) * SECONDS_A_CHARACTER
    assert seconds == 1.0
    sounds = str(tmp_path / "sounds")
    code, lines, err = simulate(tmp_path, FILE, "--press", "1", "--sounds", sounds)
    assert code == 0
    assert err == "/call.wav: a tone is in the place of missing\n"
    assert [line[10:] for line in lines[:4]] == [
        f'"{TEXT}"',
        "acme/jingle",
        "missing",
        "acme/named",
    ]
    assert [float(line[:8]) for line in lines[:4]] == [0.0, 1.0, 3.0, 4.0]
    heard = tenths(tmp_path / "call.wav")
    assert heard.startswith("#" * 33 + "." * 7 + "#")  # the tone takes 0.3 seconds
    assert heard.endswith("#" * 10)
    assert "." * 10 in heard


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, _, err = simulate(tmp_path, FILE, "--press", "1", "--sounds", "/no/sounds")
    assert (code, err) == (1, "channel-aa: --sounds: there is no folder /no/sounds\n")


def test_key_ends_a_sound(tmp_path: Path) -> None:
    sounds = str(tmp_path / "sounds")
    steps = "wait 1.5, 1"
    code, lines, _ = simulate(tmp_path, FILE, "--press", steps, "--sounds", sounds)
    assert code == 0
    assert [line[10:] for line in lines[1:4]] == [
        "acme/jingle",
        "key 1",
        f'"{TEXT}"',
    ]
    heard = tenths(tmp_path / "call.wav")
    assert 24 <= len(heard) <= 26
    assert set(heard) == {"#"}


def test_engine_that_is_missing_is_named_once(tmp_path: Path) -> None:
    text = FILE.replace(repr(ENGINE), '["no-such-tts", "{wav}", "{text}"]')
    code, _, err = simulate(tmp_path, text, "--press", "1")
    assert code == 0
    assert err.count("texts cannot be spoken: the command no-such-tts") == 1


def test_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "call.wav").mkdir()
    code, _, err = simulate(tmp_path, FILE, "--press", "1")
    assert code == 1
    assert "channel-aa: --wav: /call.wav: Is a directory" in err
