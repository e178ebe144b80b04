"""`check` passes real recordings and this project's cassettes. Each deviation in the table is one of Azure's.

The recordings and descriptions are not part of this project. AZURE_RECORDINGS and AZURE_SPECS name their folders.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from emulator import lint
from emulator.lint import chunk_order, conformity, event_order, framing
from emulator.lint.context import Context
from emulator.lint.deviation import CHATLAS, DEVIATIONS, LATE, MIRASCOPE, OPENLLMETRY, known
from emulator.lint.openapi import Descriptions
from emulator.lint.tapes import Tapes
from emulator.stack import CASSETTES, ROOT

RECORDINGS = Path(os.environ.get("AZURE_RECORDINGS", ROOT.parent / "shared" / "azure-recordings"))
SPECS = Path(os.environ.get("AZURE_SPECS", ROOT.parent / "shared" / "azure-specs"))

needs_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="set AZURE_RECORDINGS to a folder of recordings")
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="set AZURE_SPECS to a folder of OpenAPI descriptions")


@pytest.fixture(scope="module")
def real() -> Tapes:
    return lint.read([RECORDINGS])


@needs_recordings
@pytest.mark.parametrize("check", [lint.unreadable, framing.check, event_order.check, chunk_order.check])
def test_real_recordings_are_in_order(check: Any, real: Tapes) -> None:
    assert list(check(real, Context())) == []


@needs_recordings
def test_real_recordings_are_what_the_sdk_knows(real: Tapes) -> None:
    assert list(conformity.against_sdk(real, Context())) == []


@needs_recordings
@needs_specs
def test_real_recordings_are_what_azure_describes(real: Tapes) -> None:
    descriptions = Descriptions(SPECS)
    described = [r for r in real.recordings if descriptions.schema_for(r)]
    assert len(described) > len(real.recordings) / 2, "the descriptions are found"
    assert list(conformity.against_openapi(real, Context(descriptions=descriptions))) == []


@needs_recordings
@needs_specs
def test_every_deviation_is_in_a_real_recording(real: Tapes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test checks deviations whose source is a recording. LATE ones depend on the SDK's version."""
    seen = set()
    monkeypatch.setattr(conformity, "known", lambda *facts: seen.add(found := known(*facts)) or found)
    list(conformity.against_sdk(real, Context()))
    list(conformity.against_openapi(real, Context(descriptions=Descriptions(SPECS))))
    recorded = {d for d in DEVIATIONS if d.source in (MIRASCOPE, CHATLAS, OPENLLMETRY) and d.reason != LATE}
    assert recorded <= seen


def test_our_cassettes_have_no_errors() -> None:
    """`check` compares with the recordings and descriptions that the machine has."""
    tapes = lint.read([CASSETTES])
    assert tapes.recordings
    assert [
        str(finding)
        for finding in lint.findings(tapes, lint.context_of(None, None, None))
        if finding.severity == "error"
    ] == []
