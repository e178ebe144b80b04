"""docs/usage.kql queries fields that the function logs. Microsoft's own analyser of Kusto queries accepts it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.stack import ROOT
from proxy.fields import Fields
from tests.pages import blocks

TEXT = (ROOT / "docs/usage.kql").read_text(encoding="utf-8")
FIRST, *QUERIES = TEXT.split("## ")  # as infra/workbook.bicep does
IN_DOCS = blocks("docs/usage.md", "kusto")
NODE_MODULES = Path(os.environ.get("KUSTO_NODE_MODULES", ROOT / ".node/node_modules"))
ANALYSER = "@kusto/language-service-next"
FAULTS = {  # a change of the first query: the part that the analyser marks
    "timestamp, 1d": ("stamp, 1d", "stamp"),
    "sum(input_tokens)": ("sum(key)", "key"),
    "countif(": ("countwhere(", "countwhere"),
    "| order by": ("| ordered by", "ordered"),
    "used\n": ("users\n", "users"),
}
WHOLE = [FIRST + query for query in QUERIES] + IN_DOCS
PLANTED = {FIRST + QUERIES[0].replace(text, becomes, 1): marked for text, (becomes, marked) in FAULTS.items()}


@pytest.fixture(scope="module")
def analysed() -> dict[str, list[str]]:
    """Query: its errors. Node takes seconds to start the analyser, so one run checks all queries."""
    if not (shutil.which("node") and (NODE_MODULES / ANALYSER).is_dir()):
        pytest.skip(f"not here: npm install --prefix .node {ANALYSER}, and Node")
    queries = [*WHOLE, *PLANTED]
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(NODE_MODULES)}
    command = ["node", str(ROOT / "tests/infra/analyse.js")]
    done = subprocess.run(
        command, input=json.dumps(queries), env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return dict(zip(queries, json.loads(done.stdout), strict=True))


def test_every_field_is_one_of_a_record() -> None:
    asked = set(re.findall(r"\bcall\.(\w+)", TEXT))
    assert asked
    assert asked <= set(Fields.__struct_fields__)


def test_a_column_carries_the_name_of_its_field() -> None:
    for column, field in re.findall(r"(\w+) = to\w+\(call\.(\w+)\)", FIRST):
        assert column == field


def test_every_query_has_a_title_and_starts_from_what_the_first_part_defines() -> None:
    defined = set(re.findall(r"^let (\w+) =", FIRST, re.MULTILINE))
    assert QUERIES
    for query in QUERIES:
        title, source, *_ = query.splitlines()
        assert title.strip()
        assert source in defined, title


def test_every_query_is_one_for_microsofts_analyser(analysed: dict[str, list[str]]) -> None:
    assert IN_DOCS
    assert [analysed[query] for query in WHOLE] == [[]] * len(WHOLE)


@pytest.mark.parametrize(("planted", "marked"), PLANTED.items(), ids=FAULTS)
def test_a_planted_fault_is_marked(planted: str, marked: str, analysed: dict[str, list[str]]) -> None:
    assert planted not in WHOLE
    assert any(fault.startswith("Error ") and marked in fault for fault in analysed[planted])
