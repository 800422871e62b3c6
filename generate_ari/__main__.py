"""Writes the generated modules of ``channel_aa/ari/api``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from generate_ari import descriptions, source
from generate_ari.served import described
from real_asterisk.harness import Asterisk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.posixbase import PosixReactorBase

API = Path(__file__).parents[1] / "channel_aa/ari/api"


async def _describe(reactor: PosixReactorBase) -> dict[str, Any]:
    async with Asterisk.running(reactor) as asterisk:
        return await described(reactor, asterisk)


def _write(resources: Mapping[str, Any]) -> None:
    modules = source.modules(descriptions.read(resources))
    for path, text in modules.items():
        (API / path).write_text(text, "utf-8")
    files = [str(API / path) for path in modules]
    command = [sys.executable, "-m", "ruff", "format", "--quiet", *files]
    subprocess.run(command, check=True)  # noqa: S603 - of this environment


async def _generate(reactor: PosixReactorBase) -> None:
    _write(await _describe(reactor))


react(lambda reactor: Deferred.fromCoroutine(_generate(reactor)))
