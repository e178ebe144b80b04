"""Callers without a key cannot fill the log."""

import pytest

from proxy.fields import Fields
from proxy.stranger import A_MINUTE, REFUSALS, Strangers


def refused(error: str | None) -> Fields:
    return Fields("GET", "models", error=error)


def test_records_of_strangers_are_few_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    strangers = Strangers(lambda: now)
    flood = [refused(error) for error in sorted(REFUSALS) for _ in range(1_000)]
    assert len(strangers.few(flood)) == A_MINUTE
    assert strangers.few(flood) == []
    now = 61.0
    assert len(strangers.few(flood[:5])) == 5
    assert capsys.readouterr().out == f"calls without a good key: {6_000 - A_MINUTE} more were refused in one minute\n"


def test_records_of_everybody_else_are_all_there() -> None:
    """A flood of strangers hides nobody: no answered call, and no key that has ended."""
    strangers = Strangers(lambda: 0.0)
    strangers.few([refused("invalid_api_key")] * 1_000)
    others = [refused(error) for error in (None, "api_key_ended", "api_key_revoked", "not_found")] * 100
    assert strangers.few(others) == others
