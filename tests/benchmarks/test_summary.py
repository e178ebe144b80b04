"""The arithmetic of a run."""

import math

from benchmarks.reported.table import comparison, markdown, number
from benchmarks.summary import added, median, percentile, ratio

SAMPLES = {
    "json": {
        "direct": {"p50_ms": [1.0, 2.0, 1.0], "rss_mb": [2.0, 2.0, 2.0]},
        "ours": {"p50_ms": [2.0, 8.0, 3.0]},
        "nginx": {"p50_ms": [1.0, 2.0, 6.0]},
    }
}


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_a_ratio_compares_samples_of_the_same_round():
    assert ratio(SAMPLES, "json", "ours", "nginx", "p50_ms") == 2.0  # of 2/1, 8/2, 3/6
    assert added(SAMPLES, "json", "ours", "p50_ms") == 2.0  # of 2-1, 8-2, 3-1


def test_what_was_not_measured_has_no_value():
    assert median(SAMPLES, "json", "LiteLLM", "p50_ms") is None
    assert ratio(SAMPLES, "json", "ours", "LiteLLM", "p50_ms") is None
    assert ratio(SAMPLES, "absent", "ours", "nginx", "p50_ms") is None
    assert number(None) == "–"
    assert number(math.inf) == "never"


def test_numbers_have_three_figures():
    assert [number(value) for value in (0.01234, 1.5, 12.34, 99.96, 123.4, 12345.6)] == [
        *("0.0123", "1.5", "12.3", "100", "123", "12,346")
    ]


def test_the_table_shows_medians_and_ratios_to_ours():
    table = markdown(["", *SAMPLES["json"]], comparison(SAMPLES, "json", ["p50_ms", "rss_mb"]))
    assert table.splitlines() == [
        "|  | direct | ours | nginx |",
        "| --- | --- | --- | --- |",
        "| p50_ms | 1 (0.333×) | 3 | 2 (0.5×) |",
        "| rss_mb | 2 | – | – |",
    ]
