"""Under every fault that the fake Azure and its identity endpoint know, the doctor names the right cause."""

from collections.abc import Iterator

import pytest

from emulator.azure import errors, faults, identity
from emulator.doctor import examination
from emulator.doctor.examination import Doctor
from emulator.doctor.troubleshooting import meaning_of
from emulator.stack import CASSETTES, LocalStack

KEY = "a-function-key"
IDENTITY, BROKEN = "502 `upstream_token_refused`", "502 `upstream_stream_broken`"
UNREADABLE, OTHER = "an answer that cannot be read", "another error"
WELL = ""  # the doctor notices slowness, or nothing at all
CAUSES = {
    "content_filter_event": WELL,  # an answer like another
    "slow_first_byte": WELL,
    "slow_frames": WELL,
    "one_byte_chunks": WELL,
    "stall; at_frame=2": "504 `upstream_timeout`",
    "reset": "502 `upstream_unreachable`",
    "reset; at_frame=2": BROKEN,
    "close": BROKEN,
    "malformed_chunk": BROKEN,
    "half_character": BROKEN,
    "no_end": BROKEN,
    "silent_truncation": UNREADABLE,
    "malformed_json": UNREADABLE,
    "error_event": OTHER,
    "wrong_content_type": "502 `upstream_web_page`",
    "bad_key": IDENTITY,
    "bad_token": IDENTITY,
    "permission_denied": "502 `upstream_authentication_error`",
    "key_disabled": IDENTITY,
    "network_denied": "502 `upstream_network_denied`",
    "deployment_not_found": "Azure's `DeploymentNotFound`",
    "deployment_not_found_2024": "Azure's `DeploymentNotFound`",
    "unknown_model": "Azure's `DeploymentNotFound`",
    "rate_limited": "Azure's 429",
    "rate_limited_2025": "Azure's 429",
    "rate_limited_briefly": "Azure's 429",
    "responses_too_old": WELL,  # for every route, this fault only says that the route is missing
    "identity_400": "502 `identity_unavailable`",
    "identity_403": "502 `identity_unavailable`",
    "identity_429": "502 `identity_unavailable`",
    "identity_500": "502 `identity_unavailable`",
    "identity_html": "502 `identity_unavailable`",
    "identity_slow": WELL,
    "identity_expiring": WELL,
    "identity_clock_jump": WELL,
    "identity_expired": IDENTITY,
    "identity_wrong_audience": IDENTITY,
}
KNOWN = [*faults.FAULTS, *errors.ERRORS, *identity.FAULTS]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack([CASSETTES / "doctor"], function_key=KEY, time_scale=1) as running:
        yield running


def causes(stack: LocalStack) -> list[str]:
    return [check.meaning for check in Doctor(stack.base_url, KEY).examine() if check.result == "problem"]


def one_of_each_cause() -> Iterator[object]:
    """One fault of each cause. The cause's other faults are marked long."""
    seen = set[str]()
    for fault in (*CAUSES, *(name for name in errors.ERRORS if name not in CAUSES)):
        cause = CAUSES.get(fault, OTHER)
        yield pytest.param(fault, marks=[pytest.mark.long] if cause in seen else [])
        seen.add(cause)


@pytest.mark.parametrize("fault", [*one_of_each_cause()])
def test_the_cause_is_named(stack: LocalStack, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(examination, "ANSWER_SECONDS", 1.5 if fault.startswith("stall") else 3.0)
    if fault.startswith("identity"):
        with LocalStack([CASSETTES / "doctor"], function_key=KEY, time_scale=1) as new:  # a new proxy has no token yet
            new.azure.misbehave(fault)
            found = causes(new)
    else:
        stack.azure.reset()
        stack.azure.misbehave(fault)
        found = causes(stack)
    expected = CAUSES.get(fault, OTHER)
    assert (found[0] if found else "") == (expected and meaning_of(expected))


def test_no_fault_is_left_out() -> None:
    assert {fault.split(";")[0] for fault in CAUSES} | set(errors.ERRORS) == set(KNOWN)
