"""Puts the figures of published/result.json into the pages that show them: `python -m benchmarks.reported.readme`.

Each figure stands on one page: docs/performance.md compares, benchmarks/README.md judges. The README has an excerpt.
"""

import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..compared.contender import ROOT
from ..summary import Samples, added, median
from .report import judged
from .table import markdown, number

PUBLISHED = ROOT / "benchmarks" / "published" / "result.json"
BEGIN, END = "<!-- written by python -m benchmarks.reported.readme -->\n", "<!-- end -->\n"
SHOWN = {"ours": "this proxy", "nginx": "nginx", "Portkey": "Portkey", "LiteLLM": "LiteLLM"}
ROWS = {  # row: (bench, metric, whether to subtract a direct call)
    "answers a second, 16 connections": ("json, 16 connections", "requests_s", False),
    "added to a call, ms (median, 1 connection)": ("json, 1 connections", "p50_ms", True),
    "CPU for an answer, µs (16 connections)": ("json, 16 connections", "cpu_us_request", False),
    "streamed frames a second, 16 streams": ("burst of 200 frames, 16 streams", "frames_s", False),
    "added to a frame, ms (median, 50 streams)": ("200 frames every 20 ms, 50 streams", "delay_p50_ms", True),
    "added to a frame, ms (99 of 100, 50 streams)": ("200 frames every 20 ms, 50 streams", "delay_p99_ms", True),
    "of 1,000 streams at once, complete": ("200 frames every 20 ms, 1000 streams", "complete", False),
    "the slowest of them, s (4.0 without a proxy)": ("200 frames every 20 ms, 1000 streams", "slowest_s", False),
    "upstream closed after the caller left, ms": ("caller leaves", "upstream_closed_ms", False),
    "memory after 64 connections, MB": ("json, 64 connections", "rss_mb", False),
    "process start to first answer, s": ("start to first answer", "first_answer_s", False),
}

EXCERPT = (  # the README's rows
    "answers a second, 16 connections",
    "added to a call, ms (median, 1 connection)",
    "streamed frames a second, 16 streams",
    "added to a frame, ms (99 of 100, 50 streams)",
    "of 1,000 streams at once, complete",
    "memory after 64 connections, MB",
)


def main() -> None:
    result = json.loads(PUBLISHED.read_text())
    for file in FILES:
        file.write_text(rewritten(file, result))


def rewritten(file: Path, result: Mapping[str, Any]) -> str:
    """The file's text, with its section from the run in `result`."""
    section, text = FILES[file](result), file.read_text(encoding="utf-8")
    return re.sub(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", lambda _: section, text, count=1, flags=re.DOTALL)


def excerpt(result: Mapping[str, Any]) -> str:
    where = f"{result['date']}, {result['machine']}; medians of {result['rounds']} rounds:"
    return f"{where}\n\n{comparison(result, EXCERPT)}\n"


def compared(result: Mapping[str, Any]) -> str:
    """Date, machine and versions of the run; and the table."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    where = f"{result['date']}, {result['machine']}; medians of {result['rounds']} rounds. {versions}.\n"
    where += f"Other programs took {100 * others_share(result['samples']):.0f} % of the machine meanwhile.\n"
    return f"{where}\n{comparison(result, ROWS)}\n"


def comparison(result: Mapping[str, Any], rows: Iterable[str]) -> str:
    """These rows of ROWS, with a column for each contender of the run."""
    samples = result["samples"]
    shown = {variant: label for variant, label in SHOWN.items() if variant in samples["json, 16 connections"]}
    table = [[what, *(number(figure(samples, *ROWS[what], variant)) for variant in shown)] for what in rows]
    return markdown(["", *shown.values()], table)


def verdicts(result: Mapping[str, Any]) -> str:
    return f"The run of {result['date']}:\n\n{judged(result['samples'])}\n"


def others_share(samples: Samples) -> float:
    """The other programs' share of the processors, the median over all samples (quiet.py)."""
    metrics = [metrics for variants in samples.values() for metrics in variants.values()]
    return statistics.median(share for taken in metrics for share in taken.get("others_share", ()))


def figure(samples: Samples, bench: str, metric: str, is_added: bool, variant: str) -> float | None:
    if metric == "upstream_closed_ms" and median(samples, bench, variant, "never_closed"):
        return math.inf
    if metric == "slowest_s":
        milliseconds = median(samples, bench, variant, "slowest_ms")
        return milliseconds and milliseconds / 1000
    return (added if is_added else median)(samples, bench, variant, metric)


FILES = {
    ROOT / "README.md": excerpt,
    ROOT / "docs" / "performance.md": compared,
    ROOT / "benchmarks" / "README.md": verdicts,
}

if __name__ == "__main__":
    main()
