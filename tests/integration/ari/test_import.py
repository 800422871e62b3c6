"""The import of the client has no side effects."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import channel_aa.ari, channel_aa.ari.wire.connection, channel_aa.ari.wire.http
sys.exit("twisted.internet.reactor" in sys.modules)
"""


def test_client_import_installs_no_reactor() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT], check=False, timeout=60
    )
    assert done.returncode == 0
