"""A call reserves its estimate from the key's budget, and settles it afterwards. These tests have no table."""

import gc
import json
from collections.abc import Callable
from typing import Any

import pytest

from proxy.budget import Budgets, OverBudget
from proxy.charge import Charge
from proxy.ending import ENDINGS, ChatEnding, Ending
from proxy.estimate import DATA_TOKENS, UNNAMED_OUTPUT, Estimate, estimated, frames_of
from proxy.excerpt import Excerpt
from proxy.fields import Fields
from proxy.model import choose_deployment
from tests.keys.signing import key

CHAT = "chat/completions"
DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2


class Clock:
    """A clock that a test sets, in seconds since 1970."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgets(clock: Clock) -> Budgets:
    return Budgets(clock=clock, monotonic=clock)


def over(total: int | None = 30, **changes: Any) -> Fields:
    """The record of an ended call with `total` tokens, two thirds of them input."""
    tokens = {} if total is None else {"input_tokens": total * 2 // 3, "output_tokens": total - total * 2 // 3}
    told = {"status": 200, "outcome": "complete", "total_tokens": total, "upstream_ms": 1.0, **tokens, **changes}
    return Fields("POST", CHAT, **told)


def asked(route: str = CHAT, usual: int = 0, **body: Any) -> Estimate | None:
    text = json.dumps(body).encode()
    return estimated(route, text, choose_deployment(text, {"m": "m"}, required=False, in_path=False).members, usual)


def let_in(budgets: Budgets, most: int, ask: Estimate | None, **limits: int) -> list[Charge]:
    """The charges of at most `most` calls at once with one key, up to the first refusal."""
    charges = []
    for _ in range(most):
        try:
            charges.append(budgets.reserve(key(**limits), ask))
        except OverBudget:
            break
    return charges


def test_a_hundred_calls_at_once_do_not_get_a_hundred_answers(budgets: Budgets) -> None:
    charges = let_in(budgets, 100, Estimate(20, 80), tokens_a_day=1_000)
    assert len(charges) == 10
    with pytest.raises(OverBudget) as refused:
        budgets.reserve(key(tokens_a_day=1_000), Estimate(1, 1))
    assert refused.value.code == "key_budget_reserved"
    assert refused.value.headers["retry-after"] == "2"
    charges[0].settle(over(30))
    budgets.reserve(key(tokens_a_day=1_000), Estimate(20, 80))


def test_the_last_tokens_can_be_used_whatever_a_call_asks_for(budgets: Budgets) -> None:
    budgets.reserve(key(tokens_a_day=10), Estimate(50_000, 50_000)).settle(over(9))
    budgets.reserve(key(tokens_a_day=10), Estimate(50_000, 50_000)).settle(over(9))
    with pytest.raises(OverBudget):
        budgets.reserve(key(tokens_a_day=10), Estimate(1, 1))


def test_a_used_up_budget_says_until_when_and_that_trying_again_is_vain(budgets: Budgets, clock: Clock) -> None:
    clock.now += 30
    budgets.reserve(key(tokens_a_day=10), Estimate(1, 1)).settle(over(30))
    with pytest.raises(OverBudget) as refused:
        budgets.reserve(key(tokens_a_day=10), Estimate(1, 1))
    assert refused.value.code == "key_budget_used_up"
    assert "in 12 h 0 min" in refused.value.body.decode()
    headers = refused.value.headers
    assert (headers["retry-after"], headers["x-should-retry"]) == (str(int(DAY / 2) - 30), "false")
    assert headers["x-proxy-limit-of"] == "key"


def test_a_day_begins_anew_at_midnight_utc(budgets: Budgets, clock: Clock) -> None:
    limits = {"requests_a_day": 2}
    late = let_in(budgets, 5, Estimate(1, 1), **limits)
    assert len(late) == 2
    clock.now += DAY / 2
    anew = let_in(budgets, 5, Estimate(1, 1), **limits)
    assert len(anew) == 2
    late[0].settle(over(30))
    assert budgets.left(key(tokens_a_day=100))["tokens_a_day"] == 100, "it was of the day before"


def test_a_clock_that_is_set_back_begins_no_day_again(budgets: Budgets, clock: Clock) -> None:
    clock.now += DAY / 2
    assert len(let_in(budgets, 5, Estimate(1, 1), requests_a_day=2)) == 2
    clock.now -= 60
    assert let_in(budgets, 5, Estimate(1, 1), requests_a_day=2) == []


@pytest.mark.parametrize("limit", ["requests_a_minute", "tokens_a_minute"])
def test_a_minute_is_over_after_a_minute(budgets: Budgets, clock: Clock, limit: str) -> None:
    assert len(let_in(budgets, 9, Estimate(1, 0), **{limit: 3})) == 3
    clock.now += 20
    with pytest.raises(OverBudget) as refused:
        budgets.reserve(key(**{limit: 3}), Estimate(1, 0))
    assert (refused.value.code, refused.value.headers["retry-after"]) == ("key_minute_used_up", "40")
    clock.now += 40
    assert len(let_in(budgets, 9, Estimate(1, 0), **{limit: 3})) == 3


def test_one_key_does_not_use_anothers(budgets: Budgets) -> None:
    assert len(let_in(budgets, 9, Estimate(1, 1), requests_a_day=2)) == 2
    budgets.reserve(key("Bob", requests_a_day=2), Estimate(1, 1))


def test_a_call_that_asks_no_model_takes_nothing_of_the_day(budgets: Budgets) -> None:
    limits = {"requests_a_day": 1, "tokens_a_day": 1, "requests_a_minute": 3}
    budgets.reserve(key(**limits), Estimate(1, 1)).settle(over(30))
    assert len(let_in(budgets, 9, None, **limits)) == 2, "polling goes on, as fast as the minute lets it"


@pytest.mark.parametrize(
    ("fields", "frames", "tokens", "is_estimated"),
    [
        (over(30), 0, (20, 10, 30), False),
        (over(None), 40, (7, 40, 47), True),  # a stream that sent no usage
        (over(None, bytes_out=400), 0, (7, 5_000, 5_007), True),  # nothing tells the answer's usage
        (over(None, bytes_out=400, outcome="upstream_stream_broken"), 0, (7, 100, 107), True),
        (over(None, outcome="caller_left"), 12, (7, 12, 19), True),
        (over(None, outcome="upstream_stream_broken"), 12, (7, 12, 19), True),
        (over(11, outcome="caller_left", output_tokens=0, input_tokens=11), 12, (11, 12, 23), True),
        (over(None, status=499, outcome="caller_left", upstream_ms=9.0), 0, (7, 0, 7), True),  # left early
        (over(None, status=499, outcome="caller_left", upstream_ms=8_000.0), 0, (7, 400, 407), True),
        (over(None, status=499, outcome="caller_left", upstream_ms=900_000.0), 0, (7, 5_000, 5_007), True),
        (over(None, status=504, outcome=None, error="upstream_timeout", upstream_ms=8_000.0), 0, (7, 400, 407), True),
        (over(None, status=499, outcome="caller_left", upstream_ms=0.0), 0, (0, 0, 0), False),  # not sent to Azure
        (over(None, status=429, outcome="complete", bytes_out=400), 0, (0, 0, 0), False),
        (over(None, status=502, outcome=None), 0, (0, 0, 0), False),
    ],
)
def test_a_call_is_charged_what_was_produced(
    budgets: Budgets, fields: Fields, frames: int, tokens: tuple[int, int, int], is_estimated: bool
) -> None:
    charge = budgets.reserve(key(), Estimate(7, 5_000))
    charge.frames = frames
    charge.settle(fields)
    own = budgets.tally(key()).own
    assert (own.input_tokens, own.output_tokens, own.total_tokens) == tokens
    assert (own.requests, own.estimated) == (int(bool(tokens[2])), int(is_estimated))
    assert (own.open_requests, own.reserved_tokens) == (0, 0)
    assert bool(fields.estimated) == is_estimated
    if is_estimated:
        assert (fields.input_tokens, fields.output_tokens, fields.total_tokens) == tokens, "the record says the same"


def test_a_response_in_the_background_is_charged_though_nobody_stays(budgets: Budgets) -> None:
    ask = asked("responses", background=True, input="x", max_output_tokens=300)
    assert ask
    charge = budgets.reserve(key(), ask)
    charge.settle(over(None, outcome="caller_left"))
    assert budgets.tally(key()).own.output_tokens == 300


def test_a_call_that_nobody_settles_holds_nothing(budgets: Budgets) -> None:
    charges = let_in(budgets, 9, Estimate(5, 95), tokens_a_day=100)
    assert len(charges) == 1
    del charges
    gc.collect()
    own = budgets.tally(key()).own
    assert (own.requests, own.total_tokens, own.reserved_tokens) == (1, 5, 0)


def test_what_a_limited_call_reserves_is_what_it_can_take() -> None:
    assert asked(max_tokens=50, n=4) == Estimate(6, 200)
    assert asked(max_completion_tokens=50, max_tokens=70) == Estimate(11, 70)
    assert asked("responses", max_output_tokens=50) == Estimate(6, 50)
    assert asked("embeddings", input="x" * 387) == Estimate(100, 0)
    assert asked("responses/{response_id}") is None


def test_a_call_without_a_limit_reserves_what_its_key_usually_gets(budgets: Budgets) -> None:
    assert asked() == Estimate(0, UNNAMED_OUTPUT)
    assert asked(usual=4_321) == Estimate(0, 4_321)
    budgets.reserve(key(), Estimate(1, 1)).settle(over(30_000))
    budgets.reserve(key(), Estimate(1, 1)).settle(over(0))
    assert budgets.usual_output(key()) == 5_000


@pytest.mark.parametrize(
    "value", ["-1e999", "1e999", "-5", "NaN", "null", '"9"', "true", "[1]", "0", "1e300", "9" * 5_000]
)
@pytest.mark.parametrize("name", ["max_tokens", "n"])
def test_no_number_in_a_body_makes_a_call_cheap_or_breaks_the_count(name: str, value: str) -> None:
    body = f'{{"{name}":{value},"max_completion_tokens":40,"n":2}}'.encode()
    members = choose_deployment(body, {"m": "m"}, required=False, in_path=False).members
    ask = estimated(CHAT, body, members, 0)
    assert ask
    assert 80 <= ask.output_tokens <= 1_000_000
    assert ask.input_tokens >= 5


def test_a_picture_in_a_body_is_not_taken_for_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo/+" * 100_000}}
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRiQ" * 100_000, "format": "wav"}}
    for content, count in ([picture], 1), ([sound], 1), ([picture, sound, picture], 3):
        ask = asked(messages=[{"role": "user", "content": content}])
        assert ask
        assert count * DATA_TOKENS <= ask.input_tokens < count * (DATA_TOKENS + 60)


EVENTS = [b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % (b"word" * (1 + turn % 3)) for turn in range(2_000)]
NUMBERED = [b'event: x\ndata: {"type":"x","sequence_number":%d,"delta":"w"}\n\n' % turn for turn in range(2_000)]


@pytest.mark.parametrize(
    ("stream", "ending", "off_by"),
    [
        (EVENTS, ChatEnding, 0.05),
        ([*EVENTS, b"data: [DONE]\n\n"], ChatEnding, 0.05),
        (NUMBERED, ENDINGS["responses"], 0.0),
        ([b"data: " + b"x" * 100_000 + b"\n\n", *NUMBERED], ENDINGS["responses"], 0.0),
    ],
)
def test_events_are_known_from_what_is_kept_of_a_stream(
    stream: list[bytes], ending: Callable[[], Ending], off_by: float
) -> None:
    for size in (1, 7, len(stream)):
        seen = ending()
        for at in range(0, len(stream), size):
            seen.add(b"".join(stream[at : at + size]))
        assert frames_of(seen.excerpt, sum(map(len, stream))) == pytest.approx(2_000, rel=off_by or 1e-9)
    assert frames_of(Excerpt(), 0) == 0
