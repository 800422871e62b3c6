"""A description of the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

_PACKAGES = ("channel-aa", "twisted", "treq", "autobahn", "msgspec", "pydantic")
_ARI_CLIENT = Path(__file__).parent / "node/node_modules/ari-client/package.json"


def describe() -> dict[str, str]:
    """Describe this machine and its software, by keywords."""
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_cpu_model()}, {cores} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, {packages}",
        "Node.js": _node(),
        "load before": f"{os.getloadavg()[0]:.2f} processes in the last minute",
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _node() -> str:
    node = shutil.which("node")
    if node is None or not _ARI_CLIENT.exists():
        return "not installed"
    shown = subprocess.run([node, "--version"], check=True, capture_output=True)
    package = msgspec.json.decode(_ARI_CLIENT.read_bytes())
    return f"{shown.stdout.decode().strip()}, ari-client {package['version']}"
