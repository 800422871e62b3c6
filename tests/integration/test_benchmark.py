"""The benchmark's command, with the smallest numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

SECONDS = 600
"""The seconds that the benchmark may take."""


def run(*options: str, status: int = 0) -> str:
    """Run the benchmark; return its output."""
    done = subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-m", "benchmarks", *options],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == status, printed
    return printed


def test_report_has_measurements_and_machine(tmp_path: Path) -> None:
    printed = run("--calls", "4", "--seconds", "2", "--output", str(tmp_path))
    written = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert written["machine"]["processor"] in printed
    measured = {result["program"]: result for result in written["results"]}
    # The report says if npm could not install the Node.js program.
    assert {"http", "websocket"} <= set(measured) <= {"http", "websocket", "node"}
    assert ("node" in measured) != ("is left out" in printed)
    for result in written["results"]:
        assert result["calls"] == 4
        assert result["seconds"] >= 2
        assert result["requests"] > result["keys"] > 0
        assert result["events"] > result["keys"]
        assert 0 < result["cpu_seconds"] < 4 * result["seconds"]
        assert result["memory_kib"] >= result["idle_kib"] > 1024
        assert result["calls_unanswered"] == result["calls_sent_away"] == 0
        assert 0 < result["stop_delay"]["median"] <= result["stop_delay"]["longest"]
        assert result["stop_delay"]["count"] <= result["keys"]
    for heading in ("What it costs", "Reaction to a key", "Targets"):
        assert f"\n## {heading}" in printed
    assert "## Targets" in (tmp_path / "results.md").read_text("utf-8")
    ET.fromstring((tmp_path / "results.svg").read_text("utf-8"))  # noqa: S314 - ours


def test_profile_counts_function_calls() -> None:
    printed = run("--profile", "count", "--calls", "4", "--seconds", "1")
    assert "function calls" in printed
    assert "tottime" in printed


def test_invalid_number_of_calls_is_an_error() -> None:
    assert "not numbers of calls: 'many'" in run("--calls", "many", status=2)
