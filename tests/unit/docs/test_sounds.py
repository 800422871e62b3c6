"""The menu of docs/sounds.md with which a prompt is recorded by phone."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.main import main
from tests.support.printed import printed

PAGE = Path(__file__).parents[3] / "docs" / "sounds.md"
STEPS = (
    "wait 0.5,*,4711,wait 1,speak 2,hear vm-star-cancel,1,hear vm-msgsaved,"
    "wait 5,*,4711,wait 5,hear vm-tooshort,wait 1,speak 2,hear vm-star-cancel,2,*,"
    "wait 3,hang up"
)
EXPECTED = (
    "...,vm-password,key (secret),key (secret),key (secret),key (secret),"
    "records acme/welcome-review,recording:acme/welcome-review,vm-review,"
    "vm-star-cancel,key (secret),vm-msgsaved,recording:acme/welcome,...,"
    "records acme/welcome-review,vm-tooshort,records acme/welcome-review,"
    "recording:acme/welcome-review,vm-review,vm-star-cancel,key (secret),"
    "recording:acme/welcome-review,vm-review,vm-star-cancel,key (secret),"
    "recording:acme/welcome,...,hung up by caller"
)


class RecordedByPhoneTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "twistd.conf")
        blocks = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        [text] = [
            text for kind, text in blocks if kind == "toml" and "review = true" in text
        ]
        self.file.write_text(text)

    def test_menu_has_no_warnings(self) -> None:
        code, out, _ = printed(main, ["check", str(self.file), "--strict"])
        self.assertEqual((code, out), (0, f"{self.file}: no errors, no warnings\n"))

    def test_recording_is_kept_heard_and_dropped(self) -> None:
        arguments = ["simulate", str(self.file), "--press", STEPS]
        code, out, err = printed(main, [*arguments, "--expect", EXPECTED])
        self.assertEqual((code, err), (0, ""), out)
