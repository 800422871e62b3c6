"""The generated modules agree with the descriptions of the installed Asterisk."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_twisted

import channel_aa.ari.api
from channel_aa.simulator.simulator import VERSIONS
from generate_ari import words
from generate_ari.descriptions import read
from generate_ari.served import described
from generate_ari.source import modules
from real_asterisk.harness import Asterisk

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation

pytestmark = pytest.mark.asterisk

API = Path(channel_aa.ari.api.__file__).parent


@pytest_twisted.ensureDeferred
async def test_generated_modules_are_those_of_the_installed_asterisk(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> None:
    if VERSIONS[True] not in await asterisk.cli("core show version"):
        pytest.skip(f"the modules are made from Asterisk {VERSIONS[True]}")
    interface = read(await described(reactor, asterisk))
    operations = [each for found in interface.operations.values() for each in found]
    assert set(words.OPERATIONS) == {each.key for each in operations}
    assert set(words.MODELS) == {*interface.models, *interface.events}
    made = modules(interface)
    by_hand = {"__init__.py", "operation.py", "operations/__init__.py"}
    files = {str(path.relative_to(API)) for path in API.rglob("*.py")} - by_hand
    assert set(made) == files
    for path, source in made.items():
        committed = ast.parse((API / path).read_text("utf-8"))
        assert ast.dump(committed) == ast.dump(ast.parse(source)), (
            f"{path} differs: run scripts/generate-ari"
        )


@pytest_twisted.ensureDeferred
async def test_asterisk_16_sends_the_fields_that_models_require(
    reactor: PosixReactorBase, asterisk: Asterisk, installation_of_16: Installation
) -> None:
    """What older versions lack has to be optional."""
    latest = read(await described(reactor, asterisk))
    async with Asterisk.running(reactor, installation=installation_of_16) as older:
        of_16 = read(await described(reactor, older))
    lacking = [
        f"{name}.{field.name}"
        for models, older_models in (
            (latest.models, of_16.models),
            (latest.events, of_16.events),
        )
        for name in set(models) & set(older_models)
        for field in models[name]
        if field.is_required
        and not any(
            each.name == field.name and each.is_required for each in older_models[name]
        )
    ]
    assert lacking == []
