"""The doctor sees whether a stream arrives while the model writes it, by its text alone."""

import pytest

from tests.doctor_support import AT_ONCE, COUNTED, DONE, azure, event, examined

PAUSE = 0.5  # seconds: a busy machine may well be late by a tenth
SLOWLY = [(b"".join(COUNTED[:15]), PAUSE), (b"".join(COUNTED[15:]) + DONE, 0.0)]
ROLE, ENDS = event(role="assistant", content=""), b'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n'
TOO_FEW = b'data: {"error":{"message":"max_tokens was reached before anything was said","code":null}}\n\n'
THOUGHTS = b"".join(event(reasoning_content=f"thought {number}") for number in range(40))


@pytest.mark.parametrize(
    ("streamed", "result"),
    [
        ([(ROLE + ENDS + DONE, 0.0)], "note"),
        ([(ROLE + THOUGHTS + ENDS + DONE, 0.0)], "note"),
        ([(ROLE, PAUSE), (ENDS + DONE, 0.0)], "ok"),
        ([(b": keep-alive\n\n", PAUSE), (b": keep-alive\n\n", PAUSE), *SLOWLY], "ok"),
        ([(b": keep-alive\n\n", PAUSE), *AT_ONCE], "problem"),
        (AT_ONCE, "problem"),
        ([(event(content="1\u2028 2"), PAUSE), ('data:{"choices":[],"x":"\u2028"}\n\n'.encode() + DONE, 0.0)], "ok"),
        (
            [
                (
                    b'data: {"choices":[null,{"delta":"?"},{"delta":null}]}\r\n\r\ndata: {"choices":7}\n\ndata: 1\n\n'
                    + DONE,
                    0,
                )
            ],
            "note",
        ),
        ([(ROLE + TOO_FEW + DONE, 0.0)], "note"),
        ([(ROLE, PAUSE), (ENDS, 0.0)], "problem"),
        ([(b": keep-alive\n\n", 0.0)], "problem"),
        ([(b'{"choices": []}', 0.0)], "problem"),
    ],
)
def test_a_stream_is_judged_by_when_its_text_arrives(streamed: list[tuple[bytes, float]], result: str) -> None:
    with azure(streamed=streamed) as (base, _):
        assert examined(base)["stream"].result == result


def test_too_few_tokens_in_mid_stream_are_made_more() -> None:
    with azure(streamed=[(ROLE + TOO_FEW + DONE, 0.0)]) as (base, bodies):
        examined(base)
    assert [body["max_completion_tokens"] for body in bodies if body.get("stream")] == [120, 2_000]
