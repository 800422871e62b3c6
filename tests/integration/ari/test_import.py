"""The import of the client has no side effects."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import channel_aa.ari, channel_aa.ari.wire.connection, channel_aa.ari.wire.http
found = {"twisted.internet.reactor", "pydantic", "channel_aa.menus"} & set(sys.modules)
sys.exit(", ".join(sorted(found)) or None)
"""


def test_client_imports_no_reactor_and_no_configuration() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
