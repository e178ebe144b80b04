"""docs/usage.kql asks for what the function logs."""

import re

from emulator.stack import ROOT
from proxy.fields import Fields

TEXT = (ROOT / "docs/usage.kql").read_text(encoding="utf-8")
FIRST, *QUERIES = TEXT.split("## ")  # as infra/workbook.bicep does


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
