"""The figures in the pages are those of the published run."""

import json
from pathlib import Path

import pytest

from benchmarks.reported.readme import FILES, PUBLISHED, compared, rewritten

RESULT = json.loads(PUBLISHED.read_text())


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_page_has_the_figures_of_the_published_run(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == rewritten(file, RESULT), "run: python -m benchmarks.reported.readme"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_another_run_gives_another_text(file: Path) -> None:
    assert rewritten(file, {**RESULT, "date": "2001-02-03"}) != file.read_text(encoding="utf-8")


def test_the_run_says_when_where_and_with_what() -> None:
    text = compared(RESULT)
    for fact in (RESULT["date"], RESULT["machine"], f"Python {RESULT['versions']['Python']}", "httpx", "aiohttp"):
        assert fact in text


def test_the_published_run_compares_the_proxy_with_its_peers() -> None:
    assert {"direct", "nginx", "ours", "LiteLLM", "Portkey"} <= set(RESULT["samples"]["json, 16 connections"])
