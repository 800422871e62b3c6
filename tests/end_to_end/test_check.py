"""``channel-aa check --asterisk`` on a real Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from tests.support.check_command import check

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk

pytestmark = pytest.mark.asterisk

_MENU = """
[menus.main]
prompt = ["press-1", "digits/star"]
options.9 = "hangup"
"""

_EVERYTHING = """
[menus.main]
greeting = ["no-such-sound", "sub/no-such-sound"]
prompt = ["press-1"]
language = "fr"
[menus.main.options]
1 = { play = ["you-entered", "digits:{digits}"] }
2 = { dial = ["PJSIP/410", "PJSIP/411", "Local/1000@default"], else = "back" }
3 = { dial = "Local/1@nowhere", else = "hangup" }
4 = { continue = { context = "default", extension = "1000" } }
5 = { continue = { context = "nowhere", extension = "6001" } }
6 = { voicemail = "410" }
7 = { queue = "support" }
8 = { queue = "nobody" }
9 = { record = "said", then = { play = ["recording:never-said"] } }
[menus.main.extensions]
pattern = "*4XX"
dial = "PJSIP/{digits}"
else = "hangup"
"""


@pytest_twisted.ensureDeferred
async def test_complete_asterisk_has_no_errors(
    reactor: PosixReactorBase, asterisk: Asterisk, tmp_path: Path
) -> None:
    code, (first, *rest) = await check(reactor, tmp_path, asterisk, _MENU)
    assert first.startswith("asterisk.url: Asterisk 22.")
    assert first.endswith(" answers at URL to the user asterisk")
    assert rest == ["no errors, no warnings"]
    assert code == 0


@pytest_twisted.ensureDeferred
async def test_missing_resources_are_reported_with_their_place(
    reactor: PosixReactorBase, asterisk: Asterisk, tmp_path: Path
) -> None:
    await asterisk.cli("module load res_ari_device_states.so")
    code, lines = await check(reactor, tmp_path, asterisk, _EVERYTHING)
    menu = "menus.main"
    errors = [line.partition(";")[0] for line in lines if "warning:" not in line]
    assert errors[:6] == [
        f"{menu}.greeting[0]: Asterisk has no sound no-such-sound",
        f"{menu}.greeting[1]: Asterisk has no sound sub/no-such-sound",
        f"{menu}.options.2: Asterisk has no endpoint PJSIP/411",
        f"{menu}.options.3: Asterisk has no extension 1 in the context nowhere",
        f"{menu}.options.5: Asterisk has no extension 6001 in the context nowhere",
        f"{menu}.options.8: Asterisk has no queue nobody",
    ]
    assert (
        f"{menu}.prompt[0]: warning: Asterisk has the sound press-1, but not in the"
        " language fr"
    ) in lines
    warnings = [line.partition("warning: ")[2] for line in lines]
    assert (
        "PJSIP/410 is offline now and cannot be dialled: no phone is registered there,"
        " or it does not answer"
    ) in warnings
    assert (
        "Asterisk has no recording never-said now; until there is one, callers hear a"
        " pause of 0.3 s"
    ) in warnings
    for command in ("pjsip show endpoints", "dialplan show nowhere", "queue show"):
        assert any(line.endswith(f"asterisk -rx '{command}'") for line in lines)
    assert code == 1


@pytest_twisted.ensureDeferred
async def test_wrong_password_is_reported(
    reactor: PosixReactorBase, asterisk: Asterisk, tmp_path: Path
) -> None:
    code, lines = await check(
        reactor, tmp_path, asterisk, _MENU, password="wrong-horse"
    )
    assert lines[0].startswith(
        "asterisk.username: Asterisk refused the user 'asterisk' or the password."
    )
    assert lines[-1] == "1 error, no warnings"
    assert code == 1


@pytest_twisted.ensureDeferred
async def test_read_only_user_is_an_error(
    reactor: PosixReactorBase, asterisk: Asterisk, tmp_path: Path
) -> None:
    username, password = asterisk.observer
    code, lines = await check(
        reactor, tmp_path, asterisk, _MENU, username=username, password=password
    )
    assert lines[0].startswith(
        "asterisk.username: Asterisk does not let the user 'observer' write"
    )
    assert "Set read_only = no in the section [observer] of ari.conf" in lines[0]
    assert code == 1
